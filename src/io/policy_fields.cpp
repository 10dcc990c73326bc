// SPDX-License-Identifier: Apache-2.0
// Reads fields of policies and points at what is wrong in them.
#include "io/policy_fields.hpp"

#include <algorithm>
#include <charconv>
#include <tuple>

namespace tocsin {
namespace {

constexpr std::chrono::days year{365};
constexpr std::chrono::days longest{10'000};

/// Where the text of an error about a scalar's inside points at.
void report_inside(const yaml_node& scalar, std::string_view field, const error& wrong,
                   yaml_decoder& decode) {
  constexpr std::string_view prefix = "column ";
  std::string_view message = wrong.message;
  int column = 0;
  if (message.starts_with(prefix) && scalar.text_column > 0) {
    const std::string_view digits = message.substr(prefix.size());
    const auto [end, failed] =
        std::from_chars(digits.data(), digits.data() + digits.size(), column);
    if (failed == std::errc{}) {
      message = digits.substr(static_cast<std::size_t>(end - digits.data()));
      message.remove_prefix(message.starts_with(": ") ? 2 : 0);
      decode.error(scalar.line, scalar.text_column + column - 1,
                   fmt::format("'{}': {}", field, message));
      return;
    }
  }
  decode.error(scalar, fmt::format("'{}': {}", field, message));
}

}  // namespace

bool check_fields(const yaml_node& node, std::string_view what,
                  std::initializer_list<std::string_view> known,
                  const std::vector<unused_fields>& unused, yaml_decoder& decode) {
  if (node.type != yaml_node::kind::map) return decode.check_map(node, what, known);
  yaml_node rest;
  rest.type = node.type;
  rest.line = node.line;
  rest.column = node.column;
  for (const yaml_entry& entry : node.entries) {
    const auto of = std::find_if(unused.begin(), unused.end(), [&](const unused_fields& one) {
      return std::find(one.names.begin(), one.names.end(), entry.key.text) != one.names.end();
    });
    if (of != unused.end()) {
      decode.error(entry.key, fmt::format("'{}' {}", entry.key.text, of->why));
      continue;
    }
    rest.entries.push_back({entry.key, yaml_node{}});
  }
  return decode.check_map(rest, what, known);
}

std::optional<duration> parse_prometheus_duration(std::string_view text) {
  std::uint64_t years = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), years);
  const bool in_years = failed == std::errc{} && end != text.data() + text.size() && *end == 'y';
  if (!in_years) return parse_duration(text);
  if (years > static_cast<std::uint64_t>(longest / year)) return std::nullopt;
  duration total = years * year;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  if (!text.empty()) {
    const auto rest = parse_duration(text);
    // "0" without a unit stands alone.
    if (!rest || text == "0") return std::nullopt;
    total += *rest;
  }
  if (total > longest) return std::nullopt;
  return total;
}

void take_length(const yaml_fields& fields, std::string_view name, duration& into, duration least,
                 duration most) {
  const yaml_entry* const entry = fields.entry(name);
  if (entry == nullptr) return;
  const auto written = fields.decode().text(*entry);
  if (!written) return;
  const auto length = parse_prometheus_duration(written->text);
  std::string wrong;
  if (!length) {
    wrong = fmt::format("\"{}\" is not a duration (try 5m, 1h30m or 7d)", written->text);
  } else if (*length < least) {
    wrong = fmt::format("{} is too short (at least {})", written->text, format_duration(least));
  } else if (*length > most) {
    wrong = fmt::format("{} is too long (at most {})", written->text, format_duration(most));
  } else {
    into = *length;
    return;
  }
  fields.decode().error(entry->value, fmt::format("'{}': {}", name, wrong));
}

void take_flag(const yaml_fields& fields, std::string_view name, bool& into) {
  fields.choose(name, into, {{"true", true}, {"false", false}});
}

std::vector<const yaml_node*> take_list(const yaml_fields& fields, std::string_view name) {
  std::vector<const yaml_node*> taken;
  const yaml_entry* const entry = fields.entry(name);
  if (entry == nullptr) return taken;
  const std::string quoted = fmt::format("'{}'", name);
  if (!fields.decode().check(*entry, yaml_node::kind::list, quoted)) return taken;
  for (const yaml_node& item : entry->value.items) {
    if (fields.decode().check({item, item}, yaml_node::kind::scalar, "an entry of " + quoted)) {
      taken.push_back(&item);
    }
  }
  return taken;
}

std::string take_name(const yaml_fields& fields, std::string_view hint) {
  placed_text name;
  fields.required_text("name", hint, name);
  if (name.line != 0 && name.text.empty()) {
    fields.decode().error(fields.entry("name")->value, fmt::format("'name' is empty ({})", hint));
  }
  return name.text;
}

void take_matchers(const yaml_fields& fields, std::string_view name, label_matchers& into) {
  for (const yaml_node* item : take_list(fields, name)) {
    auto read = parse_label_matchers(item->text);
    if (!read) {
      report_inside(*item, name, read.failure(), fields.decode());
      continue;
    }
    into.insert(into.end(), read->begin(), read->end());
  }
}

void take_match_map(const yaml_fields& fields, std::string_view name, matcher_operator op,
                    label_matchers& into) {
  const yaml_entry* const entry = fields.entry(name);
  if (entry == nullptr) return;
  yaml_decoder& decode = fields.decode();
  if (!decode.check(*entry, yaml_node::kind::map, fmt::format("'{}'", name))) return;
  for (const yaml_entry& one : entry->value.entries) {
    const auto value = decode.text(one);
    if (!is_label_name(one.key.text)) {
      decode.error(one.key, fmt::format("'{}': '{}' is not a label name (letters, digits and _, "
                                        "not beginning with a digit)",
                                        name, one.key.text));
      continue;
    }
    if (!value) continue;
    // Alertmanager keeps these expressions with their anchors, which are part of a route's key.
    auto made = label_matcher::make(
        one.key.text, op,
        op == matcher_operator::matches ? fmt::format("^(?:{})$", value->text) : value->text);
    if (made) {
      into.push_back(*std::move(made));
    } else {
      decode.error(one.value, fmt::format("'{}': {}", name, made.failure().message));
    }
  }
}

void sort_matchers(label_matchers& all) {
  std::stable_sort(all.begin(), all.end(), [](const label_matcher& l, const label_matcher& r) {
    return std::tuple(std::string_view{l.name()}, std::string_view{l.value()}, l.op()) <
           std::tuple(std::string_view{r.name()}, std::string_view{r.value()}, r.op());
  });
}

bool is_label_name(std::string_view name) noexcept {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::all_of(name.begin(), name.end(), good);
}

void take_label_names(const yaml_fields& fields, std::string_view name,
                      std::vector<std::string>& into) {
  for (const yaml_node* item : take_list(fields, name)) {
    if (!is_label_name(item->text)) {
      fields.decode().error(*item, fmt::format("'{}': '{}' is not a label name (letters, digits "
                                               "and _, not beginning with a digit)",
                                               name, item->text));
    } else if (std::find(into.begin(), into.end(), item->text) != into.end()) {
      fields.decode().error(*item, fmt::format("'{}': '{}' is there twice", name, item->text));
    } else {
      into.push_back(item->text);
    }
  }
}

bool check_known(const yaml_node& name, std::string_view field, std::string_view what,
                 const std::vector<std::string>& known, yaml_decoder& decode) {
  if (std::find(known.begin(), known.end(), name.text) != known.end()) return true;
  const std::string near = nearest_word(name.text, known);
  decode.error(name, fmt::format("'{}': there is no {} '{}'{}", field, what, name.text,
                                 near.empty() ? "" : fmt::format(" (did you mean '{}'?)", near)));
  return false;
}

void take_known(const yaml_fields& fields, std::string_view name, std::string_view what,
                const std::vector<std::string>& known, std::vector<std::string>& into) {
  for (const yaml_node* item : take_list(fields, name)) {
    if (check_known(*item, name, what, known, fields.decode())) into.push_back(item->text);
  }
}

bool distinct_names::add(const std::string& name, const yaml_node& at, yaml_decoder& decode) {
  if (name.empty()) return false;
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found != names_.end()) {
    decode.error(at, fmt::format("a second {} '{}' (first at line {})", what_, name,
                                 lines_[static_cast<std::size_t>(found - names_.begin())]));
    return false;
  }
  names_.push_back(name);
  lines_.push_back(at.line);
  return true;
}

}  // namespace tocsin
