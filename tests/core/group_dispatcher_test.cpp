// SPDX-License-Identifier: Apache-2.0
// What groups tell, and when: docs/notifications.md, sentence by sentence.
#include "tocsin/group_dispatcher.hpp"

#include <gtest/gtest.h>

#include "support/notice_driver.hpp"

namespace tocsin::testing {
namespace {

/// The dispatcher's clock starts at second 0 with nothing.
class group_dispatcher_test : public ::testing::Test {
 protected:
  notice_driver driver;
};

TEST_F(group_dispatcher_test, a_group_is_told_group_wait_after_its_first_alert) {
  driver.fire(10, "disk");
  driver.fire(25, "fan");
  EXPECT_EQ(driver.told(39), lines{});
  EXPECT_EQ(driver.told(40), lines{"40 ops disk fan"});
}

TEST_F(group_dispatcher_test, what_is_new_is_told_at_the_next_group_interval_with_the_others) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(30), lines{"30 ops disk"});
  driver.fire(31, "fan");
  EXPECT_EQ(driver.told(89), lines{});
  EXPECT_EQ(driver.told(90), lines{"90 ops disk fan"});
  EXPECT_EQ(driver.told(600), lines{});
}

TEST_F(group_dispatcher_test, a_resolution_is_told_once_and_then_the_group_is_gone) {
  driver.fire(0, "disk");
  driver.fire(1, "fan");
  driver.resolve(40, "disk");
  EXPECT_EQ(driver.told(90), (lines{"30 ops disk fan", "90 ops fan -disk"}));
  driver.resolve(100, "fan");
  EXPECT_EQ(driver.told(150), lines{"150 ops -fan"});
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
  EXPECT_TRUE(driver.dispatcher().groups().empty());
  driver.fire(160, "disk");
  EXPECT_EQ(driver.told(200), lines{"190 ops disk"});
}

TEST_F(group_dispatcher_test, what_fires_and_ends_before_its_first_notice_is_never_told) {
  driver.fire(0, "disk");
  driver.resolve(29, "disk");
  EXPECT_EQ(driver.told(1000), lines{});
  driver.fire(2000, "fan");
  driver.fire(2040, "disk");
  driver.resolve(2050, "disk");
  EXPECT_EQ(driver.told(2200), lines{"2030 ops fan"});
}

TEST_F(group_dispatcher_test, the_wait_of_a_group_goes_on_when_its_first_alert_ends) {
  driver.fire(0, "disk");
  driver.resolve(10, "disk");
  driver.fire(20, "disk");
  EXPECT_EQ(driver.told(30), lines{"30 ops disk"});
}

TEST_F(group_dispatcher_test, what_ends_and_fires_again_between_two_looks_never_ended) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(30), lines{"30 ops disk"});
  driver.resolve(40, "disk");
  driver.fire(50, "disk");
  EXPECT_EQ(driver.told(599), lines{});
  driver.resolve(600, "disk");
  EXPECT_EQ(driver.told(660), lines{"630 ops -disk"});
}

TEST_F(group_dispatcher_test, pending_alerts_are_not_told) {
  driver.of("disk").state = alert_state::pending;
  driver.tell(0, "disk");
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
  driver.fire(100, "disk");
  EXPECT_EQ(driver.told(200), lines{"130 ops disk"});
}

TEST_F(group_dispatcher_test, a_pending_alert_does_not_swallow_the_end_of_the_one_before) {
  driver.fire(0, "disk");
  driver.resolve(40, "disk");
  driver.of("disk").state = alert_state::pending;
  driver.of("disk").alert_id = {9, 9};
  driver.tell(50, "disk");
  EXPECT_EQ(driver.told(90), (lines{"30 ops disk", "90 ops -disk"}));
}

TEST_F(group_dispatcher_test, a_firing_group_is_told_again_every_repeat_interval) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(1300), (lines{"30 ops disk", "630 ops disk", "1230 ops disk"}));
}

TEST_F(group_dispatcher_test, a_repeat_waits_for_the_look_at_or_after_repeat_interval) {
  notify_policy policy = routed_policy();
  policy.root.repeat_interval = 100s;
  driver.use(policy);
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(300), (lines{"30 ops disk", "150 ops disk", "270 ops disk"}));
}

TEST_F(group_dispatcher_test, a_group_whose_alerts_are_all_acknowledged_is_not_repeated) {
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  driver.acknowledge(40, "disk");
  EXPECT_EQ(driver.told(700), (lines{"30 ops disk fan", "630 ops ~disk fan"}));
  driver.acknowledge(701, "fan");
  EXPECT_EQ(driver.told(5000), lines{});
  driver.fire(5001, "door");
  EXPECT_EQ(driver.told(5100), lines{"5010 ops ~disk ~fan door"});
  driver.acknowledge(5101, "door");
  driver.of("fan").state = alert_state::firing;
  driver.tell(5700, "fan");
  EXPECT_EQ(driver.told(5750), lines{"5730 ops ~disk fan ~door"})
      << "unacknowledged: repeats again";
}

TEST_F(group_dispatcher_test, an_acknowledged_alert_s_resolution_is_told) {
  driver.fire(0, "disk");
  driver.acknowledge(40, "disk");
  driver.resolve(100, "disk");
  EXPECT_EQ(driver.told(200), (lines{"30 ops disk", "150 ops -disk"}));
}

TEST_F(group_dispatcher_test, silenced_alerts_are_not_told_until_the_silence_ends) {
  driver.of("disk").shields.silenced_by = {"s1"};
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(100), lines{});
  driver.silence(101, "disk", false);
  EXPECT_EQ(driver.told(200), lines{"150 ops disk"});
}

TEST_F(group_dispatcher_test, a_told_alert_is_told_again_when_its_silence_ends) {
  driver.fire(0, "disk");
  driver.silence(40, "disk", true);
  driver.silence(200, "disk", false);
  EXPECT_EQ(driver.told(400), (lines{"30 ops disk", "210 ops disk"}));
}

TEST_F(group_dispatcher_test, an_acknowledged_alert_is_not_told_again_when_its_silence_ends) {
  driver.fire(0, "disk");
  driver.acknowledge(40, "disk");
  driver.silence(50, "disk", true);
  driver.silence(200, "disk", false);
  EXPECT_EQ(driver.told(400), lines{"30 ops disk"});
}

TEST_F(group_dispatcher_test, a_resolution_under_a_silence_is_told_to_those_who_knew) {
  driver.fire(0, "disk");
  driver.of("fan").shields.inhibited_by = {"i"};
  driver.fire(0, "fan");
  driver.silence(40, "disk", true);
  driver.resolve(50, "disk");
  driver.resolve(50, "fan");
  EXPECT_EQ(driver.told(500), (lines{"30 ops disk", "90 ops -disk"}));
}

TEST_F(group_dispatcher_test, a_worse_severity_is_told_again_and_a_milder_one_is_not) {
  driver.of("disk").severity = severity::warning;
  driver.fire(0, "disk");
  driver.of("disk").severity = severity::critical;
  driver.tell(40, "disk");
  EXPECT_EQ(driver.told(100), (lines{"30 ops disk", "90 ops disk"}));
  driver.of("disk").severity = severity::error;
  driver.tell(101, "disk");
  EXPECT_EQ(driver.told(300), lines{});
}

TEST_F(group_dispatcher_test, an_alert_that_changes_groups_is_told_to_have_ended_in_both) {
  notify_policy policy = routed_policy();
  policy.root.group_by = {"severity"};
  driver.use(policy);
  driver.of("disk").severity = severity::warning;
  driver.fire(0, "disk");
  driver.of("disk").severity = severity::critical;
  driver.tell(40, "disk");
  driver.resolve(100, "disk");
  EXPECT_EQ(driver.told(700),
            (lines{"30 ops disk", "70 ops disk", "130 ops -disk", "150 ops -disk"}));
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
}

TEST_F(group_dispatcher_test, flapping_is_told_once_when_it_begins) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(30), lines{"30 ops disk"});
  driver.of("disk").flapping = true;
  driver.tell(40, "disk");
  EXPECT_EQ(driver.told(100), lines{"90 ops disk"});
  EXPECT_TRUE(driver.notices().back()->alerts[0]->flapping);
  driver.resolve(110, "disk");
  driver.fire(200, "disk");
  driver.resolve(300, "disk");
  driver.fire(340, "disk");
  EXPECT_EQ(driver.told(2000), lines{}) << "no repeats either";
  driver.of("disk").flapping = false;
  driver.tell(2001, "disk");
  EXPECT_EQ(driver.told(2020), lines{"2010 ops disk"}) << "repeat_interval is over";
  driver.resolve(2021, "disk");
  EXPECT_EQ(driver.told(2100), lines{"2070 ops -disk"});
}

TEST_F(group_dispatcher_test, what_ended_while_it_flapped_is_told_after_a_calm_repeat_interval) {
  driver.fire(0, "disk");
  driver.of("disk").flapping = true;
  driver.tell(40, "disk");
  driver.resolve(100, "disk");
  EXPECT_EQ(driver.told(699), (lines{"30 ops disk", "90 ops disk"}));
  EXPECT_EQ(driver.told(2000), lines{"750 ops -disk"});
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
}

TEST_F(group_dispatcher_test, flapping_that_begins_with_an_end_is_told_with_it) {
  driver.fire(0, "disk");
  driver.of("disk").flapping = true;
  driver.resolve(40, "disk");
  EXPECT_EQ(driver.told(90), (lines{"30 ops disk", "90 ops -disk"}));
  driver.fire(100, "disk");
  EXPECT_EQ(driver.told(200), lines{});
  driver.of("disk").flapping = false;
  driver.tell(201, "disk");
  EXPECT_EQ(driver.told(250), lines{"210 ops disk"});
}

TEST_F(group_dispatcher_test, a_mute_interval_silences_the_group_and_its_timers_go_on) {
  notify_policy policy = routed_policy();
  time_interval minutes;
  minutes.times.push_back({0, 5});
  policy.time_intervals = {{"first minutes", {minutes}}};
  policy.root.mute_time_intervals = {"first minutes"};
  driver.use(policy);
  EXPECT_TRUE(driver.dispatcher().has_intervals());
  driver.of("disk").shields.muted_by = {"first minutes"};
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(329), lines{});
  EXPECT_EQ(driver.told(400), lines{"330 ops disk"});
  EXPECT_EQ(driver.dispatcher().muted_by(driver.of("disk"), notice_driver::at_second(299)),
            lines{"first minutes"});
  EXPECT_EQ(driver.dispatcher().muted_by(driver.of("disk"), notice_driver::at_second(300)),
            lines{});
}

TEST_F(group_dispatcher_test, what_still_fires_after_a_mute_is_told_again) {
  notify_policy policy = routed_policy();
  time_interval minutes;
  minutes.times.push_back({2, 4});
  policy.time_intervals = {{"a while", {minutes}}};
  policy.root.mute_time_intervals = {"a while"};
  driver.use(policy);
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  driver.resolve(130, "fan");
  EXPECT_EQ(driver.told(400), (lines{"30 ops disk fan", "270 ops disk -fan"}));
}

TEST_F(group_dispatcher_test, each_route_has_its_own_groups_and_one_muted_route_leaves_the_other) {
  notify_policy policy = routed_policy();
  time_interval always;
  policy.time_intervals = {{"always", {always}}};
  notify_route chat = policy.root;
  chat.key = "{}/{team=\"a\"}";
  chat.matchers = {label_is("team", "a")};
  chat.continue_matching = true;
  notify_route phone = chat;
  phone.receiver = "boss";
  phone.group_wait = 10s;
  chat.mute_time_intervals = {"always"};
  policy.root.routes = {chat, phone};
  driver.use(policy);
  driver.of("disk").shields.muted_by = {"always"};
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(500), lines{"10 boss disk"});
  EXPECT_EQ(driver.dispatcher().receivers_of(driver.of("disk")), (lines{"boss", "ops"}));
  EXPECT_EQ(driver.dispatcher().groups().size(), 2u);
}

TEST_F(group_dispatcher_test, a_receiver_that_wants_no_resolutions_gets_none) {
  notify_policy policy = routed_policy();
  policy.root.receiver = "pager";
  driver.use(policy);
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  driver.resolve(40, "disk");
  EXPECT_EQ(driver.told(600), lines{"30 pager disk fan"});
  driver.resolve(601, "fan");
  EXPECT_EQ(driver.told(2000), lines{});
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
}

TEST_F(group_dispatcher_test, a_receiver_without_webhooks_is_never_told_and_its_groups_are_seen) {
  notify_policy policy = routed_policy();
  policy.root.receiver = "nobody";
  driver.use(policy);
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(1000), lines{});
  EXPECT_EQ(driver.dispatcher().groups().size(), 1u);
}

TEST_F(group_dispatcher_test, without_a_route_nobody_is_told) {
  notify_policy policy = routed_policy();
  policy.routed = false;
  driver.use(policy);
  driver.fire(0, "disk");
  EXPECT_EQ(driver.dispatcher().next_due(), std::nullopt);
  EXPECT_TRUE(driver.dispatcher().groups().empty());
  EXPECT_TRUE(driver.dispatcher().receivers_of(driver.of("disk")).empty());
  EXPECT_TRUE(driver.dispatcher().take_changed().empty());
}

TEST_F(group_dispatcher_test, who_posts_an_alert_that_began_long_ago_has_waited_already) {
  auto posted = std::make_shared<posted_facts>();
  posted->starts_at = notice_driver::at_second(1000 - 10);
  driver.of("disk").posted = posted;
  driver.fire(1000, "disk");
  EXPECT_EQ(driver.told(1020), lines{"1020 ops disk"});
  auto long_ago = std::make_shared<posted_facts>();
  long_ago->starts_at = notice_driver::at_second(0);
  driver.of("door").texts = nullptr;
  driver.label("door", "team", "b");
  driver.of("door").posted = long_ago;
  driver.fire(1040, "door");
  EXPECT_EQ(driver.told(1050), lines{"1040 ops door"});
}

TEST_F(group_dispatcher_test, groups_are_named_as_alertmanager_names_them) {
  notify_policy policy = routed_policy();
  notify_route child = policy.root;
  child.key = "{}/{team=\"a\"}";
  child.matchers = {label_is("team", "a")};
  child.group_by = {"nothing", "path", "team"};
  policy.root.routes = {child};
  driver.use(policy);
  driver.fire(0, "disk");
  driver.of("fan");
  driver.label("fan", "path", "C:\\a \"b\"\n\x01\xc3\xbc\xff");
  driver.fire(1, "fan");
  (void)driver.told(100);
  ASSERT_EQ(driver.notices().size(), 2u);
  EXPECT_EQ(driver.notices()[0]->group_key, "{}/{team=\"a\"}:{team=\"a\"}");
  EXPECT_EQ(driver.notices()[0]->group_labels, (text_map{{"team", "a"}}));
  EXPECT_EQ(driver.notices()[1]->group_key,
            "{}/{team=\"a\"}:{path=\"C:\\\\a \\\"b\\\"\\n\\x01\xc3\xbc\\xff\", team=\"a\"}");
}

TEST_F(group_dispatcher_test, grouping_by_all_labels_makes_a_group_of_each_label_set) {
  notify_policy policy = routed_policy();
  policy.root.group_by.clear();
  policy.root.group_by_all = true;
  driver.use(policy);
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  EXPECT_EQ(driver.told(30), (lines{"30 ops disk", "30 ops fan"}));
  EXPECT_EQ(driver.notices()[0]->group_key,
            "{}:{alertname=\"disk\", severity=\"info\", team=\"a\"}");
}

TEST_F(group_dispatcher_test, groups_are_listed_with_what_is_active_or_not_yet_told_to_have_ended) {
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  driver.of("door").shields.silenced_by = {"s1"};
  driver.fire(0, "door");
  (void)driver.told(30);
  driver.resolve(31, "disk");
  driver.fire(32, "gone");
  driver.resolve(33, "gone");
  const auto groups = driver.dispatcher().groups();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups[0].key, "{}:{team=\"a\"}");
  EXPECT_EQ(groups[0].receiver, "ops");
  EXPECT_EQ(groups[0].labels, (std::vector<std::pair<std::string, std::string>>{{"team", "a"}}));
  lines names;
  for (const transition& each : groups[0].alerts) names.push_back(each->rule);
  EXPECT_EQ(names, (lines{"fan", "door", "disk"}));
}

TEST_F(group_dispatcher_test, notices_carry_the_newest_state_and_ids_of_their_own) {
  driver.fire(0, "disk");
  driver.of("disk").proof.event_count = 7;
  driver.of("disk").severity = severity::critical;
  driver.tell(20, "disk");
  (void)driver.told(700);
  ASSERT_EQ(driver.notices().size(), 2u);
  EXPECT_EQ(driver.notices()[0]->alerts[0]->proof.event_count, 7u);
  EXPECT_EQ(driver.notices()[0]->id.size(), 32u);
  EXPECT_NE(driver.notices()[0]->id, driver.notices()[1]->id);
  notice_driver other;
  other.fire(0, "disk");
  (void)other.told(100);
  EXPECT_EQ(other.notices()[0]->id, driver.notices()[0]->id) << "the same again, the same id";
}

TEST_F(group_dispatcher_test, a_restart_between_looks_changes_nothing) {
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  driver.restart(10);
  EXPECT_EQ(driver.told(30), lines{"30 ops disk fan"});
  driver.resolve(40, "fan");
  driver.restart(50);
  EXPECT_EQ(driver.told(90), lines{"90 ops disk -fan"});
  driver.restart(200);
  EXPECT_EQ(driver.told(690), lines{"690 ops disk"}) << "repeat_interval after 90";
}

TEST_F(group_dispatcher_test, after_a_long_stop_a_group_is_looked_at_once) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.told(30), lines{"30 ops disk"});
  driver.restart(10'000);
  EXPECT_EQ(driver.told(10'010), lines{"9990 ops disk"});
  EXPECT_EQ(driver.told(10'589), lines{});
}

TEST_F(group_dispatcher_test,
       looks_missed_while_alerts_changed_at_their_own_times_are_made_up_by_one) {
  driver.fire(0, "disk");
  driver.fire(0, "fan");
  (void)driver.told(30);
  driver.commit();
  group_dispatcher next{std::make_shared<const notify_policy>(routed_policy())};
  for (const auto& [key, bytes] : driver.stored()) next.restore({key, bytes});
  alert fan = driver.of("fan");
  fan.state = alert_state::resolved;
  next.update(notice_driver::at_second(5'000), std::make_shared<const alert>(fan));
  next.update(notice_driver::at_second(10'000), std::make_shared<const alert>(driver.of("disk")));
  const auto told = next.run(notice_driver::at_second(10'010));
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0]->at, notice_driver::at_second(9'990));
  EXPECT_EQ(told[0]->alerts.size(), 2u);
}

TEST_F(group_dispatcher_test, records_of_a_route_that_is_gone_go) {
  driver.fire(0, "disk");
  (void)driver.told(30);
  notify_policy other = routed_policy();
  other.root.receiver = "boss";
  driver.restart(40, other);
  EXPECT_EQ(driver.told(100), lines{"70 boss disk"});
  driver.commit();
  EXPECT_EQ(driver.stored().size(), 3u) << "the group of boss, what it was told, the last look";
  notify_policy none = routed_policy();
  none.routed = false;
  driver.restart(110, none);
  driver.commit();
  EXPECT_TRUE(driver.stored().empty());
}

TEST_F(group_dispatcher_test, records_that_cannot_be_read_go) {
  driver.dispatcher().restore({"group/x",
                               "\x01"
                               "abc"});
  driver.dispatcher().restore({"told/x", ""});
  driver.dispatcher().restore({"escalation/x", "\x07"});
  driver.dispatcher().restore({"what is this", "abc"});
  lines gone;
  for (const group_record& each : driver.dispatcher().take_changed()) {
    EXPECT_TRUE(each.bytes.empty());
    gone.push_back(each.key);
  }
  EXPECT_EQ(gone, (lines{"escalation/x", "group/x", "told/x", "what is this"}));
}

TEST_F(group_dispatcher_test, only_what_changed_is_given_to_be_stored) {
  driver.fire(0, "disk");
  EXPECT_EQ(driver.dispatcher().take_changed().size(), 1u) << "a new group";
  driver.tell(5, "disk");
  driver.fire(6, "fan");
  EXPECT_TRUE(driver.dispatcher().take_changed().empty()) << "active alerts come back";
  (void)driver.told(30);
  EXPECT_EQ(driver.dispatcher().take_changed().size(), 4u) << "group, two alerts told, the look";
  (void)driver.told(90);
  const auto looked = driver.dispatcher().take_changed();
  ASSERT_EQ(looked.size(), 1u);
  EXPECT_EQ(looked[0].key, "looked");
  EXPECT_TRUE(driver.dispatcher().take_changed().empty());
}

TEST_F(group_dispatcher_test, what_changed_can_be_forgotten_and_what_changes_then_is_given) {
  driver.fire(0, "disk");
  (void)driver.told(30);
  driver.dispatcher().forget_changed();
  EXPECT_TRUE(driver.dispatcher().take_changed().empty());
  driver.of("fan");
  driver.label("fan", "path", "elsewhere");
  driver.fire(31, "fan");
  (void)driver.told(90);
  EXPECT_FALSE(driver.dispatcher().take_changed().empty());
}

TEST_F(group_dispatcher_test, notices_share_the_key_of_their_group) {
  driver.fire(0, "disk");
  (void)driver.told(30);
  driver.resolve(31, "disk");
  (void)driver.told(90);
  ASSERT_EQ(driver.notices().size(), 2u);
  EXPECT_TRUE(driver.notices()[0]->group_key.shares_with(driver.notices()[1]->group_key));
}

}  // namespace
}  // namespace tocsin::testing
