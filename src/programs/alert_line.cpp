// SPDX-License-Identifier: Apache-2.0
// Lays out and colours alert lines.
#include "programs/alert_line.hpp"

#include <fmt/format.h>

#include "io/utf8.hpp"
#include "programs/console.hpp"

namespace tocsin {

namespace {

constexpr std::size_t text_bytes_max = 300;

colour colour_of_state(std::string_view state) {
  if (state == "firing") return colour::red;
  if (state == "pending" || state == "acknowledged") return colour::yellow;
  if (state == "resolved") return colour::green;
  return colour::grey;
}

colour colour_of_severity(std::string_view severity) {
  if (severity == "critical" || severity == "error") return colour::red;
  return severity == "warning" ? colour::yellow : colour::plain;
}

/// Why, by whom when it was a person, and what keeps it from notifying.
std::string reason(const alert_summary& of) {
  std::string text = printable(of.cause, text_bytes_max);
  const bool by_itself =
      of.actor.empty() || of.actor == "rule" || of.actor == "event" || of.actor == "checker";
  if (!by_itself) text += " by " + printable(of.actor, text_bytes_max);
  if (!of.note.empty()) text += ": " + printable(of.note, text_bytes_max);
  const std::string shields = fmt::format("{}", fmt::join(of.shields, ", "));
  if (!shields.empty() && shields != of.cause) text += "; " + shields;
  return text;
}

}  // namespace

std::string alert_line(const alert_summary& of, bool coloured) {
  const auto state = fmt::format("{:<12}", of.state);
  const auto severity = fmt::format("{:<8}", of.severity);
  auto line = fmt::format("{}  {}  {}  {}  {}  ({} event{}", format_rfc3339(of.at),
                          painted(state, colour_of_state(of.state), coloured),
                          painted(severity, colour_of_severity(of.severity), coloured),
                          painted(printable(of.rule, text_bytes_max), colour::bold, coloured),
                          printable(of.title, text_bytes_max), of.event_count,
                          of.event_count == 1 ? "" : "s");
  if (!of.resource.empty()) line += ", " + printable(of.resource, text_bytes_max);
  return line + "; " + reason(of) + ")";
}

}  // namespace tocsin
