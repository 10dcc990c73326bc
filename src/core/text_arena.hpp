// SPDX-License-Identifier: Apache-2.0
// Texts made while a batch is made, kept in a few growing chunks that live as long as the batch.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace tocsin {

class text_arena {
 public:
  /// A copy of `text` that lives as long as the arena.
  [[nodiscard]] std::string_view keep(std::string_view text) {
    if (text.empty()) return "";
    if (text.size() > left_) {
      left_ = std::max(next_bytes_, text.size());
      next_bytes_ = std::min(2 * next_bytes_, chunk_bytes_max);
      free_ = chunks_.emplace_back(new char[left_]).get();
    }
    std::memcpy(free_, text.data(), text.size());
    const std::string_view kept{free_, text.size()};
    free_ += text.size();
    left_ -= text.size();
    return kept;
  }

 private:
  static constexpr std::size_t chunk_bytes_max = 64 * 1024;

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* free_ = nullptr;
  std::size_t left_ = 0;
  std::size_t next_bytes_ = 512;  // most bursts are small
};

}  // namespace tocsin
