// SPDX-License-Identifier: Apache-2.0
// What the alert book is made of: the active alerts, all that shields, groups and assigns them, and
// the one order in which time, findings and operators move them. Its members are defined by concept
// in alert_book_*.cpp.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/alert_book_ended.hpp"
#include "core/alert_book_entries.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/alert_lifecycle.hpp"
#include "tocsin/text_cache.hpp"

namespace tocsin {

/// When an alert is looked at. Of equal time findings and operators come before timers, so a
/// deadline of this very instant has passed only when a timer looks.
struct moment {
  instant at{};
  bool by_timer = false;
  [[nodiscard]] bool passed(instant deadline) const noexcept {
    return by_timer ? deadline <= at : deadline < at;
  }
};

/// What a transition says of itself.
struct move_words {
  std::string cause;
  std::string actor;
  std::string note = {};
};

/// `from` and a length, `no_time` staying itself.
[[nodiscard]] constexpr instant later(instant from, duration length) noexcept {
  return from >= no_time - length ? no_time : from + length;
}

class alert_keeper {
 public:
  alert_keeper(std::shared_ptr<const rule_set> rules, std::shared_ptr<const alert_policy> policy);

  void make_no_records() { makes_records_ = false; }
  [[nodiscard]] book_changes restore(book_state stored, instant clock, bool windows_kept);
  [[nodiscard]] book_changes step(instant clock, std::vector<finding> findings);
  [[nodiscard]] alert_book::operated operate(const operation& wanted);

  [[nodiscard]] instant clock() const noexcept { return clock_; }
  [[nodiscard]] const active_alerts& entries() const noexcept { return entries_; }
  [[nodiscard]] const silence_book& silences() const noexcept { return silences_; }
  [[nodiscard]] const group_dispatcher& groups() const noexcept { return dispatcher_; }
  [[nodiscard]] const incident_book& incidents() const noexcept { return incidents_; }
  [[nodiscard]] const alert_policy& policy() const noexcept { return *policy_; }
  [[nodiscard]] const check_failures& failed_checks() const noexcept { return failed_; }
  void on_check(std::function<void(std::string_view)> hook) { hook_ = std::move(hook); }

 private:
  using draft = std::shared_ptr<alert>;

  // Moves (alert_book_moves.cpp).

  /// A copy of the alert to be changed and put back.
  static draft draft_of(const active_alert& of) { return std::make_shared<alert>(*of.now); }
  /// Puts a changed alert in place without a transition.
  void update(active_alert& of, draft next);
  /// Makes a transition of `next` (a draft of the alert; none: as it is). Errors:
  /// illegal_transition; then nothing has changed.
  std::optional<error> try_move(active_alert& of, alert_trigger trigger, instant at,
                                const move_words& words, draft next = nullptr);
  /// The same where the state allows it by construction.
  void move(active_alert& of, alert_trigger trigger, instant at, const move_words& words,
            draft next = nullptr);
  /// A new alert: `fresh` with its first transition. It is not looked at yet.
  active_alert& begin(draft fresh, std::uint32_t rule, alert_trigger trigger, instant at,
                      const move_words& words);
  /// What a new alert's first transition is to say already.
  void shield_first(active_alert& of, alert& fresh, instant at);
  /// What the transition that begins to fire is to say already. True: the incidents were told.
  bool begin_firing(active_alert& of, alert& next, instant at);
  void evaluate(active_alert& of, bool firing, instant at);

  // The chain of checks (alert_book_checks.cpp).

  struct check {
    std::string_view name;
    void (alert_keeper::*run)(active_alert& of, const moment& now);
  };
  static const std::vector<check>& checks();
  /// Runs `body` under a check's name: what it throws is counted, and ends there. False: it threw.
  template <class Body>
  bool guarded(std::string_view name, const Body& body);
  void check_next_state(active_alert& of, const moment& now);
  void check_close(active_alert& of, const moment& now);
  void check_recover(active_alert& of, const moment& now);
  void check_shield(active_alert& of, const moment& now);
  void check_acknowledge_expiry(active_alert& of, const moment& now);
  void check_severity(active_alert& of, const moment& now);
  void check_notification(active_alert& of, const moment& now);
  [[nodiscard]] alert_shields shields_of(const alert& of, instant at) const;
  void tell_inhibitor(const alert& now);
  /// All checks for one alert and for those that they concern. Gives the alert as it is then.
  transition look(active_alert& of, const moment& now);
  transition look_at_one(active_alert& of, const moment& now);
  void look_at_concerned(instant at);
  /// The earliest of an alert's clocks.
  [[nodiscard]] instant deadline_of(const active_alert& of) const;
  /// Takes an ended alert out.
  transition end(active_alert& of);
  void retry_ended(instant at);

  // Findings (alert_book_findings.cpp).

  [[nodiscard]] const rule_spec& spec_of(const active_alert& of) const;
  void take(finding& found);
  void begin(finding& found);
  void refresh(active_alert& of, finding& found);
  void clear(active_alert& of, const finding& found);
  void end_by_event(active_alert& of, const finding& found);

  // Time (alert_book_timers.cpp).

  void run_timers(instant before);
  void run_alert_timer(instant at);
  /// Looks at the alerts that are concerned by silences which began or ended, and by `changed`.
  void turn_silences(instant at, std::vector<silence_ptr> changed);
  /// Looks at all alerts when some time interval began or ended with this minute.
  void turn_minute(instant at);
  void forget_old(instant at);

  // Operations (alert_book_operations.cpp, alert_book_posted.cpp).

  result<operation_result> take(const acknowledge_alerts& wanted);
  result<operation_result> take(const unacknowledge_alerts& wanted);
  result<operation_result> take(const close_alerts& wanted);
  result<operation_result> take(const note_on_alerts& wanted);
  result<operation_result> take(const assign_alerts& wanted);
  result<operation_result> take(const post_alerts& wanted);
  result<operation_result> take(const put_silence& wanted);
  result<operation_result> take(const expire_silence& wanted);
  template <class Fits, class Act>
  result<operation_result> on_chosen(const alert_selector& which, const Fits& fits, const Act& act);
  operation_outcome post(const posted_alert& wanted, const std::string& by);
  operation_outcome post_again(active_alert& of, const alert& fresh, const std::string& by);

  // Incidents (alert_book_incidents.cpp).

  void hear(incident_news& news);
  void hear_news();
  void raise(const incident_news& news);
  void refresh_incident(active_alert& of, const incident_news& news);
  void join(const incident_news& news, const alert& incident);

  // Restart and changes (alert_book_restore.cpp).

  void restore_facts(const std::vector<std::pair<std::string, std::string>>& facts);
  void restore_alerts(std::vector<alert_record> stored);
  void restore_surroundings();
  void doubt(active_alert& of, instant clock);
  void settle_rules(instant clock);
  [[nodiscard]] bool plausible_mutes(const alert& of) const;
  void tell_groups();
  [[nodiscard]] book_changes take_changes();
  void take_records(book_changes& into);

  std::shared_ptr<const rule_set> rules_;
  std::shared_ptr<const alert_policy> policy_;
  const bool inhibits_;  ///< there are rules of inhibition
  const bool notifies_;  ///< somebody may be notified

  active_alerts entries_;
  silence_book silences_;
  inhibitor inhibitor_;
  incident_book incidents_;
  assigner assigner_;
  group_dispatcher dispatcher_;
  const bool mutes_;  ///< some route has time intervals
  ended_memory memory_;
  text_cache texts_{4096};  ///< of posted alerts, causes and actors

  instant clock_{};
  std::uint64_t seq_ = 0;
  instant silences_due_ = no_time;
  instant minute_due_ = no_time;
  bool makes_records_ = true;  ///< somebody may go on with what changes
  bool restoring_ = false;     ///< groups are not told and not run

  std::vector<fingerprint> concerned_;  ///< to be looked at after the alert that is looked at now
  std::vector<incident_news> news_;     ///< that no check has heard yet
  std::vector<std::unique_ptr<active_alert>> ended_;  ///< of whom not all were told

  // Of the step or operation that is under way.
  std::vector<transition> transitions_;
  std::vector<notice_ptr> notices_;
  std::vector<std::string> silences_gone_;
  std::vector<std::pair<std::string, std::string>> facts_;

  check_failures failed_;
  std::function<void(std::string_view)> hook_;
};

template <class Body>
bool alert_keeper::guarded(std::string_view name, const Body& body) {
  try {
    if (hook_) hook_(name);
    body();
    return true;
  } catch (const std::exception&) {
    // What failed is not the alert's to say; that it did, and where, is counted.
    ++failed_.try_emplace(std::string{name}, 0).first->second;
    return false;
  }
}

}  // namespace tocsin
