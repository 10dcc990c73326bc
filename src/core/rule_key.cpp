// SPDX-License-Identifier: Apache-2.0
// Compiles `group_by` and `expect`.
#include "core/rule_key.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/expression_syntax.hpp"

namespace tocsin {
namespace {

constexpr std::size_t group_fields_max = 32;
constexpr std::size_t expected_max = 10'000;

using named_texts = std::vector<std::pair<std::string, placed_text>>;

bool settle_group_field(group_field& field) {
  constexpr std::string_view prefix = "labels.";
  if (field.field) return is_text(*field.field);
  if (!field.name.starts_with(prefix) || field.name.size() == prefix.size()) return false;
  field.label = field.name.substr(prefix.size());
  return true;
}

std::string refuse_group_field(const group_field& field) {
  if (field.field) {
    return fmt::format("'{}' holds no text; group by text fields or labels.NAME", field.name);
  }
  std::vector<std::string> known;
  for (std::size_t i = 0; i < event_field_count; ++i) {
    const auto one = static_cast<event_field>(i);
    if (is_text(one)) known.emplace_back(to_text(one));
  }
  const std::string near = nearest_word(field.name, known);
  return fmt::format("unknown field '{}' ({})", field.name,
                     near.empty() ? "wanted a text field or labels.NAME"
                                  : fmt::format("did you mean '{}'?", near));
}

std::vector<std::string> names_of(const std::vector<group_field>& fields) {
  std::vector<std::string> names;
  for (const group_field& field : fields) names.push_back(field.name);
  return names;
}

std::string listed(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    list += list.empty() ? "" : ", ";
    list += name;
  }
  return list;
}

const placed_text* find(const named_texts& of, std::string_view name) {
  for (const auto& [known, text] : of) {
    if (known == name) return &text;
  }
  return nullptr;
}

/// True when an entry names each field once and nothing else.
bool check_entry(const named_texts& entry, const std::vector<std::string>& names,
                 rule_findings& findings) {
  bool right = true;
  for (const auto& [name, text] : entry) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    const std::string near = nearest_word(name, names);
    findings.report(text, "expect",
                    fmt::format("'{}' is not in group_by ({})", name,
                                near.empty() ? fmt::format("which is {}", listed(names))
                                             : fmt::format("did you mean '{}'?", near)));
    right = false;
  }
  for (const std::string& name : names) {
    if (find(entry, name) != nullptr) continue;
    findings.report(entry.empty() ? placed_text{} : entry.front().second, "expect",
                    fmt::format("'{}' is missing (every entry names the fields of group_by: {})",
                                name, listed(names)));
    right = false;
  }
  return right;
}

}  // namespace

std::string as_expression(const group_field& field) {
  if (field.field) return field.name;
  return fmt::format("labels[{}]", syntax::quoted(field.label));
}

std::vector<group_field> compile_group_by(const rule_spec& spec, rule_findings& findings) {
  if (spec.group_by.size() > group_fields_max) {
    findings.report(
        spec.group_by[group_fields_max], "group_by",
        fmt::format("{} fields are too many (at most {})", spec.group_by.size(), group_fields_max));
  }
  std::vector<group_field> fields;
  for (const placed_text& written : spec.group_by) {
    group_field field{written.text, parse_event_field(written.text), {}};
    const bool twice = std::any_of(fields.begin(), fields.end(), [&field](const group_field& one) {
      return one.name == field.name;
    });
    if (twice) {
      findings.report(written, "group_by", fmt::format("'{}' is named twice", field.name));
    } else if (!settle_group_field(field)) {
      findings.report(written, "group_by", refuse_group_field(field));
    }
    fields.push_back(std::move(field));
  }
  return fields;
}

std::vector<expected_key> compile_expected(const rule_spec& spec,
                                           const std::vector<group_field>& fields,
                                           rule_findings& findings) {
  if (spec.expect.size() > expected_max) {
    findings.report("expect", fmt::format("{} keys are too many (at most {})", spec.expect.size(),
                                          expected_max));
    return {};
  }
  const std::vector<std::string> names = names_of(fields);
  std::vector<std::pair<expected_key, placed_text>> keys;
  for (const named_texts& entry : spec.expect) {
    if (!check_entry(entry, names, findings)) continue;
    expected_key key;
    std::vector<key_part> parts;
    for (const group_field& field : fields) {
      const placed_text& text = *find(entry, field.name);
      parts.push_back({field.name, text.text});
      key.values.emplace_back(text.text);
    }
    key.key = fingerprint_of("", parts);
    keys.emplace_back(std::move(key), entry.front().second);
  }
  std::stable_sort(keys.begin(), keys.end(), [](const auto& left, const auto& right) {
    return left.first.key < right.first.key;
  });
  std::vector<expected_key> out;
  for (auto& [key, place] : keys) {
    if (!out.empty() && out.back().key == key.key) {
      findings.report(place, "expect", "this key is expected twice");
    } else {
      out.push_back(std::move(key));
    }
  }
  return out;
}

}  // namespace tocsin
