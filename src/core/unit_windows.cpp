// SPDX-License-Identifier: Apache-2.0
// Life of a unit's states: made at a key's first event, armed with deadlines, released when over.
#include "core/unit_windows.hpp"

#include <bit>
#include <exception>
#include <utility>

#include "core/absence_windows.hpp"
#include "core/cut_sessions.hpp"
#include "core/pane_windows.hpp"
#include "core/sequence_windows.hpp"
#include "core/session_windows.hpp"
#include "tocsin/ingest_ledger.hpp"

namespace tocsin {
namespace {

std::uint64_t share_of(std::uint64_t limit, std::uint32_t shards) {
  return limit == 0 ? ~std::uint64_t{0} : (limit + shards - 1) / shards;
}

}  // namespace

unit_windows::unit_windows(const rule_set& rules, const unit& of, key_store& keys,
                           engine_budget& budget)
    : rules_(&rules),
      unit_(&of),
      keys_(&keys),
      budget_(&budget),
      records_(of),
      judge_(rules, of, records_, budget.shards > 1 ? std::to_string(budget.shard) : ""),
      lateness_ms_(of.lateness.count()),
      late_(of.views.size()),
      meters_(of.rules.size()),
      keys_max_(share_of(of.limits.keys, budget.shards)),
      bytes_max_(share_of(of.limits.bytes, budget.shards)) {
  for (const std::uint32_t index : of.rules) {
    const rule& one = rules.rules()[index];
    (one.early ? early_mask_ : close_mask_) |= mask_of(one);
    if (one.spec.keep_firing_for > duration{}) lingering_mask_ |= mask_of(one);
  }
  // Early rules have an event at hand when they need texts; at a close there is none.
  const bool panes = of.kind == window_kind::fixed || of.kind == window_kind::sliding;
  keeps_newest_ = close_mask_ != 0 || !panes;
}

void engine_budget::count_late(const event& from, std::uint64_t position) {
  if (position == last_late_position) return;
  last_late_position = position;
  const std::string_view source = from.text(event_field::source_id);
  auto counted = late_by_source.find(source);
  if (counted == late_by_source.end()) {
    const bool room = late_by_source.size() < ingest_ledger::sources_max;
    counted = late_by_source.emplace(room ? source : ingest_ledger::other_sources, 0).first;
  }
  ++counted->second;
}

void unit_windows::begin(std::int64_t) {}

std::uint32_t unit_windows::make_state(std::uint32_t slot) {
  std::uint32_t index;
  if (free_states_.empty()) {
    index = static_cast<std::uint32_t>(states_.size());
    states_.emplace_back();
  } else {
    index = free_states_.back();
    free_states_.pop_back();
  }
  states_[index].key = slot;
  keys_->attach(slot, unit_->index, index);
  ++keys_in_use_;
  ++budget_->keys;
  return index;
}

bool unit_windows::has_room() const {
  return keys_in_use_ < keys_max_ && budget_->keys < budget_->limits.keys &&
         accounted_bytes_ < bytes_max_ && budget_->bytes < budget_->limits.bytes;
}

void unit_windows::account() {
  const std::uint64_t now = bytes();
  budget_->bytes += now - accounted_bytes_;
  accounted_bytes_ = now;
}

std::uint64_t unit_windows::bytes() const {
  return keys_in_use_ * sizeof(window_state) + records_.bytes() + id_bytes_ + own_bytes() +
         told_.size() * 2 * sizeof(std::uint64_t);
}

bool unit_windows::take(std::uint32_t slot, std::uint32_t index, const arriving_event& arriving,
                        std::vector<finding>& out) {
  const std::int64_t arrived_ms = to_unix_ms(arriving.from.arrived);
  const std::int64_t time_ms =
      unit_->clock == rule_clock::event ? to_unix_ms(arriving.from.time) : arrived_ms;
  const std::int64_t watermark_ms = arrived_ms - lateness_ms_;
  second_ = arrived_ms / 1000;
  const bool accepted = accepts(index, time_ms, watermark_ms);
  if (is_late_) {
    budget_->count_late(arriving.from, arriving.position);
    is_late_ = false;
  }
  if (!accepted) return false;
  if (index == no_index) {
    if (has_room()) {
      index = make_state(slot);
      account();
    } else {
      ++overflowed_;
      index = overflow_state();
    }
  }
  ++updates_;
  enter(index, arriving, time_ms, watermark_ms, out);
  // What came may have no part in anything: a session's close with no session open.
  const bool released = release_if_over(index);
  if (has_news_) tell(arrived_ms, arriving.position, out);
  return released;
}

std::uint32_t unit_windows::overflow_state() {
  if (overflow_state_ != no_index) return overflow_state_;
  const std::vector<group_field>& fields = rules_->groups()[unit_->group].fields;
  std::vector<key_part> parts;
  for (const group_field& field : fields) parts.push_back({field.name, overflow_value});
  const fingerprint key = fingerprint_of("", parts);
  std::uint32_t slot = keys_->find(key);
  if (slot == no_index)
    slot = keys_->add(key, pack_key(std::vector<std::string_view>(fields.size(), overflow_value)));
  overflow_state_ = make_state(slot);
  has_news_ = true;
  return overflow_state_;
}

void unit_windows::count_in(window_state& state, std::uint32_t record,
                            const arriving_event& arriving, std::int64_t time_ms) {
  window_record& to = records_.at(record);
  // A key that floods leaves the ids of its first events of each pane: what comes behind them would
  // only push the same memory through the cache.
  if (to.with_id < event_ids_max && arriving.from.has(event_field::event_id)) {
    if (state.ids == nullptr) {
      state.ids = std::make_unique<id_ring>();
      id_bytes_ += state.ids->bytes();
    }
    id_bytes_ -= state.ids->bytes();
    state.ids->add(time_ms, arriving.position, arriving.from.text(event_field::event_id));
    id_bytes_ += state.ids->bytes();
  }
  records_.add(to, arriving.batch, arriving.from, time_ms, arriving.position);
  if (keeps_newest_)
    records_.keep_newest(to, arriving.batch, arriving.from, time_ms, arriving.position);
}

void unit_windows::forget_ids(window_state& state, std::int64_t first_ms, std::int64_t last_ms) {
  if (state.ids == nullptr) return;
  id_bytes_ -= state.ids->bytes();
  state.ids->forget(first_ms, last_ms);
  id_bytes_ += state.ids->bytes();
}

void unit_windows::act(std::uint32_t index, std::string_view key_values,
                       const arriving_event& arriving, std::vector<finding>& out) {
  const bool resolved = arriving.from.action == event_action::resolved;
  const finding::kind what = resolved ? finding::kind::recovered : finding::kind::dismissed;
  const judged_cause cause{arriving.from.arrived, arriving.position,
                           resolved ? "resolved by an event" : "closed by an event"};
  // An alert that keep_firing_for holds up is active though its condition is met no more.
  const std::uint64_t concerned = lingering_mask_ | (index == no_index ? 0 : states_[index].met);
  const judged_key key{key_values};
  for (std::uint64_t left = concerned; left != 0; left &= left - 1)
    out.push_back(judge_.report_action(
        what, judge_.rule_at(static_cast<std::uint32_t>(std::countr_zero(left))), key, cause));
  if (index == no_index) return;
  window_state& state = states_[index];
  for (std::uint64_t left = state.met; left != 0; left &= left - 1)
    told_.erase(
        told_key(index, judge_.rule_at(static_cast<std::uint32_t>(std::countr_zero(left)))));
  state.met = 0;
  forget(state);
  state.due_ms = never_ms;
  release_if_over(index);
}

void unit_windows::arm(std::uint32_t index, std::int64_t deadline_ms) {
  window_state& state = states_[index];
  if (deadline_ms == state.due_ms) return;
  state.due_ms = deadline_ms;
  if (deadline_ms == never_ms) return;
  ++state.scheduled;
  deadlines_.add(deadline_ms, index);
}

void unit_windows::close_until(std::int64_t clock_ms, std::vector<finding>& out) {
  const std::int64_t watermark_ms = clock_ms - lateness_ms_;
  if (deadlines_.first() >= watermark_ms) return;
  while (deadlines_.first() < watermark_ms) {
    const std::int64_t due_ms = deadlines_.first();
    // A budget's second is that of the deadline: the same whatever clock closes it.
    second_ = (due_ms + lateness_ms_) / 1000;
    for (const std::uint32_t index : deadlines_.take_first()) {
      --states_[index].scheduled;
      if (states_[index].key == no_index) {
        // Released already, with this stale entry still under way.
        if (states_[index].scheduled == 0) free_states_.push_back(index);
        continue;
      }
      if (states_[index].due_ms == due_ms) {
        states_[index].due_ms = never_ms;
        const std::int64_t next_ms = close_at(index, due_ms, out);
        arm(index, next_ms);
      }
      release_if_over(index);
    }
    if (has_news_) tell(due_ms + lateness_ms_, no_position, out);
  }
  account();
}

bool unit_windows::release_if_over(std::uint32_t index) {
  window_state& state = states_[index];
  if (state.head != no_index || state.key == no_index || state.met != 0) return false;
  if (state.due_ms != never_ms) return false;
  forget(state);
  keys_->detach(state.key, unit_->index);
  state.key = no_index;
  if (state.ids != nullptr) id_bytes_ -= state.ids->bytes();
  state.ids.reset();
  --keys_in_use_;
  --budget_->keys;
  if (index == overflow_state_) {
    overflow_state_ = no_index;
    has_news_ = true;
  }
  // Stale entries in the queue still name the state: it is used again when the last one has come
  // up.
  if (state.scheduled == 0) free_states_.push_back(index);
  return true;
}

bool unit_windows::may_judge(const rule& of) {
  rule_meter& meter = meters_[of.bit];
  if (meter.now == rule_meter::condition::failed) return false;
  if (meter.second != second_) {
    meter.second = second_;
    meter.work = 0;
    if (meter.now == rule_meter::condition::exhausted) {
      meter.now = rule_meter::condition::well;
      has_news_ = true;
    }
  }
  if (meter.work <= budget_->limits.work_per_second) return true;
  ++meter.exhausted;
  if (meter.now == rule_meter::condition::well) {
    meter.now = rule_meter::condition::exhausted;
    has_news_ = true;
  }
  return false;
}

bool unit_windows::holds(const rule& of, const judged_window& window, const window_state& state) {
  rule_meter& meter = meters_[of.bit];
  meter.work += work_done_ + 1;
  work_done_ = 0;
  ++meter.judgements;
  try {
    if (budget_->limits.before_judgement) budget_->limits.before_judgement(of);
    judged_key key;
    key.ids = state.ids.get();
    return judge_.holds(of, window, key);
  } catch (const std::exception& thrown) {
    meter.why = thrown.what();
  } catch (...) {
    meter.why = "an unknown exception";
  }
  ++meter.failures;
  meter.now = rule_meter::condition::failed;
  has_news_ = true;
  return false;
}

void unit_windows::report_holding(window_state& state, std::uint32_t state_index, const rule& of,
                                  const judged_window& window, const arriving_event* arriving,
                                  const judged_cause& cause, std::vector<finding>& out) {
  const bool was_met = (state.met & mask_of(of)) != 0;
  if (was_met) {
    const auto told = told_.find(told_key(state_index, of));
    if (told != told_.end() && window.record->last_position <= told->second) return;
  }
  judged_key key = key_of(state);
  event_batch unpacked;
  if (arriving != nullptr) {
    key.batch = &arriving->batch;
    key.representative = &arriving->from;
  } else if (window.record->newest != nullptr) {
    unpacked = unpack_event(window.record->newest->packed);
    key.batch = &unpacked;
    key.representative = &unpacked.events.front();
  }
  finding said =
      judge_.report(was_met ? finding::kind::updated : finding::kind::met, of, window, key, cause);
  if (!was_met) {
    said.texts = judge_.texts_of(of, window, key);
    ++meters_[of.bit].met;
  }
  told_[told_key(state_index, of)] = window.record->last_position;
  state.met |= mask_of(of);
  out.push_back(std::move(said));
}

void unit_windows::report_cleared(window_state& state, std::uint32_t state_index, const rule& of,
                                  const judged_window& window, const judged_cause& cause,
                                  std::vector<finding>& out) {
  // A rule that has failed stands as it stood.
  if (meters_[of.bit].now == rule_meter::condition::failed) return;
  out.push_back(judge_.report(finding::kind::cleared, of, window, key_of(state), cause));
  state.met &= ~mask_of(of);
  told_.erase(told_key(state_index, of));
}

std::unique_ptr<unit_windows> make_unit_windows(const rule_set& rules, const unit& of,
                                                key_store& keys, engine_budget& budget) {
  switch (of.kind) {
    case window_kind::fixed:
    case window_kind::sliding:
      return std::make_unique<pane_windows>(rules, of, keys, budget);
    case window_kind::session: {
      const window_spec& window = of.views.front();
      if (of.close || window.session_max > duration{} || window.session_events_max != 0)
        return std::make_unique<cut_sessions>(rules, of, keys, budget);
      return std::make_unique<session_windows>(rules, of, keys, budget);
    }
    case window_kind::absence:
      return std::make_unique<absence_windows>(rules, of, keys, budget);
    case window_kind::sequence:
      return std::make_unique<sequence_windows>(rules, of, keys, budget);
  }
  return nullptr;
}

}  // namespace tocsin
