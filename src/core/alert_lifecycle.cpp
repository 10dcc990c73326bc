// SPDX-License-Identifier: Apache-2.0
// The table of the alerts' life cycle, its texts, and what it makes of a state and a trigger.
#include "tocsin/alert_lifecycle.hpp"

#include <fmt/format.h>

#include <array>

namespace tocsin {
namespace {

using enum alert_state;
using on = alert_trigger;

constexpr std::array moves{
    lifecycle_move{none, on::met, pending},
    lifecycle_move{none, on::met_at_once, firing},
    lifecycle_move{pending, on::held, firing},
    lifecycle_move{pending, on::cleared, resolved},
    lifecycle_move{pending, on::recovered, resolved},
    lifecycle_move{pending, on::dismissed, closed},
    lifecycle_move{pending, on::closed, closed},
    lifecycle_move{pending, on::forsaken, closed},
    lifecycle_move{pending, on::marked, pending},
    lifecycle_move{firing, on::cleared, resolved},
    lifecycle_move{firing, on::recovered, resolved},
    lifecycle_move{firing, on::dismissed, closed},
    lifecycle_move{firing, on::acknowledged, acknowledged},
    lifecycle_move{firing, on::upgraded, firing},
    lifecycle_move{firing, on::downgraded, firing},
    lifecycle_move{firing, on::closed, closed},
    lifecycle_move{firing, on::forsaken, closed},
    lifecycle_move{firing, on::marked, firing},
    lifecycle_move{acknowledged, on::cleared, resolved},
    lifecycle_move{acknowledged, on::recovered, resolved},
    lifecycle_move{acknowledged, on::dismissed, closed},
    lifecycle_move{acknowledged, on::acknowledged, acknowledged},
    lifecycle_move{acknowledged, on::unacknowledged, firing},
    lifecycle_move{acknowledged, on::upgraded, firing},
    lifecycle_move{acknowledged, on::downgraded, acknowledged},
    lifecycle_move{acknowledged, on::closed, closed},
    lifecycle_move{acknowledged, on::forsaken, closed},
    lifecycle_move{acknowledged, on::marked, acknowledged},
};

std::string legal_in(alert_state state) {
  std::string all;
  for (const lifecycle_move& each : moves) {
    if (each.from != state) continue;
    all += fmt::format("{}{}", all.empty() ? "" : ", ", to_text(each.trigger));
  }
  return all.empty() ? "nothing is: it has ended" : "legal: " + all;
}

}  // namespace

std::string_view to_text(alert_trigger trigger) noexcept {
  switch (trigger) {
    case on::met:
      return "met";
    case on::held:
      return "held";
    case on::met_at_once:
      return "met at once";
    case on::cleared:
      return "cleared";
    case on::recovered:
      return "recovered";
    case on::dismissed:
      return "dismissed";
    case on::acknowledged:
      return "acknowledged";
    case on::unacknowledged:
      return "unacknowledged";
    case on::upgraded:
      return "upgraded";
    case on::downgraded:
      return "downgraded";
    case on::closed:
      return "closed";
    case on::forsaken:
      return "forsaken";
    case on::marked:
      return "marked";
  }
  return "marked";
}

std::span<const lifecycle_move> lifecycle_table() noexcept {
  return moves;
}

std::string lifecycle_markdown() {
  std::string text = "| state | what happens | next state |\n|---|---|---|\n";
  for (const lifecycle_move& each : moves) {
    text += fmt::format("| {} | {} | {} |\n", to_text(each.from), to_text(each.trigger),
                        to_text(each.to));
  }
  return text;
}

result<alert_state> next_state(alert_state from, alert_trigger trigger) {
  for (const lifecycle_move& each : moves) {
    if (each.from == from && each.trigger == trigger) return each.to;
  }
  return error{"illegal_transition",
               fmt::format("\"{}\" is not legal for an alert in state {} ({})", to_text(trigger),
                           to_text(from), legal_in(from))};
}

bool is_active(alert_state state) noexcept {
  return state == pending || state == firing || state == acknowledged;
}

}  // namespace tocsin
