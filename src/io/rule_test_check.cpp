// SPDX-License-Identifier: Apache-2.0
// Matching of wanted and seen alerts, and their words.
#include "io/rule_test_check.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "io/utf8.hpp"
#include "io/yaml_reader.hpp"
#include "tocsin/alert_comparison.hpp"

namespace tocsin {
namespace {

constexpr std::size_t no_partner = std::numeric_limits<std::size_t>::max();
constexpr std::size_t text_bytes_max = 300;
constexpr std::string_view nothing = "nothing";

const std::string* find_field(const seen_alert& in, std::string_view name) {
  for (const auto& [have, text] : in) {
    if (have == name) return &text;
  }
  return nullptr;
}

std::optional<double> number_of(const std::string& text) {
  double number = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

bool agrees(const wanted_field& wanted, const std::string* seen) {
  if (!wanted.text || seen == nullptr) return !wanted.text && seen == nullptr;
  if (wanted.compared == wanted_field::kind::number) {
    const auto left = number_of(*wanted.text);
    const auto right = number_of(*seen);
    return left && right && nearly_equal(*left, *right);
  }
  return *wanted.text == *seen;
}

bool agrees(const wanted_alert& wanted, const seen_alert& seen) {
  return std::all_of(wanted.fields.begin(), wanted.fields.end(), [&](const wanted_field& each) {
    return agrees(each, find_field(seen, each.name));
  });
}

std::vector<field_difference> differences_of(const wanted_alert& wanted, const seen_alert& seen) {
  std::vector<field_difference> all;
  for (const wanted_field& each : wanted.fields) {
    const std::string* const have = find_field(seen, each.name);
    if (agrees(each, have)) continue;
    all.push_back({each.name, each.text ? *each.text : std::string(nothing),
                   have != nullptr ? *have : std::string(nothing)});
  }
  return all;
}

std::string joined(std::string_view name, std::string_view text, std::string_view before) {
  return fmt::format("{}{}: {}", before.empty() ? "" : ", ", name, printable(text, text_bytes_max));
}

std::string wanted_text(const wanted_alert& of) {
  std::string all;
  for (const wanted_field& each : of.fields) {
    all += joined(each.name, each.text ? *each.text : std::string(nothing), all);
  }
  return all.empty() ? "any alert" : all;
}

/// The fields that the partner wrote, or, without one, those that tell alerts apart.
std::string seen_text(const seen_alert& of, const wanted_alert* partner) {
  std::string all;
  for (const auto& [name, text] : of) {
    const bool shown =
        partner != nullptr
            ? std::any_of(
                  partner->fields.begin(), partner->fields.end(),
                  [&, &field = name](const wanted_field& each) { return each.name == field; })
            : name == "rule" || name == "state" || name == "severity" || name == "title" ||
                  name == "at" || name == "event_count" || name == "cause" ||
                  name.starts_with("group.") || name.starts_with("values.");
    if (shown) all += joined(name, text, all);
  }
  return all;
}

/// Whether a wanted and a seen alert that disagree are likely meant to be the same: of one rule.
bool akin(const wanted_alert& wanted, const seen_alert& seen) {
  for (const wanted_field& each : wanted.fields) {
    if (each.name == "rule") return agrees(each, find_field(seen, each.name));
  }
  return differences_of(wanted, seen).size() < wanted.fields.size();
}

/// Gives each wanted alert a seen one that agrees, as many as there can be (augmenting paths, Kuhn
/// 1955).
class matching {
 public:
  matching(const std::vector<wanted_alert>& wanted, const std::vector<seen_alert>& seen)
      : agreeing_(wanted.size()), partner_of_seen(seen.size(), no_partner) {
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      for (std::size_t s = 0; s < seen.size(); ++s) {
        if (agrees(wanted[w], seen[s])) agreeing_[w].push_back(s);
      }
    }
    for (std::size_t w = 0; w < wanted.size(); ++w) {
      tried_.assign(seen.size(), false);
      (void)place(w);
    }
  }

 private:
  bool place(std::size_t w) {  // NOLINT(misc-no-recursion): at most one level a wanted alert
    for (const std::size_t s : agreeing_[w]) {
      if (tried_[s]) continue;
      tried_[s] = true;
      if (partner_of_seen[s] == no_partner || place(partner_of_seen[s])) {
        partner_of_seen[s] = w;
        return true;
      }
    }
    return false;
  }

  std::vector<std::vector<std::size_t>> agreeing_;
  std::vector<bool> tried_;

 public:
  std::vector<std::size_t> partner_of_seen;
};

/// Lines for one stretch in which nothing agrees: each wanted alert with the nearest seen one.
void add_stretch(const std::vector<const wanted_alert*>& wanted,
                 std::vector<const seen_alert*> seen, alert_diff& into) {
  for (const wanted_alert* const one : wanted) {
    into.push_back({diff_line::kind::wanted, wanted_text(*one), {}});
    auto nearest = seen.end();
    std::size_t fewest = no_partner;
    for (auto at = seen.begin(); at != seen.end(); ++at) {
      const std::size_t apart = differences_of(*one, **at).size();
      if (apart < fewest && akin(*one, **at)) {
        fewest = apart;
        nearest = at;
      }
    }
    if (nearest == seen.end()) continue;
    into.push_back(
        {diff_line::kind::seen, seen_text(**nearest, one), differences_of(*one, **nearest)});
    seen.erase(nearest);
  }
  for (const seen_alert* const one : seen) {
    into.push_back({diff_line::kind::seen, seen_text(*one, nullptr), {}});
  }
}

/// lengths[w][s]: of the longest common subsequence of what follows wanted w and seen s.
std::vector<std::vector<std::uint32_t>> common_lengths(const std::vector<wanted_alert>& wanted,
                                                       const std::vector<seen_alert>& seen) {
  std::vector<std::vector<std::uint32_t>> lengths(wanted.size() + 1,
                                                  std::vector<std::uint32_t>(seen.size() + 1));
  for (std::size_t w = wanted.size(); w-- > 0;) {
    for (std::size_t s = seen.size(); s-- > 0;) {
      lengths[w][s] = agrees(wanted[w], seen[s]) ? lengths[w + 1][s + 1] + 1
                                                 : std::max(lengths[w + 1][s], lengths[w][s + 1]);
    }
  }
  return lengths;
}

}  // namespace

seen_alert seen_fields(const alert& of, instant start) {
  seen_alert all;
  const auto add = [&all](std::string name, std::string text) {
    all.emplace_back(std::move(name), std::move(text));
  };
  const auto add_text = [&add](std::string name, const std::string& text) {
    if (!text.empty()) add(std::move(name), text);
  };
  add("at", time_on_line(of.at, start));
  add("rule", of.rule);
  static const alert_texts no_texts;
  const alert_texts& texts = of.texts ? *of.texts : no_texts;
  for (const auto& [name, value] : texts.group) {
    if (value) add("group." + name, *value);
  }
  add("state", std::string(to_text(of.state)));
  add("previous_state", std::string(to_text(of.previous_state)));
  add("severity", std::string(to_text(of.severity)));
  add("cause", of.cause);
  add("actor", of.actor);
  add_text("title", texts.title);
  add_text("description", texts.description);
  for (const auto& [name, value] : of.proof.values) add("values." + name, fmt::format("{}", value));
  add("event_count", std::to_string(of.proof.event_count));
  add("event_ids", listed(of.proof.event_ids));
  for (const auto& [name, value] : texts.labels) add("labels." + name, value);
  for (const auto& [name, value] : texts.annotations) add("annotations." + name, value);
  add_text("resource_id", texts.resource_id);
  add_text("resource_type", texts.resource_type);
  add_text("resource_name", texts.resource_name);
  add_text("item", texts.item);
  add_text("source_id", texts.source_id);
  add("condition", of.condition);
  add("started_at", time_on_line(of.started_at, start));
  add("first_event_time", time_on_line(of.proof.first_event_time, start));
  add("last_event_time", time_on_line(of.proof.last_event_time, start));
  return all;
}

alert_diff compare_sets(const std::vector<wanted_alert>& wanted,
                        const std::vector<seen_alert>& seen) {
  const matching pairs(wanted, seen);
  std::vector<bool> met(wanted.size(), false);
  std::vector<const seen_alert*> seen_left;
  for (std::size_t s = 0; s < seen.size(); ++s) {
    if (pairs.partner_of_seen[s] == no_partner) {
      seen_left.push_back(&seen[s]);
    } else {
      met[pairs.partner_of_seen[s]] = true;
    }
  }
  std::vector<const wanted_alert*> wanted_left;
  for (std::size_t w = 0; w < wanted.size(); ++w) {
    if (!met[w]) wanted_left.push_back(&wanted[w]);
  }
  alert_diff lines;
  add_stretch(wanted_left, std::move(seen_left), lines);
  return lines;
}

alert_diff compare_lists(const std::vector<wanted_alert>& wanted,
                         const std::vector<seen_alert>& seen) {
  const auto lengths = common_lengths(wanted, seen);
  alert_diff lines;
  std::vector<const wanted_alert*> wanted_left;
  std::vector<const seen_alert*> seen_left;
  std::size_t w = 0;
  std::size_t s = 0;
  while (w < wanted.size() || s < seen.size()) {
    if (w < wanted.size() && s < seen.size() && agrees(wanted[w], seen[s])) {
      add_stretch(std::exchange(wanted_left, {}), std::exchange(seen_left, {}), lines);
      lines.push_back({diff_line::kind::same, wanted_text(wanted[w]), {}});
      ++w;
      ++s;
    } else if (s == seen.size() || (w < wanted.size() && lengths[w + 1][s] >= lengths[w][s + 1])) {
      wanted_left.push_back(&wanted[w++]);
    } else {
      seen_left.push_back(&seen[s++]);
    }
  }
  add_stretch(wanted_left, std::move(seen_left), lines);
  const bool differs = std::any_of(lines.begin(), lines.end(), [](const diff_line& each) {
    return each.what != diff_line::kind::same;
  });
  return differs ? lines : alert_diff{};
}

}  // namespace tocsin
