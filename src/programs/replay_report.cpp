// SPDX-License-Identifier: Apache-2.0
// Lays out the comparison of two replays.
#include "programs/replay_report.hpp"

#include <fmt/format.h>

#include <array>

#include "io/json_line.hpp"
#include "io/utf8.hpp"
#include "programs/console.hpp"

namespace tocsin {
namespace {

using kind = alert_difference::kind;

constexpr std::size_t text_bytes_max = 300;
constexpr std::array all_kinds{kind::same,  kind::changed,  kind::earlier,
                               kind::later, kind::appeared, kind::vanished};

std::string group_text(const past_alert& of) {
  std::string text;
  for (const auto& [name, value] : of.group) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name,
                        value ? printable(*value, text_bytes_max) : "NULL");
  }
  return "{" + text + "}";
}

std::string rule_line(const rule_comparison& of) {
  auto text = fmt::format("{}: {} alert{}, {} before", of.rule, of.after, of.after == 1 ? "" : "s",
                          of.before);
  if (!of.is_old) text += " (a new rule)";
  if (!of.is_new) text += " (no longer a rule)";
  std::string parts;
  for (const kind each : all_kinds) {
    if (const auto count = of.count(each); count > 0) {
      parts += fmt::format("{}{} {}", parts.empty() ? "" : ", ", count, to_text(each));
    }
  }
  return parts.empty() ? text : text + ": " + parts;
}

std::string span_text(const past_alert& of) {
  return of.ended_at ? fmt::format("for {}", format_duration(*of.ended_at - of.fired_at))
                     : std::string("still active at the end");
}

std::string difference_lines(const alert_difference& of, bool coloured) {
  const past_alert& shown = of.either();
  const std::string_view sign = of.what == kind::appeared   ? "+"
                                : of.what == kind::vanished ? "-"
                                                            : "~";
  const colour as = of.what == kind::appeared   ? colour::red
                    : of.what == kind::vanished ? colour::green
                                                : colour::yellow;
  auto text = fmt::format("{} {}  {:<8}  {:<8}  {} {}  {}  ({})\n", painted(sign, as, coloured),
                          format_rfc3339(shown.fired_at), to_text(of.what),
                          to_text(shown.fired_severity), shown.rule, group_text(shown),
                          printable(shown.title, text_bytes_max), span_text(shown));
  if (of.what == kind::earlier || of.what == kind::later) {
    const auto by = of.after->fired_at - of.before->fired_at;
    text += fmt::format("    fired {} {}: {} -> {}\n", format_duration(by < duration{} ? -by : by),
                        to_text(of.what), format_rfc3339(of.before->fired_at),
                        format_rfc3339(of.after->fired_at));
  }
  for (const auto& each : of.changes) {
    text += fmt::format("    {}: {} -> {}\n", each.field, each.before, each.after);
  }
  return text;
}

void add_alert(json_line& to, const std::optional<past_alert>& of) {
  if (!of) {
    to.null();
    return;
  }
  to.begin_object();
  to.key("fired_at").number(static_cast<double>(to_unix_ms(of->fired_at))).key("ended_at");
  of->ended_at ? to.number(static_cast<double>(to_unix_ms(*of->ended_at))) : to.null();
  to.key("severity").text(to_text(of->fired_severity));
  to.key("worst_severity").text(to_text(of->worst_severity));
  to.key("title").text(of->title).key("event_count").count(of->event_count);
  to.key("values").begin_object();
  for (const auto& [name, value] : of->values) to.key(name).number(value);
  to.end_object().end_object();
}

void add_difference(json_line& to, const alert_difference& of) {
  const past_alert& shown = of.either();
  to.begin_object().key("kind").text(to_text(of.what)).key("rule").text(shown.rule);
  to.key("fingerprint").text(to_text(shown.print)).key("group").begin_object();
  for (const auto& [name, value] : shown.group) {
    to.key(name);
    value ? to.text(*value) : to.null();
  }
  to.end_object();
  to.key("moved_ms");
  of.before&& of.after
      ? to.number(static_cast<double>((of.after->fired_at - of.before->fired_at).count()))
      : to.null();
  to.key("changes").begin_list();
  for (const auto& each : of.changes) {
    to.begin_object().key("field").text(each.field);
    to.key("before").text(each.before).key("after").text(each.after).end_object();
  }
  to.end_list().key("before");
  add_alert(to, of.before);
  to.key("after");
  add_alert(to, of.after);
  to.end_object();
}

}  // namespace

std::string describe_comparison(const alert_comparison& of, bool coloured) {
  std::string text;
  for (const auto& each : of.rules) text += rule_line(each) + "\n";
  if (!of.differences.empty()) text += "\n";
  for (const auto& each : of.differences) text += difference_lines(each, coloured);
  return text;
}

std::string comparison_as_json(const alert_comparison& of) {
  json_line to;
  to.begin_object().key("rules").begin_list();
  for (const auto& each : of.rules) {
    to.begin_object().key("rule").text(each.rule);
    to.key("is_old").flag(each.is_old).key("is_new").flag(each.is_new);
    to.key("before").count(each.before).key("after").count(each.after);
    for (const kind one : all_kinds) to.key(to_text(one)).count(each.count(one));
    to.end_object();
  }
  to.end_list().key("differences").begin_list();
  for (const auto& each : of.differences) add_difference(to, each);
  return to.end_list().end_object().line();
}

}  // namespace tocsin
