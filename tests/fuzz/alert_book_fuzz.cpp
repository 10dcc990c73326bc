// SPDX-License-Identifier: Apache-2.0
// What a store kept of an alert book beside the alerts (groups, facts, what entries know), damaged:
// a book goes on with what is right of it, and says what it has left out.
#include <memory>
#include <string>
#include <vector>

#include "fuzz/claim.hpp"
#include "fuzz/damage.hpp"
#include "support/book_scenario.hpp"
#include "support/stored_book.hpp"
#include "tocsin/alert_book.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

/// A book in the middle of its life.
struct stopped_book {
  std::shared_ptr<const rule_set> rules;
  std::shared_ptr<const alert_policy> policy;
  book_state state;
  std::vector<finding> next;  ///< what the next step would have found
};

stopped_book stop_book(std::uint64_t seed) {
  const testing::book_scenario made = testing::make_book_scenario(seed);
  alert_book book{made.rules, made.policy};
  testing::stored_book store;
  const std::size_t half = made.turns.size() * 2 / 3;
  for (std::size_t i = 0; i < half; ++i) {
    store.take(book.step(made.turns[i].clock, made.turns[i].findings));
    for (const auto& wanted : made.turns[i].operations) {
      store.take(book.operate(wanted(book)).changes);
    }
  }
  return {made.rules, made.policy, store.state(), made.turns[half].findings};
}

const stopped_book& some_book(std::size_t number) {
  static const std::vector<stopped_book> all = [] {
    std::vector<stopped_book> made;
    for (std::uint64_t seed = 0; made.size() < 8; ++seed) {
      stopped_book book = stop_book(seed);
      const book_state& state = book.state;
      if (state.alerts.size() > 1 && state.groups.size() > 1 && !state.facts.empty()) {
        made.push_back(std::move(book));
      }
    }
    return made;
  }();
  return all[number % all.size()];
}

void damage_one(book_state& state, fuzzing::script& by) {
  switch (by.byte() % 6) {
    case 0:
      fuzzing::damage_once(state.alerts[by.below(state.alerts.size())].bytes, by);
      break;
    case 1:
      fuzzing::damage_once(state.groups[by.below(state.groups.size())].key, by);
      break;
    case 2:
    case 3:
      fuzzing::damage_once(state.groups[by.below(state.groups.size())].bytes, by);
      break;
    case 4:
      fuzzing::damage_once(state.facts[by.below(state.facts.size())].first, by);
      break;
    default:
      fuzzing::damage_once(state.facts[by.below(state.facts.size())].second, by);
      break;
  }
}

void try_changes(const book_changes& changes, std::uint64_t& seq) {
  for (const transition& each : changes.transitions) {
    claim(each->seq == ++seq, "transitions have no gap");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string input = fuzzing::input_of(bytes, size);
  fuzzing::script by{input};
  const stopped_book& stopped = some_book(by.byte());
  book_state state = stopped.state;
  for (int changes = 0; changes < 16 && !by.at_end(); ++changes) damage_one(state, by);
  const instant clock = state.clock;
  std::uint64_t seq = state.seq;
  const std::size_t alerts = state.alerts.size();
  alert_book book{stopped.rules, stopped.policy};
  const auto restored = book.restore(std::move(state), clock, true);
  try_changes(restored, seq);
  claim(book.active_count() + restored.transitions.size() >= alerts, "no alert is lost in silence");
  std::vector<finding> next = stopped.next;
  for (finding& each : next) each.at = clock;
  try_changes(book.step(clock + std::chrono::seconds{5}, std::move(next)), seq);
  try_changes(book.step(clock + std::chrono::minutes{1}, {}), seq);
  return 0;
}
