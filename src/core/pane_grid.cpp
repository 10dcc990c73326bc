// SPDX-License-Identifier: Apache-2.0
// Runs of days in a time zone.
#include "core/pane_grid.hpp"

#include <cassert>

namespace tocsin {
namespace {

constexpr std::int64_t day_ms = 24LL * 60 * 60 * 1000;
constexpr absl::CivilDay epoch_day{1970, 1, 1};

}  // namespace

day_grid::day_grid(const window_spec& window)
    : days_(window.size.count() / day_ms), offset_ms_(window.offset.count()) {
  [[maybe_unused]] const bool known = absl::LoadTimeZone(window.time_zone, &zone_);
  assert(known);
}

std::int64_t day_grid::start_of_run(std::int64_t run) const {
  // FromCivil gives the first instant of a day whose midnight a clock change skips.
  return absl::ToUnixMillis(absl::FromCivil(epoch_day + run * days_, zone_)) + offset_ms_;
}

std::int64_t day_grid::run_of(std::int64_t time_ms) const {
  const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixMillis(time_ms - offset_ms_), zone_);
  return floor_to(day - epoch_day, days_, 0) / days_;
}

std::int64_t day_grid::start_of(std::int64_t time_ms) const {
  return start_of_run(run_of(time_ms));
}

std::int64_t day_grid::next_after(std::int64_t start_ms) const {
  return start_of_run(run_of(start_ms) + 1);
}

std::int64_t day_grid::before(std::int64_t start_ms) const {
  return start_of_run(run_of(start_ms) - 1);
}

pane_grid::pane_grid(const unit& of)
    : width_ms_(of.pane.count()), offset_ms_(of.views.front().offset.count()) {
  if (!of.views.front().time_zone.empty()) days_.emplace(of.views.front());
}

std::int64_t pane_grid::find_end(std::int64_t time_ms) const {
  if (days_) {
    last_start_ms_ = days_->start_of(time_ms);
    last_end_ms_ = days_->next_after(last_start_ms_);
  } else {
    last_start_ms_ = floor_to(time_ms, width_ms_, offset_ms_);
    last_end_ms_ = last_start_ms_ + width_ms_;
  }
  return last_end_ms_;
}

}  // namespace tocsin
