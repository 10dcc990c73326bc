// SPDX-License-Identifier: Apache-2.0
// The active alerts of the alert book: found by fingerprint, by alert id and by deadline.
#pragma once

#include <absl/container/btree_map.h>
#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/flap_detector.hpp"

namespace tocsin {

inline constexpr instant no_time = instant::max();

/// Whether a kept time is one: no_time, or one that can be computed with.
[[nodiscard]] constexpr bool may_be_kept(instant at) noexcept {
  return at == no_time || has_text(at);
}
/// Of alerts that no rule of the rule set stands behind: posted ones, incidents, and those whose
/// rule is gone.
inline constexpr std::uint32_t no_rule = ~std::uint32_t{0};

/// An active alert and what must be known beside it. `no_time` where a time is not set.
struct active_alert {
  transition now;  ///< shared with whoever was told: changed by putting another in its place
  std::uint32_t rule = no_rule;
  instant cleared_at = no_time;         ///< since then keep_firing_for runs
  instant found_at = no_time;           ///< the last finding that its condition is met
  instant unconfirmed_until = no_time;  ///< after a restart: resolves then, unless it is met again
  instant evaluated_at = no_time;       ///< the last evaluation that `flaps` has seen
  flap_detector flaps;
  severity found_severity = severity::info;  ///< by the last finding; the alert's follows

  bool shields_stale = true;    ///< what shields it may have changed
  bool inhibitor_stale = true;  ///< the inhibitor has not been told of it as it is
  bool incidents_stale = true;  ///< nor have the incidents
  bool untold = true;           ///< nor has the dispatcher
  bool failed = false;          ///< a check of this look threw
  bool failed_before = false;   ///< one of the last look did: look again soon

  /// Of active_alerts: its deadline in the queue, and its place among the changes.
  instant queued = no_time;
  std::uint32_t change = ~std::uint32_t{0};
  /// As what it is counted.
  alert_state counted = alert_state::none;
  bool counted_suppressed = false;

  [[nodiscard]] bool is_firing() const noexcept {
    return now->state == alert_state::firing || now->state == alert_state::acknowledged;
  }
};

/// The part of an alert's record that only the book reads; begins with a version.
[[nodiscard]] std::string entry_bytes(const active_alert& of);
/// False when the bytes are not such a part; `into` is then unchanged.
[[nodiscard]] bool read_entry_bytes(std::string_view bytes, active_alert& into);

/// Entries stay where they are until they are removed.
class active_alerts {
 public:
  /// Null when there is none.
  [[nodiscard]] active_alert* find(const fingerprint& print) const;
  [[nodiscard]] active_alert* find_id(const fingerprint& alert_id) const;
  [[nodiscard]] std::size_t size() const noexcept { return by_print_.size(); }

  active_alert& add(transition now, std::uint32_t rule);
  /// Takes it out; a change of it is remembered with its alert as it is.
  std::unique_ptr<active_alert> remove(active_alert& of);

  /// By fingerprint, until `look` returns false. It must not add or remove.
  template <class Look>
  void for_each(Look&& look) const {
    for (const auto& [print, held] : by_print_) {
      if (!look(*held)) return;
    }
  }

  /// Counts it as it is now.
  void count(active_alert& of) noexcept;
  [[nodiscard]] active_counts counts() const;

  /// Makes sure that the alert comes out of the queue at `deadline` or before. It may come out
  /// before: a deadline that moves away, as most do, then costs nothing.
  void queue(active_alert& of, instant deadline);
  [[nodiscard]] instant first_deadline() const noexcept {
    return queue_.empty() ? no_time : queue_.begin()->at;
  }
  /// Takes out the first, of equal time by rule and fingerprint. Precondition: there is one.
  active_alert& take_first();

  /// It is among those that take_changed() gives.
  void touch(active_alert& of);
  /// What was touched since the last call, each once, in the order of first touches; `with_bytes`:
  /// with entry_bytes().
  [[nodiscard]] std::vector<alert_record> take_changed(bool with_bytes = true);

 private:
  struct timer {
    instant at;
    std::uint32_t rule;
    fingerprint print;
    active_alert* of;
    friend bool operator<(const timer& left, const timer& right) noexcept {
      if (left.at != right.at) return left.at < right.at;
      if (left.rule != right.rule) return left.rule < right.rule;
      return left.print < right.print;
    }
  };
  struct changed_alert {
    active_alert* still;  ///< null: it has ended
    transition ended;
  };
  static timer timer_of(active_alert& of) { return {of.queued, of.rule, of.now->print, &of}; }

  absl::btree_map<fingerprint, std::unique_ptr<active_alert>> by_print_;
  absl::flat_hash_map<fingerprint, active_alert*, fingerprint_hash> by_id_;
  absl::btree_set<timer> queue_;
  std::vector<changed_alert> changed_;
  std::array<std::uint64_t, 6> by_state_{};  ///< by alert_state
  std::uint64_t suppressed_ = 0;
};

}  // namespace tocsin
