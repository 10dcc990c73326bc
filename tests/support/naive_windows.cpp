// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive window engine.
#include "support/naive_windows.hpp"

#include <algorithm>

#include "support/naive_panes.hpp"

namespace tocsin::testing {
namespace {

bool has_panes(const unit& of) {
  return of.kind == window_kind::fixed || of.kind == window_kind::sliding;
}

/// Where the pane of a time ends: a window's step, or what divides all windows that share panes.
instant pane_end(const unit& of, instant time) {
  window_spec panes = of.views.front();
  if (of.views.size() > 1) {
    panes.size = panes.every = of.pane;
    panes.offset = duration{0};
  }
  return naive_grid{panes}.first_end_after(time);
}

}  // namespace

naive_windows::naive_windows(std::shared_ptr<const rule_set> rules)
    : rules_(std::move(rules)), ids_(rules_->units().size()) {
  for (const rule& each : rules_->rules()) by_rule_.push_back(make_naive_rule(*rules_, each));
}

std::vector<std::uint64_t> naive_windows::late_by_rule() const {
  std::vector<std::uint64_t> late;
  for (const auto& each : by_rule_) late.push_back(each->late());
  return late;
}

bool naive_windows::any_met() const {
  return std::any_of(by_rule_.begin(), by_rule_.end(),
                     [](const auto& each) { return each->any_met(); });
}

std::vector<finding> naive_windows::step(instant clock,
                                         const std::shared_ptr<const event_batch>& batch) {
  out_.clear();
  if (!began_)
    for (const auto& each : by_rule_)
      each->begin(batch && !batch->events.empty() ? batch->events.front().arrived : clock);
  began_ = true;
  for (const unit& of : rules_->units()) {
    for (std::uint32_t i = 0; batch && i < batch->events.size(); ++i) {
      const naive_arrival from{batch, i};
      pass_time(of, from.what().arrived);
      if (from.what().action == event_action::firing) {
        take(of, from);
      } else {
        recover(of, from);
      }
    }
    pass_time(of, clock);
  }
  std::stable_sort(out_.begin(), out_.end());
  return out_;
}

void naive_windows::pass_time(const unit& of, instant clock) {
  for (const std::uint32_t number : of.rules)
    by_rule_[number]->pass_time(clock - *rules_->rules()[number].spec.lateness, out_);
}

void naive_windows::take(const unit& of, const naive_arrival& from) {
  std::shared_ptr<id_memory> shared;
  if (has_panes(of)) {
    auto& place = ids_[of.index][by_rule_[of.rules.front()]->key_of(from)];
    if (!place) place = std::make_shared<id_memory>();
    shared = place;
  }
  std::vector<naive_rule*> takers;
  for (const std::uint32_t number : of.rules)
    if (by_rule_[number]->accept(from, shared)) takers.push_back(by_rule_[number].get());
  if (takers.empty()) return;
  ++updates_;
  if (shared) remember_id(of, from, *shared);
  for (naive_rule* each : takers) each->judge_arrival(from, out_);
}

void naive_windows::remember_id(const unit& of, const naive_arrival& from, id_memory& ids) {
  const event& what = from.what();
  if (!what.has(event_field::event_id)) return;
  const instant time = of.clock == rule_clock::event ? what.time : what.arrived;
  const auto before = std::count_if(
      ids.seen.begin(), ids.seen.end(),
      [&](const id_memory::entry& each) { return pane_end(of, each.time) == pane_end(of, time); });
  ids.seen.push_back({time, from.position()});
  if (static_cast<std::size_t>(before) < event_ids_max) ids.remember(from.position());
}

void naive_windows::recover(const unit& of, const naive_arrival& from) {
  for (const std::uint32_t number : of.rules) by_rule_[number]->recover(from, out_);
  ids_[of.index].erase(by_rule_[of.rules.front()]->key_of(from));
}

}  // namespace tocsin::testing
