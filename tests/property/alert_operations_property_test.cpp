// SPDX-License-Identifier: Apache-2.0
// Findings, operators, posted alerts, silences and time in random order: the alert book equals the
// model, and what it tells is whole, legal and numbered.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <random>
#include <set>
#include <stdexcept>

#include "support/alert_happenings.hpp"
#include "support/alert_ledger.hpp"
#include "support/model_book.hpp"
#include "tocsin/alert_book.hpp"

namespace tocsin::testing {
namespace {

using namespace std::chrono_literals;

std::string code_of(const std::optional<error>& refused) {
  return refused ? std::string{refused->code} : "";
}

/// A book and what is expected of it, side by side.
class comparison {
 public:
  /// `equal`: the model must say the same; else only what the book tells must fit together.
  comparison(const sequence& of, const clock_places& places, bool equal)
      : narrow_(of.narrow),
        places_(places),
        equal_(equal),
        book_(book_of(of, places)),
        model_(happening_rules(places), make_policy(of, places)),
        clock_(beginning + places.step_end) {
    step(clock_, {});
  }

  void run(const happening& next) {
    happening_maker make{next.seed, narrow_, places_, clock_};
    if (next.what == deed::wait || next.what == deed::find) {
      const instant until = clock_ + make.passing();
      step(until,
           next.what == deed::find ? make.findings(until, position_) : std::vector<finding>{});
      return;
    }
    operate(operation_of(next.what, make));
    if (!differs()) step(clock_ + make.passing(), {});
  }

  [[nodiscard]] alert_book& book() { return book_; }
  [[nodiscard]] const alert_ledger& told() const { return ledger_; }
  [[nodiscard]] bool differs() const { return !difference_.empty(); }
  [[nodiscard]] const std::string& difference() const { return difference_; }

 private:
  static alert_book book_of(const sequence& of, const clock_places& places) {
    return alert_book{happening_rules(places), make_policy(of, places)};
  }

  operation operation_of(deed what, happening_maker& make) {
    switch (what) {
      case deed::post:
        return make.post();
      case deed::silence:
      case deed::edit_silence:
        return make.put_silence(silences(), what == deed::edit_silence);
      case deed::expire_silence:
        return make.expire(silences());
      default:
        return make.operate(what, make.selector(book_.active(), ledger_.ended()));
    }
  }

  [[nodiscard]] std::map<std::string, silence> silences() const {
    std::map<std::string, silence> by_id;
    for (const silence_ptr& each : book_.silences().all()) by_id[each->id] = *each;
    return by_id;
  }

  /// Ids as the model knows them.
  [[nodiscard]] operation with_prints(operation wanted) const {
    std::visit(
        [&](auto& each) {
          if constexpr (requires { each.which; }) {
            for (fingerprint& id : each.which.ids) id = ledger_.print_of(id);
          }
        },
        wanted);
    return wanted;
  }
  [[nodiscard]] std::string standing_with_prints(alert of) const {
    for (std::string& each : of.shields.inhibited_by) {
      for (const transition& other : book_.active()) {
        if (to_text(other->alert_id) == each) each = to_text(other->print);
      }
    }
    std::sort(of.shields.inhibited_by.begin(), of.shields.inhibited_by.end());
    return standing(of);
  }

  void step(instant clock, const std::vector<finding>& findings) {
    // Shards report one after the other: by key, each in its own order.
    std::vector<finding> shuffled = findings;
    std::stable_sort(shuffled.begin(), shuffled.end(),
                     [](const finding& a, const finding& b) { return a.print > b.print; });
    const book_changes changes = book_.step(clock, std::move(shuffled));
    if (equal_) model_.step(clock, findings);
    const instant from = std::exchange(clock_, clock);
    compare(changes, from, fmt::format("step to {}", to_unix_ms(clock)));
  }

  void operate(const operation& wanted) {
    // Before the book changes: who is chosen by id is active now.
    const operation for_model = with_prints(wanted);
    const alert_ledger before = ledger_;
    const auto done = book_.operate(wanted);
    if (!equal_) return compare(done.changes, clock_, "operation");
    const silence_ptr made = done.outcome ? done.outcome->silence : nullptr;
    const auto expected = model_.operate(for_model, made ? made->id : "");
    const std::string code = done.outcome ? "" : std::string{done.outcome.failure().code};
    const std::string what = fmt::format("operation {}", wanted.index());
    if (code != expected.code) {
      difference_ +=
          fmt::format("{}: the book says \"{}\", the model \"{}\"\n", what, code, expected.code);
    } else if (code.empty()) {
      compare_outcomes(wanted, *done.outcome, expected, before);
    }
    compare(done.changes, clock_, what);
  }

  void compare_outcomes(const operation& wanted, const operation_result& seen,
                        const model_book::outcome& expected, const alert_ledger& before) {
    if (const auto* put = std::get_if<put_silence>(&wanted)) {
      if (expected.new_silence == (seen.silence->id == put->wanted.id)) {
        difference_ += fmt::format("put_silence: new is {} to the model, the book says id {}\n",
                                   expected.new_silence, seen.silence->id);
      }
    }
    std::vector<std::string> codes;
    std::map<fingerprint, std::string> by_id;
    for (const operation_outcome& each : seen.alerts) {
      codes.push_back(code_of(each.refused));
      by_id[before.print_of(each.alert_id)] = codes.back();
    }
    const bool posted = std::holds_alternative<post_alerts>(wanted);
    if (posted ? codes != expected.posted
               : by_id != expected.alerts || by_id.size() != codes.size()) {
      difference_ += fmt::format("outcomes of operation {}: [{}]; the model: [{}]{}\n",
                                 wanted.index(), fmt::join(codes, ", "),
                                 fmt::join(expected.posted, ", "), listed(expected.alerts));
    }
  }

  static std::string listed(const std::map<fingerprint, std::string>& codes) {
    std::string text;
    for (const auto& [id, code] : codes) text += fmt::format(" {} \"{}\"", to_text(id), code);
    return text;
  }

  void compare(const book_changes& changes, instant from, const std::string& after) {
    ledger_.take(changes, from, clock_);
    const std::vector<transition> active = book_.active();
    ledger_.compare(active);
    if (!ledger_.found().empty()) difference_ += ledger_.found();
    if (changes.clock != clock_ || book_.clock() != clock_) difference_ += "another clock\n";
    if (equal_) compare_with_model(changes, active);
    if (differs()) difference_ = "after " + after + "\n" + difference_;
  }

  void compare_with_model(const book_changes& changes, const std::vector<transition>& active) {
    if (!book_.failed_checks().empty()) difference_ += "a check failed\n";
    std::vector<std::string> seen, wanted;
    for (const transition& each : active) seen.push_back(standing_with_prints(*each));
    for (const alert& each : model_.active()) wanted.push_back(standing(each));
    compare_lists("active", seen, wanted);
    auto sorted = changes.transitions;
    std::stable_sort(sorted.begin(), sorted.end(), [](const auto& left, const auto& right) {
      return std::tie(left->at, left->print) < std::tie(right->at, right->print);
    });
    seen.clear();
    for (const transition& each : sorted) {
      if (auto words = change_in_words(*each); !words.empty()) seen.push_back(std::move(words));
    }
    compare_lists("changes", seen, model_.take_changes());
  }

  void compare_lists(std::string_view what, const std::vector<std::string>& seen,
                     const std::vector<std::string>& wanted) {
    for (const auto& each : seen) {
      if (std::count(seen.begin(), seen.end(), each) !=
          std::count(wanted.begin(), wanted.end(), each)) {
        difference_ += fmt::format("{}: only the book has   {}\n", what, each);
      }
    }
    for (const auto& each : wanted) {
      if (std::count(seen.begin(), seen.end(), each) !=
          std::count(wanted.begin(), wanted.end(), each)) {
        difference_ += fmt::format("{}: only the model has  {}\n", what, each);
      }
    }
    if (!differs() && seen != wanted) difference_ += fmt::format("{}: in another order\n", what);
  }

  bool narrow_;
  clock_places places_;
  bool equal_;
  alert_book book_;
  model_book model_;
  alert_ledger ledger_;
  instant clock_;
  std::uint64_t position_ = 0;
  std::string difference_;
};

using run_of_sequence = std::function<std::string(const sequence&)>;

/// Runs of happenings are dropped as long as it still fails, then single ones.
sequence shrunk(sequence failing, const run_of_sequence& run) {
  for (std::size_t many = failing.happenings.size() / 2 + 1; many > 0; many /= 2) {
    for (std::size_t from = failing.happenings.size(); from-- > 0;) {
      sequence smaller = failing;
      const auto first = smaller.happenings.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min(many, smaller.happenings.size() - from);
      smaller.happenings.erase(first, first + static_cast<std::ptrdiff_t>(count));
      if (!run(smaller).empty()) failing = std::move(smaller);
      from = std::min(from, failing.happenings.size());
    }
  }
  return failing;
}

/// `run` gives what is wrong, "" when nothing is.
void for_each_sequence(std::uint64_t many, const run_of_sequence& run) {
  std::uint64_t first = 1;
  std::uint64_t last = many * property_rounds();
  if (const auto only = property_seed()) first = last = *only;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    const sequence made = make_sequence(seed);
    if (run(made).empty()) continue;
    const sequence small = shrunk(made, run);
    FAIL() << "seed " << seed << " (TOCSIN_PROPERTY_SEED=" << seed << " runs it alone), shrunk to "
           << small.happenings.size() << " happenings; " << run(small);
  }
}

/// What first goes wrong.
std::string run_through(comparison& both, const sequence& of) {
  for (std::size_t i = 0; i < of.happenings.size() && !both.differs(); ++i) {
    both.run(of.happenings[i]);
    if (both.differs()) {
      return fmt::format("happening {} of kind {}: {}", i, static_cast<int>(of.happenings[i].what),
                         both.difference());
    }
  }
  return both.difference();
}

TEST(alert_operations_property, the_book_equals_the_model) {
  std::set<std::string> causes;
  for_each_sequence(3000, [&](const sequence& made) {
    comparison both{made, apart, true};
    std::string wrong = run_through(both, made);
    causes.insert(both.told().causes().begin(), both.told().causes().end());
    return wrong;
  });
  if (property_seed() || HasFailure()) return;
  for (const std::string_view cause : {"condition met",
                                       "condition held for 5s100ms",
                                       "condition cleared before it held for 5s100ms",
                                       "condition cleared",
                                       "no data for 12s300ms",
                                       "severity upgraded",
                                       "severity downgraded",
                                       "acknowledged",
                                       "unacknowledged",
                                       "acknowledge expired",
                                       "closed by an operator",
                                       "note",
                                       "assigned to ann",
                                       "unassigned",
                                       "silenced",
                                       "no longer silenced",
                                       "inhibited",
                                       "no longer inhibited",
                                       "muted",
                                       "no longer muted",
                                       "shields changed",
                                       "flapping",
                                       "flapping ended",
                                       "posted",
                                       "posted as resolved",
                                       "end time passed"}) {
    EXPECT_EQ(causes.count(std::string{cause}), 1U) << "no sequence came to: " << cause;
  }
}

TEST(alert_operations_property, what_is_told_fits_together_when_clocks_of_all_kinds_coincide) {
  for_each_sequence(1500, [](const sequence& made) {
    comparison both{made, together, false};
    return run_through(both, made);
  });
}

TEST(alert_operations_property, what_is_told_fits_together_while_checks_fail) {
  for_each_sequence(1500, [](const sequence& made) {
    comparison both{made, apart, false};
    std::mt19937_64 random{made.policy_seed};
    bool fails = true;
    both.book().on_check([&](std::string_view) {
      if (fails && random() % 8 == 0) throw std::runtime_error{"a check that fails"};
    });
    std::string wrong = run_through(both, made);
    fails = false;
    return wrong;
  });
}

/// Two operators do the same to one alert, one after the other; "" when one of them succeeds.
std::string no_single_winner(alert_book& book, const alert& of) {
  const auto wins = [&](const operation& wanted) {
    const auto done = book.operate(wanted);
    return done.outcome && !done.outcome->alerts.front().refused;
  };
  const alert_selector which{{of.alert_id}, {}};
  const auto both_do = [&](const std::string& what, const operation& first,
                           const operation& second) -> std::string {
    const int winners = (wins(first) ? 1 : 0) + (wins(second) ? 1 : 0);
    if (winners == 1) return "";
    return fmt::format("{} won to {}: {}\n", winners, what, standing(of));
  };
  std::string wrong;
  if (of.state == alert_state::firing) {
    wrong += both_do("acknowledge", acknowledge_alerts{which, "ann", "", std::nullopt, false},
                     acknowledge_alerts{which, "bob", "", std::nullopt, false});
  }
  if (of.state != alert_state::pending) {
    wrong += both_do("unacknowledge", unacknowledge_alerts{which, "ann", ""},
                     unacknowledge_alerts{which, "bob", ""});
  }
  return wrong + both_do("close", close_alerts{which, "ann", ""}, close_alerts{which, "bob", ""});
}

TEST(alert_operations_property, of_two_operators_who_do_the_same_exactly_one_wins) {
  std::size_t alerts = 0;
  for_each_sequence(300, [&](const sequence& made) {
    comparison both{made, apart, false};
    std::string wrong = run_through(both, made);
    for (const transition& each : both.book().active()) {
      wrong += no_single_winner(both.book(), *each);
      ++alerts;
    }
    return wrong;
  });
  if (property_seed() || HasFailure()) return;
  EXPECT_GT(alerts, 300U);
}

}  // namespace
}  // namespace tocsin::testing
