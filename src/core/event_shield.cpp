// SPDX-License-Identifier: Apache-2.0
// An event as matchers see it.
#include "tocsin/event_shield.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "tocsin/severity.hpp"

namespace tocsin {
namespace {

constexpr std::string_view labels_prefix = "labels.";

/// A label's text; numbers are written into `scratch`.
std::string_view text_of(const label& of, std::string& scratch) {
  switch (of.type) {
    case label::kind::null:
      return "";
    case label::kind::text:
      return of.text;
    case label::kind::number:
      scratch = fmt::format("{}", of.number);
      return scratch;
    case label::kind::boolean:
      return of.number != 0 ? "true" : "false";
  }
  return "";
}

std::string_view label_named(const event_batch& batch, const event& of, std::string_view name,
                             std::string& scratch) {
  for (const label& each : batch.labels_of(of)) {
    if (each.name == name) return text_of(each, scratch);
  }
  return "";
}

std::string_view seen_by_matchers(const event_batch& batch, const event& of, std::string_view name,
                                  std::string& scratch) {
  if (name.starts_with(labels_prefix)) {
    return label_named(batch, of, name.substr(labels_prefix.size()), scratch);
  }
  if (name == "severity" || name == "level") return of.level ? to_text(*of.level) : "";
  if (name == "action") return to_text(of.action);
  if (const auto field = parse_event_field(name); field && is_text(*field)) return of.text(*field);
  return label_named(batch, of, name, scratch);
}

}  // namespace

bool event_shield::keeps_out(const event_batch& batch, const event& of) const {
  std::string scratch;
  return std::any_of(in_force_.begin(), in_force_.end(), [&](const silence_ptr& each) {
    return all_accept(each->matchers, [&](std::string_view name) {
      return seen_by_matchers(batch, of, name, scratch);
    });
  });
}

}  // namespace tocsin
