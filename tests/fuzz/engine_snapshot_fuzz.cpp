// SPDX-License-Identifier: Apache-2.0
// Events and restarts in any order: an engine that is saved and restored finds the same as one that
// went on. At the end what it saved is damaged, which must be seen: behind the checksum, what was
// saved is trusted.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/claim.hpp"
#include "fuzz/damage.hpp"
#include "support/engine_driver.hpp"
#include "support/rules.hpp"
#include "tocsin/window_engine.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

constexpr long long began_ms = 1'772'445'600'000;

/// Some kinds of windows each, so that one input is about few.
constexpr std::string_view kinds[] = {
    R"(
rules:
- name: sliding
  where: true
  group_by: [source_id]
  window: {sliding: 5s, every: 1s}
  select: {mean: avg(value), spread: stddev(value), kinds: distinct(item)}
  having: count() >= 2
)",
    R"(
rules:
- name: fixed
  where: true
  group_by: [source_id, item]
  window: {fixed: 10s}
  select: {high: 'quantile(value, 0.9)', all: 'collect(item, 3)', often: 'top(item, 2)', merged: merge_labels()}
  having: high > 0
)",
    R"(
rules:
- name: session
  where: true
  group_by: [source_id]
  window: {session: 2s, max: 10s, close: 'value == 3'}
  having: count() > 1
- name: plain
  where: true
  group_by: [source_id]
  window: {session: 2s}
  select: {newest: last(value), first: first(item)}
  having: count() > 1
)",
    R"(
rules:
- name: scored
  where: true
  group_by: [item]
  window: {sliding: 5s, every: 1s}
  baseline: {length: 30s}
  having: zscore(value) > 3 || slope(value) > 2
)",
    R"(
rules:
- name: trailing
  where: true
  group_by: [source_id]
  window: {sliding: 2s, every: event}
  having: count() >= 2
- name: pair
  group_by: [source_id]
  then: [{where: value == 1}, {where: value == 2, within: 5s}]
- name: silent
  where: true
  group_by: [source_id]
  window: {absent: 3s}
)"};

const std::shared_ptr<const rule_set>& some_rules(std::size_t number) {
  static const std::vector<std::shared_ptr<const rule_set>> all = [] {
    std::vector<std::shared_ptr<const rule_set>> made;
    for (const std::string_view each : kinds) made.push_back(testing::rules_from_yaml(each));
    return made;
  }();
  return all[number % all.size()];
}

testing::window_event event_of(fuzzing::script& by, long long clock_ms) {
  static constexpr const char* names[] = {"a", "b", "", "cpu"};
  const std::uint8_t shape = by.byte();
  testing::window_event made;
  made.arrived_ms = clock_ms;
  made.time_ms = clock_ms - by.byte() * 20LL;
  if (shape % 8 != 0) made.source = names[shape % 4];
  if (shape % 3 != 0) made.item = names[shape / 4 % 4];
  if (shape % 5 != 0) made.value = by.byte() % 8 / 2.0;
  if (shape % 2 != 0) made.id = "e" + std::to_string(clock_ms % 100);
  if (shape >= 128) made.level = static_cast<severity>(shape % 4);
  if (shape >= 240) made.action = shape % 2 == 0 ? event_action::resolved : event_action::closed;
  if (shape % 16 >= 8) made.text_labels = {{names[shape % 2], names[shape / 2 % 4]}};
  return made;
}

/// Both engines do the same but for the restarts. Gives the clock.
long long live(testing::engine_driver& steady, testing::engine_driver& twin, fuzzing::script& by) {
  long long clock_ms = began_ms;
  // An engine that has not taken a step yet has nothing to save.
  bool begun = false;
  for (int steps = 0; steps < 8 && !by.at_end(); ++steps) {
    const std::uint8_t what = by.byte();
    if (what % 4 == 0 && begun) {
      const std::string refused = twin.restart();
      claim(refused.empty(), "what was saved is restored", refused);
    }
    clock_ms += (what >> 3U) * 60LL;
    std::vector<testing::window_event> events;
    for (int count = what % 4; count > 0; --count) events.push_back(event_of(by, clock_ms));
    const auto found = steady.take(clock_ms, events);
    const auto found_by_twin = twin.take(clock_ms, events);
    begun = true;
    claim(found.size() == found_by_twin.size(), "both find as much");
    for (std::size_t i = 0; i < found.size(); ++i) {
      const std::string line = testing::describe(found[i], steady.rules());
      claim(line == testing::describe(found_by_twin[i], twin.rules()), "both find the same", line);
    }
    claim(steady.totals().keys == twin.totals().keys, "both hold as many keys");
  }
  return clock_ms;
}

void try_damaged(const std::shared_ptr<const rule_set>& rules, const std::string& saved,
                 fuzzing::script& by) {
  std::string damaged = saved;
  fuzzing::damage(damaged, by);
  window_engine engine{rules};
  const auto refused = engine.restore(damaged);
  claim(refused.has_value() == (damaged != saved), "what is damaged is refused");
  if (refused) claim(refused->code == "bad_snapshot" && !refused->message.empty(), "and says why");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input = fuzzing::input_of(bytes, size);
  fuzzing::script by{input};
  const std::uint8_t kind = by.byte();
  const auto& rules = some_rules(kind);
  testing::engine_driver steady{rules, 1};
  testing::engine_driver twin{rules, 1};
  const long long clock_ms = live(steady, twin, by);
  if (clock_ms == began_ms) (void)steady.tick(clock_ms);
  try_damaged(rules, steady.save().front(), by);
  window_engine of_others{some_rules(kind + 1U)};
  const auto refused = of_others.restore(steady.save().front());
  claim(refused && refused->code == "other_rules", "what other rules saved is refused");
  (void)steady.tick(clock_ms + 120'000);
  return 0;
}
