// SPDX-License-Identifier: Apache-2.0
// The first few different texts, in the order in which they were first seen.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/state_bytes.hpp"

namespace tocsin {

/// Keeps the texts whose first events, by (time, log position), come first; exact, and independent
/// of the order of additions and merges. Texts are told apart by their first 128 bytes, hashed to
/// 64 bits.
class collected_values {
 public:
  /// `most` texts are kept; at least 1.
  explicit collected_values(std::size_t most) : most_(most) {}

  void add(std::int64_t time_ms, std::uint64_t position, std::string_view text);
  /// Precondition: both keep the same number of texts.
  void merge(const collected_values& other);

  /// "a, b", with ", ..." behind it when there were more.
  [[nodiscard]] std::string text() const;

  [[nodiscard]] std::size_t heap_bytes() const noexcept {
    return seen_.capacity() * sizeof(seen) + text_bytes_;
  }
  void save(state_writer& to) const;
  /// Precondition: nothing was added yet.
  void load(state_reader& from);

 private:
  struct seen {
    std::int64_t time_ms;
    std::uint64_t position;
    std::uint64_t hash;
    std::string text;
  };
  void add(std::int64_t time_ms, std::uint64_t position, std::uint64_t hash, std::string_view text);

  std::size_t most_;
  std::vector<seen> seen_;      ///< by (time, position)
  std::size_t text_bytes_ = 0;  ///< what the texts hold on the heap
  bool more_ = false;           ///< there was a text that is not kept
};

}  // namespace tocsin
