// SPDX-License-Identifier: Apache-2.0
// Records: how events enter, how panes merge, what is freed and when. What every event and every
// merged pane passes through stands here together, so that it is compiled into one piece.
#include "core/window_record.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <tuple>
#include <utility>

#include "core/neumaier_sum.hpp"
#include "core/packed_event.hpp"

namespace tocsin {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

std::int64_t bytes_of(const representative& kept) {
  return static_cast<std::int64_t>(sizeof kept + kept.packed.capacity());
}

}  // namespace

void aggregate_layout::clear(double* cells) const {
  for (const double& cell : cleared_) *cells++ = cell;
}

void aggregate_layout::release(double* cells) const {
  for (const held_plan& plan : held_) release_held(plan, cells + plan.offset);
  clear(cells);
}

std::ptrdiff_t aggregate_layout::add(double* cells, const event_batch& batch, const event& from,
                                     std::int64_t time_ms, std::uint64_t position) const {
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
  return is_plain_ ? 0 : add_more(cells, batch, from, time_ms, position);
}

void aggregate_layout::merge_plain(double* into, const double* from) const {
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

record_store::record_store(const unit& of) : layout_(of), blocks_(record_bytes()) {}

inline void record_store::reset(window_record& record) const {
  record = {};
  record.first_ms = window_record::no_time;
  record.last_ms = -window_record::no_time;
  record.worst = window_record::no_level;
  record.next = no_index;
  layout_.clear(cells(record));
}

inline void record_store::release_cells(window_record& record) const {
  if (!layout_.owns_heap()) return;
  heap_bytes_ -= static_cast<std::int64_t>(layout_.heap_bytes(cells(record)));
  layout_.release(cells(record));
}

std::uint32_t record_store::take() {
  const std::uint32_t index = blocks_.take();
  ++in_use_;
  reset(at(index));
  return index;
}

void record_store::give_back(std::uint32_t index) {
  release_cells(at(index));
  blocks_.give_back(index);
  --in_use_;
}

void record_store::drop(std::uint32_t index) {
  const std::unique_ptr<representative> newest{at(index).newest};
  if (newest != nullptr) heap_bytes_ -= bytes_of(*newest);
  give_back(index);
}

void record_store::clear(window_record& record) const {
  release_cells(record);
  reset(record);
}

void record_store::add(window_record& to, const event_batch& batch, const event& from,
                       std::int64_t time_ms, std::uint64_t position) {
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
  if (const std::ptrdiff_t grown = layout_.add(cells(to), batch, from, time_ms, position);
      grown != 0)
    heap_bytes_ += grown;
}

void record_store::keep_newest(window_record& to, const event_batch& batch, const event& from,
                               std::int64_t time_ms, std::uint64_t position) {
  if (to.newest == nullptr)
    to.newest = new representative;
  else if (time_ms < to.newest->time_ms)
    return;
  else
    heap_bytes_ -= bytes_of(*to.newest);
  to.newest->time_ms = time_ms;
  to.newest->position = position;
  pack_event(batch, from, to.newest->packed);
  heap_bytes_ += bytes_of(*to.newest);
}

inline void record_store::merge_header(window_record& into, const window_record& from) {
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
}

void record_store::merge(window_record& into, const window_record& from) const {
  merge_header(into, from);
  if (layout_.is_plain())
    layout_.merge_plain(cells(into), cells(from));
  else
    merge_more(into, from);
}

void record_store::merge_more(window_record& into, const window_record& from) const {
  heap_bytes_ -= static_cast<std::int64_t>(layout_.heap_bytes(cells(into)));
  layout_.merge(cells(into), cells(from));
  heap_bytes_ += static_cast<std::int64_t>(layout_.heap_bytes(cells(into)));
}

void record_store::merge_baseline(window_record& into, const window_record& from) const {
  merge_header(into, from);
  heap_bytes_ -= static_cast<std::int64_t>(layout_.heap_bytes(cells(into)));
  layout_.merge_baseline(cells(into), cells(from));
  heap_bytes_ += static_cast<std::int64_t>(layout_.heap_bytes(cells(into)));
}

void record_store::save(const window_record& of, state_writer& to) const {
  to.put(of.first_ms);
  to.put(of.last_ms);
  to.put(of.first_position);
  to.put(of.last_position);
  to.put(static_cast<std::uint64_t>(of.count));
  to.put(static_cast<std::uint8_t>(of.worst));
  to.put(static_cast<std::uint32_t>(of.with_id));
  to.put(static_cast<std::uint8_t>(of.newest != nullptr));
  if (of.newest != nullptr) {
    to.put(of.newest->time_ms);
    to.put(of.newest->position);
    to.put_text(of.newest->packed);
  }
  layout_.save(cells(of), to);
}

void record_store::load(window_record& into, state_reader& from) {
  into.first_ms = from.take<std::int64_t>();
  into.last_ms = from.take<std::int64_t>();
  into.first_position = from.take<std::uint64_t>();
  into.last_position = from.take<std::uint64_t>();
  into.count = from.take<std::uint64_t>() & ((std::uint64_t{1} << 56) - 1);
  const auto worst = from.take<std::uint8_t>();
  if (worst > window_record::no_level) from.fail();
  into.worst = std::min<std::uint64_t>(worst, window_record::no_level);
  into.with_id = from.take<std::uint32_t>();
  if (from.take<std::uint8_t>() != 0) {
    auto kept = std::make_unique<representative>();
    kept->time_ms = from.take<std::int64_t>();
    kept->position = from.take<std::uint64_t>();
    kept->packed = from.take_text();
    heap_bytes_ += bytes_of(*kept);
    into.newest = kept.release();
  }
  layout_.load(cells(into), from);
  heap_bytes_ += static_cast<std::int64_t>(layout_.heap_bytes(cells(into)));
}

std::uint64_t record_store::bytes() const noexcept {
  return (in_use_ - set_aside_) * record_bytes() + static_cast<std::uint64_t>(heap_bytes_);
}

}  // namespace tocsin
