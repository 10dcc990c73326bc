// SPDX-License-Identifier: Apache-2.0
// Drives an alert book second by second, with findings that say which alert they are about.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/naive_alert_book.hpp"
#include "support/stored_book.hpp"
#include "tocsin/alert_book.hpp"

namespace tocsin::testing {

[[nodiscard]] inline instant at_second(int second) {
  return from_unix_ms(second * 1000LL);
}

[[nodiscard]] inline label_matchers matchers_of(std::string_view text) {
  auto parsed = parse_label_matchers(text);
  if (!parsed) {
    ADD_FAILURE() << parsed.failure().message;
    return {};
  }
  return *parsed;
}

/// Tests derive from it. Alerts are known by a number: the low half of their fingerprint.
class alert_book_driver : public ::testing::Test {
 protected:
  using kind = finding::kind;
  using state = alert_state;

  void use(const std::vector<alert_delays>& delays = {{}}) {
    rules = rules_with_delays(delays);
    start();
  }
  /// A new book over the rules and the policy.
  void start() { book = std::make_unique<alert_book>(rules, policy); }

  static finding about(std::uint64_t number, kind what, int second,
                       severity level = severity::error, std::string_view site = "a",
                       std::uint32_t rule = 0) {
    finding made;
    made.what = what;
    made.rule = rule;
    made.print = {1, number};
    made.at = at_second(second);
    made.position = static_cast<std::uint64_t>(second);
    made.severity = level;
    made.cause = what == kind::met ? "condition met" : "condition cleared";
    made.proof.event_count = 3;
    made.proof.first_event_time = at_second(second);
    made.proof.first_event_position = number;
    if (what == kind::met) {
      auto texts = std::make_shared<alert_texts>();
      texts->title = "alert " + std::to_string(number);
      texts->labels = {{"site", std::string{site}}};
      made.texts = std::move(texts);
    }
    return made;
  }

  book_changes step(int clock, std::vector<finding> findings = {}) {
    book_changes changes = book->step(at_second(clock), std::move(findings));
    store.take(changes);
    return changes;
  }
  alert_book::operated operate(const operation& wanted) {
    alert_book::operated done = book->operate(wanted);
    store.take(done.changes);
    return done;
  }
  /// Alert `number` as it is, which must be active.
  alert now(std::uint64_t number) {
    for (const transition& each : book->active()) {
      if (each->print == fingerprint{1, number}) return *each;
    }
    ADD_FAILURE() << "alert " << number << " is not active";
    return {};
  }
  alert_selector only(std::uint64_t number) { return {{now(number).alert_id}, {}}; }
  static alert_selector all_of(std::string_view matchers) { return {{}, matchers_of(matchers)}; }

  /// "NUMBER state cause" of each transition, for what is told of several.
  static std::vector<std::string> told(const book_changes& changes) {
    std::vector<std::string> lines;
    for (const transition& each : changes.transitions) {
      const std::string name = each->origin == alert_origin::rule
                                   ? std::to_string(each->print.low)
                                   : std::string{to_text(each->origin)};
      lines.push_back(name + " " + std::string{to_text(each->state)} + " " + each->cause);
    }
    return lines;
  }

  std::shared_ptr<const rule_set> rules;
  std::shared_ptr<alert_policy> policy = std::make_shared<alert_policy>();
  std::unique_ptr<alert_book> book;
  stored_book store;
};

}  // namespace tocsin::testing
