// SPDX-License-Identifier: Apache-2.0
// The engine of one shard: looks up each event's key once and hands it to the units that want it.
#include "tocsin/window_engine.hpp"

#include "core/engine_state.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {

window_engine::window_engine(std::shared_ptr<const rule_set> rules, const engine_limits& limits,
                             std::uint32_t shard, std::uint32_t shards)
    : state_(std::make_unique<state>(std::move(rules), limits, shard, shards)) {}
window_engine::~window_engine() = default;
window_engine::window_engine(window_engine&&) noexcept = default;

void window_engine::step(instant clock, const event_batch* batch, const slice& events,
                         std::vector<finding>& out) {
  // All shards must begin at the same instant, whichever of them has the first event.
  if (!state_->begun)
    state_->begin(batch != nullptr && !batch->events.empty() ? batch->events.front().arrived
                                                             : clock);
  for (std::size_t i = 0; i < 12; ++i) state_->guess(events, i);
  for (std::size_t i = 0; i < events.events.size(); ++i) {
    if (i + 16 < events.events.size()) {
      const routed_event& later = events.events[i + 16];
      state_->keys[later.group]->prefetch(later.key);
    }
    state_->guess(events, i + 12);
    state_->look_ahead(events, i + 8, [](const unit_windows& unit, std::uint32_t held) {
      unit.prefetch_state(held);
    });
    state_->look_ahead(events, i + 4, [](const unit_windows& unit, std::uint32_t held) {
      unit.prefetch_record(held);
    });
    at_hand.event = events.events[i].event;
    state_->take(*batch, events, i, out);
  }
  at_hand.event = work_at_hand::no_event;
  state_->close_until(clock, out);
  state_->account_keys();
}

instant window_engine::idle_until() const noexcept {
  return from_unix_ms(state_->idle_until_ms);
}

const engine_totals& window_engine::totals() const noexcept {
  engine_totals& sum = state_->totals;
  sum = {};
  for (const auto& one : state_->units) {
    sum.updates += one->updates();
    sum.judgements += one->judgements();
    sum.overflowed += one->overflowed();
    for (std::uint32_t view = 0; view < one->views(); ++view) sum.late += one->late(view);
  }
  for (const auto& one : state_->keys) sum.keys += one->size();
  sum.bytes = state_->bytes();
  return sum;
}

std::vector<rule_totals> window_engine::totals_by_rule() const {
  std::vector<rule_totals> all;
  all.reserve(state_->rules->rules().size());
  for (const rule& of : state_->rules->rules()) {
    const unit_windows& in = *state_->units[of.unit];
    const rule_meter& meter = in.meter(of.bit);
    all.push_back({in.late(of.view), in.keys(), in.bytes(), in.overflowed(), meter.judgements,
                   meter.met, meter.failures, meter.exhausted});
  }
  return all;
}

std::map<std::string, std::uint64_t> window_engine::late_by_source() const {
  const auto& counted = state_->budget.late_by_source;
  return {counted.begin(), counted.end()};
}

}  // namespace tocsin
