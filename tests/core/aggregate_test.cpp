// SPDX-License-Identifier: Apache-2.0
// Every aggregate on a few events, against numbers worked out by hand.
#include <gtest/gtest.h>

#include <cmath>

#include "support/record_driver.hpp"

namespace tocsin {
namespace {

using testing::asked;
using testing::no_number;
using testing::record_driver;
using testing::sample;
using function = aggregate_function;

bool is_missing(record_driver& of, std::size_t index, const window_record& record,
                const window_record* baseline = nullptr) {
  return of.read(index, record, baseline).is_missing();
}

TEST(aggregate, counts_every_event_and_skips_missing_numbers) {
  record_driver at{{{function::count, ""},
                    {function::count_if, "value > 2"},
                    {function::sum, "value"},
                    {function::avg, "value"},
                    {function::min, "value"},
                    {function::max, "value"}}};
  const window_record& record = at.make({{0, 1, 1}, {1, 2, no_number}, {2, 3, 4}});
  EXPECT_EQ(at.number(0, record), 3);
  EXPECT_EQ(at.number(1, record), 1);
  EXPECT_EQ(at.number(2, record), 5);
  EXPECT_EQ(at.number(3, record), 2.5);
  EXPECT_EQ(at.number(4, record), 1);
  EXPECT_EQ(at.number(5, record), 4);
}

TEST(aggregate, of_no_values_is_missing_but_counts_are_zero) {
  const std::vector<asked> all{{function::sum, "value"},         {function::avg, "value"},
                               {function::min, "value"},         {function::max, "value"},
                               {function::stddev, "value"},      {function::stddev_pop, "value"},
                               {function::variance, "value"},    {function::variance_pop, "value"},
                               {function::quantile, "value", 1}, {function::first, "value"},
                               {function::last, "item"},         {function::delta, "value"},
                               {function::rate, "value"},        {function::slope, "value"},
                               {function::predict, "value", 60}, {function::time_to, "value", 9},
                               {function::ewma, "value", 60},    {function::zscore, "value"},
                               {function::mad_score, "value"},   {function::top, "item", 3},
                               {function::collect, "item", 3},   {function::merge_labels, ""}};
  record_driver at{all};
  const window_record& record = at.make({{0, 1}, {1, 2}});
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_TRUE(is_missing(at, i, record)) << i;
  record_driver counts{{{function::count_if, "value > 1"}, {function::distinct, "item"}}};
  const window_record& empty = counts.make({{0, 1}});
  EXPECT_EQ(counts.text(0, empty), "0");
  EXPECT_EQ(counts.text(1, empty), "0");
}

TEST(aggregate, spread_of_two_four_four_four_five_five_seven_nine) {
  record_driver at{{{function::variance_pop, "value"},
                    {function::stddev_pop, "value"},
                    {function::variance, "value"},
                    {function::stddev, "value"}}};
  window_record& record = at.make();
  std::uint64_t position = 0;
  for (const double number : {2, 4, 4, 4, 5, 5, 7, 9}) at.add(record, {0, ++position, number});
  EXPECT_DOUBLE_EQ(at.number(0, record), 4);
  EXPECT_DOUBLE_EQ(at.number(1, record), 2);
  EXPECT_DOUBLE_EQ(at.number(2, record), 32.0 / 7);
  EXPECT_DOUBLE_EQ(at.number(3, record), std::sqrt(32.0 / 7));
}

TEST(aggregate, spread_of_one_value_is_missing_for_a_sample_and_zero_for_a_population) {
  record_driver at{{{function::variance, "value"},
                    {function::stddev, "value"},
                    {function::variance_pop, "value"},
                    {function::stddev_pop, "value"}}};
  const window_record& record = at.make({{0, 1, 5}});
  EXPECT_TRUE(is_missing(at, 0, record));
  EXPECT_TRUE(is_missing(at, 1, record));
  EXPECT_EQ(at.number(2, record), 0);
  EXPECT_EQ(at.number(3, record), 0);
}

TEST(aggregate, spread_of_great_neighbours_is_exact_whole_and_merged) {
  record_driver at{{{function::stddev, "value"}}};
  EXPECT_EQ(at.number(0, at.make({{0, 1, 1e9}, {1, 2, 1e9 + 1}, {2, 3, 1e9 + 2}})), 1);
  window_record& merged = at.make({{0, 1, 1e9 + 1}});
  at.records.merge(merged, at.make({{1, 2, 1e9}, {2, 3, 1e9 + 2}}));
  EXPECT_EQ(at.number(0, merged), 1);
}

TEST(aggregate, distinct_tells_values_apart_by_their_text) {
  record_driver at{{{function::distinct, "item"}, {function::distinct, "labels.port"}}};
  const window_record& record =
      at.make({{0, 1, no_number, "a", {testing::text_label("port", "1")}},
               {1, 2, no_number, "b", {testing::number_label("port", 1)}},
               {2, 3, no_number, "a", {testing::boolean_label("port", true)}},
               {3, 4, no_number, "", {testing::text_label("port", "true")}}});
  EXPECT_EQ(at.text(0, record), "3");
  EXPECT_EQ(at.text(1, record), "2");
}

TEST(aggregate, quantile_takes_the_value_at_the_rank_below) {
  record_driver at{{{function::quantile, "value", 0},
                    {function::quantile, "value", 0.5},
                    {function::quantile, "value", 1}}};
  const window_record& record = at.make({{0, 1, 10}, {1, 2, -3}, {2, 3, 100}, {3, 4, 20}});
  EXPECT_EQ(at.number(0, record), -3);
  EXPECT_NEAR(at.number(1, record), 10, 0.1);
  EXPECT_EQ(at.number(2, record), 100);
}

TEST(aggregate, first_and_last_go_by_time_and_position_and_not_by_arrival) {
  record_driver at{{{function::first, "value"},
                    {function::last, "value"},
                    {function::first, "item"},
                    {function::last, "item"},
                    {function::last, "labels.up"}}};
  const window_record& record = at.make({{50, 1, 5, "five", {testing::boolean_label("up", true)}},
                                         {10, 2, 1, "one"},
                                         {50, 3, 6, "six"},
                                         {10, 4, 2, "two"},
                                         {60, 5}});
  EXPECT_EQ(at.number(0, record), 1);
  EXPECT_EQ(at.number(1, record), 6);
  EXPECT_EQ(at.text(2, record), "one");
  EXPECT_EQ(at.text(3, record), "six");
  EXPECT_EQ(at.read(4, record).type, value_type::boolean);
  EXPECT_TRUE(at.read(4, record).is_true());
}

TEST(aggregate, first_and_last_of_numbers_are_numbers_and_of_texts_texts) {
  record_driver at{
      {{function::last, "value"}, {function::last, "level"}, {function::last, "item"}}};
  const window_record& record = at.make({{0, 1, 2, "x"}});
  EXPECT_EQ(at.read(0, record).type, value_type::number);
  EXPECT_TRUE(at.read(1, record).is_missing());
  EXPECT_EQ(at.read(2, record).type, value_type::text);
}

TEST(aggregate, a_read_text_outlives_the_record_it_was_read_from) {
  record_driver at{{{function::last, "item"}}};
  window_record& record = at.make({{0, 1, 2, "a text that does not fit into a short string"}});
  const value seen = at.read(0, record);
  at.records.clear(record);
  EXPECT_EQ(seen.text, "a text that does not fit into a short string");
}

TEST(aggregate, delta_and_rate_need_two_values_and_rate_needs_time_between_them) {
  record_driver at{{{function::delta, "value"}, {function::rate, "value"}}};
  const window_record& one = at.make({{1000, 1, 10}, {2000, 2}});
  EXPECT_TRUE(is_missing(at, 0, one));
  EXPECT_TRUE(is_missing(at, 1, one));
  const window_record& at_once = at.make({{1000, 1, 10}, {1000, 2, 13}});
  EXPECT_EQ(at.number(0, at_once), 3);
  EXPECT_TRUE(is_missing(at, 1, at_once));
  const window_record& apart = at.make({{5000, 1, 4}, {1000, 2, 10}, {3000, 3, 70}});
  EXPECT_EQ(at.number(0, apart), -6);
  EXPECT_EQ(at.number(1, apart), -1.5);
}

TEST(aggregate, slope_and_prediction_of_a_line) {
  record_driver at{{{function::slope, "value"},
                    {function::predict, "value", 10},
                    {function::predict, "value", 0}}};
  const std::int64_t base = 1'790'000'000'000;
  const window_record& line =
      at.make({{base, 1, 100}, {base + 2000, 2, 104}, {base + 1000, 3, 102}});
  EXPECT_DOUBLE_EQ(at.number(0, line), 2);
  EXPECT_DOUBLE_EQ(at.number(1, line), 124);
  EXPECT_DOUBLE_EQ(at.number(2, line), 104);
  // Least squares of (0, 0), (1, 3), (2, 3): slope 1.5, through (1, 2).
  const window_record& bent = at.make({{base, 1, 0}, {base + 1000, 2, 3}, {base + 2000, 3, 3}});
  EXPECT_DOUBLE_EQ(at.number(0, bent), 1.5);
  EXPECT_DOUBLE_EQ(at.number(2, bent), 3.5);
}

TEST(aggregate, a_line_needs_two_values_at_different_times) {
  record_driver at{{{function::slope, "value"},
                    {function::predict, "value", 10},
                    {function::time_to, "value", 9}}};
  const window_record& one = at.make({{1000, 1, 5}, {2000, 2}});
  window_record& at_once = at.make({{1000, 1, 5}});
  at.records.merge(at_once, at.make({{1000, 2, 7}}));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(is_missing(at, i, one)) << i;
    EXPECT_TRUE(is_missing(at, i, at_once)) << i;
  }
}

TEST(aggregate, time_to_is_the_length_until_the_line_reaches_the_limit) {
  record_driver at{{{function::time_to, "value", 100}}};
  const auto until = [&](double first, double last) {
    return at.text(0, at.make({{1000, 1, first}, {2000, 2, last}}));
  };
  EXPECT_EQ(until(80, 90), "1s");
  EXPECT_EQ(until(120, 115), "3s");
  EXPECT_EQ(until(98, 99.5), "333ms");
  EXPECT_EQ(until(95, 100), "0s") << "reached";
  EXPECT_EQ(until(95, 105), "0s") << "crossed, rising";
  EXPECT_EQ(until(105, 95), "0s") << "crossed, falling";
  EXPECT_EQ(until(50, 40), "") << "moving away below";
  EXPECT_EQ(until(110, 120), "") << "moving away above";
  EXPECT_EQ(until(100, 110), "") << "moving away from the limit itself";
  EXPECT_EQ(until(100, 100), "") << "flat";
  EXPECT_EQ(until(0, 1e-9), "") << "later than 10,000 days";
  EXPECT_EQ(at.read(0, at.make({{1000, 1, 80}, {2000, 2, 90}})).type, value_type::length);
}

TEST(aggregate, time_to_reaches_10000_days_and_no_further) {
  // Powers of two: a value that rises by 1 in 2^26 ms leaves no rounding in what is asked here.
  constexpr long long step_ms = 1LL << 26;
  constexpr double days_ms = 10'000.0 * 24 * 3'600'000;
  const auto until = [&](double limit) {
    record_driver at{{{function::time_to, "value", limit}}};
    return at.text(0, at.make({{0, 1, 0}, {step_ms, 2, 1}}));
  };
  EXPECT_EQ(until(1 + days_ms / step_ms), "10000d");
  EXPECT_EQ(until(1 + (days_ms + 1) / step_ms), "");
}

TEST(aggregate, ewma_halves_a_value_with_each_half_life) {
  record_driver at{{{function::ewma, "value", 10}}};
  // Weights 1/4, 1/2 and 1.
  const window_record& record = at.make({{20'000, 1, 7}, {0, 2, 4}, {10'000, 3, 0}, {30'000, 4}});
  EXPECT_DOUBLE_EQ(at.number(0, record), (4 * 0.25 + 0 * 0.5 + 7) / 1.75);
}

TEST(aggregate, ewma_reaches_into_the_baseline_once_that_has_enough_samples) {
  record_driver at{{{function::ewma, "value", 10}}, {duration{60'000}, 2}};
  const window_record& window = at.make({{20'000, 9, 8}});
  const window_record& few = at.make({{10'000, 1, 4}});
  const window_record& enough = at.make({{10'000, 1, 4}, {0, 2, 2}});
  EXPECT_TRUE(is_missing(at, 0, window));
  EXPECT_TRUE(is_missing(at, 0, window, &few));
  EXPECT_DOUBLE_EQ(at.number(0, window, &enough), (8 + 4 * 0.5 + 2 * 0.25) / 1.75);
}

TEST(aggregate, zscore_counts_deviations_of_the_newest_value_from_the_baselines_mean) {
  record_driver at{{{function::zscore, "value"}}, {duration{60'000}, 3}};
  const window_record& past = at.make({{0, 1, 8}, {1, 2, 10}, {2, 3, 12}});
  const window_record& window = at.make({{10, 4, 99}, {30, 5, 15}, {20, 6, 0}});
  EXPECT_DOUBLE_EQ(at.number(0, window, &past), 2.5);
  const window_record& few = at.make({{0, 1, 8}, {1, 2, 10}});
  EXPECT_TRUE(is_missing(at, 0, window, &few));
  EXPECT_TRUE(is_missing(at, 0, window));
}

TEST(aggregate, mad_score_counts_median_deviations_from_the_baselines_median) {
  record_driver at{{{function::mad_score, "value"}}, {duration{60'000}, 3}};
  // Median 3, distances 2 1 0 1 97: median 1.
  const window_record& past = at.make({{0, 1, 1}, {1, 2, 2}, {2, 3, 3}, {3, 4, 4}, {4, 5, 100}});
  EXPECT_DOUBLE_EQ(at.number(0, at.make({{9, 6, 13}}), &past), 6.745);
  // Median 2.5, distances 1.5 0.5 0.5 1.5: median 1.
  const window_record& even = at.make({{0, 1, 1}, {1, 2, 2}, {2, 3, 3}, {3, 4, 4}});
  EXPECT_DOUBLE_EQ(at.number(0, at.make({{9, 6, 4.5}}), &even), 2 * 0.6745);
}

TEST(aggregate, a_constant_baseline_gives_no_score) {
  record_driver at{{{function::zscore, "value"}, {function::mad_score, "value"}},
                   {duration{60'000}, 2}};
  window_record& past = at.make();
  for (std::uint64_t pane = 0; pane < 7; ++pane) {
    window_record& part = at.make();
    for (std::uint64_t i = 0; i <= pane; ++i)
      at.add(part, {static_cast<std::int64_t>(i), 100 * pane + i, 0.1});
    at.records.merge_baseline(past, part);
  }
  const window_record& window = at.make({{10'000, 9'999, 5}});
  EXPECT_TRUE(is_missing(at, 0, window, &past));
  EXPECT_TRUE(is_missing(at, 1, window, &past));
}

TEST(aggregate, only_scores_and_ewma_with_a_baseline_use_one) {
  const baseline_spec past{duration{60'000}, 2};
  EXPECT_FALSE((record_driver{{{function::ewma, "value", 9}}}.records.layout().uses_baseline()));
  EXPECT_TRUE(
      (record_driver{{{function::ewma, "value", 9}}, past}.records.layout().uses_baseline()));
  EXPECT_TRUE(
      (record_driver{{{function::zscore, "value"}}, past}.records.layout().uses_baseline()));
  EXPECT_TRUE(
      (record_driver{{{function::mad_score, "value"}}, past}.records.layout().uses_baseline()));
  EXPECT_FALSE((record_driver{{{function::stddev, "value"}, {function::distinct, "item"}}, past}
                    .records.layout()
                    .uses_baseline()));
}

TEST(aggregate, top_lists_by_count_and_then_by_text) {
  record_driver at{{{function::top, "item", 2}, {function::top, "item", 100}}};
  window_record& record = at.make();
  std::uint64_t position = 0;
  for (const char* text : {"c", "a", "b", "c", "a", "d", "c"})
    at.add(record, {0, ++position, no_number, text});
  EXPECT_EQ(at.text(0, record), "c (3), a (2)");
  EXPECT_EQ(at.text(1, record), "c (3), a (2), b (1), d (1)");
}

TEST(aggregate, collect_lists_by_first_sight_and_says_when_there_were_more) {
  record_driver at{{{function::collect, "item", 2}, {function::collect, "item", 3}}};
  const window_record& record = at.make({{30, 1, no_number, "late"},
                                         {10, 2, no_number, "b"},
                                         {20, 3, no_number, "a"},
                                         {40, 4, no_number, "b"}});
  EXPECT_EQ(at.text(0, record), "b, a, ...");
  EXPECT_EQ(at.text(1, record), "b, a, late");
}

TEST(aggregate, merged_labels_fold_in_order_and_null_removes) {
  record_driver at{{{function::merge_labels, ""}}};
  window_record& record = at.make(
      {{20, 1, 0, "x", {testing::null_label("team")}},
       {10, 2, 0, "x", {testing::text_label("team", "web"), testing::text_label("env", "test")}},
       {30,
        3,
        0,
        "x",
        {testing::text_label("env", "prod"), testing::number_label("try", 2.5),
         testing::boolean_label("up", false)}}});
  EXPECT_EQ(at.text(0, record), "env=prod, try=2.5, up=false");
  at.records.merge(record, at.make({{25, 4, 0, "x", {testing::text_label("team", "db")}}}));
  EXPECT_EQ(at.text(0, record), "env=prod, team=db, try=2.5, up=false");
}

TEST(aggregate, any_and_all_are_booleans_over_all_events) {
  record_driver at{{{function::any, "value > 5"}, {function::all, "value > 5"}}};
  const auto both = [&](const std::vector<sample>& of) {
    const window_record& record = at.make(of);
    EXPECT_EQ(at.read(0, record).type, value_type::boolean);
    EXPECT_EQ(at.read(1, record).type, value_type::boolean);
    return at.text(0, record) + " " + at.text(1, record);
  };
  EXPECT_EQ(both({{0, 1, 1}, {1, 2, 2}}), "false false");
  EXPECT_EQ(both({{0, 1, 1}, {1, 2, 9}}), "true false");
  EXPECT_EQ(both({{0, 1, 8}, {1, 2, 9}}), "true true");
  EXPECT_EQ(both({{0, 1, 8}, {1, 2}}), "true false") << "an unknown condition is not met";
}

TEST(aggregate, what_overflows_is_missing) {
  record_driver at{{{function::variance, "value"}, {function::delta, "value"}}};
  const window_record& record = at.make({{0, 1, -1.5e308}, {1, 2, 1.5e308}});
  EXPECT_TRUE(is_missing(at, 0, record));
  EXPECT_TRUE(is_missing(at, 1, record));
}

TEST(aggregate, equal_aggregates_share_their_cells) {
  record_driver at{{{function::stddev, "value"},
                    {function::variance_pop, "value"},
                    {function::zscore, "value"},
                    {function::last, "value"},
                    {function::delta, "value"},
                    {function::quantile, "value", 0.5},
                    {function::quantile, "value", 0.9}},
                   {duration{60'000}, 2}};
  // Three of moments, three each of the first and the newest number, one pointer.
  EXPECT_EQ(at.records.layout().cell_count(), 10U);
}

}  // namespace
}  // namespace tocsin
