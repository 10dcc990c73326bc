// SPDX-License-Identifier: Apache-2.0
// Aggregates that do not fit into cells: a cell points to them, and is null until the first value.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "core/state_bytes.hpp"
#include "tocsin/event.hpp"
#include "tocsin/expression.hpp"

namespace tocsin {

/// What a cell points to, by kind.
enum class held_kind : std::uint8_t {
  distinct,      ///< distinct_counter
  quantiles,     ///< quantile_sketch
  sample,        ///< value_sample
  frequent,      ///< frequent_values
  collected,     ///< collected_values
  labels,        ///< folded_labels
  first_value,   ///< kept_value
  newest_value,  ///< kept_value
};

/// Where a unit's records hold one, and what enters it.
struct held_plan {
  held_kind kind;
  bool in_baseline;        ///< scores compare with it
  std::uint32_t argument;  ///< index among the layout's arguments; not used by labels
  std::uint32_t offset;    ///< its cell
  std::uint32_t most;      ///< collected: how many
};

/// What one event brings to a held aggregate.
struct sighting {
  value seen;  ///< the argument's value, not missing; a finite number for quantiles and sample
  std::span<const label> labels;
  std::int64_t time_ms;
  std::uint64_t position;
};

/// Takes the sighting in; gives by how many bytes the heap grew.
std::ptrdiff_t add_held(const held_plan& plan, double* cell, const sighting& of);
void merge_held(const held_plan& plan, double* into, const double* from);
/// Frees it; the cell is null then.
void release_held(const held_plan& plan, double* cell);
/// Bytes it takes with all it points to; 0 when the cell is null.
[[nodiscard]] std::size_t held_bytes(const held_plan& plan, const double* cell);
void save_held(const held_plan& plan, const double* cell, state_writer& to);
/// Precondition: the cell is null.
void load_held(const held_plan& plan, double* cell, state_reader& from);

/// What the cell points to, or null. Precondition: it is of this type.
template <class Kept>
[[nodiscard]] Kept* held_in(const double* cell) noexcept {
  Kept* kept = nullptr;
  static_assert(sizeof(void*) == sizeof(double));
  std::memcpy(&kept, cell, sizeof(void*));
  return kept;
}

}  // namespace tocsin
