// SPDX-License-Identifier: Apache-2.0
// Encodes events as a sender does: msgpack maps, alone or many in one message.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "tocsin/event.hpp"

namespace tocsin {

/// The event as a msgpack map of the keys it has: absent texts, an absent value or level, a time
/// that the sender did not give and the action `firing` are left out.
[[nodiscard]] std::string encode_event(const event& of, std::span<const label> labels);

/// Gathers encoded events into one message.
class message_builder {
 public:
  /// What senders put into one message: few enough for low latency, enough that a message's own
  /// cost vanishes.
  static constexpr std::size_t events_max = 64;

  /// Precondition: not full().
  void add(std::string_view encoded_event);
  [[nodiscard]] bool full() const noexcept { return count_ == events_max; }
  [[nodiscard]] std::size_t count() const noexcept { return count_; }
  /// The message: the event itself when there is one, a batch when there are more; "" when there
  /// is none. The builder is empty afterwards.
  [[nodiscard]] std::string take();

 private:
  std::string events_;
  std::size_t count_ = 0;
};

}  // namespace tocsin
