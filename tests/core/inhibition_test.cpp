// SPDX-License-Identifier: Apache-2.0
// Inhibition: which alerts keep which others quiet, and who is told when that changes.
#include "tocsin/inhibition.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

using prints = std::vector<fingerprint>;
using ids = std::vector<std::string>;

fingerprint print_of(std::uint64_t number) {
  return {0, number};
}

/// As the inhibitor tells of the alert with that print.
std::string id_of(std::uint64_t number) {
  return to_text(fingerprint{number, 7});
}

alert numbered(std::uint64_t number, text_map labels) {
  alert made;
  made.print = print_of(number);
  made.alert_id = {number, 7};
  made.origin = alert_origin::posted;
  auto texts = std::make_shared<alert_texts>();
  texts->labels = std::move(labels);
  made.texts = std::move(texts);
  return made;
}

inhibit_rule rule_of(std::string_view source, std::string_view target, ids equal = {}) {
  return {*parse_label_matchers(source), *parse_label_matchers(target), std::move(equal)};
}

alert down(std::uint64_t number, std::string host) {
  return numbered(number, {{"alertname", "down"}, {"host", std::move(host)}});
}
alert slow(std::uint64_t number, std::string host) {
  return numbered(number, {{"alertname", "slow"}, {"host", std::move(host)}});
}

inhibitor down_inhibits_slow() {
  return inhibitor{{rule_of("alertname=down", "alertname=slow", {"host"})}};
}

TEST(inhibition, a_source_inhibits_targets_with_its_values_while_it_fires) {
  auto who = down_inhibits_slow();
  EXPECT_EQ(who.update(slow(1, "a"), true, true), prints{});
  EXPECT_EQ(who.update(slow(2, "b"), true, true), prints{});
  EXPECT_EQ(who.update(down(3, "a"), true, true), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{id_of(3)});
  EXPECT_EQ(who.inhibited_by(print_of(2)), ids{});
  EXPECT_EQ(who.inhibited_by(print_of(3)), ids{});
  EXPECT_EQ(who.update(down(3, "a"), false, false), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
}

TEST(inhibition, a_target_that_comes_later_is_inhibited_at_once) {
  auto who = down_inhibits_slow();
  EXPECT_EQ(who.update(down(3, "a"), true, true), prints{});
  EXPECT_EQ(who.update(slow(1, "a"), true, true), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{id_of(3)});
}

TEST(inhibition, pending_alerts_are_inhibited_and_inhibit_nobody) {
  auto who = down_inhibits_slow();
  EXPECT_EQ(who.update(down(3, "a"), true, false), prints{});
  EXPECT_EQ(who.update(slow(1, "a"), true, false), prints{});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
  EXPECT_EQ(who.update(down(3, "a"), true, true), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{id_of(3)});
}

TEST(inhibition, all_who_inhibit_are_named_once_and_sorted) {
  inhibitor who{{rule_of("alertname=down", "alertname=slow"),
                 rule_of("host=~\".+\",alertname=down", "alertname=slow")}};
  (void)who.update(slow(1, "a"), true, true);
  (void)who.update(down(30, "x"), true, true);
  (void)who.update(down(4, "y"), true, true);
  EXPECT_EQ(who.inhibited_by(print_of(1)), (ids{id_of(4), id_of(30)}));
}

TEST(inhibition, labels_that_both_lack_are_equal) {
  auto who = down_inhibits_slow();
  (void)who.update(slow(1, ""), true, true);
  (void)who.update(numbered(2, {{"alertname", "slow"}}), true, true);
  EXPECT_EQ(who.update(numbered(3, {{"alertname", "down"}}), true, true),
            (prints{print_of(1), print_of(2)}));
}

TEST(inhibition, without_equal_labels_all_targets_are_inhibited) {
  inhibitor who{{rule_of("alertname=down", "alertname=slow")}};
  (void)who.update(slow(1, "a"), true, true);
  (void)who.update(slow(2, "b"), true, true);
  EXPECT_EQ(who.update(down(3, "c"), true, true), (prints{print_of(1), print_of(2)}));
}

TEST(inhibition, values_do_not_run_into_each_other) {
  inhibitor who{{rule_of("k=s", "k=t", {"a", "b"})}};
  (void)who.update(numbered(1, {{"k", "t"}, {"a", "1:"}, {"b", ""}}), true, true);
  (void)who.update(numbered(2, {{"k", "s"}, {"a", "1"}, {"b", ":"}}), true, true);
  (void)who.update(numbered(3, {{"k", "s"}, {"a", ""}, {"b", "1:"}}), true, true);
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
}

TEST(inhibition, two_sided_alerts_do_not_inhibit_themselves_nor_each_other) {
  inhibitor who{{rule_of("host=a", "host=~\"a|b\"")}};
  EXPECT_EQ(who.update(down(1, "a"), true, true), prints{});
  EXPECT_EQ(who.update(down(2, "a"), true, true), prints{});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
  // One that only the target side accepts is inhibited by them.
  EXPECT_EQ(who.update(down(3, "b"), true, true), prints{print_of(3)});
  EXPECT_EQ(who.inhibited_by(print_of(3)), (ids{id_of(1), id_of(2)}));
}

TEST(inhibition, two_sided_alerts_are_inhibited_by_one_sided_sources) {
  inhibitor who{{rule_of("host=~\"a|b\"", "host=~\"b|c\"")}};
  EXPECT_EQ(who.update(down(2, "b"), true, true), prints{});
  EXPECT_EQ(who.update(down(1, "a"), true, true), prints{print_of(2)});
  EXPECT_EQ(who.inhibited_by(print_of(2)), ids{id_of(1)});
}

TEST(inhibition, a_pending_two_sided_alert_is_two_sided) {
  inhibitor who{{rule_of("host=a", "host=a")}};
  (void)who.update(down(1, "a"), true, false);
  EXPECT_EQ(who.update(down(2, "a"), true, true), prints{});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
}

TEST(inhibition, changed_labels_move_an_alert) {
  auto who = down_inhibits_slow();
  (void)who.update(slow(1, "a"), true, true);
  (void)who.update(slow(2, "b"), true, true);
  (void)who.update(down(3, "a"), true, true);
  EXPECT_EQ(who.update(down(3, "b"), true, true), (prints{print_of(1), print_of(2)}));
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
  EXPECT_EQ(who.inhibited_by(print_of(2)), ids{id_of(3)});
  EXPECT_EQ(who.update(slow(2, "a"), true, true), prints{print_of(2)});
  EXPECT_EQ(who.inhibited_by(print_of(2)), ids{});
}

TEST(inhibition, the_severity_is_a_label_like_others) {
  inhibitor who{{rule_of("severity=critical", "severity=warning", {"alertname"})}};
  const auto of = [](std::uint64_t number, severity level) {
    alert made = numbered(number, {});
    made.origin = alert_origin::rule;
    made.rule = "disk";
    made.severity = level;
    return made;
  };
  EXPECT_EQ(who.update(of(1, severity::warning), true, true), prints{});
  EXPECT_EQ(who.update(of(2, severity::critical), true, true), prints{print_of(1)});
  EXPECT_EQ(who.update(of(2, severity::warning), true, true), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
}

TEST(inhibition, nothing_new_is_told_to_nobody) {
  auto who = down_inhibits_slow();
  (void)who.update(slow(1, "a"), true, true);
  (void)who.update(down(3, "a"), true, true);
  EXPECT_EQ(who.update(down(3, "a"), true, true), prints{});
  EXPECT_EQ(who.update(slow(1, "a"), true, true), prints{});
  EXPECT_EQ(who.update(numbered(9, {{"x", "y"}}), true, true), prints{});
  EXPECT_EQ(who.update(numbered(9, {{"x", "y"}}), false, false), prints{});
}

TEST(inhibition, a_new_alert_under_an_old_fingerprint_inhibits_under_its_own_id) {
  auto who = down_inhibits_slow();
  (void)who.update(slow(1, "a"), true, true);
  (void)who.update(down(3, "a"), true, true);
  alert again = down(3, "a");
  again.alert_id = {99, 7};
  EXPECT_EQ(who.update(again, true, true), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{id_of(99)});
}

TEST(inhibition, one_that_has_ended_is_inhibited_by_nobody) {
  auto who = down_inhibits_slow();
  (void)who.update(down(3, "a"), true, true);
  (void)who.update(slow(1, "a"), true, true);
  EXPECT_EQ(who.update(slow(1, "a"), false, false), prints{print_of(1)});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
  EXPECT_EQ(who.inhibited_by(print_of(1234)), ids{});
}

TEST(inhibition, without_rules_nobody_is_inhibited) {
  inhibitor who{{}};
  EXPECT_EQ(who.update(slow(1, "a"), true, true), prints{});
  EXPECT_EQ(who.inhibited_by(print_of(1)), ids{});
}

}  // namespace
}  // namespace tocsin
