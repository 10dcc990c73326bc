// SPDX-License-Identifier: Apache-2.0
// Pushes a test's events and lets its time pass, from one instant that is looked at to the next.
#include "programs/test_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>

#include "tocsin/pipeline.hpp"

namespace tocsin {
namespace {

constexpr std::size_t messages_a_burst = 1024;
/// Of equal time events come before timers, so what is due at an instant happens when time has
/// passed it.
constexpr duration just_past{1};

bool is_of(const std::vector<std::string>& rules, const std::string& name) {
  return rules.empty() || std::find(rules.begin(), rules.end(), name) != rules.end();
}

class test_runner {
 public:
  explicit test_runner(const rule_test& test) : test_(test) {}

  result<std::vector<test_failure>> run(std::shared_ptr<const rule_set> rules) {
    pipeline_settings wanted;
    wanted.shards = 1;
    wanted.manual_clock = true;
    auto started = pipeline::start(wanted, std::move(rules), [this](const alert& of) {
      const std::scoped_lock lock(mutex_);
      if (is_of(test_.rules, of.rule)) transitions_.push_back(seen_fields(of, test_.start));
    });
    if (!started) return started.failure();
    pipeline& running = **started;
    bool well = running.advance(test_.start);
    for (const wanted_moment& moment : test_.expect) {
      well = well && pass_to(running, moment.at);
      if (well) look_at(running, moment);
    }
    well = well && pass_to(running, test_.until);
    running.stop();
    if (!well) {
      return error{"pipeline_failed", fmt::format("the pipeline failed: {}",
                                                  running.failure().value_or("it stopped"))};
    }
    compare_transitions();
    return std::move(failures_);
  }

 private:
  bool pass_to(pipeline& running, instant at) {
    while (next_ < test_.events.size() && test_.events[next_].arrival <= at) {
      burst some;
      for (; some.messages.size() < messages_a_burst && next_ < test_.events.size(); ++next_) {
        const test_event& event = test_.events[next_];
        if (event.arrival > at) break;
        if (event.message.empty()) continue;
        some.messages.emplace_back(event.message);
        some.arrivals.push_back(event.arrival);
      }
      if (!some.messages.empty() && !running.push(std::move(some))) return false;
    }
    return running.advance(at + just_past) && running.drain();
  }

  void look_at(const pipeline& running, const wanted_moment& moment) {
    std::vector<seen_alert> seen;
    for (const transition& each : running.active_alerts()) {
      if (is_of(moment.rules, each->rule)) seen.push_back(seen_fields(*each, test_.start));
    }
    auto lines = compare_sets(moment.alerts, seen);
    if (lines.empty()) return;
    failures_.push_back(
        {fmt::format("at {}: the active alerts differ", time_on_line(moment.at, test_.start)),
         moment.line, std::move(lines)});
  }

  void compare_transitions() {
    const std::scoped_lock lock(mutex_);
    if (!test_.transitions) return;
    auto lines = compare_lists(*test_.transitions, transitions_);
    if (lines.empty()) return;
    failures_.push_back(
        {fmt::format("until {}: the transitions differ", time_on_line(test_.until, test_.start)),
         test_.transitions_line, std::move(lines)});
  }

  const rule_test& test_;
  std::size_t next_ = 0;  ///< in test_.events
  std::mutex mutex_;
  std::vector<seen_alert> transitions_;  ///< guarded by mutex_
  std::vector<test_failure> failures_;
};

}  // namespace

result<std::vector<test_failure>> run_test(const rule_test& test,
                                           std::shared_ptr<const rule_set> rules) {
  return test_runner(test).run(std::move(rules));
}

}  // namespace tocsin
