// SPDX-License-Identifier: Apache-2.0
// The states of an alert and what moves it from one to another: one table.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "tocsin/alert.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// What can happen to an alert.
enum class alert_trigger : std::uint8_t {
  met,             ///< its condition is met: of a rule with `for` that begins it
  held,            ///< the condition was met for as long as `for` wants
  met_at_once,     ///< its condition is met and there is no `for`; or it was posted
  cleared,         ///< its condition is not met any more (after keep_firing_for); its end came
  recovered,       ///< an event with action `resolved`
  dismissed,       ///< an event with action `closed`
  acknowledged,    ///< by an operator
  unacknowledged,  ///< by an operator, or the acknowledge ran out
  upgraded,        ///< its severity got worse: an acknowledge is lifted
  downgraded,      ///< its severity got better
  closed,          ///< by an operator
  forsaken,        ///< no data for close_after; its rule is gone
  marked,  ///< what stands beside the state changed: shields, flapping, assignee, incident, a
           ///< note, the revision of its rule
};
[[nodiscard]] std::string_view to_text(alert_trigger trigger) noexcept;

/// One line of the table.
struct lifecycle_move {
  alert_state from;
  alert_trigger trigger;
  alert_state to;
};

/// The whole table, by state and trigger. What is not in it is illegal.
[[nodiscard]] std::span<const lifecycle_move> lifecycle_table() noexcept;
/// The table as Markdown: docs/alerts.md holds exactly this.
[[nodiscard]] std::string lifecycle_markdown();

/// Where `trigger` leads. Errors: illegal_transition, which says what is legal in that state.
[[nodiscard]] result<alert_state> next_state(alert_state from, alert_trigger trigger);
/// pending, firing and acknowledged.
[[nodiscard]] bool is_active(alert_state state) noexcept;

}  // namespace tocsin
