// SPDX-License-Identifier: Apache-2.0
// Wanted against seen: what agrees, what is paired, what is told.
#include "io/rule_test_check.hpp"

#include <gtest/gtest.h>

namespace tocsin {
namespace {

wanted_alert wanted(std::initializer_list<std::pair<std::string, std::string>> fields) {
  wanted_alert made;
  for (const auto& [name, text] : fields) {
    made.fields.push_back(
        {name, text,
         name.starts_with("values.") ? wanted_field::kind::number : wanted_field::kind::text, 0,
         0});
  }
  return made;
}

std::vector<std::string> lines_of(const alert_diff& diff) {
  std::vector<std::string> all;
  for (const diff_line& each : diff) {
    const char sign = each.what == diff_line::kind::wanted ? '-'
                      : each.what == diff_line::kind::seen ? '+'
                                                           : ' ';
    all.push_back(sign + (" " + each.text));
    for (const auto& one : each.differences) {
      all.push_back("    " + one.name + ": " + one.wanted + " / " + one.seen);
    }
  }
  return all;
}

using lines = std::vector<std::string>;

TEST(rule_test_check, only_what_is_written_is_compared) {
  EXPECT_TRUE(
      compare_sets({wanted({{"rule", "a"}})}, {{{"rule", "a"}, {"state", "firing"}}}).empty());
  EXPECT_TRUE(compare_sets({}, {}).empty());
  EXPECT_TRUE(compare_sets({wanted({})}, {{{"rule", "a"}}}).empty());
}

TEST(rule_test_check, numbers_are_compared_as_numbers) {
  EXPECT_TRUE(compare_sets({wanted({{"values.x", "3.0"}})}, {{{"values.x", "3"}}}).empty());
  EXPECT_TRUE(compare_sets({wanted({{"values.x", "0.3"}})}, {{{"values.x", "0.30000000000000004"}}})
                  .empty());
  EXPECT_FALSE(compare_sets({wanted({{"values.x", "0.3"}})}, {{{"values.x", "0.30001"}}}).empty());
}

TEST(rule_test_check, a_field_can_be_wanted_not_to_be_there) {
  wanted_alert none = wanted({{"rule", "a"}});
  none.fields.push_back({"group.item", std::nullopt, wanted_field::kind::text, 0, 0});
  EXPECT_TRUE(compare_sets({none}, {{{"rule", "a"}}}).empty());
  EXPECT_EQ(lines_of(compare_sets({none}, {{{"rule", "a"}, {"group.item", "x"}}})),
            (lines{"- rule: a, group.item: nothing", "+ rule: a, group.item: x",
                   "    group.item: nothing / x"}));
}

TEST(rule_test_check, a_vague_wish_leaves_the_exact_one_its_alert) {
  const std::vector<seen_alert> seen{{{"rule", "a"}, {"group.h", "1"}},
                                     {{"rule", "a"}, {"group.h", "2"}}};
  EXPECT_TRUE(
      compare_sets({wanted({{"rule", "a"}}), wanted({{"rule", "a"}, {"group.h", "1"}})}, seen)
          .empty());
}

TEST(rule_test_check, what_differs_stands_beside_its_nearest) {
  const std::vector<seen_alert> seen{
      {{"rule", "a"}, {"group.h", "1"}, {"severity", "warning"}, {"item", "not told"}},
      {{"rule", "a"}, {"group.h", "2"}, {"severity", "error"}},
      {{"rule", "b"}, {"state", "firing"}, {"item", "not told"}}};
  EXPECT_EQ(
      lines_of(compare_sets({wanted({{"rule", "a"}, {"group.h", "2"}, {"severity", "info"}}),
                             wanted({{"rule", "a"}, {"group.h", "1"}}), wanted({{"rule", "c"}})},
                            seen)),
      (lines{"- rule: a, group.h: 2, severity: info", "+ rule: a, group.h: 2, severity: error",
             "    severity: info / error", "- rule: c", "+ rule: b, state: firing"}));
}

TEST(rule_test_check, a_list_must_come_in_its_order) {
  const auto state = [](const std::string& name) { return seen_alert{{"state", name}}; };
  const auto want = [](const std::string& name) { return wanted({{"state", name}}); };
  EXPECT_TRUE(
      compare_lists({want("firing"), want("resolved")}, {state("firing"), state("resolved")})
          .empty());
  EXPECT_EQ(lines_of(compare_lists({want("firing"), want("resolved")},
                                   {state("resolved"), state("firing")})),
            (lines{"- state: firing", "  state: resolved", "+ state: firing"}));
  EXPECT_EQ(lines_of(compare_lists({want("firing")},
                                   {state("pending"), state("firing"), state("resolved")})),
            (lines{"+ state: pending", "  state: firing", "+ state: resolved"}));
}

TEST(rule_test_check, an_alert_is_told_as_the_alert_map_has_it) {
  alert of;
  of.rule = "r";
  of.state = alert_state::firing;
  of.severity = severity::error;
  of.at = of.started_at = from_unix_ms(1000);
  of.proof.event_count = 2;
  of.proof.event_ids = {"a", "b"};
  of.proof.values = {{"x", 0.5}};
  auto texts = std::make_shared<alert_texts>();
  texts->group = {{"resource_id", "h"}, {"item", std::nullopt}};
  of.texts = texts;
  const auto seen = seen_fields(of, from_unix_ms(0));
  EXPECT_TRUE(compare_sets({wanted({{"rule", "r"},
                                    {"at", "1s"},
                                    {"state", "firing"},
                                    {"severity", "error"},
                                    {"event_count", "2"},
                                    {"event_ids", "a, b"},
                                    {"values.x", "0.5"},
                                    {"group.resource_id", "h"},
                                    {"started_at", "1s"}})},
                           {seen})
                  .empty());
  for (const auto& [name, text] : seen) EXPECT_NE(name, "group.item") << "NULL is not there";
}

}  // namespace
}  // namespace tocsin
