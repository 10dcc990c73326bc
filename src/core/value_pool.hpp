// SPDX-License-Identifier: Apache-2.0
// Many short byte strings that come and go, each in a block of its size, without an allocation of
// its own.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "core/slab.hpp"

namespace tocsin {

/// Blocks of 4, 8, ... 256 bytes in chunks of one size each; longer values have a chunk alone. A
/// value never moves. Blocks are kept for reuse by values of their size until the pool goes; the
/// memory of a long value goes with it.
class value_pool {
 public:
  /// Copies the value; the handle is never no_index.
  [[nodiscard]] std::uint32_t add(std::string_view bytes);
  void drop(std::uint32_t handle);
  /// Valid until the value is dropped.
  [[nodiscard]] std::string_view at(std::uint32_t handle) const;

  /// Bytes of the blocks in use.
  [[nodiscard]] std::size_t used_bytes() const noexcept { return used_bytes_; }

 private:
  static constexpr std::uint32_t chunk_blocks = 256;  ///< a handle is chunk * chunk_blocks + block
  static constexpr std::size_t step_bytes = 4;        ///< block sizes are multiples
  static constexpr std::size_t block_bytes_max = 256;

  struct chunk {
    std::unique_ptr<char[]> blocks;
    std::size_t block_bytes = 0;
  };
  struct size_class {
    std::uint32_t free = no_index;  ///< blocks given back; each begins with the next one's handle
    std::uint32_t next = 0;         ///< the block to take when none has been given back
    std::uint32_t end = 0;          ///< of the newest chunk
    std::uint32_t newest_blocks = 0;
  };

  [[nodiscard]] char* block(std::uint32_t handle) const {
    const chunk& in = chunks_[handle / chunk_blocks];
    return in.blocks.get() + (handle % chunk_blocks) * in.block_bytes;
  }
  [[nodiscard]] std::uint32_t take(size_class& from, std::size_t block_bytes);
  [[nodiscard]] std::uint32_t take_alone(std::size_t block_bytes);
  [[nodiscard]] std::uint32_t add_chunk(std::size_t block_bytes, std::uint32_t blocks);

  std::vector<chunk> chunks_;
  std::array<size_class, block_bytes_max / step_bytes> classes_;
  std::vector<std::uint32_t> free_chunks_;  ///< numbers of chunks that held a long value
  std::size_t used_bytes_ = 0;
};

}  // namespace tocsin
