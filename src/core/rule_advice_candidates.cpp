// SPDX-License-Identifier: Apache-2.0
// Finds what of a rule can be changed, and to which values it is worth a trial.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/expression_syntax.hpp"
#include "tocsin/rule_advice.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {
namespace {

using syntax::node_kind;

/// Beyond these a double has no exact integers to round to.
constexpr double whole_max = 9e15;

bool compiles(const rule_spec& rule) {
  diagnostics found;
  return rule_set::compile({rule}, found) != nullptr;
}

bool is_number(const syntax::node& of) {
  return of.kind == node_kind::literal &&
         (of.literal.type == value_type::integer || of.literal.type == value_type::number);
}

/// The comparisons that the condition is an && or || of: where a stricter number makes the whole
/// condition stricter.
void collect_comparisons(const syntax::node& from, std::vector<const syntax::node*>& into) {
  if (from.kind == node_kind::all || from.kind == node_kind::any) {
    for (const syntax::node& each : from.children) collect_comparisons(each, into);
    return;
  }
  using enum syntax::operation;
  const bool ordered =
      from.op == less || from.op == at_most || from.op == greater || from.op == at_least;
  if (from.kind != node_kind::comparison || !ordered) return;
  if (is_number(from.children[0]) != is_number(from.children[1])) into.push_back(&from);
}

/// Three digits are what people write thresholds with.
double rounded(double value, double (*towards)(double)) {
  if (value == 0 || !std::isfinite(value)) return value;
  const double scale = std::pow(10.0, 2 - std::floor(std::log10(std::abs(value))));
  return towards(value * scale) / scale;
}

/// The strictest number, written with three digits or whole, that a measure of `value` still meets.
double last_reached(double value, bool whole, bool strict, bool upwards) {
  const double sign = upwards ? 1 : -1;
  const auto down = [](double from) { return std::floor(from); };
  double number = whole ? std::floor(sign * value) : rounded(sign * value, down);
  if (strict && number >= sign * value) {
    number = whole ? number - 1 : rounded(number - std::abs(number) * 1e-3, down);
  }
  return sign * number;
}

double percentile(const std::vector<double>& sorted, double share) {
  const auto at = share * static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<std::size_t>(std::lround(at))];
}

std::string number_text(double value, bool whole) {
  return whole ? fmt::format("{:.0f}", value) : fmt::format("{}", value);
}

/// `text` with the number in the place; a negative one in brackets, so that no sign meets another.
std::string with_number(const std::string& text, std::size_t begin, std::size_t end,
                        const std::string& number) {
  const std::string put = number.starts_with('-') ? "(" + number + ")" : number;
  return text.substr(0, begin) + put + text.substr(end);
}

std::string condition_of(const rule_spec& rule) {
  if (!rule.having.text.empty()) return rule.having.text;
  return rule.window.kind == window_kind::absence ? "true" : "event_count >= 1";
}

}  // namespace

void rule_advisor::find_thresholds() {
  const std::string text = condition_of(rule_);
  const auto tree = syntax::parse(text, false, true);
  if (!tree) return;
  std::vector<const syntax::node*> comparisons;
  collect_comparisons(*tree, comparisons);
  for (const syntax::node* each : comparisons) {
    using enum syntax::operation;
    const bool behind = is_number(each->children[1]);
    const syntax::node& number = each->children[behind ? 1 : 0];
    const syntax::node& measured = each->children[behind ? 0 : 1];
    threshold found;
    found.begin = number.place.begin;
    found.end = number.place.end;
    found.whole = number.literal.type == value_type::integer;
    found.value = found.whole ? static_cast<double>(number.literal.integer) : number.literal.number;
    const bool above = each->op == greater || each->op == at_least;
    found.upwards = above == behind;
    found.strict = each->op == greater || each->op == less;
    if (measured.kind == node_kind::name) {
      found.measure = measured.text;
    } else {
      const auto source =
          text.substr(measured.place.begin, measured.place.end - measured.place.begin);
      rule_spec telling = observed_;
      auto name = fmt::format("advised_{}", thresholds_.size());
      telling.select.emplace_back(name, placed_text{source, 0, 0});
      if (compiles(telling)) {
        observed_ = std::move(telling);
        found.measure = std::move(name);
      }
    }
    thresholds_.push_back(std::move(found));
  }
}

std::vector<double> rule_advisor::values_for(const threshold& of) const {
  std::vector<double> values;
  for (const double factor : {1.25, 1.5, 2.0, 3.0, 5.0, 10.0}) {
    const bool grows = of.upwards == (of.value > 0);
    values.push_back(grows ? of.value * factor : of.value / factor);
  }
  const auto towards_strict = [&of](double value) -> double {
    return of.upwards ? std::ceil(value) : std::floor(value);
  };
  std::vector<double> reached;  // by all alerts
  std::vector<double> trouble;
  for (const trial_alert& each : alerts_) {
    const auto found = each.reached.find(of.measure);
    if (found == each.reached.end()) continue;
    const double furthest = of.upwards ? found->second.second : found->second.first;
    reached.push_back(furthest);
    if (!is_noise(each)) trouble.push_back(furthest);
  }
  if (!reached.empty()) {
    std::sort(reached.begin(), reached.end());
    for (const double share : {0.25, 0.5, 0.75, 0.9}) {
      const double at = percentile(reached, of.upwards ? share : 1 - share);
      values.push_back(rounded(at, [](double value) { return std::round(value); }));
    }
  }
  if (!trouble.empty()) {
    const auto [least, most] = std::minmax_element(trouble.begin(), trouble.end());
    values.push_back(last_reached(of.upwards ? *least : *most, of.whole, of.strict, of.upwards));
  }
  std::vector<double> wanted;
  for (double value : values) {
    if (of.whole) value = towards_strict(value);
    const bool stricter = of.upwards ? value > of.value : value < of.value;
    if (stricter && std::abs(value) < whole_max) wanted.push_back(value);
  }
  std::sort(wanted.begin(), wanted.end());
  wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
  if (!of.upwards) std::reverse(wanted.begin(), wanted.end());
  return wanted;
}

void rule_advisor::add_thresholds(std::vector<rule_change>& to) const {
  const std::string text = condition_of(rule_);
  for (const threshold& each : thresholds_) {
    for (const double value : values_for(each)) {
      rule_change change{rule_change::kind::threshold, "having", text, "", rule_};
      change.after = with_number(text, each.begin, each.end, number_text(value, each.whole));
      change.rule.having.text = change.after;
      to.push_back(std::move(change));
    }
  }
}

void rule_advisor::add_windows(std::vector<rule_change>& to) const {
  const window_spec& window = rule_.window;
  const bool fixed = window.kind == window_kind::fixed;
  if (!fixed && window.kind != window_kind::sliding) return;
  const std::string field = fixed ? "window.fixed" : "window.sliding";
  constexpr std::array<std::pair<int, int>, 3> factors{{{1, 2}, {2, 1}, {4, 1}}};
  for (const auto& [times, parts] : factors) {
    const duration size = window.size * times / parts;
    if (size * parts != window.size * times || size <= duration{}) continue;
    rule_change change{rule_change::kind::window, field, format_duration(window.size),
                       format_duration(size), rule_};
    window_spec& wanted = change.rule.window;
    wanted.size = size;
    if (fixed) {
      wanted.every = size;
    } else if (!window.trailing && size % wanted.every != duration{}) {
      wanted.every = wanted.every * times / parts;
      if (wanted.every <= duration{} || size % wanted.every != duration{}) continue;
      change.after += fmt::format(" every {}", format_duration(wanted.every));
    }
    to.push_back(std::move(change));
  }
}

void rule_advisor::add_pending(std::vector<rule_change>& to) const {
  using std::chrono::floor, std::chrono::minutes, std::chrono::seconds;
  std::vector<duration> lengths{minutes{1}, minutes{5}, minutes{10}};
  if (!lengths_.empty()) {
    // How long the condition itself held. A whole second beyond it: what ends just then is over.
    const duration median = lengths_[(lengths_.size() - 1) / 2] - rule_.keep_firing_for;
    lengths.push_back(floor<seconds>(std::max(median, duration{})) + seconds{1} +
                      rule_.pending_for);
  }
  std::sort(lengths.begin(), lengths.end());
  lengths.erase(std::unique(lengths.begin(), lengths.end()), lengths.end());
  for (const duration length : lengths) {
    if (length <= rule_.pending_for) continue;
    rule_change change{rule_change::kind::pending, "for", format_duration(rule_.pending_for),
                       format_duration(length), rule_};
    change.rule.pending_for = length;
    to.push_back(std::move(change));
  }
}

std::vector<rule_change> rule_advisor::candidates() const {
  std::vector<rule_change> all;
  add_thresholds(all);
  add_windows(all);
  add_pending(all);
  all.erase(std::remove_if(all.begin(), all.end(),
                           [](const rule_change& each) { return !compiles(each.rule); }),
            all.end());
  return all;
}

}  // namespace tocsin
