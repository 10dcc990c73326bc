// SPDX-License-Identifier: Apache-2.0
// The pipeline as a program uses it, on real threads.
#include "tocsin/pipeline.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/recording_sink.hpp"
#include "support/scripted_store.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::event_message;
using testing::recording_sink;
using testing::traffic_start;

pipeline_settings manual(std::size_t shards, std::size_t bursts_in_flight = 32) {
  pipeline_settings settings;
  settings.shards = shards;
  settings.manual_clock = true;
  settings.bursts_in_flight = bursts_in_flight;
  return settings;
}

using sinks = std::vector<std::shared_ptr<transition_sink>>;

std::unique_ptr<pipeline> started(const pipeline_settings& settings,
                                  std::shared_ptr<const rule_set> rules, sinks to) {
  return std::move(pipeline::start(settings, std::move(rules), std::move(to))).value();
}

burst one_event(const std::string& resource) {
  return burst_of({event_message(resource, traffic_start)}, {traffic_start});
}

/// Holds the notifier fast until it is opened.
class barred_sink final : public transition_sink {
 public:
  void publish(std::span<const transition>) override { opened_.wait(); }
  void open() { open_.set_value(); }

 private:
  std::promise<void> open_;
  std::shared_future<void> opened_ = open_.get_future().share();
};

class broken_sink final : public transition_sink {
 public:
  void publish(std::span<const transition>) override { throw std::runtime_error("out of paper"); }
};

TEST(pipeline, transitions_are_the_same_with_any_number_of_shards_and_any_bursts) {
  const auto input = testing::random_traffic(11, 3'000);
  std::string expected;
  for (const std::size_t shards : {1, 2, 5}) {
    const auto sink = std::make_shared<recording_sink>();
    const auto running = started(manual(shards), testing::traffic_rules(), {sink});
    for (burst& each : input.in_bursts(static_cast<std::uint32_t>(shards))) {
      ASSERT_TRUE(running->push(std::move(each)));
    }
    ASSERT_TRUE(running->advance(input.end()));
    ASSERT_TRUE(running->drain());
    if (expected.empty()) expected = sink->json_lines();
    ASSERT_EQ(sink->json_lines(), expected) << shards << " shards";
  }
  EXPECT_NE(expected.find("\"resolved\""), std::string::npos);
}

TEST(pipeline, after_drain_the_counts_are_exact) {
  const auto sink = std::make_shared<recording_sink>();
  const auto running = started(manual(3), testing::every_event_fires(), {sink});
  for (int i = 0; i < 100; ++i) {
    const std::string resource = "host-" + std::to_string(i % 10);
    ASSERT_TRUE(running->push(
        burst_of({event_message(resource, traffic_start), "{"}, {traffic_start, traffic_start})));
  }
  ASSERT_TRUE(running->push(burst_of({"{"})));
  ASSERT_TRUE(running->drain());
  const auto counts = running->counts();
  EXPECT_EQ(counts.events, (ingest_counts{201, 100, 0, 101, 0}));
  EXPECT_EQ(counts.by_source.at("agent").accepted, 100U);
  EXPECT_EQ(counts.steps, 100U);
  EXPECT_EQ(counts.updates, 100U);
  EXPECT_EQ(counts.unmatched, 0U);
  EXPECT_EQ(counts.keys, 10U);
  EXPECT_EQ(counts.transitions, 10U);
  EXPECT_EQ(counts.active_alerts, 10U);
  ASSERT_TRUE(counts.by_rule.contains("each"));
  EXPECT_EQ(counts.by_rule.at("each").late, 0u);
  const auto active = running->active_alerts();
  EXPECT_EQ(active.size(), 10U);
  EXPECT_TRUE(std::is_sorted(active.begin(), active.end(), [](const auto& left, const auto& right) {
    return left->print < right->print;
  }));

  running->stop();
  EXPECT_EQ(running->counts().events, counts.events) << "the last counts stay to be read";
  EXPECT_EQ(running->active_alerts().size(), 10U);
}

TEST(pipeline, time_given_by_advance_closes_windows) {
  const auto sink = std::make_shared<recording_sink>();
  const auto running = started(manual(2), testing::every_event_fires(), {sink});
  ASSERT_TRUE(running->push(one_event("a")));
  ASSERT_TRUE(running->advance(traffic_start + 1h));
  ASSERT_TRUE(running->drain());
  ASSERT_EQ(sink->transitions().size(), 2U);
  EXPECT_EQ(sink->transitions()[1]->state, alert_state::resolved);
  EXPECT_EQ(running->counts().active_alerts, 0U);
}

TEST(pipeline, with_a_manual_clock_a_message_without_arrival_comes_at_the_clocks_time) {
  std::vector<alert> seen;
  const auto running =
      std::move(pipeline::start(manual(1), testing::every_event_fires(), [&](const alert& of) {
        seen.push_back(of);
      })).value();
  ASSERT_TRUE(running->advance(traffic_start));
  ASSERT_TRUE(running->push(event_message("a", traffic_start)));
  ASSERT_TRUE(running->drain());
  ASSERT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0].at, traffic_start);
}

TEST(pipeline, with_the_wall_clock_time_passes_by_itself) {
  std::promise<void> resolved;
  pipeline_settings settings;
  settings.shards = 2;
  settings.tick = 1ms;
  const auto running = std::move(pipeline::start(settings, testing::every_event_fires_shortly(),
                                                 [&](const alert& of) {
                                                   if (of.state == alert_state::resolved)
                                                     resolved.set_value();
                                                 }))
                           .value();
  EXPECT_FALSE(running->advance(traffic_start)) << "the wall clock moves time";
  ASSERT_TRUE(running->push(R"({"resource_id": "a"})"));
  EXPECT_EQ(resolved.get_future().wait_for(60s), std::future_status::ready);
}

TEST(pipeline, bursts_in_flight_bound_what_is_taken_and_room_is_announced) {
  const auto bar = std::make_shared<barred_sink>();
  const auto running = started(manual(2, 2), testing::every_event_fires(), {bar});
  std::promise<void> room;
  running->on_room([&] { room.set_value(); });
  burst first = one_event("a");
  burst second = one_event("b");
  burst third = one_event("c");
  EXPECT_TRUE(running->try_push(first));
  EXPECT_TRUE(running->try_push(second));
  EXPECT_FALSE(running->try_push(third));
  EXPECT_EQ(third.messages.size(), 1U) << "left as it was";
  bar->open();
  room.get_future().wait();
  EXPECT_TRUE(running->try_push(third));
  EXPECT_TRUE(running->drain());
  EXPECT_EQ(running->counts().transitions, 3U);
}

TEST(pipeline, bursts_from_many_threads_all_count) {
  const auto running = started(manual(2, 4), testing::every_event_fires(), {});
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&running] {
      for (int i = 0; i < 250; ++i) EXPECT_TRUE(running->push(one_event(std::to_string(i))));
    });
  }
  for (std::thread& each : threads) each.join();
  ASSERT_TRUE(running->drain());
  EXPECT_EQ(running->counts().events.accepted, 1'000U);
  EXPECT_EQ(running->counts().transitions, 250U);
}

TEST(pipeline, a_sink_that_throws_stops_it_with_the_sinks_words) {
  const auto running =
      started(manual(2, 1), testing::every_event_fires(), {std::make_shared<broken_sink>()});
  std::promise<std::string> told;
  running->on_failure([&](const std::string& cause) { told.set_value(cause); });
  ASSERT_TRUE(running->push(one_event("a")));
  EXPECT_EQ(told.get_future().get(), "notifier: out of paper");
  EXPECT_EQ(running->failure(), "notifier: out of paper");
  EXPECT_FALSE(running->drain());
  EXPECT_FALSE(running->push(one_event("b")));
  burst refused = one_event("c");
  EXPECT_FALSE(running->try_push(refused));
  EXPECT_FALSE(running->advance(traffic_start));
  running->stop();
  EXPECT_EQ(running->failure(), "notifier: out of paper");
}

TEST(pipeline, a_failure_wakes_those_who_wait_to_push) {
  const auto running =
      started(manual(1, 1), testing::every_event_fires(), {std::make_shared<broken_sink>()});
  std::vector<std::future<bool>> pushers;
  for (int i = 0; i < 8; ++i) {
    pushers.push_back(std::async(std::launch::async, [&running, i] {
      bool taken = true;
      for (int n = 0; n < 100 && taken; ++n) taken = running->push(one_event(std::to_string(i)));
      return taken;
    }));
  }
  for (auto& pusher : pushers) EXPECT_FALSE(pusher.get());
}

TEST(pipeline, stopped_it_has_done_what_was_pushed_and_takes_no_more) {
  const auto sink = std::make_shared<recording_sink>();
  const auto running = started(manual(2), testing::every_event_fires(), {sink});
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(running->push(one_event(std::to_string(i))));
  running->stop();
  EXPECT_EQ(sink->transitions().size(), 50U);
  EXPECT_FALSE(running->push(one_event("late")));
  EXPECT_TRUE(running->drain());
  running->stop();
  EXPECT_FALSE(running->failure());
}

TEST(pipeline, it_lets_go_of_its_sinks_when_it_stops) {
  auto sink = std::make_shared<recording_sink>();
  const std::weak_ptr<recording_sink> watched = sink;
  const auto running = started(manual(2), testing::every_event_fires(), {std::move(sink)});
  EXPECT_FALSE(watched.expired());
  running->stop();
  EXPECT_TRUE(watched.expired());
}

TEST(pipeline, starts_and_stops_hundreds_of_times) {
  const auto rules = testing::every_event_fires();
  for (int i = 0; i < 300; ++i) {
    const auto sink = std::make_shared<recording_sink>();
    pipeline_settings settings = manual(1 + i % 3);
    settings.manual_clock = i % 2 == 0;
    const auto running = started(settings, rules, {sink});
    if (i % 3 == 0) continue;
    ASSERT_TRUE(running->push(R"({"resource_id": "a"})"));
    running->stop();
    ASSERT_EQ(sink->transitions().size(), 1U);
  }
}

/// Remembers how things stood at the start.
class beginning_sink final : public transition_sink {
 public:
  void begin(std::uint64_t seq, std::span<const transition> active) override {
    seq_ = seq;
    active_ = active.size();
    ++times_;
  }
  void publish(std::span<const transition> transitions) override {
    if (!first_seq_) first_seq_ = transitions.front()->seq;
  }
  [[nodiscard]] std::uint64_t seq() const noexcept { return seq_; }
  [[nodiscard]] std::size_t active() const noexcept { return active_; }
  [[nodiscard]] int times() const noexcept { return times_; }
  [[nodiscard]] std::uint64_t first_seq() const noexcept { return first_seq_; }

 private:
  std::uint64_t seq_ = 99;
  std::uint64_t first_seq_ = 0;
  std::size_t active_ = 99;
  int times_ = 0;
};

operation acknowledge_all(const std::string& by) {
  return acknowledge_alerts{
      {{}, parse_label_matchers(R"({alertname=~".+"})").value()}, by, "", {}, false};
}

TEST(pipeline, an_operation_is_answered_with_what_became_of_it) {
  for (const bool durable : {true, false}) {
    const auto store = std::make_shared<testing::scripted_store>(durable);
    auto settings = manual(2);
    settings.store = store;
    const auto running = started(settings, testing::every_event_fires(), {});
    ASSERT_TRUE(running->push(one_event("a")));
    const auto done = running->operate(acknowledge_all("ann"));
    ASSERT_TRUE(done) << done.failure().message;
    ASSERT_EQ(done->alerts.size(), 1U) << "what was pushed before has had its effect";
    EXPECT_EQ(done->alerts[0].now->state, alert_state::acknowledged);
    EXPECT_EQ(store->seq(), 2U) << "it is stored";
    const auto refused = running->operate(close_alerts{{}, "ann", ""});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.failure().code, "nothing_chosen");
    store->fail(true);
    const auto failed = running->operate(
        note_on_alerts{{{done->alerts[0].alert_id}, {}}, "ann", "is the disk full?"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.failure().code, "store_failed");
    store->fail(false);
    running->stop();
    EXPECT_EQ(store->seq(), 3U);
    EXPECT_FALSE(running->failure());
  }
}

TEST(pipeline, operations_of_many_threads_are_all_answered) {
  const auto store = std::make_shared<testing::scripted_store>();
  auto settings = manual(2);
  settings.store = store;
  const auto running = started(settings, testing::every_event_fires(), {});
  ASSERT_TRUE(running->push(one_event("a")));
  std::vector<std::future<std::size_t>> askers;
  for (int thread = 0; thread < 4; ++thread) {
    askers.push_back(std::async(std::launch::async, [&running, thread] {
      std::size_t won = 0;
      for (int i = 0; i < 50; ++i) {
        const auto done = running->operate(acknowledge_all(std::to_string(thread)));
        won += done && !done->alerts.empty() ? 1 : 0;
      }
      return won;
    }));
  }
  std::size_t won = 0;
  for (auto& asker : askers) won += asker.get();
  EXPECT_EQ(won, 1U) << "only the first finds it firing";
}

TEST(pipeline, a_look_at_the_book_is_taken_once_and_what_it_throws_is_the_callers) {
  const auto running = started(manual(2), testing::every_event_fires(), {});
  ASSERT_TRUE(running->push(one_event("a")));
  ASSERT_TRUE(running->drain());
  int looks = 0;
  EXPECT_TRUE(running->inspect([&](const alert_book& book) {
    ++looks;
    EXPECT_EQ(book.active_count(), 1U);
  }));
  EXPECT_EQ(looks, 1);
  EXPECT_THROW(
      (void)running->inspect([](const alert_book&) { throw std::runtime_error("no page"); }),
      std::runtime_error);
  EXPECT_FALSE(running->failure());
  EXPECT_TRUE(running->inspect([](const alert_book&) {}));
}

TEST(pipeline, stopped_it_answers_no_operation_and_no_look_and_knows_its_last_alerts) {
  const auto running = started(manual(2), testing::every_event_fires(), {});
  ASSERT_TRUE(running->push(one_event("a")));
  running->stop();
  const auto done = running->operate(acknowledge_all("ann"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().code, "unavailable");
  EXPECT_EQ(done.failure().message, "the pipeline has stopped");
  EXPECT_FALSE(running->inspect([](const alert_book&) { FAIL() << "there is no book"; }));
  ASSERT_EQ(running->active_alerts().size(), 1U);
  EXPECT_EQ(running->active_alerts()[0]->state, alert_state::firing);
  running->settle({"n1", true, false, ""});
}

TEST(pipeline, that_failed_answers_no_operation) {
  const auto running =
      started(manual(1), testing::every_event_fires(), {std::make_shared<broken_sink>()});
  ASSERT_TRUE(running->push(one_event("a")));
  EXPECT_FALSE(running->drain());
  running->stop();
  const auto done = running->operate(acknowledge_all("ann"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.failure().code, "unavailable");
}

TEST(pipeline, goes_on_with_what_its_store_holds) {
  const auto store = std::make_shared<testing::scripted_store>();
  auto settings = manual(2);
  settings.store = store;
  {
    const auto sink = std::make_shared<beginning_sink>();
    const auto running = started(settings, testing::every_event_fires(), {sink});
    EXPECT_EQ(sink->seq(), 0U);
    EXPECT_EQ(sink->active(), 0U);
    ASSERT_TRUE(running->push(one_event("a")));
    ASSERT_TRUE(running->push(one_event("b")));
    ASSERT_TRUE(running->operate(acknowledge_all("ann")));
  }
  ASSERT_EQ(store->seq(), 4U) << "at the end all is stored";
  const auto sink = std::make_shared<beginning_sink>();
  const auto running = started(settings, testing::every_event_fires(), {sink});
  EXPECT_EQ(sink->times(), 1);
  EXPECT_EQ(sink->seq(), 4U);
  EXPECT_EQ(sink->active(), 2U);
  const auto active = running->active_alerts();
  ASSERT_EQ(active.size(), 2U);
  EXPECT_EQ(active[0]->state, alert_state::acknowledged);
  ASSERT_TRUE(running->operate(note_on_alerts{{{active[0]->alert_id}, {}}, "bob", "back again"}));
  running->stop();
  EXPECT_EQ(sink->first_seq(), 5U);
  EXPECT_EQ(store->transitions().back()->number, 3U);
  EXPECT_EQ(store->transitions().back()->note, "back again");
}

TEST(pipeline, with_the_wall_clock_goes_on_not_before_what_is_stored) {
  const auto store = std::make_shared<testing::scripted_store>();
  const instant ahead =
      std::chrono::time_point_cast<duration>(std::chrono::system_clock::now()) + 1h;
  auto settings = manual(1);
  settings.store = store;
  {
    const auto running = started(settings, testing::every_event_fires(), {});
    ASSERT_TRUE(running->push(burst_of({event_message("a", ahead)}, {ahead})));
  }
  settings.manual_clock = false;
  const auto running = started(settings, testing::every_event_fires(), {});
  ASSERT_TRUE(running->operate(acknowledge_all("ann")));
  EXPECT_GE(store->transitions().back()->at, ahead);
}

TEST(pipeline, a_store_that_cannot_be_read_is_an_error_of_the_start) {
  const auto store = std::make_shared<testing::scripted_store>();
  store->fail(true);
  auto settings = manual(1);
  settings.store = store;
  const auto refused = pipeline::start(settings, testing::every_event_fires(), sinks{});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.failure().code, "store_failed");
}

TEST(pipeline, what_the_store_has_been_through_is_counted) {
  const auto store = std::make_shared<testing::scripted_store>();
  auto settings = manual(2);
  settings.store = store;
  const auto running = started(settings, testing::every_event_fires(), {});
  ASSERT_TRUE(running->push(one_event("a")));
  ASSERT_TRUE(running->drain());
  running->settle({"unknown", true, false, ""});
  const auto counts = running->counts();
  EXPECT_EQ(counts.store.commits, 1U);
  EXPECT_EQ(counts.store.waiting, 0U);
  EXPECT_EQ(counts.store.bytes, 4096U);
  EXPECT_EQ(counts.store.notices_delivered, 1U);
  EXPECT_EQ(counts.store.failures, 1U) << "no notice has that id";
  EXPECT_EQ(counts.alerts_by_state.at(alert_state::firing), 1U);
  running->stop();
  EXPECT_EQ(running->counts().store.commits, 1U);
}

TEST(pipeline, suppressed_alerts_and_silences_are_counted_by_what_they_are) {
  const auto running = started(manual(2), testing::every_event_fires(), {});
  ASSERT_TRUE(running->push(one_event("a")));
  ASSERT_TRUE(running->push(one_event("b")));
  silence wanted;
  wanted.matchers = parse_label_matchers(R"({resource_id="a"})").value();
  wanted.starts_at = traffic_start;
  wanted.ends_at = traffic_start + 1h;
  wanted.created_by = "ann";
  wanted.comment = "disks are replaced";
  ASSERT_TRUE(running->operate(put_silence{wanted}));
  wanted.matchers = parse_label_matchers(R"({resource_id="never"})").value();
  wanted.starts_at = traffic_start + 30min;
  ASSERT_TRUE(running->operate(put_silence{wanted}));
  const auto counts = running->counts();
  EXPECT_EQ(counts.suppressed_alerts, 1U);
  EXPECT_EQ(counts.active_alerts, 2U);
  EXPECT_EQ(counts.silences_by_state.at(silence_state::active), 1U);
  EXPECT_EQ(counts.silences_by_state.at(silence_state::pending), 1U);
}

TEST(pipeline, settings_out_of_range_are_errors_that_say_what_is_wanted) {
  const auto refusal = [](auto change) {
    pipeline_settings settings;
    change(settings);
    const auto wrong = settings.validate();
    return wrong ? wrong->message : "nothing wrong";
  };
  EXPECT_EQ(refusal([](auto&) {}), "nothing wrong");
  EXPECT_EQ(refusal([](auto& s) { s.shards = 257; }),
            "shards: 257 is out of range (0 to 256, 0 = one a core)");
  EXPECT_EQ(refusal([](auto& s) { s.tick = 0ms; }), "tick: 0ms is out of range (1ms to 1m)");
  EXPECT_EQ(refusal([](auto& s) { s.tick = 60'001ms; }),
            "tick: 60001ms is out of range (1ms to 1m)");
  EXPECT_EQ(refusal([](auto& s) { s.bursts_in_flight = 0; }),
            "bursts_in_flight: 0 is out of range (1 to 4096)");
  EXPECT_EQ(refusal([](auto& s) { s.bursts_in_flight = 4'097; }),
            "bursts_in_flight: 4097 is out of range (1 to 4096)");
  EXPECT_EQ(refusal([](auto& s) { s.retention = 59min; }),
            "retention: 59m is out of range (1h to 10000d)");
  EXPECT_FALSE(pipeline::start({}, nullptr, sinks{}));
  EXPECT_FALSE(pipeline::start({}, testing::every_event_fires(), sinks{nullptr}));
}

}  // namespace
}  // namespace tocsin
