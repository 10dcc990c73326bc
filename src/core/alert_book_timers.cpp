// SPDX-License-Identifier: Apache-2.0
// Time: alerts' deadlines, silences, full minutes and groups, in one order.
#include <algorithm>
#include <cassert>
#include <iterator>
#include <utility>

#include "core/alert_keeper.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin {
namespace {

bool any_matches(const std::vector<silence_ptr>& any_of, const alert& of) {
  return std::any_of(any_of.begin(), any_of.end(),
                     [&](const silence_ptr& each) { return matches(each->matchers, of); });
}

}  // namespace

book_changes alert_keeper::step(instant clock, std::vector<finding> findings) {
  assert(clock >= clock_);
  if (!ended_.empty()) retry_ended(clock_);
  std::stable_sort(findings.begin(), findings.end());
  for (finding& found : findings) {
    assert(found.at <= clock);
    // Windows may be behind what was stored: the event log was cut, or ended before the store did.
    found.at = std::max(found.at, clock_);
    run_timers(found.at);
    take(found);
  }
  run_timers(clock);
  clock_ = clock;
  return take_changes();
}

void alert_keeper::run_timers(instant before) {
  while (true) {
    const instant alerts = entries_.first_deadline();
    const bool group_time = notifies_ && !restoring_;
    const instant groups = group_time ? dispatcher_.next_due().value_or(no_time) : no_time;
    const instant next = std::min({alerts, silences_due_, minute_due_, groups});
    if (next >= before) return;
    if (next == alerts) {
      run_alert_timer(next);
    } else if (next == silences_due_) {
      turn_silences(next, {});
    } else if (next == minute_due_) {
      turn_minute(next);
    } else {
      std::vector<notice_ptr> due = dispatcher_.run(next);
      std::move(due.begin(), due.end(), std::back_inserter(notices_));
    }
  }
}

void alert_keeper::run_alert_timer(instant at) {
  active_alert& of = entries_.take_first();
  const instant deadline = deadline_of(of);
  if (deadline > at && !of.failed_before) {
    entries_.queue(of, deadline);
    return;
  }
  look(of, {at, true});
}

void alert_keeper::turn_silences(instant at, std::vector<silence_ptr> changed) {
  silence_book::turn turn = silences_.advance(at);
  silences_due_ = silences_.next_change(at).value_or(no_time);
  std::move(turn.began.begin(), turn.began.end(), std::back_inserter(changed));
  std::move(turn.ended.begin(), turn.ended.end(), std::back_inserter(changed));
  if (changed.empty()) return;
  entries_.for_each([&](active_alert& of) {
    if (any_matches(changed, *of.now)) {
      concerned_.push_back(of.now->print);
      of.shields_stale = true;
    }
    return true;
  });
  look_at_concerned(at);
}

void alert_keeper::turn_minute(instant at) {
  minute_due_ = entries_.size() > 0 ? next_minute(at) : no_time;
  const auto& intervals = policy_->notify->time_intervals;
  const bool turned =
      std::any_of(intervals.begin(), intervals.end(), [&](const named_time_interval& each) {
        return contains(each.intervals, at) != contains(each.intervals, at - duration{1});
      });
  if (!turned) return;
  entries_.for_each([&](active_alert& of) {
    concerned_.push_back(of.now->print);
    of.shields_stale = true;
    return true;
  });
  look_at_concerned(at);
}

void alert_keeper::forget_old(instant at) {
  memory_.forget(at);
  if (silences_.size() == 0) return;
  for (std::string& id : silences_.forget_expired(at - policy_->keep_expired_silences)) {
    silences_gone_.push_back(std::move(id));
  }
}

}  // namespace tocsin
