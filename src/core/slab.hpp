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

/// Blocks of `block_bytes` (a multiple of 4, at least 4), given out uninitialised and aligned as
/// their size allows, up to 64 bytes. Memory is kept for reuse until the slab goes: what a flood
/// took is there for the next one.
class slab {
 public:
  explicit slab(std::size_t block_bytes) : block_bytes_(block_bytes) {
    assert(block_bytes >= 4 && block_bytes % 4 == 0);
  }

  /// The index of a free block. Indexes are not consecutive.
  [[nodiscard]] std::uint32_t take() {
    ++in_use_;
    if (free_ != no_index) {
      const std::uint32_t index = free_;
      free_ = *static_cast<const std::uint32_t*>(at(index));
      return index;
    }
    if (next_ == end_) add_chunk();
    return next_++;
  }

  /// Overwrites the first 4 bytes of the block; the others stay as they are.
  void give_back(std::uint32_t index) {
    --in_use_;
    *static_cast<std::uint32_t*>(at(index)) = free_;
    free_ = index;
  }

  [[nodiscard]] void* at(std::uint32_t index) const {
    return chunks_[index / chunk_blocks].get() + (index % chunk_blocks) * block_bytes_;
  }

  /// Calls `visit` with the index of every block that was ever taken, also of those given back, in
  /// ascending order.
  template <class Visit>
  void each_ever_taken(Visit&& visit) const {
    for (std::uint32_t chunk = 0; chunk < chunks_.size(); ++chunk) {
      const std::uint32_t first = chunk * chunk_blocks;
      const std::uint32_t last = chunk + 1 == chunks_.size() ? next_ : first + blocks_in(chunk);
      for (std::uint32_t index = first; index < last; ++index) visit(index);
    }
  }

  /// Blocks in use times their size.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return in_use_ * block_bytes_; }

 private:
  static constexpr std::uint32_t chunk_blocks = 1024;
  static constexpr std::size_t cache_line_bytes = 64;
  struct aligned_delete {
    void operator()(std::byte* chunk) const {
      ::operator delete[](chunk, std::align_val_t{cache_line_bytes});
    }
  };

  // There may be thousands of slabs with a handful of blocks each: the first chunks are small, and
  // the indexes behind them stay unused.
  [[nodiscard]] static std::uint32_t blocks_in(std::size_t chunk) noexcept {
    if (chunk == 0) return chunk_blocks / 64;
    return chunk == 1 ? chunk_blocks / 8 : chunk_blocks;
  }

  void add_chunk() {
    assert(chunks_.size() < no_index / chunk_blocks);
    const std::uint32_t blocks = blocks_in(chunks_.size());
    next_ = static_cast<std::uint32_t>(chunks_.size()) * chunk_blocks;
    end_ = next_ + blocks;
    chunks_.emplace_back(static_cast<std::byte*>(
        ::operator new[](block_bytes_* blocks, std::align_val_t{cache_line_bytes})));
  }

  std::size_t block_bytes_;
  std::vector<std::unique_ptr<std::byte[], aligned_delete>> chunks_;
  std::uint32_t next_ = 0;  ///< the block to take when none has been given back
  std::uint32_t end_ = 0;   ///< of the newest chunk
  std::uint32_t free_ = no_index;
  std::size_t in_use_ = 0;
};

}  // namespace tocsin
