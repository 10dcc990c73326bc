// SPDX-License-Identifier: Apache-2.0
// Decodes windows, sequences and what goes with them.
#include "io/window_decoder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tocsin {
namespace {

constexpr auto shortest = duration{1};
constexpr std::string_view trailing_word = "event";

void decode_sliding(const yaml_fields& window, window_spec& into) {
  window.decode().check_map(window.map(), "a sliding window", {"sliding", "every"});
  into.kind = window_kind::sliding;
  window.length("sliding", into.size, shortest);
  const yaml_entry* const every = window.entry("every");
  into.trailing = every != nullptr && every->value.text == trailing_word;
  if (!into.trailing) window.length("every", into.every, shortest);
}

void decode_fixed(const yaml_fields& window, window_spec& into) {
  window.decode().check_map(window.map(), "a fixed window", {"fixed", "offset", "timezone"});
  into.kind = window_kind::fixed;
  window.length("fixed", into.size, shortest);
  window.length("offset", into.offset);
  into.every = into.size;
  placed_text zone;
  window.text("timezone", zone);
  if (zone.line != 0 && zone.text.empty()) {
    window.decode().error(window.entry("timezone")->value,
                          "'timezone' is empty (wanted an IANA name such as Europe/Berlin)");
  }
  into.time_zone = std::move(zone.text);
}

void decode_session(const yaml_fields& window, rule_spec& into) {
  window.decode().check_map(window.map(), "a session window",
                            {"session", "max", "max_events", "close"});
  into.window.kind = window_kind::session;
  window.length("session", into.window.size, shortest);
  window.length("max", into.window.session_max, shortest);
  window.count("max_events", into.window.session_events_max, 1);
  window.text("close", into.close);
  if (window.has("close") && into.close.line != 0 && into.close.text.empty()) {
    window.decode().error(window.entry("close")->value, "'close' is empty (wanted a condition)");
  }
}

void decode_kind(const yaml_entry& entry, yaml_decoder& decode, rule_spec& into) {
  if (!decode.check(entry, yaml_node::kind::map, "'window'")) return;
  const yaml_fields window(entry.value, decode);
  static constexpr std::string_view kinds[] = {"sliding", "fixed", "session", "absent"};
  const auto given = std::count_if(std::begin(kinds), std::end(kinds),
                                   [&](std::string_view kind) { return window.has(kind); });
  if (given != 1) {
    // Naming the fields first turns a misspelt kind into a suggestion.
    decode.check_map(entry.value, "a window",
                     {"sliding", "every", "fixed", "offset", "timezone", "session", "max",
                      "max_events", "close", "absent"});
    decode.error(entry.value, fmt::format("'window' must have exactly one of sliding, fixed, "
                                          "session, absent; this has {}",
                                          given));
  } else if (window.has("sliding")) {
    decode_sliding(window, into.window);
  } else if (window.has("fixed")) {
    decode_fixed(window, into.window);
  } else if (window.has("session")) {
    decode_session(window, into);
  } else {
    decode.check_map(entry.value, "an absence", {"absent"});
    into.window.kind = window_kind::absence;
    window.length("absent", into.window.size, shortest);
  }
}

sequence_step_spec decode_step(const yaml_node& node, yaml_decoder& decode) {
  sequence_step_spec step;
  step.line = node.line;
  if (!decode.check_map(node, "a step of 'then'", {"where", "not", "within"})) return step;
  const yaml_fields fields(node, decode);
  if (fields.has("where") == fields.has("not")) {
    decode.error(node, fmt::format("a step of 'then' must have one of where and not; this has {}",
                                   fields.has("where") ? "both" : "none"));
  }
  step.absent = fields.has("not");
  fields.text(step.absent ? "not" : "where", step.where);
  fields.length("within", step.within, shortest);
  return step;
}

void decode_fire_on(const yaml_fields& rule, rule_spec& into) {
  const std::vector<yaml_node>* const ends =
      rule.list("fire_on", "name at least one of timeout, close, limit, early");
  if (ends == nullptr) return;
  into.fire_on = {false, false, false};
  bool early = false;
  const std::pair<std::string_view, bool*> known[] = {{"timeout", &into.fire_on.timeout},
                                                      {"close", &into.fire_on.close},
                                                      {"limit", &into.fire_on.limit},
                                                      {"early", &early}};
  for (const yaml_node& end : *ends) {
    const auto* const found =
        std::find_if(std::begin(known), std::end(known),
                     [&end](const auto& one) { return one.first == end.text; });
    if (found == std::end(known)) {
      rule.refuse_word(end, "fire_on", {"timeout", "close", "limit", "early"});
    } else if (*found->second) {
      rule.decode().error(end, fmt::format("'fire_on': '{}' is named twice", end.text));
    } else {
      *found->second = true;
    }
  }
  if (!early) return;
  if (into.fire == fire_mode::close) {
    rule.decode().error(*rule.entry("fire_on")->value.items.begin(),
                        "'fire_on' has early, but 'fire' is close");
  }
  into.fire = fire_mode::early;
}

void decode_expect(const yaml_fields& rule, rule_spec& into) {
  const std::vector<yaml_node>* const keys =
      rule.list("expect", "name at least one key, such as {resource_id: web-1}");
  if (keys == nullptr) return;
  for (const yaml_node& node : *keys) {
    if (node.type != yaml_node::kind::map || node.entries.empty()) {
      rule.decode().error(
          node,
          fmt::format("a key of 'expect' must be a map of group_by fields to "
                      "texts, this is {}",
                      node.type == yaml_node::kind::map ? "an empty map" : to_text(node.type)));
      continue;
    }
    auto& key = into.expect.emplace_back();
    for (const yaml_entry& field : node.entries) {
      if (auto text = rule.decode().text(field)) key.emplace_back(field.key.text, std::move(*text));
    }
  }
}

void decode_baseline(const yaml_fields& rule, rule_spec& into) {
  const yaml_entry* const entry = rule.entry("baseline");
  if (entry == nullptr) return;
  if (!rule.decode().check_map(entry->value, "a baseline", {"length", "min_samples"})) return;
  const yaml_fields baseline(entry->value, rule.decode());
  if (!baseline.has("length")) {
    rule.decode().error(entry->value, "'length' is missing (how far back, such as length: 1h)");
  }
  baseline.length("length", into.baseline.length, shortest);
  baseline.count("min_samples", into.baseline.samples_min, 2);
}

void decode_limits(const yaml_fields& rule, rule_spec& into) {
  const yaml_entry* const entry = rule.entry("limits");
  if (entry == nullptr) return;
  if (!rule.decode().check_map(entry->value, "limits", {"keys", "bytes", "events"})) return;
  const yaml_fields limits(entry->value, rule.decode());
  limits.count("keys", into.limits.keys, 1);
  limits.bytes("bytes", into.limits.bytes);
  limits.count("events", into.limits.events, 1);
}

}  // namespace

void decode_window(const yaml_fields& rule, rule_spec& into) {
  const yaml_entry* const window = rule.entry("window");
  const yaml_entry* const then = rule.entry("then");
  if (window != nullptr) decode_kind(*window, rule.decode(), into);
  if (window != nullptr && then != nullptr) {
    rule.decode().error(then->key, "'then' stands for 'window': leave one of them out");
  }
  if (window == nullptr && then == nullptr) {
    rule.decode().error(rule.map(), "'window' is missing (try window: {sliding: 5m})");
  }
  if (const auto* const steps = rule.list("then", "a sequence has at least two steps")) {
    into.window.kind = window_kind::sequence;
    for (const yaml_node& node : *steps) into.then.push_back(decode_step(node, rule.decode()));
  }
  decode_fire_on(rule, into);
  decode_expect(rule, into);
  decode_baseline(rule, into);
  decode_limits(rule, into);
}

}  // namespace tocsin
