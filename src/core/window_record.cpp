// SPDX-License-Identifier: Apache-2.0
// Aggregates of windows: how events enter, how panes merge, how values are read.
#include "core/window_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "core/packed_event.hpp"

namespace tocsin {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// A sum's three cells: sum, compensation, number of summands.
void add_compensated(double* sum, double summand) {
  const double total = sum[0] + summand;
  sum[1] += std::abs(sum[0]) >= std::abs(summand) ? (sum[0] - total) + summand
                                                  : (summand - total) + sum[0];
  sum[0] = total;
}

double sum_of(const double* sum) {
  // Once the sum has overflowed, the compensation is not a number; the infinity is the honest
  // answer.
  return std::isfinite(sum[0]) ? sum[0] + sum[1] : sum[0];
}

}  // namespace

aggregate_layout::aggregate_layout(const unit& of) {
  for (const aggregate& one : of.aggregates) {
    std::uint32_t offset = 0;
    switch (one.function) {
      case aggregate_function::count:
        break;
      case aggregate_function::count_if:
        offset = plan_cells(cell_kind::count_if, argument_of(*one.argument));
        break;
      case aggregate_function::sum:
      case aggregate_function::avg:
        offset = plan_cells(cell_kind::sum, argument_of(*one.argument));
        break;
      case aggregate_function::min:
        offset = plan_cells(cell_kind::minimum, argument_of(*one.argument));
        break;
      case aggregate_function::max:
        offset = plan_cells(cell_kind::maximum, argument_of(*one.argument));
        break;
    }
    aggregates_.push_back({one.function, offset});
  }
}

std::uint32_t aggregate_layout::argument_of(const expression& formula) {
  const auto known = std::find_if(arguments_.begin(), arguments_.end(), [&](const auto& have) {
    return have.formula.canonical() == formula.canonical();
  });
  if (known != arguments_.end()) return static_cast<std::uint32_t>(known - arguments_.begin());
  arguments_.push_back({formula, formula.canonical() == "value"});
  return static_cast<std::uint32_t>(arguments_.size() - 1);
}

std::uint32_t aggregate_layout::plan_cells(cell_kind kind, std::uint32_t argument) {
  for (const cell_plan& have : plans_)
    if (have.kind == kind && have.argument == argument) return have.offset;
  const auto offset = static_cast<std::uint32_t>(cell_count_);
  plans_.push_back({kind, argument, offset});
  cell_count_ += kind == cell_kind::sum ? 3 : 1;
  return offset;
}

void aggregate_layout::clear(double* cells) const {
  for (const cell_plan& plan : plans_) {
    double* at = cells + plan.offset;
    switch (plan.kind) {
      case cell_kind::count_if:
        at[0] = 0;
        break;
      case cell_kind::sum:
        at[0] = at[1] = at[2] = 0;
        break;
      case cell_kind::minimum:
      case cell_kind::maximum:
        at[0] = none;
        break;
    }
  }
}

void aggregate_layout::add(double* cells, const event_batch& batch, const event& from) const {
  for (const cell_plan& plan : plans_) {
    const argument_plan& argument = arguments_[plan.argument];
    double* at = cells + plan.offset;
    if (plan.kind == cell_kind::count_if) {
      if (argument.formula.holds(event_scope{batch, from})) at[0] += 1;
      continue;
    }
    double number = from.value;
    if (!argument.is_event_value)
      number = argument.formula.evaluate(event_scope{batch, from}).as_number().value_or(none);
    if (std::isnan(number)) continue;
    if (plan.kind == cell_kind::sum) {
      add_compensated(at, number);
      at[2] += 1;
    } else if (plan.kind == cell_kind::minimum) {
      if (!(at[0] <= number)) at[0] = number;
    } else {
      if (!(at[0] >= number)) at[0] = number;
    }
  }
}

void aggregate_layout::merge(double* into, const double* from) const {
  for (const cell_plan& plan : plans_) {
    double* to = into + plan.offset;
    const double* other = from + plan.offset;
    switch (plan.kind) {
      case cell_kind::count_if:
        to[0] += other[0];
        break;
      case cell_kind::sum:
        add_compensated(to, other[0]);
        to[1] += other[1];
        to[2] += other[2];
        break;
      case cell_kind::minimum:
        if (!std::isnan(other[0]) && !(to[0] <= other[0])) to[0] = other[0];
        break;
      case cell_kind::maximum:
        if (!std::isnan(other[0]) && !(to[0] >= other[0])) to[0] = other[0];
        break;
    }
  }
}

value aggregate_layout::read(std::size_t index, const window_record& record,
                             const double* cells) const {
  const aggregate_plan& plan = aggregates_[index];
  const double* at = cells + plan.offset;
  switch (plan.function) {
    case aggregate_function::count:
      return value::of(static_cast<std::int64_t>(record.count));
    case aggregate_function::count_if:
      return value::of(static_cast<std::int64_t>(at[0]));
    case aggregate_function::sum:
      return at[2] == 0 ? value{} : value::of(sum_of(at));
    case aggregate_function::avg:
      return at[2] == 0 ? value{} : value::of(sum_of(at) / at[2]);
    case aggregate_function::min:
    case aggregate_function::max:
      return value::of(at[0]);
  }
  return {};
}

record_store::record_store(const unit& of)
    : layout_(of), blocks_(sizeof(window_record) + layout_.cell_count() * sizeof(double)) {}

std::uint32_t record_store::take() {
  const std::uint32_t index = blocks_.take();
  clear(at(index));
  return index;
}

void record_store::clear(window_record& record) const {
  record = {};
  record.first_ms = window_record::no_time;
  record.last_ms = -window_record::no_time;
  record.worst = window_record::no_level;
  record.next = no_index;
  layout_.clear(cells(record));
}

void record_store::add(window_record& to, const event_batch& batch, const event& from,
                       std::int64_t time_ms, std::uint64_t position) const {
  // Positions only grow, so of equal times the one already there is the first.
  if (time_ms < to.first_ms) {
    to.first_ms = time_ms;
    to.first_position = position;
  }
  to.last_ms = std::max(to.last_ms, time_ms);
  to.last_position = std::max(to.last_position, position);
  ++to.count;
  if (from.has(event_field::event_id)) ++to.with_id;
  if (from.level && static_cast<std::uint64_t>(*from.level) < to.worst)
    to.worst = static_cast<std::uint64_t>(*from.level);
  layout_.add(cells(to), batch, from);
}

void record_store::keep_newest(window_record& to, const event_batch& batch, const event& from,
                               std::int64_t time_ms, std::uint64_t position) {
  if (to.newest == nullptr)
    to.newest = new representative;
  else if (time_ms < to.newest->time_ms)
    return;
  to.newest->time_ms = time_ms;
  to.newest->position = position;
  pack_event(batch, from, to.newest->packed);
}

void record_store::merge(window_record& into, const window_record& from) const {
  if (from.first_ms < into.first_ms ||
      (from.first_ms == into.first_ms && from.first_position < into.first_position)) {
    into.first_ms = from.first_ms;
    into.first_position = from.first_position;
  }
  into.last_ms = std::max(into.last_ms, from.last_ms);
  into.last_position = std::max(into.last_position, from.last_position);
  into.count += from.count;
  into.with_id += from.with_id;
  if (from.worst < into.worst) into.worst = from.worst;
  if (from.newest != nullptr &&
      (into.newest == nullptr || std::tie(into.newest->time_ms, into.newest->position) <
                                     std::tie(from.newest->time_ms, from.newest->position)))
    into.newest = from.newest;
  layout_.merge(cells(into), cells(from));
}

}  // namespace tocsin
