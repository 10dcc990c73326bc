// SPDX-License-Identifier: Apache-2.0
// Lays out failed tests.
#include "programs/test_report.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "io/json_line.hpp"
#include "io/utf8.hpp"
#include "programs/console.hpp"

namespace tocsin {
namespace {

using kind = diff_line::kind;

constexpr std::size_t text_bytes_max = 300;

/// What is the same is shown only beside what is not.
bool is_context(const alert_diff& lines, std::size_t at) {
  const auto differs = [&](std::size_t there) {
    return there < lines.size() && lines[there].what != kind::same;
  };
  return (at > 0 && differs(at - 1)) || differs(at + 1);
}

std::string diff_text(const alert_diff& lines, bool coloured) {
  std::string text;
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const diff_line& line = lines[at];
    if (line.what == kind::same) {
      if (is_context(lines, at)) text += fmt::format("      {}\n", line.text);
      continue;
    }
    const bool wanted = line.what == kind::wanted;
    text += fmt::format("    {}\n", painted(fmt::format("{} {}", wanted ? "-" : "+", line.text),
                                            wanted ? colour::red : colour::green, coloured));
    for (const field_difference& each : line.differences) {
      text +=
          fmt::format("        {}: wanted {}, seen {}\n", each.name,
                      printable(each.wanted, text_bytes_max), printable(each.seen, text_bytes_max));
    }
  }
  return text;
}

std::string_view to_text(kind what) {
  switch (what) {
    case kind::same:
      return "same";
    case kind::wanted:
      return "wanted";
    case kind::seen:
      return "seen";
  }
  return "";
}

void add_failure(json_line& to, const test_failure& of) {
  to.begin_object().key("what").text(of.what);
  to.key("line").count(static_cast<std::uint64_t>(of.line)).key("diff").begin_list();
  for (const diff_line& each : of.lines) {
    to.begin_object().key("kind").text(to_text(each.what)).key("text").text(each.text);
    to.key("differences").begin_list();
    for (const field_difference& one : each.differences) {
      to.begin_object().key("field").text(one.name).key("wanted").text(one.wanted);
      to.key("seen").text(one.seen).end_object();
    }
    to.end_list().end_object();
  }
  to.end_list().end_object();
}

std::uint64_t passed_of(const std::vector<test_outcome>& all) {
  return static_cast<std::uint64_t>(std::count_if(
      all.begin(), all.end(), [](const test_outcome& each) { return each.passed(); }));
}

}  // namespace

std::string describe_outcome(const test_outcome& of, bool coloured) {
  auto text = fmt::format(
      "{}:{}: {}  {}\n", of.path, of.line,
      painted(of.passed() ? "ok" : "FAILED", of.passed() ? colour::green : colour::red, coloured),
      printable(of.name, text_bytes_max));
  for (const test_failure& each : of.failures) {
    text +=
        fmt::format("  {} (line {})\n{}", each.what, each.line, diff_text(each.lines, coloured));
  }
  return text;
}

std::string tally(const std::vector<test_outcome>& all) {
  const auto failed = all.size() - passed_of(all);
  if (failed == 0) return fmt::format("{} test{} passed", all.size(), all.size() == 1 ? "" : "s");
  return fmt::format("{} of {} test{} failed", failed, all.size(), all.size() == 1 ? "" : "s");
}

std::string outcomes_as_json(const diagnostics& found, const std::vector<test_outcome>& all) {
  const auto passed = passed_of(all);
  json_line to;
  to.begin_object().key("ok").flag(!has_errors(found) && passed == all.size());
  to.key("passed").count(passed).key("failed").count(all.size() - passed);
  to.key("diagnostics").begin_list();
  for (const diagnostic& each : found) {
    to.begin_object().key("kind");
    to.text(each.kind == diagnostic::grade::error ? "error" : "warning");
    to.key("file").text(each.file).key("line").count(static_cast<std::uint64_t>(each.line));
    to.key("column").count(static_cast<std::uint64_t>(each.column));
    to.key("message").text(each.message).end_object();
  }
  to.end_list().key("tests").begin_list();
  for (const test_outcome& each : all) {
    to.begin_object().key("file").text(each.path);
    to.key("line").count(static_cast<std::uint64_t>(each.line)).key("name").text(each.name);
    to.key("ok").flag(each.passed()).key("failures").begin_list();
    for (const test_failure& one : each.failures) add_failure(to, one);
    to.end_list().end_object();
  }
  return to.end_list().end_object().line();
}

}  // namespace tocsin
