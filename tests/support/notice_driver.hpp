// SPDX-License-Identifier: Apache-2.0
// A dispatcher under a clock in seconds, alerts in a line each, and what was told as texts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "tocsin/group_dispatcher.hpp"

namespace tocsin::testing {

using namespace std::chrono_literals;

/// A policy whose root tells "ops" of groups by team: wait 30 s, interval 60 s, repeat 600 s.
[[nodiscard]] inline notify_policy routed_policy() {
  notify_policy made;
  made.routed = true;
  made.root.key = "{}";
  made.root.receiver = "ops";
  made.root.group_by = {"team"};
  made.root.group_wait = 30s;
  made.root.group_interval = 60s;
  made.root.repeat_interval = 600s;
  webhook_target hook;
  webhook_target firing_only;
  firing_only.send_resolved = false;
  made.receivers = {{"ops", {hook}}, {"boss", {hook}}, {"pager", {firing_only}}, {"nobody", {}}};
  return made;
}

[[nodiscard]] inline label_matcher label_is(std::string name, std::string value) {
  return label_matcher::make(std::move(name), matcher_operator::equal, std::move(value)).value();
}

class notice_driver {
 public:
  explicit notice_driver(notify_policy policy = routed_policy()) { use(std::move(policy)); }

  void use(notify_policy policy) {
    policy_ = std::make_shared<const notify_policy>(std::move(policy));
    now_ = std::make_unique<group_dispatcher>(policy_);
  }

  [[nodiscard]] static instant at_second(int second) { return from_unix_ms(second * 1000LL); }

  /// What the alert named `name` is now; change it and call tell().
  alert& of(const std::string& name) {
    const auto [found, is_new] = alerts_.try_emplace(name);
    if (is_new) {
      found->second.print = {alerts_.size(), alerts_.size()};
      found->second.alert_id = {0, ++ids_};
      found->second.rule = name;
      label(name, "team", "a");
    }
    return found->second;
  }
  void label(const std::string& name, const std::string& label, const std::string& value) {
    auto texts = std::make_shared<alert_texts>();
    if (alerts_[name].texts) *texts = *alerts_[name].texts;
    texts->labels.emplace_back(label, value);
    alerts_[name].texts = texts;
  }

  /// Runs what is due before `second`, then hands over a transition of the alert.
  void tell(int second, const std::string& name) {
    run_before(second);
    alert& now = of(name);
    now.at = at_second(second);
    ++now.number;
    update(second, name);
  }
  void fire(int second, const std::string& name) {
    alert& now = of(name);
    if (now.state == alert_state::resolved) now.alert_id = {0, ++ids_};
    if (now.state != alert_state::pending) now.started_at = at_second(second);
    now.state = alert_state::firing;
    tell(second, name);
  }
  void resolve(int second, const std::string& name) {
    of(name).state = alert_state::resolved;
    tell(second, name);
  }
  void acknowledge(int second, const std::string& name) {
    of(name).state = alert_state::acknowledged;
    tell(second, name);
  }
  void silence(int second, const std::string& name, bool silenced) {
    of(name).shields.silenced_by.clear();
    if (silenced) of(name).shields.silenced_by.emplace_back("s1");
    tell(second, name);
  }

  /// All that was told up to and including `second` and not asked for yet: "SECOND RECEIVER NAME",
  /// resolved names with a minus, acknowledged ones with a tilde, escalations with "level N".
  [[nodiscard]] std::vector<std::string> told(int second) {
    run_before(second + 1);
    return std::exchange(told_, {});
  }
  [[nodiscard]] const std::vector<notice_ptr>& notices() const { return notices_; }
  [[nodiscard]] group_dispatcher& dispatcher() { return *now_; }

  void commit() {
    for (group_record& each : now_->take_changed()) {
      if (each.bytes.empty()) {
        stored_.erase(each.key);
      } else {
        stored_.insert_or_assign(each.key, each.bytes);
      }
    }
  }
  [[nodiscard]] const std::map<std::string, std::string>& stored() const { return stored_; }
  /// Stops, and goes on at `second` from what was stored, with another policy when one is given.
  void restart(int second, std::optional<notify_policy> policy = std::nullopt) {
    commit();
    use(policy ? std::move(*policy) : *policy_);
    for (const auto& [key, bytes] : stored_) now_->restore({key, bytes});
    for (const auto& [name, now] : alerts_) {
      if (now.state == alert_state::firing || now.state == alert_state::acknowledged)
        update(second, name);
    }
  }

 private:
  void update(int second, const std::string& name) {
    now_->update(at_second(second), std::make_shared<const alert>(alerts_.at(name)));
  }
  void run_before(int second) {
    for (const notice_ptr& each : now_->run(at_second(second) - 1ms)) {
      std::string text = fmt::format("{} {}", to_unix_ms(each->at) / 1000, each->receiver);
      if (each->kind == notice_kind::escalation) text += fmt::format(" level {}", each->level);
      for (const transition& of_alert : each->alerts) {
        const bool ended = of_alert->state == alert_state::resolved;
        const bool seen_to = of_alert->state == alert_state::acknowledged;
        text += fmt::format(" {}{}", ended ? "-" : seen_to ? "~" : "", of_alert->rule);
      }
      told_.push_back(std::move(text));
      notices_.push_back(each);
    }
  }

  std::shared_ptr<const notify_policy> policy_;
  std::unique_ptr<group_dispatcher> now_;
  std::map<std::string, alert> alerts_;
  std::uint64_t ids_ = 0;
  std::vector<std::string> told_;
  std::vector<notice_ptr> notices_;
  std::map<std::string, std::string> stored_;
};

using lines = std::vector<std::string>;

}  // namespace tocsin::testing
