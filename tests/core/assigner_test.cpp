// SPDX-License-Identifier: Apache-2.0
// Who is to look after an alert.
#include "tocsin/assignment.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

namespace tocsin {
namespace {

using namespace std::chrono_literals;

const instant monday_noon = *parse_rfc3339("2026-03-02T12:00:00Z");

alert alert_of(std::uint64_t print, text_map labels = {}, std::string resource_type = "") {
  alert made;
  made.print = {0, print};
  made.rule = "disk-full";
  made.state = alert_state::firing;
  alert_texts texts;
  texts.labels = std::move(labels);
  texts.resource_type = std::move(resource_type);
  made.texts = std::make_shared<const alert_texts>(std::move(texts));
  return made;
}

assignment_rule rule_of(std::string name, assign_by by) {
  assignment_rule made;
  made.name = std::move(name);
  made.by = by;
  return made;
}

assignment_rule to_person(std::string name, std::string person) {
  assignment_rule made = rule_of(std::move(name), assign_by::person);
  made.to = std::move(person);
  return made;
}

assignment_rule in_turn(std::string name, std::vector<std::string> people) {
  assignment_rule made = rule_of(std::move(name), assign_by::round_robin);
  made.people = std::move(people);
  return made;
}

TEST(assigner, without_rules_and_fallback_nobody_is_assigned) {
  assigner nobody{assignment_policy{}};
  const auto choice = nobody.assign(monday_noon, alert_of(1));
  EXPECT_EQ(choice.to, "");
  EXPECT_EQ(choice.why, "");
  EXPECT_TRUE(nobody.take_changed().empty());
}

TEST(assigner, the_first_rule_that_accepts_the_alert_decides) {
  assignment_rule other = to_person("other", "eve");
  other.matchers = *parse_label_matchers(R"({team="web"})");
  assigner by_team{{{other, to_person("disks", "ann"), to_person("late", "bob")}, "desk"}};
  const auto choice = by_team.assign(monday_noon, alert_of(1, {{"team", "db"}}));
  EXPECT_EQ(choice.to, "ann");
  EXPECT_EQ(choice.why, "assigned by disks");
  EXPECT_EQ(by_team.assign(monday_noon, alert_of(1, {{"team", "web"}})).to, "eve");
}

TEST(assigner, a_rule_that_has_nobody_leaves_it_to_the_next_and_at_last_to_the_fallback) {
  assignment_rule owner = rule_of("owner", assign_by::label);
  owner.label = "owner";
  assignment_rule type = rule_of("type", assign_by::resource_type);
  type.by_type = {{"host", "hal"}, {"switch", "sue"}};
  assigner chain{{{owner, type}, "desk"}};
  EXPECT_EQ(chain.assign(monday_noon, alert_of(1, {{"owner", "ann"}}, "switch")).to, "ann");
  EXPECT_EQ(chain.assign(monday_noon, alert_of(1, {}, "switch")).to, "sue");
  const auto choice = chain.assign(monday_noon, alert_of(1, {}, "router"));
  EXPECT_EQ(choice.to, "desk");
  EXPECT_EQ(choice.why, "assigned to the fallback");
}

TEST(assigner, an_alert_without_texts_has_no_resource_type) {
  assignment_rule type = rule_of("type", assign_by::resource_type);
  type.by_type = {{"", "hal"}};
  assigner chain{{{type}, ""}};
  alert bare;
  EXPECT_EQ(chain.assign(monday_noon, bare).to, "");
}

TEST(assigner, a_rule_decides_at_its_times_only) {
  assignment_rule night = to_person("night", "owl");
  time_interval evening;
  evening.times = {{22 * 60, 24 * 60}};
  time_interval morning;
  morning.times = {{0, 6 * 60}};
  night.times = {evening, morning};
  assigner shifts{{{night, to_person("day", "lark")}, ""}};
  EXPECT_EQ(shifts.assign(monday_noon, alert_of(1)).to, "lark");
  EXPECT_EQ(shifts.assign(monday_noon + 10h, alert_of(1)).to, "owl");
  EXPECT_EQ(shifts.assign(monday_noon + 17h, alert_of(1)).to, "owl");
  EXPECT_EQ(shifts.assign(monday_noon + 18h, alert_of(1)).to, "lark");
}

TEST(assigner, round_robin_takes_one_after_the_other_and_goes_on_after_a_restart) {
  const assignment_policy policy{{in_turn("turns", {"ann", "bob", "cid"})}, ""};
  assigner first{policy};
  EXPECT_EQ(first.assign(monday_noon, alert_of(1)).to, "ann");
  EXPECT_EQ(first.assign(monday_noon, alert_of(2)).to, "bob");
  assigner second{policy};
  const auto changed = first.take_changed();
  ASSERT_EQ(changed.size(), 1U);
  for (const auto& [key, value] : changed) EXPECT_TRUE(second.restore(key, value));
  EXPECT_EQ(second.assign(monday_noon, alert_of(3)).to, "cid");
  EXPECT_EQ(second.assign(monday_noon, alert_of(4)).to, "ann");
  EXPECT_TRUE(first.take_changed().empty());
}

TEST(assigner, a_turn_of_a_longer_list_is_a_turn_of_the_shorter_one) {
  assigner shorter{{{in_turn("turns", {"ann", "bob"})}, ""}};
  EXPECT_TRUE(shorter.restore("turn/turns", "5"));
  EXPECT_EQ(shorter.assign(monday_noon, alert_of(1)).to, "bob");
  EXPECT_EQ(shorter.assign(monday_noon, alert_of(1)).to, "ann");
}

TEST(assigner, turns_of_rules_do_not_disturb_each_other) {
  assignment_rule web = in_turn("web", {"ann", "bob"});
  web.matchers = *parse_label_matchers(R"({team="web"})");
  assigner both{{{web, in_turn("rest", {"cid", "dan"})}, ""}};
  EXPECT_EQ(both.assign(monday_noon, alert_of(1, {{"team", "web"}})).to, "ann");
  EXPECT_EQ(both.assign(monday_noon, alert_of(2)).to, "cid");
  EXPECT_EQ(both.assign(monday_noon, alert_of(3, {{"team", "web"}})).to, "bob");
  EXPECT_EQ(both.assign(monday_noon, alert_of(4)).to, "dan");
}

TEST(assigner, the_last_handler_of_an_alert_gets_it_again_also_after_a_restart) {
  const assignment_policy policy{{rule_of("same", assign_by::last_handler)}, "desk"};
  assigner first{policy};
  EXPECT_EQ(first.assign(monday_noon, alert_of(1)).to, "desk");
  first.handled({0, 1}, "ann lee");
  first.handled({0, 2}, "bob");
  first.handled({0, 1}, "cid dee");
  first.handled({0, 2}, "");
  EXPECT_EQ(first.assign(monday_noon, alert_of(1)).to, "cid dee");
  const auto changed = first.take_changed();
  EXPECT_EQ(changed.size(), 2U);
  assigner second{policy};
  for (auto one = changed.rbegin(); one != changed.rend(); ++one) {
    EXPECT_TRUE(second.restore(one->first, one->second));
  }
  EXPECT_EQ(second.assign(monday_noon, alert_of(1)).to, "cid dee");
  EXPECT_EQ(second.assign(monday_noon, alert_of(2)).to, "bob");
}

TEST(assigner, the_oldest_of_too_many_handlers_is_forgotten_and_says_so) {
  assigner full{{{rule_of("same", assign_by::last_handler)}, ""}};
  for (std::uint64_t i = 0; i < assigner::handlers_max; ++i) full.handled({1, i}, "ann");
  full.handled({1, 0}, "bob");
  (void)full.take_changed();
  full.handled({2, 0}, "cid");
  const std::vector<std::pair<std::string, std::string>> wanted{
      {"handler/00000000000000010000000000000001", ""},
      {"handler/00000000000000020000000000000000", "100002 cid"}};
  EXPECT_EQ(full.take_changed(), wanted);
  alert oldest = alert_of(0);
  oldest.print = {1, 1};
  EXPECT_EQ(full.assign(monday_noon, oldest).to, "");
  oldest.print = {1, 0};
  EXPECT_EQ(full.assign(monday_noon, oldest).to, "bob");
}

TEST(assigner, what_it_did_not_write_is_not_taken_back) {
  assigner none{assignment_policy{}};
  EXPECT_FALSE(none.restore("turn/x", "one"));
  EXPECT_FALSE(none.restore("handler/12", "1 ann"));
  EXPECT_FALSE(none.restore("handler/0000000000000001000000000000000g", "1 ann"));
  EXPECT_FALSE(none.restore("handler/00000000000000010000000000000000", "ann"));
  EXPECT_FALSE(none.restore("handler/00000000000000010000000000000000", "1 "));
  EXPECT_FALSE(none.restore("incident/x", "1"));
}

}  // namespace
}  // namespace tocsin
