// SPDX-License-Identifier: Apache-2.0
// What an engine holds: the keys of each group and the windows of each unit.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "core/unit_windows.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {

struct window_engine::state {
  state(std::shared_ptr<const rule_set> compiled, const engine_limits& limits, std::uint32_t shard,
        std::uint32_t shards)
      : rules(std::move(compiled)), budget{.limits = limits, .shard = shard, .shards = shards} {
    keys.reserve(rules->groups().size());
    for (const group& one : rules->groups()) keys.push_back(std::make_unique<key_store>(one));
    for (const unit& one : rules->units())
      units.push_back(make_unit_windows(*rules, one, *keys[one.group], budget));
    queued_ms.resize(units.size(), never_ms);
  }

  void begin(instant clock) {
    begun = true;
    idle_until_ms = never_ms;
    for (const auto& one : units) one->begin(to_unix_ms(clock));
    queue_all();
  }

  /// A unit's first deadline may have come nearer.
  void queue(std::uint32_t index) {
    const std::int64_t due_ms = units[index]->idle_until();
    if (due_ms >= queued_ms[index]) return;
    queued_ms[index] = due_ms;
    waiting.emplace(due_ms, index);
    idle_until_ms = std::min(idle_until_ms, due_ms);
  }

  void queue_all() {
    for (std::uint32_t index = 0; index < units.size(); ++index) queue(index);
  }

  [[nodiscard]] std::uint64_t bytes() const {
    std::uint64_t sum = 0;
    for (const auto& one : units) sum += one->bytes();
    for (const auto& one : keys) sum += one->bytes().total();
    return sum;
  }

  /// Units say themselves what they hold; of keys they know nothing.
  void account_keys() {
    std::uint64_t now = 0;
    for (const auto& one : keys) now += one->bytes().total();
    budget.bytes += now - key_bytes;
    key_bytes = now;
  }

  void close_until(instant clock, std::vector<finding>& out) {
    const std::int64_t clock_ms = to_unix_ms(clock);
    if (clock_ms <= idle_until_ms) return;
    // What time closes is not the doing of the event that came behind it.
    const std::uint32_t arriving = std::exchange(at_hand.event, work_at_hand::no_event);
    while (!waiting.empty() && waiting.top().first < clock_ms) {
      const auto [due_ms, index] = waiting.top();
      waiting.pop();
      // A unit whose deadline came nearer stands here twice.
      if (queued_ms[index] != due_ms) continue;
      queued_ms[index] = never_ms;
      if (clock_ms > units[index]->idle_until()) units[index]->close_until(clock_ms, out);
      queue(index);
    }
    idle_until_ms = waiting.empty() ? never_ms : waiting.top().first;
    at_hand.event = arriving;
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
      if (units[index]->take(slot, held, arriving, out)) {
        slot = known.find(routed.key);
        place = {};
      }
      queue(index);
    }
    if (slot != no_index) known.drop_if_unused(slot);  // late for every unit
  }

  std::shared_ptr<const rule_set> rules;
  std::vector<std::unique_ptr<key_store>> keys;      // by group
  std::vector<std::unique_ptr<unit_windows>> units;  // by unit
  /// Units by their first deadline, so that thousands of them cost what those do that are due.
  using deadline = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<deadline, std::vector<deadline>, std::greater<>> waiting;
  std::vector<std::int64_t> queued_ms;      // by unit: its entry in `waiting` that counts
  std::array<std::uint32_t, 16> guesses{};  // by the event's place in the slice, modulo
  engine_budget budget;
  std::uint64_t key_bytes = 0;  // as last added to the budget
  engine_totals totals;
  std::int64_t idle_until_ms = INT64_MIN;  // nothing is to be closed for clocks up to this
  bool begun = false;
};

}  // namespace tocsin
