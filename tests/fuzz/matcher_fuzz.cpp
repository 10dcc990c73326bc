// SPDX-License-Identifier: Apache-2.0
// Any text as Prometheus matchers, and any lines as a term of a structured filter: field, operator,
// values.
#include <vector>

#include "core/match_filter.hpp"
#include "core/prometheus_matcher.hpp"
#include "fuzz/claim.hpp"
#include "support/expression_scopes.hpp"
#include "tocsin/label_matcher.hpp"

namespace {

using namespace tocsin;
using fuzzing::claim;

void refused(const error& why) {
  claim(why.code == "bad_matcher" && !why.message.empty(), "a refusal says why", why.message);
}

void try_matcher(const label_matcher& made) {
  const auto again = parse_label_matcher(made.text());
  claim(again && *again == made, "a matcher is read back from its text", made.text());
  const bool accepts = made.accepts(made.value());
  if (made.op() == matcher_operator::equal) claim(accepts, "what is equal", made.text());
  if (made.op() == matcher_operator::unequal) claim(!accepts, "what is not equal", made.text());
  const auto opposite = label_matcher::make(
      made.name(),
      made.op() == matcher_operator::equal     ? matcher_operator::unequal
      : made.op() == matcher_operator::unequal ? matcher_operator::equal
      : made.op() == matcher_operator::matches ? matcher_operator::does_not_match
                                               : matcher_operator::matches,
      made.value());
  for (const std::string_view text : {"", "prod", "a\nb", "\xff"}) {
    claim(opposite && opposite->accepts(text) != made.accepts(text), "its opposite", made.text());
  }
}

void try_matchers(const std::string& text) {
  const auto one = parse_label_matcher(text);
  if (one) {
    try_matcher(*one);
  } else {
    refused(one.failure());
  }
  const auto all = parse_label_matchers(text);
  if (!all) return refused(all.failure());
  const auto written = parse_matcher_list(text);
  claim(written && written->size() == all->size(), "as many as were written", text);
  std::string joined;
  for (const label_matcher& each : *all) {
    try_matcher(each);
    joined += (joined.empty() ? "{" : ", ") + each.text();
  }
  if (joined.empty()) return;
  const auto again = parse_label_matchers(joined + "}");
  claim(again && *again == *all, "matchers are read back from their texts", joined);
}

void try_term(const match_term& term) {
  static const testing::one_event seen =
      testing::one_event{}.text(event_field::item, "http_status").value(501.5).label("env", "prod");
  const rule_spec rule;
  diagnostics found;
  rule_findings findings{rule, found};
  const auto text = match_expression(term, findings);
  claim(text.has_value() == findings.clean(), "an expression, or what is wrong");
  for (const diagnostic& each : found) claim(!each.message.empty(), "an error has a text");
  if (!text) return;
  const auto made = expression::compile(*text, schema::of_event());
  if (made) (void)made->holds(seen.scope());
  if (!made) claim(!made.failure().message.empty(), "an error has a text");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string text = fuzzing::input_of(bytes, size);
  try_matchers(text);
  std::vector<placed_text> lines(1, {"", 1, 1});
  for (const char c : text) {
    if (c == '\n') {
      lines.push_back({"", 1, 1});
    } else {
      lines.back().text += c;
    }
  }
  match_term term;
  if (lines.size() < 3) {
    term.matcher = {text, 1, 1};
  } else {
    term.field = lines[0];
    term.op = lines[1];
    term.values.assign(lines.begin() + 2, lines.end());
    term.quoted.assign(term.values.size(), size % 2 == 0);
  }
  try_term(term);
  return 0;
}
