// SPDX-License-Identifier: Apache-2.0
// Operations in a running crew: their place in the log, their answers, silences that keep events
// out, and a book that goes on with what was stored.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "deterministic_crew.hpp"
#include "support/scripted_store.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::deterministic_crew;
using testing::event_message;
using testing::operation_answer;
using testing::scripted_store;
using testing::traffic_start;

label_matchers matchers(std::string_view text) {
  return parse_label_matchers(text).value();
}

operation acknowledge(std::string_view which, const std::string& by) {
  return acknowledge_alerts{{{}, matchers(which)}, by, "looking", {}, false};
}

operation silence_for(std::string_view which, instant from, duration length,
                      silence_scope scope = silence_scope::alerts) {
  silence wanted;
  wanted.matchers = matchers(which);
  wanted.starts_at = from;
  wanted.ends_at = from + length;
  wanted.created_by = "ann";
  wanted.comment = "disks are replaced";
  wanted.scope = scope;
  return put_silence{std::move(wanted)};
}

/// A burst with one event of `resource` that arrives when it happens.
burst one_event(const std::string& resource, instant when) {
  return burst_of({event_message(resource, when)}, {when});
}

/// "RESOURCE STATE" of each transition that the sinks saw.
std::vector<std::string> seen(deterministic_crew& crew) {
  std::vector<std::string> lines;
  for (const transition& each : crew.sink().transitions()) {
    lines.push_back(each->texts->resource_id + " " + std::string{to_text(each->state)});
  }
  return lines;
}

using texts = std::vector<std::string>;

/// What comes between bursts: something of each kind, at different alerts.
operation nth_operation(std::uint32_t n) {
  const instant later = traffic_start + 10h;
  switch (n % 6) {
    case 0:
      return acknowledge(R"({alertname="burst"})", "ann");
    case 1:
      return note_on_alerts{{{}, matchers(R"({severity="critical"})")}, "bob", "seen"};
    case 2:
      return silence_for(R"({source_id="agent-1"})", traffic_start, 10h);
    case 3:
      return assign_alerts{{{}, matchers(R"({alertname=~".+"})")}, "bob", "", "carl"};
    case 4:
      return unacknowledge_alerts{{{}, matchers(R"({resource_id=~"host-1.*"})")}, "ann", ""};
    default: {
      posted_alert posted;
      posted.labels = {{"alertname", "posted"}, {"n", std::to_string(n)}};
      posted.ends_at = later;
      return post_alerts{{posted}, "api"};
    }
  }
}

struct made_of_traffic {
  std::string seen;
  std::string stored;
};

made_of_traffic work_through(const testing::traffic& input, std::size_t shards,
                             std::uint32_t seed) {
  const auto store = std::make_shared<scripted_store>();
  testing::alert_side alerts;
  alerts.store = store;
  deterministic_crew crew(testing::traffic_rules(), shards, {}, {}, alerts);
  std::uint32_t n = 0;
  std::vector<operation_answer> answers;
  for (burst& each : input.in_bursts(3)) {
    crew.send(std::move(each));
    if (++n % 3 == 0) answers.push_back(crew.operate(nth_operation(n / 3)));
  }
  crew.advance(input.end());
  if (seed == 0) {
    crew.run();
  } else {
    crew.run_shuffled(seed);
  }
  EXPECT_TRUE(crew.gate().wait_for_all());
  for (const operation_answer& each : answers) {
    EXPECT_TRUE(*each && **each) << "each operation is answered, and well";
  }
  return {crew.sink().json_lines(), store->json_lines()};
}

TEST(operations, take_effect_at_their_place_in_the_log_whatever_the_shards_and_the_order_of_work) {
  const auto input = testing::random_traffic(7, 600);
  const auto expected = work_through(input, 1, 0);
  for (const char* word :
       {"\"acknowledged\"", "\"seen\"", "\"carl\"", "\"posted\"", "\"silenced"}) {
    ASSERT_NE(expected.seen.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(expected.seen, expected.stored);
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    for (const std::size_t shards : {1, 2, 5}) {
      const auto made = work_through(input, shards, seed);
      ASSERT_EQ(made.seen, expected.seen) << "seed " << seed << ", " << shards << " shards";
      ASSERT_EQ(made.stored, expected.seen) << "seed " << seed << ", " << shards << " shards";
    }
  }
}

TEST(operations, meet_what_came_before_them_and_not_what_comes_after) {
  for (std::uint32_t seed = 1; seed <= 30; ++seed) {
    deterministic_crew crew(testing::every_event_fires(), 3);
    crew.send(one_event("a", traffic_start));
    const auto answer = crew.operate(acknowledge(R"({alertname="each"})", "ann"));
    crew.send(one_event("b", traffic_start + 1s));
    crew.run_shuffled(seed);
    ASSERT_EQ(seen(crew), (texts{"a firing", "a acknowledged", "b firing"})) << "seed " << seed;
    ASSERT_TRUE(*answer && **answer);
    ASSERT_EQ((**answer)->alerts.size(), 1U);
    EXPECT_EQ((**answer)->alerts[0].now->acknowledged->by, "ann");
    EXPECT_EQ((**answer)->alerts[0].now->at, traffic_start) << "the log's clock";
  }
}

TEST(operations, that_come_in_the_same_instant_take_effect_in_their_order) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    deterministic_crew crew(testing::every_event_fires(), 2);
    crew.send(one_event("a", traffic_start));
    const auto first = crew.operate(acknowledge(R"({alertname="each"})", "ann"));
    const auto second = crew.operate(acknowledge(R"({alertname="each"})", "bob"));
    crew.run_shuffled(seed);
    ASSERT_EQ((**first)->alerts.size(), 1U);
    EXPECT_TRUE((**second)->alerts.empty()) << "it is acknowledged already";
    EXPECT_EQ(crew.sink().transitions().back()->actor, "ann");
  }
}

TEST(operations, that_are_refused_are_answered_and_change_nothing) {
  const auto store = std::make_shared<scripted_store>();
  testing::alert_side alerts;
  alerts.store = store;
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, alerts);
  crew.send(one_event("a", traffic_start));
  crew.run();
  const auto commits = store->commits();
  const auto answer = crew.operate(close_alerts{{}, "ann", ""});
  crew.run();
  ASSERT_TRUE(*answer);
  ASSERT_FALSE(**answer);
  EXPECT_EQ((*answer)->failure().code, "nothing_chosen");
  EXPECT_EQ(store->commits(), commits);
  EXPECT_EQ(seen(crew), texts{"a firing"});
}

TEST(operations, are_answered_when_they_are_stored) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    const auto store = std::make_shared<scripted_store>(seed % 2 == 0);
    testing::alert_side alerts;
    alerts.store = store;
    deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, alerts);
    crew.send(one_event("a", traffic_start));
    std::uint64_t stored_then = 0;
    const auto answer = crew.operate(acknowledge(R"({alertname="each"})", "ann"),
                                     [&] { stored_then = store->seq(); });
    crew.run_shuffled(seed);
    ASSERT_TRUE(*answer && **answer);
    EXPECT_EQ(stored_then, 2U) << "seed " << seed;
  }
}

TEST(operations, that_could_not_be_stored_say_so_and_are_stored_when_the_store_works_again) {
  const auto store = std::make_shared<scripted_store>();
  testing::alert_side alerts;
  alerts.store = store;
  deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, alerts);
  crew.send(one_event("a", traffic_start));
  crew.run();
  store->fail(true);
  const auto answer = crew.operate(acknowledge(R"({alertname="each"})", "ann"));
  crew.run();
  ASSERT_TRUE(*answer);
  ASSERT_FALSE(**answer);
  EXPECT_EQ((*answer)->failure().code, "store_failed");
  EXPECT_EQ(store->seq(), 1U);
  store->fail(false);
  crew.pass(1s);
  crew.run();
  EXPECT_EQ(store->seq(), 2U);
  EXPECT_EQ(store->transitions().back()->state, alert_state::acknowledged);
}

TEST(operations, without_a_store_are_answered_at_once) {
  deterministic_crew crew(testing::every_event_fires(), 2);
  crew.send(one_event("a", traffic_start));
  const auto answer = crew.operate(acknowledge(R"({alertname="each"})", "ann"));
  crew.run();
  ASSERT_TRUE(*answer && **answer);
  EXPECT_EQ(seen(crew), (texts{"a firing", "a acknowledged"}));
}

TEST(operations, a_look_at_the_book_sees_alerts_silences_and_clock) {
  deterministic_crew crew(testing::every_event_fires(), 3);
  crew.send(one_event("a", traffic_start));
  crew.send(one_event("b", traffic_start + 1s));
  (void)crew.operate(silence_for(R"({resource_id="b"})", traffic_start, 1h));
  bool looked = false;
  crew.inspect([&](const alert_book& book) {
    looked = true;
    EXPECT_EQ(book.active_count(), 2U);
    EXPECT_EQ(book.silences().size(), 1U);
    EXPECT_EQ(book.clock(), traffic_start + 1s);
    std::size_t silenced = 0;
    for (const transition& each : book.active()) silenced += each->shields.any() ? 1 : 0;
    EXPECT_EQ(silenced, 1U);
  });
  EXPECT_TRUE(looked);
}

TEST(operations, a_silence_of_events_keeps_them_from_the_rules_until_it_is_ended) {
  deterministic_crew crew(testing::every_event_fires(), 2);
  crew.advance(traffic_start);
  const auto made =
      crew.operate(silence_for(R"({resource_id="a"})", traffic_start, 1h, silence_scope::events));
  crew.run();
  ASSERT_TRUE(*made && **made);
  crew.send(one_event("a", traffic_start + 1s));
  crew.send(one_event("b", traffic_start + 2s));
  crew.run();
  EXPECT_EQ(seen(crew), texts{"b firing"});
  const auto counted = crew.ingest_counts();
  EXPECT_EQ(counted.shielded, 1U);
  EXPECT_EQ(counted.events.accepted, 2U);
  (void)crew.operate(expire_silence{(**made)->silence->id, "ann"});
  crew.run();
  crew.send(one_event("a", traffic_start + 3s));
  crew.run();
  EXPECT_EQ(seen(crew), (texts{"b firing", "a firing"}));
  EXPECT_EQ(crew.ingest_counts().shielded, 1U);
}

TEST(operations, a_silence_of_events_begins_and_ends_with_the_logs_time) {
  deterministic_crew crew(testing::every_event_fires(), 2);
  crew.advance(traffic_start);
  (void)crew.operate(
      silence_for(R"({resource_id="a"})", traffic_start + 1min, 1min, silence_scope::events));
  crew.run();
  crew.send(one_event("a", traffic_start + 1s));
  crew.run();
  EXPECT_EQ(seen(crew), texts{"a firing"}) << "it has not begun";
  crew.advance(traffic_start + 61s);
  crew.run();
  crew.send(one_event("a", traffic_start + 62s));
  crew.run();
  EXPECT_EQ(crew.ingest_counts().shielded, 1U);
  crew.advance(traffic_start + 121s);
  crew.run();
  crew.send(one_event("a", traffic_start + 122s));
  crew.run();
  EXPECT_EQ(crew.ingest_counts().shielded, 1U) << "it has ended";
}

TEST(operations, a_silence_of_events_is_in_force_again_after_a_restart) {
  const auto store = std::make_shared<scripted_store>();
  testing::alert_side alerts;
  alerts.store = store;
  {
    deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
    crew.advance(traffic_start);
    (void)crew.operate(
        silence_for(R"({resource_id="a"})", traffic_start, 1h, silence_scope::events));
    crew.run();
  }
  alerts.stored = std::make_shared<const book_state>(store->load().value());
  alerts.clock = traffic_start + 10s;
  deterministic_crew crew(testing::every_event_fires(), 1, {}, {}, alerts);
  crew.run();
  crew.send(one_event("a", traffic_start + 11s));
  crew.send(one_event("b", traffic_start + 11s));
  crew.run();
  EXPECT_EQ(seen(crew), texts{"b firing"});
}

TEST(operations, alerts_go_on_after_a_restart_with_their_numbers_and_the_streams) {
  const auto store = std::make_shared<scripted_store>();
  testing::alert_side alerts;
  alerts.store = store;
  fingerprint id;
  {
    deterministic_crew crew(testing::every_event_fires(), 2, {}, {}, alerts);
    crew.send(one_event("a", traffic_start));
    (void)crew.operate(acknowledge(R"({alertname="each"})", "ann"));
    crew.run();
    ASSERT_EQ(crew.sink().transitions().size(), 2U);
    id = crew.sink().transitions()[0]->alert_id;
  }
  alerts.stored = std::make_shared<const book_state>(store->load().value());
  alerts.clock = traffic_start + 10s;
  deterministic_crew crew(testing::every_event_fires(), 3, {}, {}, alerts);
  crew.run();
  crew.inspect([&](const alert_book& book) {
    ASSERT_EQ(book.active_count(), 1U);
    EXPECT_EQ(book.active()[0]->state, alert_state::acknowledged);
    EXPECT_EQ(book.active()[0]->acknowledged->by, "ann");
  });
  (void)crew.operate(note_on_alerts{{{id}, {}}, "bob", "still there"});
  crew.advance(traffic_start + 1h);
  crew.run();
  const auto made = crew.sink().transitions();
  ASSERT_EQ(made.size(), 2U);
  EXPECT_EQ(made[0]->alert_id, id);
  EXPECT_EQ(made[0]->number, 3U);
  EXPECT_EQ(made[0]->seq, 3U);
  EXPECT_EQ(made[1]->number, 4U);
  EXPECT_EQ(made[1]->seq, 4U);
  EXPECT_EQ(made[1]->state, alert_state::resolved);
  EXPECT_EQ(made[1]->cause, "not met since the restart");
  EXPECT_EQ(store->seq(), 4U) << "and all is stored, numbered on";
}

}  // namespace
}  // namespace tocsin
