// SPDX-License-Identifier: Apache-2.0
// All alerts, silences, incidents and notification groups, moved by findings, by operators and by
// the log's clock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/group_dispatcher.hpp"
#include "tocsin/notice.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/silence.hpp"

namespace tocsin {

/// One alert as it must be found again: `now` is its newest state, which may be newer than its last
/// transition (an update is none).
struct alert_record {
  transition now;
  std::string bytes;  ///< what the book knows beside it (timers, flapping); opaque, versioned
};

/// What one step or operation changed. To be stored whole or not at all.
struct book_changes {
  instant clock{};
  /// The step of the event log that led to it, where there is one: set by the alert manager.
  std::uint64_t step = 0;
  std::vector<transition> transitions;  ///< in order, `seq` without a gap
  std::vector<alert_record> alerts;     ///< those that changed, active or just ended, each once
  std::vector<silence_ptr> silences;    ///< made or edited
  std::vector<std::string> silences_gone;
  std::vector<group_record> groups;
  std::vector<notice_ptr> notices;
  /// Small facts by name (turns of assignment, incidents, flapping of ended alerts); "" value:
  /// gone.
  std::vector<std::pair<std::string, std::string>> facts;
  [[nodiscard]] bool empty() const noexcept;
};

/// What a book begins with: what was stored.
struct book_state {
  instant clock{};                   ///< of the last step that was stored
  std::uint64_t step = 0;            ///< its number in the event log; 0: none
  std::uint64_t seq = 0;             ///< of the last transition
  std::vector<alert_record> alerts;  ///< active ones
  std::vector<silence> silences;
  std::vector<group_record> groups;
  std::vector<std::pair<std::string, std::string>> facts;
};

/// One of the checks that an alert goes through (docs/alerts.md, "Checks").
using check_failures = std::map<std::string, std::uint64_t, std::less<>>;

/// The active alerts, counted.
struct active_counts {
  std::map<alert_state, std::uint64_t> by_state;  ///< none that is 0
  std::uint64_t suppressed = 0;                   ///< some shield is before them
};

/// Not thread-safe; owned by the alert manager. Deterministic: the same calls give the same
/// answers. Time (`clock`, `at`) never runs backwards.
class alert_book {
 public:
  explicit alert_book(std::shared_ptr<const rule_set> rules,
                      std::shared_ptr<const alert_policy> policy = nullptr);
  ~alert_book();
  alert_book(alert_book&&) noexcept;

  /// Before anything else: nobody will go on with what this book changes, so changes come without
  /// records: alerts without bytes, no groups, no facts.
  void make_no_records();

  /// Before anything else, at most once: goes on with what was stored. Alerts whose rule is gone
  /// are closed ("rule removed"); those whose rule has changed go on under the new revision ("rule
  /// changed"). Windows may have begun empty with the restart, so an alert of a rule that is not
  /// met again within the rule's window, lateness and keep_firing_for is resolved ("not met since
  /// the restart"); `windows_kept` says that they have not, and then it holds for alerts whose rule
  /// has changed.
  [[nodiscard]] book_changes restore(book_state stored, instant clock, bool windows_kept = false);

  /// Takes all findings of one log step (any order; the book sorts them) and the step's clock;
  /// first runs out the timers that are due before each finding, and at last those due before
  /// `clock`. A finding of before the last step's clock counts as of then.
  [[nodiscard]] book_changes step(instant clock, std::vector<finding> findings);

  struct operated {
    result<operation_result> outcome;
    book_changes changes;
  };
  /// What an operator asks, at the clock of the last step. Errors of the whole: nothing_chosen,
  /// bad_silence, silence_not_found, silence_expired, bad_operation.
  [[nodiscard]] operated operate(const operation& wanted);

  [[nodiscard]] instant clock() const noexcept;

  /// The active (pending, firing, acknowledged) alerts, by fingerprint.
  [[nodiscard]] std::vector<transition> active() const;
  [[nodiscard]] std::size_t active_count() const noexcept;
  /// However many there are, it takes no longer.
  [[nodiscard]] active_counts counts() const;
  /// Calls for each active alert, by fingerprint, until it returns false.
  void for_each_active(const std::function<bool(const transition&)>& look) const;
  /// An active alert by its alert id; null when there is none.
  [[nodiscard]] transition find(const fingerprint& alert_id) const;

  [[nodiscard]] const silence_book& silences() const noexcept;
  [[nodiscard]] const group_dispatcher& groups() const noexcept;
  [[nodiscard]] const incident_book& incidents() const noexcept;
  [[nodiscard]] const alert_policy& policy() const noexcept;

  /// Checks that threw, by check: the others went on.
  [[nodiscard]] const check_failures& failed_checks() const noexcept;
  /// For tests: called at the beginning of each check, may throw.
  void on_check(std::function<void(std::string_view check)> hook);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
