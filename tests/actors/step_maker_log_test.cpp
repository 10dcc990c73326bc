// SPDX-License-Identifier: Apache-2.0
// What is sent again has no effect; what was decided goes into the log, and comes out of it as the
// same steps.
#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "actors/step_maker.hpp"
#include "support/random_log_entry.hpp"
#include "support/rules.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::event_message;
using testing::traffic_start;

step_maker_setup logged_setup() {
  step_maker_setup made;
  made.rules = testing::every_event_fires();
  made.logged = true;
  return made;
}

std::shared_ptr<const burst> pushed(const std::string& message) {
  return std::make_shared<const burst>(burst_of({message}));
}

/// Its sender waits for an answer.
std::shared_ptr<const burst> acked(const std::string& message) {
  burst made = burst_of({message});
  made.answer = [](const burst_outcome&) {};
  return std::make_shared<const burst>(std::move(made));
}

std::string with_id(const std::string& id, int value, instant time = traffic_start) {
  return R"({"source_id": "s", "event_id": ")" + id + R"(", "time": )" +
         std::to_string(to_unix_ms(time)) + R"(, "value": )" + std::to_string(value) + "}";
}

std::string refusals(const burst_outcome& of) {
  std::string all;
  for (const auto& each : of.rejected) {
    all += std::to_string(each.index) + " " + std::string{each.code} + "; ";
  }
  return all;
}

TEST(step_maker_dedup, an_event_sent_again_has_no_effect_and_is_counted_as_duplicate) {
  step_maker maker(logged_setup());
  const made_step first = maker.of_burst(acked(with_id("e", 1)), traffic_start);
  ASSERT_TRUE(first.step);
  EXPECT_EQ(first.outcomes.at(0).accepted, 1U);
  EXPECT_FALSE(first.outcomes.at(0).retry);
  ASSERT_TRUE(first.entry);
  EXPECT_TRUE(first.entry->batch_is_seen);
  const made_step again = maker.of_burst(acked(with_id("e", 1)), traffic_start + 1s);
  EXPECT_FALSE(again.step);
  EXPECT_FALSE(again.entry);
  EXPECT_EQ(again.outcomes.at(0).accepted, 0U);
  EXPECT_EQ(again.outcomes.at(0).duplicate, 1U);
  EXPECT_TRUE(again.outcomes.at(0).rejected.empty());
  EXPECT_EQ(maker.report().events, (ingest_counts{2, 1, 1, 0, 0}));
  EXPECT_EQ(maker.report().by_source.at("s"), (ingest_counts{2, 1, 1, 0, 0}));
}

TEST(step_maker_dedup, each_message_of_a_burst_has_its_own_outcome) {
  step_maker maker(logged_setup());
  burst made = burst_of({with_id("a", 1), "[" + with_id("a", 1) + ", 7, " + with_id("b", 1) + "]",
                         with_id("b", 2), with_id("c", 1)});
  made.answer = [](const burst_outcome&) {};
  const made_step out =
      maker.of_burst(std::make_shared<const burst>(std::move(made)), traffic_start);
  ASSERT_EQ(out.outcomes.size(), 4U);
  std::string all;
  for (const burst_outcome& each : out.outcomes) {
    all += std::to_string(each.message) + ": " + std::to_string(each.accepted) + " " +
           std::to_string(each.duplicate) + " " + refusals(each) + "\n";
  }
  EXPECT_EQ(all.substr(0, 7), "0: 1 0 ") << all;
  EXPECT_EQ(out.outcomes[1].accepted, 1U);
  EXPECT_EQ(out.outcomes[1].duplicate, 1U);
  ASSERT_EQ(out.outcomes[1].rejected.size(), 1U) << all;
  EXPECT_EQ(out.outcomes[1].rejected[0].index, 1U);
  EXPECT_EQ(refusals(out.outcomes[2]), "0 id_conflict; ");
  EXPECT_EQ(out.outcomes[3].accepted, 1U);
  EXPECT_EQ(out.step->batch->events.size(), 3U);
  EXPECT_TRUE(out.entry->batch_is_seen);
  EXPECT_EQ(maker.report().events, (ingest_counts{6, 3, 1, 2, 0}));
}

TEST(step_maker_dedup, what_is_sorted_out_keeps_its_index_beside_other_rejections) {
  step_maker maker(logged_setup());
  (void)maker.of_burst(acked(with_id("e", 1)), traffic_start);
  const made_step made = maker.of_burst(
      acked("[7," + with_id("f", 1) + "," + with_id("e", 2) + ",8," + with_id("e", 1) + "," +
            with_id("g", 1) + "," + with_id("f", 2) + "," + with_id("g", 1) + "]"),
      traffic_start);
  ASSERT_TRUE(made.step);
  ASSERT_EQ(made.step->batch->events.size(), 2U);
  EXPECT_EQ(made.step->batch->events[0].text(event_field::event_id), "f");
  EXPECT_EQ(made.step->batch->events[1].text(event_field::event_id), "g");
  EXPECT_EQ(made.outcomes.at(0).accepted, 2U);
  EXPECT_EQ(made.outcomes.at(0).duplicate, 2U) << "one of before, one of the same message";
  EXPECT_EQ(refusals(made.outcomes.at(0)),
            "0 not_an_event; 2 id_conflict; 3 not_an_event; 6 id_conflict; ");
  EXPECT_EQ(maker.report().events, (ingest_counts{9, 3, 2, 4, 0}));
}

TEST(step_maker_dedup, an_event_of_before_the_horizon_is_too_old_and_one_at_its_edge_is_not) {
  auto setup = logged_setup();
  setup.dedup.horizon = 1min;
  step_maker maker(std::move(setup));
  EXPECT_TRUE(maker.of_burst(acked(with_id("e", 1)), traffic_start + 1min).step);
  const made_step late = maker.of_burst(acked(with_id("f", 1)), traffic_start + 1min + 1ms);
  EXPECT_FALSE(late.step);
  EXPECT_EQ(refusals(late.outcomes.at(0)), "0 too_old; ");
  EXPECT_EQ(late.outcomes.at(0).rejected[0].message,
            "time: seen 2023-11-14T22:13:20.000Z, wanted 2023-11-14T22:13:20.001Z or later: what "
            "is older could be one that came before and was forgotten");
}

TEST(step_maker_dedup, an_event_that_came_before_its_time_is_never_taken_twice) {
  auto setup = logged_setup();
  setup.dedup.horizon = 1min;
  step_maker maker(std::move(setup));
  EXPECT_TRUE(maker.of_burst(acked(with_id("e", 1)), traffic_start - 1min).step);
  for (duration after = 0ms; after < 5min; after += 999ms) {
    EXPECT_FALSE(maker.of_burst(acked(with_id("e", 1)), traffic_start + after).step) << after;
  }
  EXPECT_EQ(maker.report().rejected_by_code.at("too_old") + maker.report().events.duplicate, 301U);
}

TEST(step_maker_dedup, what_was_forgotten_early_is_too_old_and_never_taken_twice) {
  auto setup = logged_setup();
  setup.dedup.entries = 2;
  step_maker maker(std::move(setup));
  for (int i = 0; i < 5; ++i) {
    const instant time = traffic_start + i * 1s;
    EXPECT_TRUE(maker.of_burst(acked(with_id(std::to_string(i), 1, time)), time).step) << i;
  }
  for (int i = 0; i < 5; ++i) {
    const instant time = traffic_start + i * 1s;
    const made_step again =
        maker.of_burst(acked(with_id(std::to_string(i), 1, time)), traffic_start + 5s);
    EXPECT_FALSE(again.step) << i;
    EXPECT_EQ(refusals(again.outcomes.at(0)), i < 3 ? "0 too_old; " : "") << i;
    EXPECT_EQ(again.outcomes.at(0).duplicate, i < 3 ? 0U : 1U) << i;
  }
}

TEST(step_maker_dedup, without_an_id_or_without_an_answer_every_event_counts) {
  step_maker maker(logged_setup());
  const auto message = event_message("a", traffic_start);
  EXPECT_TRUE(maker.of_burst(acked(message), traffic_start).step);
  EXPECT_TRUE(maker.of_burst(acked(message), traffic_start).step);
  EXPECT_TRUE(maker.of_burst(pushed(with_id("e", 1)), traffic_start).step);
  EXPECT_TRUE(maker.of_burst(pushed(with_id("e", 1)), traffic_start).step);
  EXPECT_EQ(maker.report().events.accepted, 4U);
}

TEST(step_maker_dedup, what_enrichment_makes_of_an_event_does_not_tell_it_from_itself) {
  diagnostics found;
  const auto slot_text = [&](std::string_view label) {
    return enrichment::compile(
        {{"t.yaml", 1, {}, set_spec{{{{"place", 0, 0}, {std::string{label}, 0, 0}}}}}}, {}, found);
  };
  auto setup = logged_setup();
  setup.enrich = slot_text("one");
  step_maker maker(setup);
  const made_step made = maker.of_burst(acked(with_id("e", 1)), traffic_start);
  ASSERT_TRUE(made.entry);
  const pipeline_snapshot saved = maker.begin_snapshot();
  setup.enrich = slot_text("another");
  step_maker next(setup);
  ASSERT_FALSE(next.restore(saved));
  EXPECT_EQ(next.of_burst(acked(with_id("e", 1)), traffic_start).outcomes.at(0).duplicate, 1U);
  ASSERT_EQ(made.entry->batch->labels.size(), 1U) << "the log has it enriched";
}

TEST(step_maker_log, shielded_events_that_were_answered_are_in_the_log_to_be_recognised) {
  auto setup = logged_setup();
  setup.shields = testing::keeping_out(R"({source_id="s"})");
  step_maker maker(std::move(setup));
  const made_step made = maker.of_burst(acked(with_id("e", 1)), traffic_start);
  ASSERT_TRUE(made.entry);
  EXPECT_FALSE(made.entry->batch);
  EXPECT_EQ(made.entry->seen.size(), 1U);
  EXPECT_EQ(made.entry->clock, traffic_start);
  ASSERT_TRUE(made.step);
  EXPECT_FALSE(made.step->batch);
  EXPECT_EQ(made.outcomes.at(0).accepted, 1U);
  EXPECT_EQ(maker.next_position(), 1U);
  EXPECT_EQ(maker.of_burst(acked(with_id("e", 1)), traffic_start).outcomes.at(0).duplicate, 1U);
  EXPECT_FALSE(maker.of_burst(pushed(with_id("f", 1)), traffic_start).step);
}

TEST(step_maker_log, what_was_seen_is_listed_where_the_events_do_not_say_it) {
  step_maker maker(logged_setup());
  const made_step all =
      maker.of_burst(acked("[" + with_id("a", 1) + "," + with_id("b", 1) + "]"), traffic_start);
  EXPECT_TRUE(all.entry->batch_is_seen);
  EXPECT_TRUE(all.entry->seen.empty());
  const made_step some = maker.of_burst(
      acked("[" + with_id("c", 1) + R"(,{"source_id": "s", "item": "no id"}])"), traffic_start);
  EXPECT_EQ(some.outcomes.at(0).accepted, 2U);
  EXPECT_FALSE(some.entry->batch_is_seen);
  EXPECT_EQ(some.entry->seen.size(), 1U);

  step_maker next(logged_setup());
  (void)next.of_entry(*all.entry);
  (void)next.of_entry(*some.entry);
  for (const std::string id : {"a", "b", "c"}) {
    EXPECT_EQ(next.of_burst(acked(with_id(id, 1)), traffic_start).outcomes.at(0).duplicate, 1U)
        << id;
  }
  EXPECT_EQ(refusals(next.of_burst(acked(with_id("a", 2)), traffic_start).outcomes.at(0)),
            "0 id_conflict; ");
}

TEST(step_maker_log, an_operation_is_in_the_log_with_its_time) {
  step_maker maker(logged_setup());
  const auto asked = std::make_shared<const operation>(expire_silence{"i", "me"});
  const made_step made = maker.of_time(traffic_start, asked);
  ASSERT_TRUE(made.entry);
  EXPECT_EQ(made.entry->asked, asked);
  EXPECT_EQ(made.entry->step, 1U);
  EXPECT_EQ(made.entry->clock, traffic_start);
  EXPECT_EQ(made.step->number, 1U);
}

TEST(step_maker_log, numbers_go_on_where_they_are_told) {
  auto setup = logged_setup();
  setup.last_step = 70;
  setup.next_position = 300;
  setup.clock = traffic_start;
  step_maker maker(std::move(setup));
  const made_step made = maker.of_burst(pushed(event_message("a", traffic_start)), {});
  EXPECT_EQ(made.step->number, 71U);
  EXPECT_EQ(made.entry->step, 71U);
  EXPECT_EQ(made.step->batch->first_position, 300U);
  EXPECT_EQ(made.step->clock, traffic_start);
  EXPECT_EQ(maker.report().steps, 1U) << "of this run";
}

std::string difference(const log_step& left, const log_step& right) {
  if (left.number != right.number) return "number";
  if (left.clock != right.clock) return "clock";
  if ((left.batch == nullptr) != (right.batch == nullptr)) return "batch";
  if (left.batch) {
    if (auto differs = testing::first_difference(*left.batch, *right.batch); !differs.empty()) {
      return differs;
    }
  }
  if (left.slices.size() != right.slices.size()) return "slices";
  for (std::size_t i = 0; i < left.slices.size(); ++i) {
    if (left.slices[i].units != right.slices[i].units) return "units";
    if (left.slices[i].events.size() != right.slices[i].events.size()) return "routed events";
    for (std::size_t k = 0; k < left.slices[i].events.size(); ++k) {
      if (left.slices[i].events[k].key != right.slices[i].events[k].key) return "keys";
    }
  }
  return "";
}

/// A random burst, acked or not, some of whose events came before.
std::shared_ptr<const burst> random_burst(std::mt19937& random, instant now) {
  std::string batch;
  for (auto left = 1 + random() % 5; left > 0; --left) {
    if (!batch.empty()) batch += ',';
    batch += with_id(std::to_string(random() % 200), static_cast<int>(random() % 8 == 0),
                     now - duration{random() % 3000});
  }
  return random() % 3 != 0 ? acked("[" + batch + "]") : pushed("[" + batch + "]");
}

// The heart of a restart: whether a log is gone through from its beginning or from a snapshot on,
// the same steps come of it, and afterwards the same is decided.
TEST(step_maker_log, entries_gone_through_again_give_the_same_steps_and_the_same_state) {
  for (std::uint32_t seed = 1; seed <= 20; ++seed) {
    std::mt19937 random{seed};
    auto setup = logged_setup();
    setup.rules = testing::traffic_rules();
    setup.shards = 3;
    setup.dedup.horizon = 2s;
    setup.dedup.entries = 1000;
    setup.limits.time_ahead_max = 1s;
    step_maker live(setup);
    step_maker whole(setup);
    step_maker behind_snapshot(setup);
    bool restored = false;
    const std::uint64_t snapshot_at = random() % 200;
    instant now = traffic_start;
    for (std::uint64_t i = 0; i < 200; ++i) {
      if (i == snapshot_at) {
        ASSERT_FALSE(behind_snapshot.restore(live.begin_snapshot()));
        restored = true;
      }
      now += duration{random() % 40};
      const made_step made =
          random() % 5 == 0 ? live.of_time(now) : live.of_burst(random_burst(random, now), now);
      if (!made.entry) continue;
      std::string bytes;
      encode_log_entry(*made.entry, bytes);
      const auto entry = decode_log_entry(bytes, nullptr);
      ASSERT_TRUE(entry);
      ASSERT_EQ(difference(*made.step, *whole.of_entry(*entry)), "") << "seed " << seed;
      if (restored) {
        ASSERT_EQ(difference(*made.step, *behind_snapshot.of_entry(*entry)), "") << "seed " << seed;
      }
    }
    EXPECT_EQ(whole.next_position(), live.next_position()) << "seed " << seed;
    EXPECT_EQ(whole.last_step(), live.last_step()) << "seed " << seed;
    EXPECT_EQ(behind_snapshot.next_position(), live.next_position()) << "seed " << seed;
    EXPECT_EQ(whole.report().events, ingest_counts{}) << "nothing is counted twice";
    EXPECT_EQ(whole.report().unmatched, 0U);
    for (int i = 0; i < 100; ++i) {
      now += duration{random() % 40};
      const auto next = random_burst(random, now);
      const auto outcome_of = [&](step_maker& maker) {
        const auto outcomes = maker.of_burst(next, now).outcomes;
        return outcomes.empty() ? burst_outcome{} : outcomes.front();
      };
      const burst_outcome wanted = outcome_of(live);
      for (step_maker* other : {&whole, &behind_snapshot}) {
        const burst_outcome seen = outcome_of(*other);
        ASSERT_EQ(seen.accepted, wanted.accepted) << "seed " << seed;
        ASSERT_EQ(seen.duplicate, wanted.duplicate) << "seed " << seed;
        ASSERT_EQ(refusals(seen), refusals(wanted)) << "seed " << seed;
      }
    }
  }
}

TEST(step_maker_log, what_came_before_a_log_that_was_cut_counts_as_forgotten) {
  step_maker maker(logged_setup());
  (void)maker.of_entry({50, traffic_start, nullptr, {}, nullptr});
  const instant unknown_until = traffic_start + event_limits{}.time_ahead_max;
  const auto with_time = [](instant time) { return acked(with_id("e", 1, time)); };
  EXPECT_EQ(refusals(maker.of_burst(with_time(unknown_until), unknown_until).outcomes.at(0)),
            "0 too_old; ");
  EXPECT_TRUE(maker.of_burst(with_time(unknown_until + 1ms), unknown_until).step);
}

TEST(step_maker_log, a_damaged_snapshot_is_refused_and_changes_nothing) {
  step_maker maker(logged_setup());
  (void)maker.of_burst(acked(with_id("e", 1)), traffic_start);
  const pipeline_snapshot whole = maker.begin_snapshot();
  step_maker next(logged_setup());
  for (std::size_t i = 0; i < whole.ingest.size(); ++i) {
    pipeline_snapshot cut = whole;
    cut.ingest.resize(i);
    EXPECT_TRUE(next.restore(cut)) << i;
  }
  pipeline_snapshot newer = whole;
  newer.ingest[0] = 9;
  EXPECT_EQ(next.restore(newer)->code, "snapshot_newer");
  EXPECT_EQ(next.last_step(), 0U);
  ASSERT_FALSE(next.restore(whole));
  EXPECT_EQ(next.last_step(), 1U);
  EXPECT_EQ(next.clock(), traffic_start);
  EXPECT_EQ(next.next_position(), 2U);
}

}  // namespace
}  // namespace tocsin
