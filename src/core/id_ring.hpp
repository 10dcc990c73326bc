// SPDX-License-Identifier: Apache-2.0
// The ids of a key's newest events, packed.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"

namespace tocsin {

/// Remembers the newest event_ids_max ids in the order they were added.
class id_ring {
 public:
  struct entry {
    std::int64_t time_ms;
    std::uint64_t position;
    std::string_view id;  ///< valid until the next add
  };

  /// `id` has at most 255 bytes (event_limits::event_id_bytes allows fewer).
  void add(std::int64_t time_ms, std::uint64_t position, std::string_view id) {
    if (count_ == event_ids_max) {
      head_ += entry_bytes(head_);
      --count_;
    }
    if (head_ > 512) {
      bytes_.erase(0, head_);
      head_ = 0;
    }
    const std::size_t at = bytes_.size();
    bytes_.resize(at + header_bytes + id.size());
    char* to = bytes_.data() + at;
    std::memcpy(to, &time_ms, 8);
    std::memcpy(to + 8, &position, 8);
    to[16] = static_cast<char>(id.size());
    std::memcpy(to + header_bytes, id.data(), id.size());
    ++count_;
  }

  /// Drops the ids of events with times from `first_ms` to `last_ms`, both included.
  void forget(std::int64_t first_ms, std::int64_t last_ms) {
    id_ring kept;
    for (const entry& one : entries())
      if (one.time_ms < first_ms || one.time_ms > last_ms)
        kept.add(one.time_ms, one.position, one.id);
    *this = std::move(kept);
  }

  /// Memory taken, this object included.
  [[nodiscard]] std::size_t bytes() const noexcept { return sizeof *this + bytes_.capacity(); }

  [[nodiscard]] std::vector<entry> entries() const {
    std::vector<entry> all;
    all.reserve(count_);
    for (std::size_t at = head_; at < bytes_.size(); at += entry_bytes(at)) {
      entry one{};
      std::memcpy(&one.time_ms, bytes_.data() + at, 8);
      std::memcpy(&one.position, bytes_.data() + at + 8, 8);
      one.id = {bytes_.data() + at + header_bytes, id_bytes(at)};
      all.push_back(one);
    }
    return all;
  }

 private:
  static constexpr std::size_t header_bytes = 17;

  [[nodiscard]] std::size_t id_bytes(std::size_t at) const {
    return static_cast<unsigned char>(bytes_[at + 16]);
  }
  [[nodiscard]] std::size_t entry_bytes(std::size_t at) const {
    return header_bytes + id_bytes(at);
  }

  std::string bytes_;
  std::size_t head_ = 0;
  std::size_t count_ = 0;
};

}  // namespace tocsin
