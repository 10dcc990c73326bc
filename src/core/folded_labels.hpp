// SPDX-License-Identifier: Apache-2.0
// The labels of many events folded into one set: of each name the newest value counts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/state_bytes.hpp"
#include "tocsin/event.hpp"

namespace tocsin {

/// Events fold in the order of (time, log position), whatever order they are added or merged in: a
/// later label replaces an earlier one of its name, a null label removes it. The 128 lowest names
/// seen are followed, removed ones too; values are cut at 128 bytes.
class folded_labels {
 public:
  static constexpr std::size_t followed_max = 128;
  static constexpr std::size_t shown_max = 64;

  void add(std::int64_t time_ms, std::uint64_t position, std::span<const label> labels);
  void merge(const folded_labels& other);

  /// "env=prod, team=web": by name, the lowest 64; "" when all were removed or there was none.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return names_.capacity() * sizeof(named) + text_bytes_;
  }
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  struct named {
    std::int64_t time_ms;
    std::uint64_t position;
    bool removed;  ///< by a null label
    std::string name;
    std::string text;
  };
  void add(std::int64_t time_ms, std::uint64_t position, std::string_view name, bool removed,
           std::string_view text);

  std::vector<named> names_;    ///< by name
  std::size_t text_bytes_ = 0;  ///< what names and texts hold on the heap
};

}  // namespace tocsin
