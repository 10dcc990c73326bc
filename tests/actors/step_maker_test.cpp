// SPDX-License-Identifier: Apache-2.0
// Bursts become log steps: stamped, numbered, counted.
#include "actors/step_maker.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "support/rules.hpp"
#include "traffic.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;
using testing::burst_of;
using testing::event_message;
using testing::traffic_start;

std::shared_ptr<const burst> shared(burst of) {
  return std::make_shared<const burst>(std::move(of));
}

step_maker_setup setup_of(std::shared_ptr<const rule_set> rules, std::size_t shards,
                          std::shared_ptr<const enrichment> enrich = nullptr,
                          std::shared_ptr<const shield_board> shields = nullptr,
                          instant clock = {}) {
  step_maker_setup made;
  made.rules = std::move(rules);
  made.shards = shards;
  made.enrich = std::move(enrich);
  made.shields = std::move(shields);
  made.clock = clock;
  return made;
}

std::shared_ptr<const log_step> step_of(step_maker& maker, const std::shared_ptr<const burst>& what,
                                        instant now) {
  return maker.of_burst(what, now).step;
}

std::shared_ptr<const log_step> time_step(step_maker& maker, instant now) {
  return maker.of_time(now).step;
}

TEST(step_maker, a_burst_becomes_one_step_with_all_its_events_in_order) {
  step_maker maker(setup_of(testing::every_event_fires(), 2));
  const auto step = step_of(
      maker,
      shared(burst_of({event_message("a", traffic_start), event_message("b", traffic_start)})),
      traffic_start);
  ASSERT_TRUE(step);
  EXPECT_EQ(step->number, 1U);
  EXPECT_EQ(step->clock, traffic_start);
  EXPECT_EQ(step->slices.size(), 2U);
  EXPECT_EQ(step->slices[0].events.size() + step->slices[1].events.size(), 2U);
  ASSERT_EQ(step->batch->events.size(), 2U);
  EXPECT_EQ(step->batch->first_position, 1U);
  EXPECT_EQ(step->batch->events[0].text(event_field::resource_id), "a");
  EXPECT_EQ(step->batch->events[1].text(event_field::resource_id), "b");
}

TEST(step_maker, positions_and_numbers_go_on_without_gaps) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  const auto message = event_message("a", traffic_start);
  (void)step_of(maker, shared(burst_of({message, message, message})), traffic_start);
  const auto tick = time_step(maker, traffic_start + 1s);
  const auto last = step_of(maker, shared(burst_of({message})), traffic_start + 2s);
  EXPECT_EQ(tick->number, 2U);
  EXPECT_EQ(tick->batch, nullptr);
  EXPECT_TRUE(tick->slices.empty());
  EXPECT_EQ(last->number, 3U);
  EXPECT_EQ(last->batch->first_position, 4U);
}

TEST(step_maker, messages_arrive_when_the_burst_says) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  const auto message = event_message("a", traffic_start);
  const auto step = step_of(
      maker, shared(burst_of({message, message}, {traffic_start, traffic_start + 3s})), instant{});
  EXPECT_EQ(step->batch->events[0].arrived, traffic_start);
  EXPECT_EQ(step->batch->events[1].arrived, traffic_start + 3s);
  EXPECT_EQ(step->clock, traffic_start + 3s);
}

TEST(step_maker, the_clock_never_runs_backwards) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  const auto message = event_message("a", traffic_start);
  (void)time_step(maker, traffic_start + 10s);
  const auto earlier = step_of(maker, shared(burst_of({message}, {traffic_start})), instant{});
  EXPECT_EQ(earlier->clock, traffic_start + 10s);
  EXPECT_EQ(time_step(maker, traffic_start)->clock, traffic_start + 10s);
}

TEST(step_maker, the_clock_goes_on_where_the_log_stood) {
  step_maker maker(setup_of(testing::every_event_fires(), 1, nullptr, nullptr, traffic_start));
  EXPECT_EQ(maker.clock(), traffic_start);
  EXPECT_EQ(time_step(maker, instant{})->clock, traffic_start);
  const auto message = event_message("a", traffic_start);
  const auto earlier = step_of(maker, shared(burst_of({message}, {traffic_start - 1s})), instant{});
  EXPECT_EQ(earlier->clock, traffic_start);
}

/// What a reader of recordings hands over: `arrivals.size()` events, numbered from `position`.
std::shared_ptr<event_batch> decoded_events(const std::vector<instant>& arrivals,
                                            std::uint64_t position) {
  auto batch = std::make_shared<event_batch>();
  for (const instant at : arrivals) {
    event& one = batch->events.emplace_back();
    one.set_text(event_field::source_id, "agent");
    one.time = one.arrived = at;
  }
  batch->first_position = position;
  batch->clock = arrivals.back();
  return batch;
}

burst burst_of_decoded(std::shared_ptr<const event_batch> batch) {
  burst made;
  made.decoded = std::move(batch);
  return made;
}

TEST(step_maker, decoded_events_that_fit_the_log_are_taken_without_a_copy) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  const auto batch = decoded_events({traffic_start, traffic_start + 3s}, 1);
  const auto step = step_of(maker, shared(burst_of_decoded(batch)), instant{});
  ASSERT_TRUE(step);
  EXPECT_EQ(step->batch.get(), batch.get());
  EXPECT_EQ(step->clock, traffic_start + 3s);
  EXPECT_EQ(maker.clock(), traffic_start + 3s);
  EXPECT_EQ(maker.report().events, (ingest_counts{2, 2, 0, 0, 0}));
  const auto next =
      step_of(maker, shared(burst_of_decoded(decoded_events({traffic_start + 3s}, 3))), instant{});
  EXPECT_EQ(next->batch->first_position, 3U);
}

TEST(step_maker, decoded_events_that_do_not_fit_are_numbered_and_stamped_anew) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  (void)time_step(maker, traffic_start + 2s);
  const auto batch = decoded_events({traffic_start, traffic_start + 3s}, 77);
  batch->events[1].has_time = true;
  const auto step = step_of(maker, shared(burst_of_decoded(batch)), instant{});
  EXPECT_EQ(step->batch->first_position, 1U);
  EXPECT_EQ(step->batch->events[0].arrived, traffic_start + 2s);
  EXPECT_EQ(step->batch->events[0].time, traffic_start + 2s) << "it had none: it is its arrival";
  EXPECT_EQ(step->batch->events[1].arrived, traffic_start + 3s);
  EXPECT_EQ(step->clock, traffic_start + 3s);
  EXPECT_EQ(batch->events[0].arrived, traffic_start) << "what is shared is not written to";
}

TEST(step_maker, a_burst_with_nothing_good_is_counted_and_makes_no_step) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  EXPECT_FALSE(step_of(maker, shared(burst_of({"{", "{\"source_id\": 5}"})), traffic_start));
  EXPECT_FALSE(step_of(maker, shared(burst{}), traffic_start));
  const auto report = maker.report();
  EXPECT_EQ(report.events, (ingest_counts{2, 0, 0, 2, 0}));
  EXPECT_EQ(report.steps, 0U);
}

TEST(step_maker, a_rejected_message_at_the_end_does_not_move_the_steps_clock) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  const auto step = step_of(maker,
                            shared(burst_of({event_message("a", traffic_start), "{"},
                                            {traffic_start, traffic_start + 5s})),
                            instant{});
  EXPECT_EQ(step->clock, traffic_start) << "the log holds accepted events only";
}

TEST(step_maker, received_is_accepted_plus_rejected_by_source_too) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  (void)step_of(
      maker,
      shared(burst_of({event_message("a", traffic_start), "{",
                       event_message("a", traffic_start + 10min)})),  // beyond time_ahead_max
      traffic_start);
  const auto report = maker.report();
  EXPECT_EQ(report.events, (ingest_counts{3, 1, 0, 2, 0}));
  EXPECT_EQ(report.by_source.at("agent"), (ingest_counts{2, 1, 0, 1, 0}));
  EXPECT_EQ(report.rejected_by_code.at("time_in_future"), 1U);
  EXPECT_EQ(report.rejected_by_code.at("malformed"), 1U);
}

TEST(step_maker, without_a_log_no_entries_are_made) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  EXPECT_FALSE(
      maker.of_burst(shared(burst_of({event_message("a", traffic_start)})), traffic_start).entry);
  EXPECT_FALSE(maker.of_time(traffic_start).entry);
}

TEST(step_maker, the_batch_keeps_the_bursts_memory_alive) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  auto from = shared(burst_of({event_message("a", traffic_start)}));
  const std::weak_ptr<const burst> watched = from;
  auto step = step_of(maker, from, traffic_start);
  from.reset();
  EXPECT_FALSE(watched.expired());
  step.reset();
  EXPECT_TRUE(watched.expired());
}

TEST(step_maker, rules_see_the_labels_that_enrichment_made) {
  diagnostics found;
  const auto rules = testing::rules_from_yaml(
      "rules: [{name: r, where: labels.team == 'web', group_by: [labels.team], window: {fixed: "
      "5m}}]");
  const auto steps = enrichment::compile(
      {{"t.yaml", 1, {}, extract_spec{{"resource_id", 0, 0}, {"^(?P<team>[a-z]+)-", 0, 0}}}}, {},
      found);
  ASSERT_TRUE(steps);
  step_maker maker(setup_of(rules, 1, steps));
  const auto step = step_of(
      maker,
      shared(burst_of({event_message("web-1", traffic_start), event_message("db-1", traffic_start),
                       event_message("web-2", traffic_start)})),
      traffic_start);
  ASSERT_EQ(step->slices[0].events.size(), 2U);
  EXPECT_EQ(step->slices[0].events[0].key, step->slices[0].events[1].key)
      << "the key is the label, which both have";
  EXPECT_EQ(step->slices[0].events[1].event, 2U);
  const auto report = maker.report();
  EXPECT_EQ(report.unmatched, 1U);
  EXPECT_EQ(report.enrichment, (std::vector<enrichment_counts>{{"1-extract", 3, 0, 0, 0, 0}}));
}

TEST(step_maker, without_enrichment_nothing_is_counted_for_it) {
  step_maker maker(setup_of(testing::every_event_fires(), 1));
  (void)step_of(maker, shared(burst_of({event_message("a", traffic_start)})), traffic_start);
  EXPECT_TRUE(maker.report().enrichment.empty());
}

TEST(step_maker, shielded_events_are_accepted_and_counted_and_not_in_the_log) {
  step_maker maker(setup_of(testing::every_event_fires(), 1, nullptr,
                            testing::keeping_out(R"({resource_id=~"a.*"})")));
  const auto step = step_of(
      maker,
      shared(burst_of({event_message("a1", traffic_start), event_message("b1", traffic_start),
                       event_message("a2", traffic_start), event_message("b2", traffic_start), "{"},
                      {traffic_start, traffic_start + 1s, traffic_start + 2s, traffic_start + 3s,
                       traffic_start + 4s})),
      instant{});
  ASSERT_TRUE(step);
  ASSERT_EQ(step->batch->events.size(), 2U);
  EXPECT_EQ(step->batch->events[0].text(event_field::resource_id), "b1");
  EXPECT_EQ(step->batch->events[1].text(event_field::resource_id), "b2");
  EXPECT_EQ(step->slices[0].events.size(), 2U);
  EXPECT_EQ(step->clock, traffic_start + 3s);
  const auto report = maker.report();
  EXPECT_EQ(report.events, (ingest_counts{5, 4, 0, 1, 0}));
  EXPECT_EQ(report.shielded, 2U);
  EXPECT_EQ(report.unmatched, 0U) << "the rules were not asked";
}

TEST(step_maker, shielded_events_leave_no_gap_in_the_positions) {
  const auto board = testing::keeping_out(R"({resource_id="a"})");
  step_maker maker(setup_of(testing::every_event_fires(), 1, nullptr, board));
  const auto both =
      burst_of({event_message("a", traffic_start), event_message("b", traffic_start)});
  EXPECT_EQ(step_of(maker, shared(both), traffic_start)->batch->first_position, 1U);
  EXPECT_EQ(step_of(maker, shared(both), traffic_start)->batch->first_position, 2U);
  board->put(nullptr);
  const auto all = step_of(maker, shared(both), traffic_start);
  EXPECT_EQ(all->batch->first_position, 3U);
  EXPECT_EQ(all->batch->events.size(), 2U);
  EXPECT_EQ(step_of(maker, shared(both), traffic_start)->batch->first_position, 5U);
  EXPECT_EQ(maker.report().shielded, 2U);
}

TEST(step_maker, the_clock_of_a_step_is_of_its_last_event_that_is_not_shielded) {
  step_maker maker(setup_of(testing::every_event_fires(), 1, nullptr,
                            testing::keeping_out(R"({resource_id="a"})")));
  const auto step = step_of(
      maker,
      shared(burst_of({event_message("b", traffic_start), event_message("a", traffic_start)},
                      {traffic_start, traffic_start + 5s})),
      instant{});
  EXPECT_EQ(step->clock, traffic_start);
  EXPECT_EQ(step->batch->clock, traffic_start);
  EXPECT_EQ(maker.clock(), traffic_start + 5s);
}

TEST(step_maker, a_burst_of_shielded_events_alone_makes_no_step) {
  step_maker maker(setup_of(testing::every_event_fires(), 1, nullptr,
                            testing::keeping_out(R"({resource_id="a"})")));
  EXPECT_FALSE(
      step_of(maker, shared(burst_of({event_message("a", traffic_start)})), traffic_start));
  const auto report = maker.report();
  EXPECT_EQ(report.events, (ingest_counts{1, 1, 0, 0, 0}));
  EXPECT_EQ(report.shielded, 1U);
  EXPECT_EQ(report.steps, 0U);
  const auto next =
      step_of(maker, shared(burst_of({event_message("b", traffic_start)})), traffic_start);
  EXPECT_EQ(next->batch->first_position, 1U);
}

TEST(step_maker, silences_see_the_labels_that_enrichment_made) {
  diagnostics found;
  const auto steps = enrichment::compile(
      {{"t.yaml", 1, {}, extract_spec{{"resource_id", 0, 0}, {"^(?P<team>[a-z]+)-", 0, 0}}}}, {},
      found);
  step_maker maker(
      setup_of(testing::every_event_fires(), 1, steps, testing::keeping_out(R"({team="web"})")));
  const auto step = step_of(maker,
                            shared(burst_of({event_message("web-1", traffic_start),
                                             event_message("db-1", traffic_start)})),
                            traffic_start);
  ASSERT_EQ(step->batch->events.size(), 1U);
  EXPECT_EQ(step->batch->events[0].text(event_field::resource_id), "db-1");
}

TEST(step_maker, decoded_events_that_are_shared_stay_as_they_are_when_some_are_shielded) {
  step_maker maker(setup_of(testing::every_event_fires(), 1, nullptr,
                            testing::keeping_out(R"({resource_id="a"})")));
  const auto batch = decoded_events({traffic_start, traffic_start + 1s}, 1);
  batch->events[0].set_text(event_field::resource_id, "a");
  const auto step = step_of(maker, shared(burst_of_decoded(batch)), instant{});
  EXPECT_EQ(step->batch->events.size(), 1U);
  EXPECT_EQ(batch->events.size(), 2U);
}

}  // namespace
}  // namespace tocsin
