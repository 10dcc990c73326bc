// SPDX-License-Identifier: Apache-2.0
// Which routes alerts take, and which intervals keep a route quiet.
#include "tocsin/notify_policy.hpp"

#include <gtest/gtest.h>

#include "support/notice_driver.hpp"

namespace tocsin::testing {
namespace {

using label_list = std::vector<std::pair<std::string, std::string>>;

notify_route route(std::string receiver, label_matchers matchers, bool continue_matching = false,
                   std::vector<notify_route> routes = {}) {
  notify_route made;
  made.receiver = std::move(receiver);
  made.matchers = std::move(matchers);
  made.continue_matching = continue_matching;
  made.routes = std::move(routes);
  return made;
}

lines taken(const notify_route& root, const label_list& labels) {
  lines names;
  for (const notify_route* each : routes_of(root, labels)) names.push_back(each->receiver);
  return names;
}

/// Alertmanager's own example tree, in small.
notify_route tree() {
  const auto team_a = label_is("team", "a");
  const auto team_b = label_is("team", "b");
  return route("root", {}, false,
               {route("a", {team_a}, false,
                      {route("a-test", {label_is("env", "test")}),
                       route("a-prod", {label_is("env", "prod")}, true),
                       route("a-owner", {label_is("owner", "x")})}),
                route("b", {team_b}, true), route("no-env", {label_is("env", "")}, true),
                route("b-again", {team_b})});
}

TEST(notify_policy, an_alert_that_no_child_accepts_takes_the_node_itself) {
  EXPECT_EQ(taken(tree(), {{"team", "c"}, {"env", "x"}}), lines{"root"});
  EXPECT_EQ(taken(tree(), {{"team", "a"}}), lines{"a"});
}

TEST(notify_policy, the_deepest_match_counts_and_ends_the_walk) {
  EXPECT_EQ(taken(tree(), {{"team", "a"}, {"env", "test"}}), lines{"a-test"});
}

TEST(notify_policy, continue_goes_on_with_the_siblings) {
  EXPECT_EQ(taken(tree(), {{"team", "a"}, {"env", "prod"}, {"owner", "x"}}),
            (lines{"a-prod", "a-owner"}));
  EXPECT_EQ(taken(tree(), {{"team", "b"}, {"env", "x"}}), (lines{"b", "b-again"}));
}

TEST(notify_policy, a_missing_label_is_empty) {
  EXPECT_EQ(taken(tree(), {{"team", "b"}}), (lines{"b", "no-env", "b-again"}));
}

TEST(notify_policy, an_alert_takes_the_routes_of_its_labels) {
  alert of;
  of.rule = "disk";
  auto texts = std::make_shared<alert_texts>();
  texts->labels = {{"team", "a"}};
  texts->group = {{"labels.env", "prod"}};
  of.texts = texts;
  const notify_route root = tree();
  const auto routes = routes_of(root, of);
  ASSERT_EQ(routes.size(), 1u);
  EXPECT_EQ(routes[0], &root.routes[0].routes[1]);
}

TEST(notify_policy, mute_intervals_that_hold_and_active_ones_of_which_none_holds_are_named) {
  notify_policy policy;
  const auto minutes = [](int start, int end) {
    time_interval made;
    made.times.push_back({start, end});
    return std::vector<time_interval>{made};
  };
  policy.time_intervals = {{"b", minutes(0, 10)}, {"a", minutes(0, 10)}, {"c", minutes(5, 8)}};
  notify_route of;
  of.mute_time_intervals = {"b", "a", "unknown"};
  const auto at_minute = [](int minute) { return from_unix_ms(minute * 60'000LL); };
  EXPECT_EQ(muting(policy, of, at_minute(9)), (lines{"a", "b"}));
  EXPECT_EQ(muting(policy, of, at_minute(10)), lines{});
  of.active_time_intervals = {"c", "b"};
  EXPECT_EQ(muting(policy, of, at_minute(20)), (lines{"b", "c"}));
  of.mute_time_intervals.clear();
  EXPECT_EQ(muting(policy, of, at_minute(9)), lines{});
  EXPECT_EQ(muting(policy, notify_route{}, at_minute(9)), lines{});
}

}  // namespace
}  // namespace tocsin::testing
