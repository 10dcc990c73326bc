// SPDX-License-Identifier: Apache-2.0
// Sends messages to a daemon's acked endpoint, several at a time, each again until it is answered.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "io/acked_requests.hpp"
#include "io/curve_client.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// What has become of the events of answered requests. An event that was sent twice, because its
/// answer was lost, counts once here: as accepted or, when the daemon had it already, duplicate.
struct acked_totals {
  std::uint64_t accepted = 0;
  std::uint64_t duplicate = 0;
  std::uint64_t rejected = 0;
  std::map<std::string, std::uint64_t> rejected_by_code;
  std::uint64_t requests = 0;  ///< answered ok or reject
  std::uint64_t resent = 0;    ///< times that a request was sent again
  std::uint64_t retries = 0;   ///< answers that asked for it
};

/// One thread at a time. At least once: a request is held and sent again, under the same number and
/// with the same bytes, until the daemon answers ok or reject, also over new connections. So its
/// events should have a source_id and an event_id, by which the daemon knows them again.
class acked_sender {
 public:
  /// Called for each request that was answered ok or reject, from within the functions below, with
  /// the number that offer() gave it.
  using listener = std::function<void(std::uint64_t request, const acked_reply& reply)>;

  /// Connects and waits for the daemon to answer. Errors: bad_endpoint, unreachable, wrong_peer,
  /// refused.
  [[nodiscard]] static result<std::unique_ptr<acked_sender>> connect(
      const std::string& endpoint, listener answered, const acked_requests::limits& limits = {},
      duration within = std::chrono::seconds{3}, const optional_identity& identity = std::nullopt);
  ~acked_sender();  ///< what is under way is forgotten

  /// Takes one message of `events` events when fewer requests than the window are under way: waits
  /// for that at most `patience`. The request's number; 0 when the time ran out: not taken.
  [[nodiscard]] std::uint64_t offer(std::string message, std::uint64_t events, duration patience);

  /// Sends what is due and takes answers until nothing is under way, at most `patience`. True when
  /// nothing is.
  bool settle(duration patience);
  /// The same until the next answer, if one is awaited: true when one came.
  bool exchange(duration patience);

  [[nodiscard]] bool room() const noexcept;
  /// Events taken whose request is not answered yet.
  [[nodiscard]] std::uint64_t events_under_way() const noexcept;
  [[nodiscard]] acked_totals totals() const;
  /// Answers of any kind so far, each a sign of life.
  [[nodiscard]] std::uint64_t answers() const noexcept;

 private:
  struct connection;
  explicit acked_sender(std::unique_ptr<connection> opened);
  std::unique_ptr<connection> connection_;
};

}  // namespace tocsin
