// SPDX-License-Identifier: Apache-2.0
// The pipeline's door: lets a bounded number of bursts in, knows when each has had its effect, and
// shuts when an actor fails.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace tocsin {

/// Actors' mailboxes have no bound, so bursts are counted where they come in: one may enter while
/// fewer bursts than its lane has room for are under way, with fewer than `events_room` events. Its
/// credit travels with the messages it leads to, and comes back when the last of them is gone, on
/// whatever path: with the alerts, with a burst that held nothing good, or with the mailbox of an
/// actor that died. Thread-safe.
class burst_gate : public std::enable_shared_from_this<burst_gate> {
 public:
  /// One burst's place inside; destroying the last copy leaves.
  using credit = std::shared_ptr<const void>;
  /// Bursts whose sender waits for an answer have room of their own: for as many events as the
  /// others, and for answered_share times as many bursts, for such a burst is often one message.
  enum class lane : std::uint8_t { pushed, answered };
  static constexpr std::size_t answered_share = 32;

  [[nodiscard]] static std::shared_ptr<burst_gate> open(
      std::size_t room, std::size_t events_room = std::numeric_limits<std::size_t>::max());

  /// Waits for room for a burst of at most `events`. Null when the gate is shut.
  [[nodiscard]] credit enter(std::size_t events = 0, lane by = lane::pushed);
  /// Null when there is no room (which is then announced once, of the lane `pushed`) or the gate is
  /// shut.
  [[nodiscard]] credit try_enter(std::size_t events = 0, lane by = lane::pushed);
  /// Called, outside of all locks, when there is room again after try_enter found none.
  void on_room(std::function<void()> wake);

  /// How full the pushed bursts' room is, by bursts or by events, whichever is fuller, for one of
  /// them: without itself, taken as average. 0 to 1, more when the last burst was larger than what
  /// was left.
  [[nodiscard]] double fill() const;

  /// Nobody enters any more; those who wait to enter get null.
  void shut();
  [[nodiscard]] bool is_shut() const;
  /// Shuts; the first cause is kept and told to on_failure, later ones are consequences.
  void fail(const std::string& cause);
  [[nodiscard]] std::optional<std::string> failure() const;
  /// Called once, on the thread that fails or, after a failure, at once.
  void on_failure(std::function<void(const std::string&)> handler);

  /// Waits until all that have entered so far have left. False when it failed.
  [[nodiscard]] bool wait_for_all();

 private:
  struct place;
  burst_gate(std::size_t room, std::size_t events_room) : room_(room), events_room_(events_room) {}
  struct load {
    std::size_t bursts = 0;
    std::size_t events = 0;
  };
  [[nodiscard]] load& of(lane by) { return inside_[static_cast<std::size_t>(by)]; }
  [[nodiscard]] bool has_room(lane by) {
    const std::size_t bursts = by == lane::answered ? room_ * answered_share : room_;
    return of(by).bursts < bursts && of(by).events < events_room_;
  }
  credit take_place(std::size_t events, lane by);
  void leave(const place& from) noexcept;

  const std::size_t room_;
  const std::size_t events_room_;
  mutable std::mutex mutex_;
  std::condition_variable room_came_;
  std::condition_variable all_left_;
  std::array<load, 2> inside_;
  std::deque<bool> left_;     ///< by ticket, from oldest_: has it left?
  std::uint64_t oldest_ = 0;  ///< the oldest ticket still inside, or the next one to be given
  bool refused_ =
      false;  ///< try_enter found no room for a pushed burst since on_room was last called
  bool shut_ = false;
  std::optional<std::string> failure_;
  std::function<void()> wake_;
  std::function<void(const std::string&)> failure_handler_;
};

}  // namespace tocsin
