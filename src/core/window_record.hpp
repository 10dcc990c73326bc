// SPDX-License-Identifier: Apache-2.0
// What a pane, a window or a session has counted: a small header and the unit's aggregate cells
// behind it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/slab.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// The newest event of a pane or session by (time, position), copied: what texts are made from at
/// its close.
struct representative {
  std::int64_t time_ms = 0;
  std::uint64_t position = 0;
  std::string packed;  ///< packed_event.hpp
};

/// Header of a record; `cells` doubles follow it in memory.
struct window_record {
  std::int64_t end_ms;           ///< a pane's end
  std::int64_t first_ms;         ///< the smallest event time
  std::int64_t last_ms;          ///< the greatest event time
  std::uint64_t first_position;  ///< log position of the event with the smallest (time, position)
  std::uint64_t last_position;   ///< the greatest log position
  std::uint64_t count : 56;
  std::uint64_t worst : 8;  ///< worst level seen, as a number; no_level when none
  std::uint32_t next;       ///< a key's next record (older pane, later session), or no_index
  std::uint32_t with_id;    ///< events that carry an id
  representative*
      newest;  ///< null when not kept. A pane or session owns it, a merged window borrows it

  static constexpr std::uint64_t no_level = 4;
  static constexpr std::int64_t no_time =
      INT64_MAX;  ///< first_ms of an empty record; last_ms is its negative
};

/// How a unit's aggregates lie in cells, and how events enter and cells merge. Sums are compensated
/// (Neumaier 1974, "Rundungsfehleranalyse einiger Verfahren zur Summation endlicher Summen"), never
/// subtracted.
class aggregate_layout {
 public:
  explicit aggregate_layout(const unit& of);

  [[nodiscard]] std::size_t cell_count() const noexcept { return cell_count_; }

  void clear(double* cells) const;
  void add(double* cells, const event_batch& batch, const event& from) const;
  void merge(double* into, const double* from) const;
  /// The value of unit.aggregates[index].
  [[nodiscard]] value read(std::size_t index, const window_record& record,
                           const double* cells) const;

 private:
  enum class cell_kind : std::uint8_t { count_if, sum, minimum, maximum };
  struct cell_plan {
    cell_kind kind;
    std::uint32_t argument;  ///< index in arguments_
    std::uint32_t offset;    ///< first of the plan's cells
  };
  struct argument_plan {
    expression formula;
    bool is_event_value;  ///< the bare field `value`: read without evaluating
  };
  struct aggregate_plan {
    aggregate_function function;
    std::uint32_t offset;
  };

  std::uint32_t argument_of(const expression& formula);
  std::uint32_t plan_cells(cell_kind kind, std::uint32_t argument);

  std::vector<argument_plan> arguments_;
  std::vector<cell_plan> plans_;
  std::vector<aggregate_plan> aggregates_;
  std::size_t cell_count_ = 0;
};

/// All records of one unit.
class record_store {
 public:
  explicit record_store(const unit& of);

  [[nodiscard]] std::uint32_t take();  ///< an empty record
  void give_back(std::uint32_t index) { blocks_.give_back(index); }
  /// Gives back a pane or session with what it owns.
  void drop(std::uint32_t index) {
    delete at(index).newest;
    give_back(index);
  }
  [[nodiscard]] window_record& at(std::uint32_t index) const {
    return *static_cast<window_record*>(blocks_.at(index));
  }
  [[nodiscard]] static double* cells(window_record& of) {
    return reinterpret_cast<double*>(&of + 1);
  }
  [[nodiscard]] static const double* cells(const window_record& of) {
    return reinterpret_cast<const double*>(&of + 1);
  }

  void clear(window_record& record) const;
  /// Takes an event in; `time_ms` is its time by the rule's clock.
  void add(window_record& to, const event_batch& batch, const event& from, std::int64_t time_ms,
           std::uint64_t position) const;
  /// Keeps the event as the record's representative if it is its newest.
  static void keep_newest(window_record& to, const event_batch& batch, const event& from,
                          std::int64_t time_ms, std::uint64_t position);
  /// `into` borrows the newer representative.
  void merge(window_record& into, const window_record& from) const;

  [[nodiscard]] const aggregate_layout& layout() const noexcept { return layout_; }

 private:
  aggregate_layout layout_;
  slab blocks_;
};

}  // namespace tocsin
