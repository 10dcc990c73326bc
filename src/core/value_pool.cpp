// SPDX-License-Identifier: Apache-2.0
// Blocks of values: the length as a varint, then the bytes.
#include "core/value_pool.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "core/varint.hpp"

namespace tocsin {

std::uint32_t value_pool::add(std::string_view bytes) {
  const std::size_t wanted = varint_bytes(bytes.size()) + bytes.size();
  const std::size_t steps = (wanted + step_bytes - 1) / step_bytes;
  const std::size_t block_bytes = steps * step_bytes;
  const std::uint32_t handle = block_bytes > block_bytes_max
                                   ? take_alone(block_bytes)
                                   : take(classes_[steps - 1], block_bytes);
  char* const to = write_varint(block(handle), bytes.size());
  if (!bytes.empty()) std::memcpy(to, bytes.data(), bytes.size());
  used_bytes_ += block_bytes;
  return handle;
}

void value_pool::drop(std::uint32_t handle) {
  chunk& in = chunks_[handle / chunk_blocks];
  used_bytes_ -= in.block_bytes;
  if (in.block_bytes > block_bytes_max) {
    in = {};
    free_chunks_.push_back(handle / chunk_blocks);
    return;
  }
  size_class& of = classes_[in.block_bytes / step_bytes - 1];
  std::memcpy(block(handle), &of.free, sizeof of.free);
  of.free = handle;
}

std::string_view value_pool::at(std::uint32_t handle) const {
  const chunk& in = chunks_[handle / chunk_blocks];
  std::string_view rest{in.blocks.get() + (handle % chunk_blocks) * in.block_bytes, in.block_bytes};
  const std::size_t bytes = take_varint(rest);
  return rest.substr(0, bytes);
}

std::uint32_t value_pool::take(size_class& from, std::size_t block_bytes) {
  if (from.free != no_index) {
    const std::uint32_t handle = from.free;
    std::memcpy(&from.free, block(handle), sizeof from.free);
    return handle;
  }
  if (from.next == from.end) {
    // Most sizes are rare: a size begins with few blocks.
    from.newest_blocks = std::min(chunk_blocks, std::max(16U, from.newest_blocks * 4));
    from.next = add_chunk(block_bytes, from.newest_blocks) * chunk_blocks;
    from.end = from.next + from.newest_blocks;
  }
  return from.next++;
}

std::uint32_t value_pool::take_alone(std::size_t block_bytes) {
  if (free_chunks_.empty()) return add_chunk(block_bytes, 1) * chunk_blocks;
  const std::uint32_t number = free_chunks_.back();
  free_chunks_.pop_back();
  chunks_[number] = {std::make_unique_for_overwrite<char[]>(block_bytes), block_bytes};
  return number * chunk_blocks;
}

std::uint32_t value_pool::add_chunk(std::size_t block_bytes, std::uint32_t blocks) {
  assert(chunks_.size() < no_index / chunk_blocks);
  chunks_.push_back({std::make_unique_for_overwrite<char[]>(block_bytes * blocks), block_bytes});
  return static_cast<std::uint32_t>(chunks_.size() - 1);
}

}  // namespace tocsin
