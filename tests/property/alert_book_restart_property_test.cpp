// SPDX-License-Identifier: Apache-2.0
// A book that goes on from what it said to the store is the book that was never stopped; and how
// the log is cut into steps changes nothing.
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "support/book_scenario.hpp"
#include "support/stored_book.hpp"
#include "support/window_scenario.hpp"
#include "tocsin/alert_book.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

/// What a book says, line by line, restarted after each of these calls.
std::string restarted_history(const book_scenario& of, const std::set<std::size_t>& restarts) {
  auto book = std::make_unique<alert_book>(of.rules, of.policy);
  stored_book store;
  std::string said;
  std::size_t calls = 0;
  const auto keep = [&](const book_changes& changes) {
    said += listed(changes, true);
    store.take(changes);
    if (!restarts.contains(calls++)) return;
    book = std::make_unique<alert_book>(of.rules, of.policy);
    const instant clock = store.state().clock;
    const book_changes restored = book->restore(store.state(), clock, true);
    said += listed(restored, true);
    store.take(restored);
  };
  for (const book_turn& turn : of.turns) {
    keep(book->step(turn.clock, turn.findings));
    for (const auto& each : turn.operations) keep(book->operate(each(*book)).changes);
    said += listed(*book);
  }
  return said;
}

/// The same transitions and notices when each step is cut in two at a random time.
std::string cut_history(const book_scenario& of, std::uint64_t seed, bool cut) {
  std::mt19937_64 random{seed};
  alert_book book{of.rules, of.policy};
  std::string transitions, notices;
  const auto keep = [&](book_changes changes) {
    book_changes only;
    only.notices = std::move(changes.notices);
    notices += listed(only, true);
    changes.notices.clear();
    transitions += listed(changes, false);
  };
  for (const book_turn& turn : of.turns) {
    std::vector<finding> rest = turn.findings;
    if (cut && turn.clock > book.clock()) {
      const auto length = static_cast<std::uint64_t>((turn.clock - book.clock()).count());
      const instant middle = book.clock() + duration{random() % length};
      std::vector<finding> first;
      std::erase_if(rest, [&](const finding& each) {
        if (each.at > middle) return false;
        first.push_back(each);
        return true;
      });
      if (book.clock() != instant{})
        keep(book.step(middle, first));
      else
        rest = turn.findings;
    }
    keep(book.step(turn.clock, rest));
    for (const auto& each : turn.operations) keep(book.operate(each(book)).changes);
  }
  return transitions + notices;
}

std::string first_difference(const std::string& seen, const std::string& wanted) {
  if (seen == wanted) return {};
  std::size_t at = 0;
  while (at < seen.size() && at < wanted.size() && seen[at] == wanted[at]) ++at;
  const auto around = [at](const std::string& text) {
    const std::size_t line = at == 0 ? std::string::npos : text.rfind('\n', at - 1);
    const std::size_t begin = line == std::string::npos ? 0 : line + 1;
    const std::size_t from = begin > 1500 ? begin - 1500 : 0;
    return text.substr(from, begin - from) + ">>>" + text.substr(begin, 900);
  };
  return "seen:\n" + around(seen) + "\nwanted:\n" + around(wanted);
}

template <class Check>
void for_each_scenario(const Check& check) {
  std::uint64_t first = 1;
  std::uint64_t last = 400 * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    book_scenario scenario = make_book_scenario(seed);
    if (check(scenario, seed).empty()) continue;
    for (std::size_t i = scenario.turns.size(); i-- > 0;) {
      book_scenario smaller = scenario;
      smaller.turns[i].operations.clear();
      if (!check(smaller, seed).empty()) scenario = smaller;
      smaller = scenario;
      smaller.turns[i].findings.clear();
      if (!check(smaller, seed).empty()) scenario = smaller;
    }
    FAIL() << "seed " << seed << " (TOCSIN_PROPERTY_SEED=" << seed << " runs it alone)\n"
           << check(scenario, seed);
  }
}

TEST(alert_book_restart_property, a_book_that_was_restarted_goes_on_as_if_it_never_was) {
  for_each_scenario([](const book_scenario& scenario, std::uint64_t seed) {
    std::mt19937_64 random{seed};
    std::set<std::size_t> restarts;
    for (std::size_t i = 0; i < 150; ++i) {
      if (random() % 5 == 0) restarts.insert(i);
    }
    return first_difference(restarted_history(scenario, restarts), restarted_history(scenario, {}));
  });
}

TEST(alert_book_restart_property, how_the_log_is_cut_into_steps_changes_nothing) {
  for_each_scenario([](const book_scenario& scenario, std::uint64_t seed) {
    return first_difference(cut_history(scenario, seed, true), cut_history(scenario, seed, false));
  });
}

}  // namespace
}  // namespace tocsin::testing
