// SPDX-License-Identifier: Apache-2.0
// Finds texts that came before, so that equal ones share their characters.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/shared_text.hpp"

namespace tocsin {

/// Knows some of the texts that it has seen last, however many come: each has one place by its
/// hash, which the next one takes. What comes often is nearly always found. Not thread-safe.
class text_cache {
 public:
  explicit text_cache(std::size_t places) : seen_(places) {}

  [[nodiscard]] shared_text share(const shared_text& text) {
    if (text.size() - 1 >= kept_bytes_max) return text;
    shared_text& kept = place_of(text);
    if (kept != text) kept = text;
    return kept;
  }
  [[nodiscard]] shared_text share(const std::string& text) { return share(std::string_view{text}); }
  [[nodiscard]] shared_text share(std::string_view text) {
    if (text.size() - 1 >= kept_bytes_max) return text;
    shared_text& kept = place_of(text);
    if (kept != text) kept = text;
    return kept;
  }

 private:
  /// Longer ones, and the empty one, are not kept.
  static constexpr std::size_t kept_bytes_max = 1024;

  shared_text& place_of(std::string_view text) {
    return seen_[std::hash<std::string_view>{}(text) % seen_.size()];
  }

  std::vector<shared_text> seen_;
};

}  // namespace tocsin
