// SPDX-License-Identifier: Apache-2.0
// Notification groups: which alerts are told together, and when.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/notice.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin {

/// A group as the API lists it.
struct group_view {
  std::string key;
  std::string receiver;
  std::vector<std::pair<std::string, std::string>> labels;
  std::vector<transition> alerts;  ///< active ones, and resolved ones not yet told
};

/// What of a group, of an alert it was told of, or of an escalation must last. `key` is unique,
/// `bytes` opaque and versioned; no bytes: it is gone.
struct group_record {
  std::string key;
  std::string bytes;
};

/// Groups as Alertmanager makes them: one for each route and each set of values of its group_by
/// labels; first told group_wait after its first alert, then looked at every group_interval, and
/// told when it has something new or repeat_interval has passed. Not thread-safe; time is given and
/// never runs backwards. docs/notifications.md has the rules; in short:
///
/// - An alert with shields, one that flaps (but for the one notice that says so) and one that is
///   pending is not told. What fires and ends before its first notice is never told.
/// - A resolution is told to those who were told that it fires, also when it came while it was
///   shielded.
/// - Acknowledged alerts are listed with others, but repeat_interval alone tells nobody of a group
///   whose firing alerts are all acknowledged.
/// - An alert is known by its print: one that ends and fires again before its end was told never
///   ended. Whose severity gets worse, and whose shield is lifted, is told again.
/// - Receivers without webhooks are told nothing.
class group_dispatcher {
 public:
  explicit group_dispatcher(std::shared_ptr<const notify_policy> policy);
  ~group_dispatcher();
  group_dispatcher(group_dispatcher&&) noexcept;

  /// An alert as it is after any change at `at` that routing, groups or notices could care about.
  void update(instant at, const transition& now);

  [[nodiscard]] std::optional<instant> next_due() const;
  /// Looks at the groups and escalations that are due up to and including `at`, in order of time,
  /// then key. Each notice for one receiver.
  [[nodiscard]] std::vector<notice_ptr> run(instant at);

  /// The names of intervals that mute the alert on some of its routes, sorted.
  [[nodiscard]] std::vector<std::string> muted_by(const alert& of, instant at) const;
  /// True when some route has time intervals, so that muted_by() may change at a full minute.
  [[nodiscard]] bool has_intervals() const noexcept;

  /// How many groups there are.
  [[nodiscard]] std::size_t size() const noexcept;
  /// All groups, by receiver, then labels.
  [[nodiscard]] std::vector<group_view> groups() const;
  /// Names of the receivers an alert goes to, sorted, each once.
  [[nodiscard]] std::vector<std::string> receivers_of(const alert& of) const;

  /// Groups (and escalations) that changed since the last call, as records.
  [[nodiscard]] std::vector<group_record> take_changed();
  /// The same where nobody wants the records: they are not made.
  void forget_changed();
  /// Takes back a record. After all records, update() is called with each active alert; a group
  /// then goes on with its timers, and due ones run at the next run(). A record whose route is gone
  /// is dropped (and given by take_changed() as gone).
  void restore(const group_record& record);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
