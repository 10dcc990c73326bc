// SPDX-License-Identifier: Apache-2.0
// What is in quarantine does not reach the rules, and nothing else is missing; what an actor had at
// hand when it failed is recorded.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include "actors/step_maker.hpp"
#include "crash_world.hpp"
#include "deterministic_crew.hpp"
#include "io/crash_record.hpp"
#include "io/crash_watch.hpp"
#include "support/event_builder.hpp"
#include "support/rules.hpp"
#include "support/scratch_folder.hpp"
#include "tocsin/work_at_hand.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::alert_side;
using testing::burst_of;
using testing::deterministic_crew;
using testing::event_message;
using testing::lasting_parts;
using testing::traffic_start;

/// Keeps out what a test says.
class chosen_quarantine final : public quarantine {
 public:
  std::set<std::string, std::less<>> messages;
  std::set<std::uint64_t> positions;
  std::function<void()> at_message;  ///< called before each is judged
  std::function<void()> at_entry;

  bool refuses(std::string_view message) override {
    if (at_message) at_message();
    return messages.contains(message);
  }
  std::vector<std::uint32_t> left_out(const log_entry& entry) override {
    if (at_entry) at_entry();
    std::vector<std::uint32_t> out;
    const std::size_t events = entry.batch ? entry.batch->events.size() : 0;
    for (std::uint32_t i = 0; i < events; ++i) {
      if (positions.contains(entry.batch->first_position + i)) out.push_back(i);
    }
    return out;
  }
};

std::shared_ptr<const rule_set> third_of_a_host() {
  return testing::rules_from_yaml(R"(
rules:
- name: third
  where: true
  group_by: [resource_id]
  window: {fixed: 1000d}
  select: {seen: count()}
  having: seen >= 3
)");
}

/// `n`th event, of the host; one that is `closed` counts nowhere, and has a place in the log.
std::string event_of(int n, const std::string& host, event_action action = event_action::firing) {
  return testing::event_builder{}
      .source("agent")
      .event_id("e" + std::to_string(n))
      .resource(host)
      .time(traffic_start + n * 1s)
      .action(action)
      .json();
}

/// Nine events in bursts of three; those of `without` are of no effect.
void send_nine(deterministic_crew& crew, const std::set<int>& without = {}) {
  for (int first = 1; first <= 9; first += 3) {
    std::vector<std::string> messages;
    for (int n = first; n < first + 3; ++n) {
      const bool gone = without.contains(n);
      messages.push_back(event_of(n,
                                  gone         ? "nobody"
                                  : n % 2 == 0 ? "even"
                                               : "odd",
                                  gone ? event_action::closed : event_action::firing));
    }
    const instant at = traffic_start + (first + 2) * 1s;
    crew.send(burst_of(messages, {at, at, at}));
    crew.run();
  }
}

alert_side with(const lasting_parts& parts) {
  alert_side all;
  all.log = parts.log;
  all.store = parts.store;
  all.snapshots = parts.snapshots;
  return all;
}

std::string alerts_without(const std::set<int>& without) {
  const lasting_parts parts;
  deterministic_crew crew(third_of_a_host(), 2, {}, {}, with(parts));
  send_nine(crew, without);
  return crew.sink().json_lines();
}

TEST(quarantine, a_replay_leaves_its_positions_out_and_alerts_are_those_of_a_run_without_them) {
  const lasting_parts written;
  {
    deterministic_crew crew(third_of_a_host(), 2, {}, {}, with(written));
    send_nine(crew);
    ASSERT_EQ(crew.sink().json_lines(), alerts_without({}));
  }
  for (const std::set<int>& kept_out : {std::set{5}, {1}, {9}, {2, 3}, {4, 5, 6}}) {
    ASSERT_NE(alerts_without(kept_out), "");
    for (int again = 0; again < 2; ++again) {
      // The log lasts; what it leads to begins anew.
      lasting_parts parts;
      parts.log = written.log;
      alert_side side = with(parts);
      const auto poison = std::make_shared<chosen_quarantine>();
      poison->positions.insert(kept_out.begin(), kept_out.end());
      side.poison = poison;
      deterministic_crew crew(third_of_a_host(), 2, {}, {}, side);
      crew.run();
      EXPECT_FALSE(crew.not_recovered());
      EXPECT_EQ(crew.sink().json_lines(), alerts_without(kept_out)) << *kept_out.begin();
      EXPECT_EQ(crew.ingest_counts().quarantined, kept_out.size());
      EXPECT_EQ(crew.ingest_counts().events, ingest_counts{}) << "they were accepted then";
    }
  }
  EXPECT_NE(alerts_without({5}), alerts_without({})) << "it makes a difference";
}

TEST(quarantine, an_event_that_is_left_out_keeps_its_place_and_stays_known) {
  step_maker_setup setup;
  setup.rules = testing::every_event_fires();
  setup.logged = true;
  const auto asked = [] {
    burst one = burst_of({"[" + event_of(1, "a") + "," + event_of(2, "b") + "]"});
    one.answer = [](const burst_outcome&) {};
    return std::make_shared<const burst>(std::move(one));
  };
  step_maker first(setup);
  const made_step made = first.of_burst(asked(), traffic_start + 5s);
  const auto poison = std::make_shared<chosen_quarantine>();
  poison->positions = {1};
  setup.poison = poison;
  step_maker again(setup);
  const auto step = again.of_entry(*made.entry);
  ASSERT_EQ(step->slices.at(0).events.size(), 1U);
  EXPECT_EQ(step->slices[0].events[0].event, 1U);
  EXPECT_EQ(step->batch->events.size(), 2U);
  EXPECT_EQ(again.next_position(), 3U);
  EXPECT_EQ(again.of_burst(asked(), traffic_start + 5s).outcomes.at(0).duplicate, 2U);
  EXPECT_EQ(again.report().unmatched, 0U);
}

TEST(quarantine, a_message_is_refused_whole_with_one_rejection_and_the_books_balance) {
  step_maker_setup setup;
  setup.rules = testing::every_event_fires();
  const auto poison = std::make_shared<chosen_quarantine>();
  const std::string bad = "[" + event_of(1, "a") + "," + event_of(2, "b") + "]";
  poison->messages = {bad};
  setup.poison = poison;
  step_maker maker(setup);
  burst all = burst_of({event_of(3, "c"), bad, event_of(4, "d")});
  all.answer = [](const burst_outcome&) {};
  const made_step made =
      maker.of_burst(std::make_shared<const burst>(std::move(all)), traffic_start + 5s);
  ASSERT_EQ(made.outcomes.size(), 3U);
  EXPECT_EQ(made.outcomes[0].accepted + made.outcomes[2].accepted, 2U);
  EXPECT_EQ(made.outcomes[1].accepted, 0U);
  ASSERT_EQ(made.outcomes[1].rejected.size(), 1U);
  EXPECT_EQ(made.outcomes[1].rejected[0].code, "quarantined");
  EXPECT_EQ(made.step->batch->events.size(), 2U);
  // Pushed messages are refused as well.
  EXPECT_FALSE(maker.of_burst(std::make_shared<const burst>(burst_of({bad})), traffic_start).step);
  EXPECT_EQ(maker.report().events, (ingest_counts{4, 2, 0, 2, 0}));
  EXPECT_EQ(maker.report().rejected_by_code.at("quarantined"), 2U);
  EXPECT_EQ(maker.report().quarantined, 0U) << "that counts events of the log";
}

TEST(quarantine, each_event_knows_the_message_it_came_in) {
  step_maker_setup setup;
  setup.rules = testing::every_event_fires();
  setup.shields = testing::keeping_out("resource_id=\"c\"");
  step_maker maker(setup);
  const auto what = std::make_shared<const burst>(
      burst_of({"no event", "[" + event_of(1, "a") + "," + event_of(2, "b") + "]", event_of(3, "c"),
                event_of(4, "d")}));
  const auto batch = maker.of_burst(what, traffic_start + 5s).step->batch;
  ASSERT_EQ(batch->messages.data(), what->messages.data());
  std::vector<std::uint32_t> messages;
  for (const event& each : batch->events) messages.push_back(each.message);
  EXPECT_EQ(messages, (std::vector<std::uint32_t>{1, 1, 3}));
}

TEST(quarantine, ingest_has_at_hand_what_it_works_on_and_nothing_when_it_is_done) {
  step_maker_setup setup;
  setup.rules = testing::every_event_fires();
  setup.logged = true;
  const auto poison = std::make_shared<chosen_quarantine>();
  setup.poison = poison;
  step_maker maker(setup);
  std::vector<std::string> seen;
  poison->at_message = [&] { seen.emplace_back(*at_hand.message); };
  const made_step made = maker.of_burst(
      std::make_shared<const burst>(burst_of({"x", event_message("a", traffic_start)})),
      traffic_start);
  EXPECT_EQ(seen, (std::vector<std::string>{"x", event_message("a", traffic_start)}));
  EXPECT_EQ(at_hand.message, nullptr);
  EXPECT_EQ(at_hand.batch, nullptr);
  EXPECT_EQ(at_hand.event, work_at_hand::no_event);
  step_maker again(setup);
  std::uint64_t step = 0;
  poison->at_entry = [&] { step = at_hand.step; };
  (void)again.of_entry(*made.entry);
  EXPECT_EQ(step, 1U);
  EXPECT_EQ(at_hand.step, 0U);
}

TEST(quarantine, an_actor_that_fails_leaves_what_it_had_at_hand) {
  const testing::scratch_folder folder;
  const auto watch = crash_watch::begin(folder.file("crashes"));
  ASSERT_TRUE(watch);
  alert_side side;
  const auto poison = std::make_shared<chosen_quarantine>();
  poison->at_message = [] { throw std::runtime_error("a fault"); };
  side.poison = poison;
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, side);
  const std::string message = event_message("a", traffic_start);
  crew.send(burst_of({message}));
  crew.run();
  EXPECT_EQ(crew.gate().failure(), "ingest: a fault");
  std::ifstream from(folder.file("crashes"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>{from}, {}};
  const crash_records read = decode_crash_records(bytes);
  ASSERT_EQ(read.records.size(), 1U);
  EXPECT_EQ(read.records[0].what, crash_record::kind::message);
  EXPECT_EQ(read.records[0].message, print_of_message(message));
  EXPECT_EQ(read.records[0].signal, 0);
  EXPECT_EQ(at_hand.message, nullptr);
}

}  // namespace
}  // namespace tocsin
