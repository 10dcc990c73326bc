// SPDX-License-Identifier: Apache-2.0
// The engine of one shard: looks up each event's key once and hands it to the units that want it.
#include "tocsin/window_engine.hpp"

#include <algorithm>
#include <array>
#include <cassert>

#include "core/unit_windows.hpp"

namespace tocsin {

struct window_engine::state {
  explicit state(std::shared_ptr<const rule_set> compiled) : rules(std::move(compiled)) {
    keys.reserve(rules->groups().size());
    for (const group& one : rules->groups()) keys.push_back(std::make_unique<key_store>(one));
    for (const unit& one : rules->units())
      units.push_back(make_unit_windows(*rules, one, *keys[one.group]));
    late.resize(units.size());
  }

  void close_until(instant clock, std::vector<finding>& out) {
    const std::int64_t clock_ms = to_unix_ms(clock);
    if (clock_ms <= idle_until_ms) return;
    idle_until_ms = never_ms;
    for (const auto& one : units) {
      if (clock_ms > one->idle_until()) one->close_until(clock_ms, out);
      idle_until_ms = std::min(idle_until_ms, one->idle_until());
    }
  }

  /// Every look-up of many keys misses the cache, so what an event will touch is asked for ahead of
  /// it, step by step.
  template <class Prefetch>
  void look_ahead(const slice& events, std::size_t at, const Prefetch& prefetch) const {
    if (at >= events.events.size()) return;
    const routed_event& later = events.events[at];
    const key_store& known = *keys[later.group];
    const std::uint32_t slot = known.find(later.key, guess_of(at));
    if (slot == no_index) return;
    key_store::cursor place;
    for (std::uint32_t i = 0; i < later.units_count; ++i) {
      const std::uint32_t index = events.units[later.units_begin + i];
      const std::uint32_t held = known.state_at(slot, index, place);
      if (held != no_index) prefetch(*units[index], held);
    }
  }

  /// Looks an event's key up without touching the key itself: the slot it will most probably have
  /// when its turn comes.
  void guess(const slice& events, std::size_t at) {
    if (at >= events.events.size()) return;
    const routed_event& later = events.events[at];
    guesses[at % guesses.size()] = keys[later.group]->guess(later.key);
  }
  [[nodiscard]] std::uint32_t guess_of(std::size_t at) const {
    return guesses[at % guesses.size()];
  }

  void take(const event_batch& batch, const slice& events, std::size_t at,
            std::vector<finding>& out) {
    const routed_event& routed = events.events[at];
    const event& from = batch.events[routed.event];
    const arriving_event arriving{batch, from, batch.first_position + routed.event};
    close_until(from.arrived, out);
    key_store& known = *keys[routed.group];
    std::uint32_t slot = known.find(routed.key, guess_of(at));
    if (from.action != event_action::firing) {
      const group& of = rules->groups()[routed.group];
      const std::string values = pack_key(of, batch, from);
      for (const std::uint32_t one : of.units) {
        // Each look-up begins anew: what acts may end the state before it, and with the last one
        // the key.
        key_store::cursor place;
        units[one]->act(slot == no_index ? no_index : known.state_at(slot, one, place), values,
                        arriving, out);
      }
      return;
    }
    key_store::cursor place;
    for (std::uint32_t i = 0; i < routed.units_count; ++i) {
      const std::uint32_t index = events.units[routed.units_begin + i];
      if (slot == no_index) slot = known.add(routed.key, batch, from);
      const std::uint32_t held = known.state_at(slot, index, place);
      units[index]->take(slot, held, arriving, out);
      idle_until_ms = std::min(idle_until_ms, units[index]->idle_until());
    }
    if (slot != no_index) known.drop_if_unused(slot);  // late for every unit
  }

  std::shared_ptr<const rule_set> rules;
  std::vector<std::unique_ptr<key_store>> keys;      // by group
  std::vector<std::unique_ptr<unit_windows>> units;  // by unit
  std::vector<std::uint64_t> late;
  std::array<std::uint32_t, 16> guesses;  // by the event's place in the slice, modulo
  engine_totals totals;
  std::int64_t idle_until_ms = never_ms;  // nothing is to be closed for clocks up to this
};

window_engine::window_engine(std::shared_ptr<const rule_set> rules)
    : state_(std::make_unique<state>(std::move(rules))) {}
window_engine::~window_engine() = default;
window_engine::window_engine(window_engine&&) noexcept = default;

void window_engine::step(instant clock, const event_batch* batch, const slice& events,
                         std::vector<finding>& out) {
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
    state_->take(*batch, events, i, out);
  }
  state_->close_until(clock, out);
}

instant window_engine::idle_until() const noexcept {
  return from_unix_ms(state_->idle_until_ms);
}

const engine_totals& window_engine::totals() const noexcept {
  engine_totals& sum = state_->totals;
  sum = {};
  for (const auto& one : state_->units) {
    sum.updates += one->updates();
    sum.late += one->late();
    sum.judgements += one->judgements();
  }
  for (const auto& one : state_->keys) sum.keys += one->size();
  return sum;
}

const std::vector<std::uint64_t>& window_engine::late_by_unit() const noexcept {
  for (std::size_t i = 0; i < state_->units.size(); ++i) state_->late[i] = state_->units[i]->late();
  return state_->late;
}

}  // namespace tocsin
