// SPDX-License-Identifier: Apache-2.0
// Fixed-size blocks addressed by 32-bit index, with a free list; blocks never move.
#pragma once

#include <cassert>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <vector>

namespace tocsin {

inline constexpr std::uint32_t no_index = ~std::uint32_t{0};

/// Blocks of `block_bytes` (a multiple of 8, at least 8), given out uninitialised.
class slab {
 public:
  explicit slab(std::size_t block_bytes) : block_bytes_(block_bytes) {
    assert(block_bytes >= 8 && block_bytes % 8 == 0);
  }

  [[nodiscard]] std::uint32_t take() {
    if (free_ != no_index) {
      const std::uint32_t index = free_;
      free_ = *static_cast<const std::uint32_t*>(at(index));
      return index;
    }
    if (used_ == chunks_.size() * blocks_a_chunk)
      chunks_.emplace_back(static_cast<std::byte*>(
          ::operator new[](block_bytes_* blocks_a_chunk, std::align_val_t{cache_line_bytes})));
    return used_++;
  }

  void give_back(std::uint32_t index) {
    *static_cast<std::uint32_t*>(at(index)) = free_;
    free_ = index;
  }

  [[nodiscard]] void* at(std::uint32_t index) const {
    return chunks_[index / blocks_a_chunk].get() + (index % blocks_a_chunk) * block_bytes_;
  }

 private:
  static constexpr std::uint32_t blocks_a_chunk = 256;
  static constexpr std::size_t cache_line_bytes = 64;
  struct aligned_delete {
    void operator()(std::byte* chunk) const {
      ::operator delete[](chunk, std::align_val_t{cache_line_bytes});
    }
  };

  std::size_t block_bytes_;
  std::vector<std::unique_ptr<std::byte[], aligned_delete>> chunks_;
  std::uint32_t used_ = 0;
  std::uint32_t free_ = no_index;
};

}  // namespace tocsin
