// SPDX-License-Identifier: Apache-2.0
// Random events in random panes, merged in random order, against computations over all of them;
// saved and loaded; and what the heap is said to hold.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <optional>
#include <random>
#include <set>
#include <tuple>

#include "support/record_driver.hpp"

namespace tocsin {
namespace {

using testing::asked;
using testing::no_number;
using testing::record_driver;
using testing::sample;
using function = aggregate_function;

const std::vector<asked> every_aggregate{
    {function::count, ""},
    {function::count_if, "value > 3"},
    {function::sum, "value"},
    {function::avg, "value"},
    {function::min, "value"},
    {function::max, "value"},
    {function::stddev, "value"},
    {function::stddev_pop, "value"},
    {function::variance, "value"},
    {function::variance_pop, "value"},
    {function::distinct, "item"},
    {function::quantile, "value", 0.5},
    {function::first, "value"},
    {function::last, "value"},
    {function::first, "item"},
    {function::last, "item"},
    {function::delta, "value"},
    {function::rate, "value"},
    {function::slope, "value"},
    {function::predict, "value", 30},
    {function::time_to, "value", 1e7},
    {function::ewma, "value", 20},
    {function::zscore, "value"},
    {function::mad_score, "value"},
    {function::top, "item", 5},
    {function::collect, "item", 3},
    {function::merge_labels, ""},
    {function::any, "value > 3"},
    {function::all, "value > 3"},
    {function::quantile, "value", 0.9},
};
const baseline_spec an_hour{duration{3'600'000}, 2};

const std::vector<std::string> words{"a", "b", "a word too long to lie inside of a string object",
                                     "", "e"};
const std::vector<std::string> label_names{"env", "team", "a name too long for a short string"};

class random_events {
 public:
  explicit random_events(std::uint64_t seed) : random_(seed) {
    offset_ = pick(2) == 0 ? 0 : 1e6;
    span_ms_ = pick(2) == 0 ? 20 : 600'000;
  }
  std::size_t pick(std::size_t below) {
    return std::uniform_int_distribution<std::size_t>{0, below - 1}(random_);
  }
  sample one() {
    sample made{static_cast<std::int64_t>(1'790'000'000'000 + pick(span_ms_)), ++position_};
    if (pick(4) != 0)
      made.number = offset_ + (pick(2) == 0 ? static_cast<double>(pick(9)) - 4
                                            : std::normal_distribution<double>{0, 100}(random_));
    if (pick(4) != 0) made.text = words[pick(words.size())];
    for (std::size_t i = pick(3); i > 0; --i) {
      const std::string& name = label_names[pick(label_names.size())];
      if (std::none_of(made.labels.begin(), made.labels.end(),
                       [&](const label& have) { return have.name == name; }))
        made.labels.push_back(pick(3) == 0 ? testing::null_label(name)
                                           : testing::text_label(name, words[pick(words.size())]));
    }
    return made;
  }
  std::vector<sample> some(std::size_t count) {
    std::vector<sample> made;
    for (std::size_t i = 0; i < count; ++i) made.push_back(one());
    return made;
  }
  template <class Item>
  void shuffle(std::vector<Item>& items) {
    std::shuffle(items.begin(), items.end(), random_);
  }

 private:
  std::mt19937_64 random_;
  double offset_;
  std::size_t span_ms_;
  std::uint64_t position_ = 0;
};

/// Computes over all events, in order, as the definitions say.
class naive {
 public:
  explicit naive(std::vector<sample> all) : all_(std::move(all)) {
    std::sort(all_.begin(), all_.end(), [](const sample& left, const sample& right) {
      return std::tie(left.time_ms, left.position) < std::tie(right.time_ms, right.position);
    });
    for (const sample& one : all_)
      if (!std::isnan(one.number)) {
        times_.push_back(static_cast<double>(one.time_ms - all_.front().time_ms) / 1000);
        numbers_.push_back(one.number);
      }
  }
  [[nodiscard]] const std::vector<double>& numbers() const { return numbers_; }
  [[nodiscard]] double mean() const {
    return std::accumulate(numbers_.begin(), numbers_.end(), 0.0) /
           static_cast<double>(numbers_.size());
  }
  [[nodiscard]] double variance(double less) const {
    const double count = static_cast<double>(numbers_.size()) - less;
    if (count <= 0) return no_number;
    double squares = 0;
    for (const double number : numbers_) squares += (number - mean()) * (number - mean());
    return squares / count;
  }
  [[nodiscard]] double quantile(double q) const {
    if (numbers_.empty()) return no_number;
    std::vector<double> sorted = numbers_;
    std::sort(sorted.begin(), sorted.end());
    return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
  }
  [[nodiscard]] double rate() const {
    if (numbers_.size() < 2 || times_.back() == times_.front()) return no_number;
    return (numbers_.back() - numbers_.front()) / (times_.back() - times_.front());
  }
  [[nodiscard]] double slope() const {
    const double middle = mean_time();
    double products = 0;
    double squares = 0;
    for (std::size_t i = 0; i < times_.size(); ++i) {
      products += (times_[i] - middle) * (numbers_[i] - mean());
      squares += (times_[i] - middle) * (times_[i] - middle);
    }
    return squares > 0 ? products / squares : no_number;
  }
  [[nodiscard]] double predict(double ahead) const {
    return numbers_.empty() ? no_number : mean() + slope() * (times_.back() + ahead - mean_time());
  }
  [[nodiscard]] double ewma(double half_life) const {
    double sum = 0;
    double weights = 0;
    for (std::size_t i = 0; i < times_.size(); ++i) {
      const double weight = std::exp2(-(times_.back() - times_[i]) / half_life);
      sum += numbers_[i] * weight;
      weights += weight;
    }
    return numbers_.empty() ? no_number : sum / weights;
  }
  [[nodiscard]] std::vector<std::string> texts() const {
    std::vector<std::string> seen;
    for (const sample& one : all_)
      if (one.text.data() != nullptr) seen.emplace_back(one.text);
    return seen;
  }
  [[nodiscard]] std::string top(std::size_t most) const {
    std::map<std::string, int> counts;
    for (const std::string& text : texts()) ++counts[text];
    std::vector<std::pair<int, std::string>> ranked;
    for (const auto& [text, count] : counts) ranked.emplace_back(-count, text);
    std::sort(ranked.begin(), ranked.end());
    std::string shown;
    for (std::size_t i = 0; i < std::min(most, ranked.size()); ++i)
      shown += fmt::format("{}{} ({})", i == 0 ? "" : ", ", ranked[i].second, -ranked[i].first);
    return shown;
  }
  [[nodiscard]] std::string collect(std::size_t most) const {
    std::vector<std::string> different;
    for (const std::string& text : texts())
      if (std::find(different.begin(), different.end(), text) == different.end())
        different.push_back(text);
    std::string shown;
    for (std::size_t i = 0; i < std::min(most, different.size()); ++i)
      shown += (i == 0 ? "" : ", ") + different[i];
    return different.size() > most ? shown + ", ..." : shown;
  }
  [[nodiscard]] std::string labels() const {
    std::map<std::string, std::string> folded;
    for (const sample& one : all_)
      for (const label& each : one.labels)
        if (each.type == label::kind::null)
          folded.erase(std::string{each.name});
        else
          folded[std::string{each.name}] = each.text;
    std::string shown;
    for (const auto& [name, text] : folded)
      shown += fmt::format("{}{}={}", shown.empty() ? "" : ", ", name, text);
    return shown;
  }

 private:
  [[nodiscard]] double mean_time() const {
    return std::accumulate(times_.begin(), times_.end(), 0.0) / static_cast<double>(times_.size());
  }

  std::vector<sample> all_;
  std::vector<double> times_;
  std::vector<double> numbers_;
};

void expect_near(double seen, double wanted, double scale, const char* what) {
  if (std::isnan(wanted))
    EXPECT_TRUE(std::isnan(seen)) << what << " is " << seen << ", wanted missing";
  else
    EXPECT_NEAR(seen, wanted, 1e-9 * std::max(1.0, scale)) << what;
}

/// Adds the events, in order of position, to some panes, and merges these in random order.
window_record& in_panes(record_driver& at, random_events& random,
                        const std::vector<sample>& events) {
  std::vector<window_record*> panes;
  for (std::size_t i = 0; i <= random.pick(6); ++i) panes.push_back(&at.make());
  for (const sample& one : events) at.add(*panes[random.pick(panes.size())], one);
  random.shuffle(panes);
  while (panes.size() > 1) {
    // Whichever two: merged windows merge on.
    std::swap(panes[random.pick(panes.size() - 1)], panes[panes.size() - 2]);
    at.records.merge(*panes[panes.size() - 2], *panes.back());
    panes.pop_back();
  }
  return *panes.front();
}

void expect_all(record_driver& at, const window_record& seen, const naive& wanted) {
  const auto number = [&](std::size_t index) { return at.number(index, seen); };
  const std::vector<double>& numbers = wanted.numbers();
  const bool none = numbers.empty();
  double greatest = 1;
  for (const double each : numbers) greatest = std::max(greatest, std::abs(each));
  const auto above = static_cast<double>(
      std::count_if(numbers.begin(), numbers.end(), [](double each) { return each > 3; }));
  EXPECT_EQ(number(1), above);
  expect_near(number(2), none ? no_number : std::accumulate(numbers.begin(), numbers.end(), 0.0),
              greatest * 100, "sum");
  expect_near(number(3), none ? no_number : wanted.mean(), greatest, "avg");
  expect_near(number(6), std::sqrt(wanted.variance(1)), 100, "stddev");
  expect_near(number(7), std::sqrt(wanted.variance(0)), 100, "stddev_pop");
  expect_near(number(8), wanted.variance(1), 1e4, "variance");
  expect_near(number(9), wanted.variance(0), 1e4, "variance_pop");
  for (const auto& [index, q] : {std::pair{11, 0.5}, std::pair{29, 0.9}}) {
    const double exact = wanted.quantile(q);
    EXPECT_EQ(std::isnan(number(index)), none);
    if (!none) {
      EXPECT_LE(std::abs(number(index) - exact), std::abs(exact) * 0.01 + 1e-9);
    }
  }
  expect_near(number(12), none ? no_number : numbers.front(), 0, "first");
  expect_near(number(13), none ? no_number : numbers.back(), 0, "last");
  expect_near(number(16), numbers.size() < 2 ? no_number : numbers.back() - numbers.front(), 0,
              "delta");
  expect_near(number(17), wanted.rate(), greatest * 1e3, "rate");
  expect_near(number(18), wanted.slope(), greatest * 1e4, "slope");
  expect_near(number(19), wanted.predict(30), greatest * 1e4, "predict");
  expect_near(number(21), wanted.ewma(20), greatest, "ewma");

  const std::vector<std::string> texts = wanted.texts();
  EXPECT_EQ(number(10),
            static_cast<double>(std::set<std::string>(texts.begin(), texts.end()).size()));
  EXPECT_EQ(at.text(14, seen), texts.empty() ? "" : texts.front());
  EXPECT_EQ(at.text(15, seen), texts.empty() ? "" : texts.back());
  EXPECT_EQ(at.text(24, seen), wanted.top(5));
  EXPECT_EQ(at.text(25, seen), wanted.collect(3));
  EXPECT_EQ(at.text(26, seen), wanted.labels());
  EXPECT_EQ(at.text(27, seen), above > 0 ? "true" : "false");
  EXPECT_EQ(at.text(28, seen), above == static_cast<double>(seen.count) ? "true" : "false");
}

TEST(aggregate_merge, any_panes_in_any_order_say_what_all_events_together_say) {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    random_events random{seed};
    record_driver at{every_aggregate};
    const std::vector<sample> events = random.some(random.pick(120));
    expect_all(at, in_panes(at, random, events), naive{events});
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(aggregate_merge, scores_over_merged_baselines_follow_their_definitions) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    random_events random{seed};
    record_driver at{every_aggregate, an_hour};
    const std::vector<sample> before = random.some(random.pick(200));
    const std::vector<sample> events = random.some(1 + random.pick(40));
    window_record& past = at.make();
    at.records.merge_baseline(past, in_panes(at, random, before));
    const window_record& window = in_panes(at, random, events);

    const naive known{before};
    const naive now{events};
    const double deviation = std::sqrt(known.variance(1));
    const bool scored = deviation > 0 && !now.numbers().empty();
    expect_near(at.number(22, window, &past),
                scored ? (now.numbers().back() - known.mean()) / deviation : no_number, 1e3,
                "zscore");
    const auto median = [](std::vector<double> of) {
      std::sort(of.begin(), of.end());
      return (of[(of.size() - 1) / 2] + of[of.size() / 2]) / 2;
    };
    double wanted = no_number;
    if (known.numbers().size() >= 2 && !now.numbers().empty()) {
      const double middle = median(known.numbers());
      std::vector<double> distances = known.numbers();
      for (double& each : distances) each = std::abs(each - middle);
      if (median(distances) > 0)
        wanted = 0.6745 * (now.numbers().back() - middle) / median(distances);
    }
    expect_near(at.number(23, window, &past), wanted, 1e3, "mad_score");
    std::vector<sample> both = before;
    both.insert(both.end(), events.begin(), events.end());
    expect_near(at.number(21, window, &past),
                known.numbers().size() < 2 ? no_number : naive{both}.ewma(20), 1e6, "ewma");
    if (::testing::Test::HasFailure()) return;
  }
}

/// The texts of all aggregates.
std::vector<std::string> texts_of(record_driver& at, const window_record& of,
                                  const window_record& baseline) {
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < every_aggregate.size(); ++i)
    texts.push_back(at.read(i, of, &baseline).to_text());
  return texts;
}

TEST(aggregate_state, a_saved_record_goes_on_as_if_nothing_had_happened) {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    random_events random{seed};
    record_driver at{every_aggregate, an_hour};
    window_record& kept = in_panes(at, random, random.some(random.pick(1000)));
    const sample newest = random.one();
    at.keep_newest(kept, newest);
    std::string bytes;
    state_writer to{bytes};
    at.records.save(kept, to);

    window_record& loaded = at.make();
    state_reader from{bytes};
    at.records.load(loaded, from);
    EXPECT_FALSE(from.failed());
    EXPECT_TRUE(from.at_end());
    EXPECT_EQ(texts_of(at, loaded, loaded), texts_of(at, kept, kept));
    EXPECT_EQ(loaded.count, kept.count);
    EXPECT_EQ(loaded.first_ms, kept.first_ms);
    EXPECT_EQ(loaded.last_position, kept.last_position);
    EXPECT_EQ(loaded.newest->packed, kept.newest->packed);

    for (const sample& one : random.some(50)) {
      at.add(loaded, one);
      at.add(kept, one);
    }
    window_record& other = at.make(random.some(50));
    at.records.merge(loaded, other);
    at.records.merge(kept, other);
    EXPECT_EQ(texts_of(at, loaded, loaded), texts_of(at, kept, kept));
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(aggregate_state, cut_or_broken_bytes_fail_and_leave_nothing_behind) {
  random_events random{7};
  record_driver at{every_aggregate, an_hour};
  window_record& kept = at.make(random.some(300));
  at.keep_newest(kept, random.one());
  std::string bytes;
  state_writer to{bytes};
  at.records.save(kept, to);
  at.drop_all();
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    state_reader from{std::string_view{bytes}.substr(0, length)};
    at.records.load(at.make(), from);
    EXPECT_TRUE(from.failed()) << length;
    at.drop_all();
    EXPECT_EQ(at.records.bytes(), 0U) << length;
  }
  for (std::size_t place = 0; place < bytes.size(); ++place) {
    std::string broken = bytes;
    broken[place] = static_cast<char>(broken[place] ^ 0xff);
    state_reader from{broken};
    window_record& loaded = at.make();
    at.records.load(loaded, from);
    // Whether it is noticed or not: what was loaded can be read, fed and freed.
    static_cast<void>(texts_of(at, loaded, loaded));
    at.add(loaded, random.one());
    at.drop_all();
    EXPECT_EQ(at.records.bytes(), 0U) << place;
  }
}

TEST(aggregate_state, bytes_are_those_of_records_in_use_and_none_when_all_are_given_back) {
  record_driver at{every_aggregate, an_hour};
  const std::size_t empty_bytes =
      sizeof(window_record) + at.records.layout().cell_count() * sizeof(double);
  EXPECT_EQ(at.records.bytes(), 0U);
  random_events random{3};
  for (int round = 0; round < 50; ++round) {
    window_record& first = at.make(random.some(random.pick(60)));
    window_record& second = at.make(random.some(random.pick(60)));
    at.keep_newest(second, random.one());
    at.keep_newest(second, random.one());
    const std::uint32_t merged = at.records.take();
    for (int again = 0; again < 3; ++again) {
      at.records.clear(at.records.at(merged));
      at.records.merge(at.records.at(merged), first);
      at.records.merge(at.records.at(merged), second);
      at.records.merge_baseline(at.records.at(merged), second);
      at.add(at.records.at(merged), random.one());
    }
    EXPECT_GT(at.records.bytes(), 3 * empty_bytes);
    at.records.give_back(merged);
    at.drop_all();
    EXPECT_EQ(at.records.bytes(), 0U);
  }
}

TEST(aggregate_state, given_back_windows_leave_the_panes_they_were_merged_from_alone) {
  record_driver at{every_aggregate, an_hour};
  random_events random{5};
  window_record& pane = at.make(random.some(80));
  at.keep_newest(pane, random.one());
  const std::vector<std::string> before = texts_of(at, pane, pane);
  const std::string packed = pane.newest->packed;
  const std::uint32_t merged = at.records.take();
  at.records.merge(at.records.at(merged), pane);
  EXPECT_EQ(at.records.at(merged).newest, pane.newest);
  for (const sample& one : random.some(80)) at.add(at.records.at(merged), one);
  at.records.give_back(merged);
  EXPECT_EQ(texts_of(at, pane, pane), before);
  EXPECT_EQ(pane.newest->packed, packed);
}

TEST(aggregate_state, the_representative_is_the_newest_by_time) {
  record_driver at{{{function::count, ""}}};
  window_record& record = at.make();
  at.keep_newest(record, {20, 1, 1, "first"});
  at.keep_newest(record, {10, 2, 1, "older"});
  EXPECT_EQ(record.newest->position, 1U);
  at.keep_newest(record, {20, 3, 1, "as new, later in the log"});
  EXPECT_EQ(record.newest->position, 3U);
}

}  // namespace
}  // namespace tocsin
