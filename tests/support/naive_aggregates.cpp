// SPDX-License-Identifier: Apache-2.0
// Implementation of the naive aggregates.
#include "support/naive_aggregates.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

namespace tocsin::testing {
namespace {

constexpr std::size_t listed_text_bytes = 128;
constexpr std::size_t merged_labels_max = 64;

/// A number that an event has.
struct sample {
  double seconds = 0;  ///< since some fixed time
  double number = 0;
};

using events = std::vector<const naive_event*>;

value argument_of(const aggregate& what, const naive_event& of) {
  return what.argument->evaluate(event_scope{*of.batch, *of.what});
}

std::vector<sample> samples_of(const aggregate& what, const events& from, instant zero) {
  std::vector<sample> samples;
  for (const naive_event* each : from) {
    const auto number = argument_of(what, *each).as_number();
    if (!number || !std::isfinite(*number)) continue;
    samples.push_back({static_cast<double>((each->time - zero).count()) / 1000, *number});
  }
  return samples;
}

std::vector<double> numbers_of(const std::vector<sample>& samples) {
  std::vector<double> numbers;
  for (const sample& each : samples) numbers.push_back(each.number);
  return numbers;
}

double sum_of(const std::vector<double>& numbers) {
  return std::accumulate(numbers.begin(), numbers.end(), 0.0);
}

double mean_of(const std::vector<double>& numbers) {
  return sum_of(numbers) / static_cast<double>(numbers.size());
}

/// The sum of squared deviations from the mean, in two passes.
double squares_of(const std::vector<double>& numbers) {
  const double mean = mean_of(numbers);
  double squares = 0;
  for (const double each : numbers) squares += (each - mean) * (each - mean);
  return squares;
}

double median_of(std::vector<double> numbers) {
  std::sort(numbers.begin(), numbers.end());
  const std::size_t half = numbers.size() / 2;
  if (numbers.size() % 2 == 1) return numbers[half];
  return (numbers[half - 1] + numbers[half]) / 2;
}

value spread(aggregate_function function, const std::vector<double>& numbers) {
  const bool population =
      function == aggregate_function::variance_pop || function == aggregate_function::stddev_pop;
  const bool root =
      function == aggregate_function::stddev || function == aggregate_function::stddev_pop;
  if (numbers.size() < (population ? 1U : 2U)) return {};
  const double variance =
      squares_of(numbers) / static_cast<double>(numbers.size() - (population ? 0 : 1));
  return value::of(root ? std::sqrt(variance) : variance);
}

value quantile(double share, std::vector<double> numbers) {
  if (numbers.empty()) return {};
  std::sort(numbers.begin(), numbers.end());
  const double rank = std::floor(share * static_cast<double>(numbers.size() - 1));
  return value::of(numbers[static_cast<std::size_t>(rank)]);
}

/// The least-squares line through samples.
struct fitted_line {
  double mean_seconds = 0;
  double mean_number = 0;
  double slope = 0;

  [[nodiscard]] double at(double seconds) const {
    return mean_number + slope * (seconds - mean_seconds);
  }
};

std::optional<fitted_line> fit(const std::vector<sample>& samples) {
  if (samples.size() < 2) return std::nullopt;
  fitted_line line;
  for (const sample& each : samples) {
    line.mean_seconds += each.seconds / static_cast<double>(samples.size());
    line.mean_number += each.number / static_cast<double>(samples.size());
  }
  double together = 0;
  double apart = 0;
  for (const sample& each : samples) {
    together += (each.seconds - line.mean_seconds) * (each.number - line.mean_number);
    apart += (each.seconds - line.mean_seconds) * (each.seconds - line.mean_seconds);
  }
  if (samples.front().seconds == samples.back().seconds) return std::nullopt;
  line.slope = together / apart;
  return line;
}

value movement(const aggregate& what, const std::vector<sample>& samples) {
  if (samples.size() < 2) return {};
  const double change = samples.back().number - samples.front().number;
  const double seconds = samples.back().seconds - samples.front().seconds;
  if (what.function == aggregate_function::delta) return value::of(change);
  if (what.function == aggregate_function::rate)
    return seconds > 0 ? value::of(change / seconds) : value{};
  const auto line = fit(samples);
  if (!line) return {};
  const double newest = samples.back().seconds;
  if (what.function == aggregate_function::slope) return value::of(line->slope);
  if (what.function == aggregate_function::predict)
    return value::of(line->at(newest + what.parameter));
  // time_to: a slope that is nothing but rounding leads nowhere.
  if (std::abs(line->slope) < 1e-9) return {};
  const double now = line->at(newest);
  const double ahead = (what.parameter - now) / line->slope;
  if (ahead < 0)
    return -ahead < newest - samples.front().seconds ? value::of(duration{0}) : value{};
  if (ahead > 1e12) return {};
  return value::of(duration{std::llround(ahead * 1000)});
}

value ewma(double half_life, const std::vector<sample>& samples) {
  if (samples.empty()) return {};
  double weighted = 0;
  double weights = 0;
  for (const sample& each : samples) {
    const double weight = std::exp2(-(samples.back().seconds - each.seconds) / half_life);
    weighted += weight * each.number;
    weights += weight;
  }
  return value::of(weighted / weights);
}

/// How far the newest number is from the baseline's.
value score(aggregate_function function, const std::vector<double>& numbers,
            const std::vector<double>& past, std::uint64_t past_min) {
  if (numbers.empty() || past.size() < std::max<std::uint64_t>(past_min, 2)) return {};
  const double newest = numbers.back();
  if (function == aggregate_function::zscore) {
    const double deviation = std::sqrt(squares_of(past) / static_cast<double>(past.size() - 1));
    return deviation > 0 ? value::of((newest - mean_of(past)) / deviation) : value{};
  }
  const double median = median_of(past);
  std::vector<double> deviations;
  for (const double each : past) deviations.push_back(std::abs(each - median));
  const double mad = median_of(deviations);
  return mad > 0 ? value::of(0.6745 * (newest - median) / mad) : value{};
}

/// The argument's texts, in order of the events that have one.
std::vector<std::string> texts_of(const aggregate& what, const events& from) {
  std::vector<std::string> texts;
  for (const naive_event* each : from) {
    const value argument = argument_of(what, *each);
    if (!argument.is_missing()) texts.push_back(argument.to_text());
  }
  return texts;
}

std::string cut(std::string words) {
  if (words.size() <= listed_text_bytes) return words;
  std::size_t end = listed_text_bytes;
  while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
  words.resize(end);
  return words;
}

std::string top(std::size_t many, const std::vector<std::string>& texts) {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& each : texts) ++counts[cut(each)];
  std::vector<std::pair<std::int64_t, std::string>> ranked;
  for (const auto& [words, count] : counts) ranked.emplace_back(-count, words);
  std::sort(ranked.begin(), ranked.end());
  std::string list;
  for (std::size_t i = 0; i < std::min(many, ranked.size()); ++i)
    list += (i == 0 ? "" : ", ") + ranked[i].second + " (" + std::to_string(-ranked[i].first) + ")";
  return list;
}

std::string collect(std::size_t many, const std::vector<std::string>& texts) {
  std::vector<std::string> different;
  for (const std::string& each : texts)
    if (std::find(different.begin(), different.end(), cut(each)) == different.end())
      different.push_back(cut(each));
  std::string list;
  for (std::size_t i = 0; i < std::min(many, different.size()); ++i)
    list += (i == 0 ? "" : ", ") + different[i];
  return list + (different.size() > many ? ", ..." : "");
}

std::string merge_labels(const events& from) {
  std::map<std::string, std::string> merged;
  for (const naive_event* each : from) {
    for (const label& one : each->batch->labels_of(*each->what)) {
      if (one.type == label::kind::null) {
        merged.erase(std::string{one.name});
      } else {
        merged[std::string{one.name}] =
            event_scope{*each->batch, *each->what}.label(one.name).to_text();
      }
    }
  }
  std::string list;
  std::size_t listed = 0;
  for (const auto& [name, words] : merged)
    if (listed++ < merged_labels_max) list += (list.empty() ? "" : ", ") + name + "=" + words;
  return list;
}

/// The argument of the first (or last) event that has it; a condition as text.
value outermost(const aggregate& what, events from, std::deque<std::string>& texts) {
  if (what.function == aggregate_function::last) std::reverse(from.begin(), from.end());
  for (const naive_event* each : from) {
    const value argument = argument_of(what, *each);
    if (argument.is_missing()) continue;
    if (argument.type == value_type::boolean)
      return value::of(std::string_view{texts.emplace_back(argument.to_text())});
    if (const auto number = argument.as_number()) {
      if (std::isfinite(*number)) return value::of(*number);
      continue;
    }
    return argument;
  }
  return {};
}

value number_aggregate(const aggregate& what, const naive_window& in,
                       const baseline_spec& baseline) {
  // Times are counted from the earliest event: small numbers keep all their digits.
  const events& earliest = in.baseline.empty() ? in.events : in.baseline;
  const instant zero = earliest.empty() ? instant{} : earliest.front()->time;
  const auto samples = samples_of(what, in.events, zero);
  const auto past = samples_of(what, in.baseline, zero);
  const auto numbers = numbers_of(samples);
  switch (what.function) {
    case aggregate_function::sum:
      return numbers.empty() ? value{} : value::of(sum_of(numbers));
    case aggregate_function::avg:
      return numbers.empty() ? value{} : value::of(mean_of(numbers));
    case aggregate_function::min:
      return numbers.empty() ? value{}
                             : value::of(*std::min_element(numbers.begin(), numbers.end()));
    case aggregate_function::max:
      return numbers.empty() ? value{}
                             : value::of(*std::max_element(numbers.begin(), numbers.end()));
    case aggregate_function::quantile:
      return quantile(what.parameter, numbers);
    case aggregate_function::ewma: {
      const bool compares = baseline.length > duration{0};
      if (compares && past.size() < std::max<std::uint64_t>(baseline.samples_min, 2)) return {};
      auto all = past;
      all.insert(all.end(), samples.begin(), samples.end());
      return ewma(what.parameter, all);
    }
    case aggregate_function::zscore:
    case aggregate_function::mad_score:
      return score(what.function, numbers, numbers_of(past), baseline.samples_min);
    case aggregate_function::delta:
    case aggregate_function::rate:
    case aggregate_function::slope:
    case aggregate_function::predict:
    case aggregate_function::time_to:
      return movement(what, samples);
    default:
      return spread(what.function, numbers);
  }
}

}  // namespace

value naive_aggregate(const aggregate& what, const naive_window& in, const baseline_spec& baseline,
                      std::deque<std::string>& texts) {
  const auto meets = [&](const naive_event* each) { return argument_of(what, *each).is_true(); };
  const auto number_asked = static_cast<std::size_t>(what.parameter);
  const auto listed = [&](std::string words) {
    return words.empty() ? value{}
                         : value::of(std::string_view{texts.emplace_back(std::move(words))});
  };
  switch (what.function) {
    case aggregate_function::count:
      return value::of(static_cast<std::int64_t>(in.events.size()));
    case aggregate_function::count_if:
      return value::of(
          static_cast<std::int64_t>(std::count_if(in.events.begin(), in.events.end(), meets)));
    case aggregate_function::any:
      return value::of(std::any_of(in.events.begin(), in.events.end(), meets));
    case aggregate_function::all:
      return value::of(std::all_of(in.events.begin(), in.events.end(), meets));
    case aggregate_function::distinct: {
      const auto all = texts_of(what, in.events);
      return value::of(
          static_cast<std::int64_t>(std::set<std::string>{all.begin(), all.end()}.size()));
    }
    case aggregate_function::first:
    case aggregate_function::last:
      return outermost(what, in.events, texts);
    case aggregate_function::top:
      return listed(top(number_asked, texts_of(what, in.events)));
    case aggregate_function::collect:
      return listed(collect(number_asked, texts_of(what, in.events)));
    case aggregate_function::merge_labels:
      return listed(merge_labels(in.events));
    default:
      return number_aggregate(what, in, baseline);
  }
}

}  // namespace tocsin::testing
