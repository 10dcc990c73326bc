// SPDX-License-Identifier: Apache-2.0
// Which requests of a sender are under way, and when each is to be sent again: no socket, no clock.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "io/acked_reply.hpp"

namespace tocsin {

/// Requests by number, from 1, in the order they were added. A request stays under way until it is
/// answered ok or reject, and is always sent again as it was: same number, same bytes.
class acked_requests {
 public:
  using moment = std::chrono::steady_clock::time_point;

  struct limits {
    /// Requests under way at most. All that arrive during a sync are answered by the next one, so
    /// with more of them each sync serves more events.
    std::size_t window = 32;
    /// Without an answer for so long a request is sent again, over the same connection.
    std::chrono::milliseconds resend_after{5000};
    /// What a daemon may ask to be waited for.
    std::chrono::milliseconds retry_after_max{60'000};
  };

  struct request {
    std::string message;
    std::uint64_t events = 0;
    std::uint64_t sent = 0;  ///< times
    moment due{};            ///< when it is to be sent (again)
  };

  explicit acked_requests(const limits& bounds) : limits_(bounds) {}

  [[nodiscard]] bool room() const noexcept { return under_way_.size() < limits_.window; }
  [[nodiscard]] bool idle() const noexcept { return under_way_.empty(); }
  /// Events of the requests under way.
  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }
  /// Requests that were sent more than once, each time counted.
  [[nodiscard]] std::uint64_t resent() const noexcept { return resent_; }

  /// The number of a request that is due at once. Precondition: room().
  std::uint64_t add(std::string message, std::uint64_t events);

  /// The oldest request that is due; null when none is. It must then be sent and reported.
  [[nodiscard]] const request* next_due(moment now, std::uint64_t& number) const;
  /// It has been sent.
  void sent(std::uint64_t number, moment now);
  /// When next_due will have something; nothing while it would wait for ever.
  [[nodiscard]] std::optional<moment> next_moment() const;

  /// An answer came. The request is given when that ends it; nothing when it is to be sent again,
  /// or is not under way (the second answer to what was sent twice). While the daemon asks to wait
  /// no request is sent: so later ones do not overtake the one that must wait.
  std::optional<request> answered(std::uint64_t number, const acked_reply& with, moment now);

  /// The connection is a new one: what was sent over the old one, and has no answer, is due.
  void reconnected();

 private:
  limits limits_;
  std::map<std::uint64_t, request> under_way_;
  std::uint64_t next_number_ = 1;
  std::uint64_t events_ = 0;
  std::uint64_t resent_ = 0;
  moment not_before_{};  ///< the daemon asked to wait until then
};

}  // namespace tocsin
