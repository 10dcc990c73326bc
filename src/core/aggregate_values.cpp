// SPDX-License-Identifier: Apache-2.0
// What aggregates say: values read from cells, alone or against a baseline's.
#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "core/collected_values.hpp"
#include "core/distinct_counter.hpp"
#include "core/folded_labels.hpp"
#include "core/frequent_values.hpp"
#include "core/kept_value.hpp"
#include "core/moments.hpp"
#include "core/neumaier_sum.hpp"
#include "core/quantile_sketch.hpp"
#include "core/value_sample.hpp"
#include "core/window_record.hpp"

namespace tocsin {
namespace {

/// A line that needs longer than this to its limit never reaches it: no duration is longer.
constexpr double reach_max_ms = 10'000.0 * 24 * 60 * 60 * 1000;
/// Makes the median deviation comparable with a standard deviation: the 0.75 quantile of the normal
/// distribution (Iglewicz and Hoaglin 1993, "How to Detect and Handle Outliers").
constexpr double normal_deviation = 0.6745;

template <class Plain>
const Plain& in_cells(const double* at) {
  return *reinterpret_cast<const Plain*>(at);
}

value finite(double number) {
  return std::isfinite(number) ? value::of(number) : value{};
}
value finite(std::optional<double> number) {
  return number ? finite(*number) : value{};
}
value root(std::optional<double> variance) {
  return variance ? finite(std::sqrt(*variance)) : value{};
}

/// Missing when it is empty.
value shelved(std::string text, text_shelf& texts) {
  return text.empty() ? value{} : value::of(std::string_view{texts.emplace_back(std::move(text))});
}

/// A line that moves away from the limit never reaches it. One that was on the other side of it
/// within the window has reached it: that is told from moving away, which a line that is beyond the
/// limit at both ends does.
value time_to(const line_moments& line, double limit) {
  const std::optional<double> rise = line.slope();
  const std::optional<double> now = line.predict(0);
  if (!rise || !now || *rise == 0) return {};
  const double left_ms = (limit - *now) / *rise;
  if (!std::isfinite(left_ms) || left_ms > reach_max_ms) return {};
  if (left_ms >= 0) return value::of(duration{std::llround(left_ms)});
  const auto held_ms = static_cast<double>(line.newest_ms - line.first_ms);
  return -left_ms < held_ms ? value::of(duration{0}) : value{};
}

}  // namespace

value aggregate_layout::read(std::size_t index, const window_record& record, const double* cells,
                             const double* baseline, text_shelf& texts) const {
  const aggregate_plan& plan = aggregates_[index];
  const double* at = cells + plan.offset;
  switch (plan.function) {
    case aggregate_function::count:
      return value::of(static_cast<std::int64_t>(record.count));
    case aggregate_function::count_if:
      return value::of(static_cast<std::int64_t>(at[0]));
    case aggregate_function::any:
      return value::of(at[0] > 0);
    case aggregate_function::all:
      return value::of(static_cast<std::uint64_t>(at[0]) == record.count);
    case aggregate_function::sum:
      return at[2] == 0 ? value{} : value::of(compensated_sum(at));
    case aggregate_function::avg:
      return at[2] == 0 ? value{} : value::of(compensated_sum(at) / at[2]);
    case aggregate_function::min:
    case aggregate_function::max:
      return value::of(at[0]);
    case aggregate_function::stddev:
      return root(in_cells<moments>(at).sample_variance());
    case aggregate_function::stddev_pop:
      return root(in_cells<moments>(at).population_variance());
    case aggregate_function::variance:
      return finite(in_cells<moments>(at).sample_variance());
    case aggregate_function::variance_pop:
      return finite(in_cells<moments>(at).population_variance());
    case aggregate_function::first:
    case aggregate_function::last:
      return plan.is_held ? read_held(plan, at, texts)
                          : value::of(in_cells<placed_number>(at).number);
    case aggregate_function::delta:
    case aggregate_function::rate:
      return read_change(plan, cells);
    case aggregate_function::slope:
    case aggregate_function::predict:
    case aggregate_function::time_to:
      return read_line(plan, at);
    case aggregate_function::ewma:
      return read_faded(plan, at, baseline);
    case aggregate_function::zscore:
    case aggregate_function::mad_score:
      return read_score(plan, cells, baseline);
    case aggregate_function::distinct:
    case aggregate_function::quantile:
    case aggregate_function::top:
    case aggregate_function::collect:
    case aggregate_function::merge_labels:
      return read_held(plan, at, texts);
  }
  return {};
}

value aggregate_layout::read_line(const aggregate_plan& plan, const double* at) const {
  const auto& line = in_cells<line_moments>(at);
  if (plan.function == aggregate_function::predict)
    return finite(line.predict(plan.parameter * 1000));
  if (plan.function == aggregate_function::time_to) return time_to(line, plan.parameter);
  const std::optional<double> rise = line.slope();
  return rise ? finite(*rise * 1000) : value{};
}

value aggregate_layout::read_change(const aggregate_plan& plan, const double* cells) const {
  const auto& first = in_cells<placed_number>(cells + plan.offset);
  const auto& newest = in_cells<placed_number>(cells + plan.newest);
  if (!first.is_set() || !first.precedes(newest)) return {};
  const double change = newest.number - first.number;
  if (plan.function == aggregate_function::delta) return finite(change);
  if (newest.time_ms == first.time_ms) return {};
  return finite(change / (static_cast<double>(newest.time_ms - first.time_ms) / 1000));
}

value aggregate_layout::read_score(const aggregate_plan& plan, const double* cells,
                                   const double* baseline) const {
  const auto& newest = in_cells<placed_number>(cells + plan.newest);
  if (baseline == nullptr || !newest.is_set()) return {};
  const double* past = baseline + plan.offset;
  if (plan.function == aggregate_function::zscore) {
    const auto& known = in_cells<moments>(past);
    const std::optional<double> variance = known.sample_variance();
    if (known.count < baseline_samples_min_ || !variance || !(*variance > 0)) return {};
    return finite((newest.number - known.mean) / std::sqrt(*variance));
  }
  const auto* known = held_in<value_sample>(past);
  if (known == nullptr || static_cast<double>(known->count()) < baseline_samples_min_) return {};
  const auto spread = known->spread();
  if (!spread || !(spread->deviation > 0)) return {};
  return finite(normal_deviation * (newest.number - spread->middle) / spread->deviation);
}

value aggregate_layout::read_faded(const aggregate_plan& plan, const double* at,
                                   const double* baseline) const {
  faded_mean all = in_cells<faded_mean>(at);
  if (has_baseline_) {
    const faded_mean past =
        baseline == nullptr ? faded_mean{} : in_cells<faded_mean>(baseline + plan.offset);
    if (past.count < baseline_samples_min_) return {};
    all.merge(past, plan.parameter * 1000);
  }
  return all.count == 0 ? value{} : finite(all.mean);
}

value aggregate_layout::read_held(const aggregate_plan& plan, const double* at, text_shelf& texts) {
  switch (plan.function) {
    case aggregate_function::distinct: {
      const auto* kept = held_in<distinct_counter>(at);
      return value::of(kept == nullptr ? std::int64_t{0}
                                       : static_cast<std::int64_t>(kept->count()));
    }
    case aggregate_function::quantile: {
      const auto* kept = held_in<quantile_sketch>(at);
      return kept == nullptr ? value{} : finite(kept->quantile(plan.parameter));
    }
    case aggregate_function::top: {
      const auto* kept = held_in<frequent_values>(at);
      if (kept == nullptr) return {};
      return shelved(kept->top(static_cast<std::size_t>(plan.parameter)), texts);
    }
    case aggregate_function::collect: {
      const auto* kept = held_in<collected_values>(at);
      if (kept == nullptr) return {};
      // The text of a list of one empty value is empty, and no less a value.
      return value::of(std::string_view{texts.emplace_back(kept->text())});
    }
    case aggregate_function::merge_labels: {
      const auto* kept = held_in<folded_labels>(at);
      return kept == nullptr ? value{} : shelved(kept->text(), texts);
    }
    default: {  // first, last
      const auto* kept = held_in<kept_value>(at);
      value seen = kept == nullptr ? value{} : kept->get();
      if (seen.type == value_type::text) seen.text = texts.emplace_back(seen.text);
      return seen;
    }
  }
}

}  // namespace tocsin
