// SPDX-License-Identifier: Apache-2.0
// Which cells a unit's aggregates need, and what enters and merges beyond the plain numbers that
// window_record.cpp works on.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/moments.hpp"
#include "core/window_record.hpp"

namespace tocsin {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

template <class Plain>
Plain& in_cells(double* at) {
  static_assert(sizeof(Plain) % sizeof(double) == 0 && alignof(Plain) == alignof(double));
  return *reinterpret_cast<Plain*>(at);
}
template <class Plain>
const Plain& in_cells(const double* at) {
  return *reinterpret_cast<const Plain*>(at);
}

bool is_number(const expression& formula) {
  return formula.type() == value_type::number || formula.type() == value_type::integer;
}

}  // namespace

aggregate_layout::aggregate_layout(const unit& of)
    : baseline_samples_min_(static_cast<double>(of.baseline.samples_min)),
      has_baseline_(of.baseline.length > duration{}) {
  for (const aggregate& one : of.aggregates) aggregates_.push_back(plan(one));
  is_plain_ = numbers_.empty() && held_.empty();
  const auto compares = [](const auto& each) { return each.in_baseline; };
  uses_baseline_ = std::any_of(numbers_.begin(), numbers_.end(), compares) ||
                   std::any_of(held_.begin(), held_.end(), compares);
}

aggregate_layout::aggregate_plan aggregate_layout::plan(const aggregate& one) {
  aggregate_plan made;
  switch (one.function) {
    case aggregate_function::count:
      made = {one.function};
      break;
    case aggregate_function::distinct:
    case aggregate_function::quantile:
    case aggregate_function::top:
    case aggregate_function::collect:
    case aggregate_function::merge_labels:
      made = plan_held(one);
      break;
    case aggregate_function::first:
    case aggregate_function::last:
      made = is_number(*one.argument) ? plan_numbers(one) : plan_held(one);
      break;
    default:
      made = plan_numbers(one);
      break;
  }
  made.parameter = one.parameter;
  return made;
}

aggregate_layout::aggregate_plan aggregate_layout::plan_numbers(const aggregate& one) {
  aggregate_plan made{one.function};
  switch (one.function) {
    case aggregate_function::count_if:
    case aggregate_function::any:
    case aggregate_function::all:
      made.offset = plan_cells(cell_kind::count_if, one);
      break;
    case aggregate_function::sum:
    case aggregate_function::avg:
      made.offset = plan_cells(cell_kind::sum, one);
      break;
    case aggregate_function::min:
      made.offset = plan_cells(cell_kind::minimum, one);
      break;
    case aggregate_function::max:
      made.offset = plan_cells(cell_kind::maximum, one);
      break;
    case aggregate_function::first:
      made.offset = plan_number(number_kind::first_number, one);
      break;
    case aggregate_function::last:
      made.offset = plan_number(number_kind::newest_number, one);
      break;
    case aggregate_function::delta:
    case aggregate_function::rate:
      made.offset = plan_number(number_kind::first_number, one);
      made.newest = plan_number(number_kind::newest_number, one);
      break;
    case aggregate_function::slope:
    case aggregate_function::predict:
    case aggregate_function::time_to:
      made.offset = plan_number(number_kind::line, one);
      break;
    case aggregate_function::ewma:
      made.offset = plan_number(number_kind::faded_mean, one, has_baseline_);
      break;
    case aggregate_function::zscore:
      made.offset = plan_number(number_kind::moments, one, true);
      made.newest = plan_number(number_kind::newest_number, one);
      break;
    case aggregate_function::mad_score:
      made.offset = hold(held_kind::sample, one, true);
      made.newest = plan_number(number_kind::newest_number, one);
      break;
    default:  // stddev, variance and theirs of the population
      made.offset = plan_number(number_kind::moments, one);
      break;
  }
  return made;
}

aggregate_layout::aggregate_plan aggregate_layout::plan_held(const aggregate& one) {
  const auto kind = [&] {
    switch (one.function) {
      case aggregate_function::distinct:
        return held_kind::distinct;
      case aggregate_function::quantile:
        return held_kind::quantiles;
      case aggregate_function::top:
        return held_kind::frequent;
      case aggregate_function::collect:
        return held_kind::collected;
      case aggregate_function::first:
        return held_kind::first_value;
      case aggregate_function::last:
        return held_kind::newest_value;
      default:
        return held_kind::labels;
    }
  };
  aggregate_plan made{one.function};
  made.is_held = true;
  made.offset = hold(kind(), one);
  return made;
}

std::uint32_t aggregate_layout::argument_of(const expression& formula) {
  const auto known = std::find_if(arguments_.begin(), arguments_.end(), [&](const auto& have) {
    return have.formula.canonical() == formula.canonical();
  });
  if (known != arguments_.end()) return static_cast<std::uint32_t>(known - arguments_.begin());
  arguments_.push_back({formula, formula.canonical() == "value"});
  return static_cast<std::uint32_t>(arguments_.size() - 1);
}

std::size_t aggregate_layout::cells_of(number_kind kind) {
  switch (kind) {
    case number_kind::moments:
      return sizeof(moments) / sizeof(double);
    case number_kind::first_number:
    case number_kind::newest_number:
      return sizeof(placed_number) / sizeof(double);
    case number_kind::line:
      return sizeof(line_moments) / sizeof(double);
    case number_kind::faded_mean:
      return sizeof(faded_mean) / sizeof(double);
  }
  return 0;
}

std::uint32_t aggregate_layout::plan_cells(cell_kind kind, const aggregate& one) {
  const std::uint32_t argument = argument_of(*one.argument);
  for (const cell_plan& have : plans_)
    if (have.kind == kind && have.argument == argument) return have.offset;
  const auto offset = static_cast<std::uint32_t>(cleared_.size());
  plans_.push_back({kind, argument, offset});
  const bool is_extreme = kind == cell_kind::minimum || kind == cell_kind::maximum;
  cleared_.resize(offset + cells_of(kind), is_extreme ? none : 0);
  return offset;
}

std::uint32_t aggregate_layout::plan_number(number_kind kind, const aggregate& one,
                                            bool in_baseline) {
  const std::uint32_t argument = argument_of(*one.argument);
  const double half_life_ms = kind == number_kind::faded_mean ? one.parameter * 1000 : 0;
  for (number_plan& have : numbers_) {
    if (have.kind != kind || have.argument != argument || have.half_life_ms != half_life_ms)
      continue;
    have.in_baseline = have.in_baseline || in_baseline;
    return have.offset;
  }
  const auto offset = static_cast<std::uint32_t>(cleared_.size());
  numbers_.push_back({kind, in_baseline, argument, offset, half_life_ms});
  // No bits set is an empty one of all kinds but a placed number.
  cleared_.resize(offset + cells_of(kind), 0);
  if (kind == number_kind::first_number || kind == number_kind::newest_number)
    in_cells<placed_number>(&cleared_[offset]) = {};
  return offset;
}

std::uint32_t aggregate_layout::hold(held_kind kind, const aggregate& one, bool in_baseline) {
  const std::uint32_t argument = one.argument ? argument_of(*one.argument) : no_index;
  const auto most =
      static_cast<std::uint32_t>(kind == held_kind::collected ? std::max(1.0, one.parameter) : 0);
  for (const held_plan& have : held_)
    if (have.kind == kind && have.argument == argument && have.most == most) return have.offset;
  const auto offset = static_cast<std::uint32_t>(cleared_.size());
  held_.push_back({kind, in_baseline, argument, offset, most});
  cleared_.push_back(0);
  return offset;
}

std::ptrdiff_t aggregate_layout::add_more(double* cells, const event_batch& batch,
                                          const event& from, std::int64_t time_ms,
                                          std::uint64_t position) const {
  for (const number_plan& plan : numbers_) {
    const argument_plan& argument = arguments_[plan.argument];
    double number = from.value;
    if (!argument.is_event_value)
      number = argument.formula.evaluate(event_scope{batch, from}).as_number().value_or(none);
    if (std::isfinite(number)) add_number(plan, cells + plan.offset, number, time_ms, position);
  }
  return held_.empty() ? 0 : add_to_held(cells, batch, from, time_ms, position);
}

void aggregate_layout::add_number(const number_plan& plan, double* at, double number,
                                  std::int64_t time_ms, std::uint64_t position) {
  switch (plan.kind) {
    case number_kind::moments:
      in_cells<moments>(at).add(number);
      break;
    case number_kind::first_number:
      in_cells<placed_number>(at).keep_first({time_ms, position, number});
      break;
    case number_kind::newest_number:
      in_cells<placed_number>(at).keep_newest({time_ms, position, number});
      break;
    case number_kind::line:
      in_cells<line_moments>(at).add(time_ms, number);
      break;
    case number_kind::faded_mean:
      in_cells<faded_mean>(at).add(time_ms, number, plan.half_life_ms);
      break;
  }
}

std::ptrdiff_t aggregate_layout::add_to_held(double* cells, const event_batch& batch,
                                             const event& from, std::int64_t time_ms,
                                             std::uint64_t position) const {
  std::ptrdiff_t grown = 0;
  for (const held_plan& plan : held_) {
    sighting one{{}, {}, time_ms, position};
    if (plan.kind == held_kind::labels) {
      one.labels = batch.labels_of(from);
      if (one.labels.empty()) continue;
    } else {
      one.seen = arguments_[plan.argument].formula.evaluate(event_scope{batch, from});
      if (plan.kind == held_kind::quantiles || plan.kind == held_kind::sample)
        one.seen = value::of(one.seen.as_number().value_or(none));
      if (one.seen.is_missing()) continue;
      if (one.seen.type == value_type::number && !std::isfinite(one.seen.number)) continue;
    }
    grown += add_held(plan, cells + plan.offset, one);
  }
  return grown;
}

void aggregate_layout::merge(double* into, const double* from) const {
  merge_plain(into, from);
  for (const number_plan& plan : numbers_)
    merge_number(plan, into + plan.offset, from + plan.offset);
  for (const held_plan& plan : held_) merge_held(plan, into + plan.offset, from + plan.offset);
}

void aggregate_layout::merge_baseline(double* into, const double* from) const {
  for (const number_plan& plan : numbers_)
    if (plan.in_baseline) merge_number(plan, into + plan.offset, from + plan.offset);
  for (const held_plan& plan : held_)
    if (plan.in_baseline) merge_held(plan, into + plan.offset, from + plan.offset);
}

void aggregate_layout::merge_number(const number_plan& plan, double* to, const double* other) {
  switch (plan.kind) {
    case number_kind::moments:
      in_cells<moments>(to).merge(in_cells<moments>(other));
      break;
    case number_kind::first_number:
      in_cells<placed_number>(to).keep_first(in_cells<placed_number>(other));
      break;
    case number_kind::newest_number:
      in_cells<placed_number>(to).keep_newest(in_cells<placed_number>(other));
      break;
    case number_kind::line:
      in_cells<line_moments>(to).merge(in_cells<line_moments>(other));
      break;
    case number_kind::faded_mean:
      in_cells<faded_mean>(to).merge(in_cells<faded_mean>(other), plan.half_life_ms);
      break;
  }
}

std::size_t aggregate_layout::heap_bytes(const double* cells) const {
  std::size_t bytes = 0;
  for (const held_plan& plan : held_) bytes += held_bytes(plan, cells + plan.offset);
  return bytes;
}

void aggregate_layout::save(const double* cells, state_writer& to) const {
  const auto put = [&](std::uint32_t offset, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      // Some cells hold integers: their bits must not pass through a double.
      std::uint64_t bits = 0;
      std::memcpy(&bits, cells + offset + i, sizeof bits);
      to.put(bits);
    }
  };
  for (const cell_plan& plan : plans_) put(plan.offset, cells_of(plan.kind));
  for (const number_plan& plan : numbers_) put(plan.offset, cells_of(plan.kind));
  for (const held_plan& plan : held_) save_held(plan, cells + plan.offset, to);
}

void aggregate_layout::load(double* cells, state_reader& from) const {
  const auto take = [&](std::uint32_t offset, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto bits = from.take<std::uint64_t>();
      std::memcpy(cells + offset + i, &bits, sizeof bits);
    }
  };
  for (const cell_plan& plan : plans_) take(plan.offset, cells_of(plan.kind));
  for (const number_plan& plan : numbers_) take(plan.offset, cells_of(plan.kind));
  for (const held_plan& plan : held_) load_held(plan, cells + plan.offset, from);
}

}  // namespace tocsin
