// SPDX-License-Identifier: Apache-2.0
// Who is told of alerts that nobody acknowledges.
#include "core/escalation.hpp"

#include <gtest/gtest.h>

#include "support/notice_driver.hpp"

namespace tocsin::testing {
namespace {

/// No routes, so that only escalations tell: level 1 after 60 s, 3 times every 20 s; level 2 after
/// 110 s, once.
notify_policy escalating() {
  notify_policy made = routed_policy();
  made.routed = false;
  made.escalations = {
      {"all", {}, {{60s, {"ops"}, 3, 20s}, {110s, {"boss", "ops", "nobody"}, 1, 0s}}}};
  return made;
}

class escalation_test : public ::testing::Test {
 protected:
  notice_driver driver{escalating()};
};

TEST_F(escalation_test, levels_are_told_in_their_time_and_as_often_as_they_say) {
  driver.fire(100, "disk");
  EXPECT_EQ(driver.told(10'000),
            (lines{"160 ops level 1 disk", "180 ops level 1 disk", "200 ops level 1 disk",
                   "210 boss level 2 disk", "210 ops level 2 disk"}));
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
  const notice& first = *driver.notices()[0];
  EXPECT_EQ(first.kind, notice_kind::escalation);
  EXPECT_EQ(first.group_key, "escalation/all:" + to_text(driver.of("disk").alert_id));
  EXPECT_EQ(first.group_labels, (text_map{{"alertname", "disk"}}));
  EXPECT_NE(first.id, driver.notices()[1]->id);
  EXPECT_NE(driver.notices()[3]->id, driver.notices()[4]->id);
}

TEST_F(escalation_test, the_time_counts_from_firing_and_not_from_the_condition) {
  driver.of("disk").state = alert_state::pending;
  driver.of("disk").started_at = notice_driver::at_second(0);
  driver.tell(0, "disk");
  driver.fire(100, "disk");
  EXPECT_EQ(driver.told(160), lines{"160 ops level 1 disk"});
}

TEST_F(escalation_test, an_acknowledge_stops_it_and_its_end_tells_what_was_missed) {
  driver.fire(0, "disk");
  driver.acknowledge(61, "disk");
  EXPECT_EQ(driver.told(500), lines{"60 ops level 1 disk"});
  driver.of("disk").state = alert_state::firing;
  driver.tell(501, "disk");
  EXPECT_EQ(driver.told(5000),
            (lines{"501 ops level 1 disk", "501 boss level 2 disk", "501 ops level 2 disk"}))
      << "each level once";
}

TEST_F(escalation_test, shields_and_flapping_hold_it_back_until_they_end) {
  driver.fire(0, "disk");
  driver.silence(10, "disk", true);
  EXPECT_EQ(driver.told(69), lines{});
  driver.silence(70, "disk", false);
  EXPECT_EQ(driver.told(79), lines{"70 ops level 1 disk"});
  driver.of("disk").shields.muted_by = {"night"};
  driver.tell(79, "disk");
  EXPECT_EQ(driver.told(84), lines{});
  driver.of("disk").shields = {};
  driver.of("disk").flapping = true;
  driver.tell(85, "disk");
  EXPECT_EQ(driver.told(94), lines{});
  driver.of("disk").flapping = false;
  driver.tell(95, "disk");
  EXPECT_EQ(driver.told(105), (lines{"95 ops level 1 disk", "100 ops level 1 disk"}));
}

TEST_F(escalation_test, what_ended_is_forgotten_and_the_next_alert_begins_anew) {
  driver.fire(0, "disk");
  driver.resolve(70, "disk");
  driver.fire(75, "disk");
  EXPECT_EQ(driver.told(150), (lines{"60 ops level 1 disk", "135 ops level 1 disk"}));
}

TEST_F(escalation_test, the_first_policy_that_accepts_an_alert_counts) {
  notify_policy policy = escalating();
  policy.escalations = {{"teams", {label_is("team", "b")}, {{10s, {"boss"}, 1, 0s}}},
                        {"critical", {label_is("severity", "critical")}, {{20s, {"boss"}, 1, 0s}}},
                        {"all", {}, {{60s, {"ops"}, 1, 0s}}}};
  driver.use(policy);
  driver.of("disk").severity = severity::warning;
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(99), lines{"60 ops level 1 disk"});
  driver.of("disk").severity = severity::critical;
  driver.tell(100, "disk");
  EXPECT_EQ(driver.told(200), lines{"100 boss level 1 disk"}) << "another policy: from its start";
}

TEST_F(escalation_test, a_restart_goes_on_where_it_stopped) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(60), lines{"60 ops level 1 disk"});
  driver.restart(70);
  EXPECT_EQ(driver.told(80), lines{"80 ops level 1 disk"});
  driver.restart(1000);
  EXPECT_EQ(driver.told(2000),
            (lines{"1000 ops level 1 disk", "1000 boss level 2 disk", "1000 ops level 2 disk"}));
  driver.resolve(2001, "disk");
  driver.commit();
  EXPECT_TRUE(driver.stored().empty());
}

}  // namespace
}  // namespace tocsin::testing
