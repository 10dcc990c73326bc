// SPDX-License-Identifier: Apache-2.0
// Decodes the tests and what they want; the events are rule_test_events.cpp's business.
#include "io/rule_test_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <set>

#include "io/rule_test_events.hpp"
#include "io/yaml_reader.hpp"
#include "tocsin/severity.hpp"

namespace tocsin {
namespace {

using compared = wanted_field::kind;

/// 2026-01-01T00:00:00Z, a multiple of every window that divides a day.
constexpr instant default_start = from_unix_ms(1'767'225'600'000);

constexpr std::array<std::string_view, 5> known_states{"pending", "firing", "acknowledged",
                                                       "resolved", "closed"};

class test_file_decoder {
 public:
  test_file_decoder(const std::string& path, diagnostics& found) : decode_(path, found) {
    into_.path = path;
  }

  rule_test_file read(const yaml_node& root) {
    if (root.type == yaml_node::kind::null) {
      decode_.error(0, 0, "the file is empty (wanted 'rules:' and 'tests:')");
      return std::move(into_);
    }
    if (!decode_.check_map(root, "a test file", {"rules", "tests"})) return std::move(into_);
    read_globs(root);
    const yaml_entry* const tests = find(root, "tests");
    if (tests == nullptr) {
      decode_.error(root, "'tests' is missing");
    } else if (decode_.check(*tests, yaml_node::kind::list, "'tests'")) {
      for (const yaml_node& node : tests->value.items) read_test(node);
    }
    return std::move(into_);
  }

 private:
  void read_globs(const yaml_node& root) {
    const yaml_entry* const rules = find(root, "rules");
    if (rules == nullptr) {
      decode_.error(root, "'rules' is missing (rule files or globs, relative to this file)");
      return;
    }
    into_.rules_line = rules->key.line;
    const auto folder = std::filesystem::path(into_.path).parent_path();
    for (std::string& glob : texts(*rules)) into_.rules.push_back((folder / glob).string());
  }

  /// A list of texts.
  std::vector<std::string> texts(const yaml_entry& entry) {
    std::vector<std::string> all;
    if (!decode_.check(entry, yaml_node::kind::list, fmt::format("'{}'", entry.key.text))) {
      return all;
    }
    for (const yaml_node& item : entry.value.items) {
      if (item.type == yaml_node::kind::scalar) {
        all.push_back(item.text);
      } else {
        decode_.error(item, fmt::format("'{}' must be a list of texts, this is {}", entry.key.text,
                                        to_text(item.type)));
      }
    }
    return all;
  }

  void read_test(const yaml_node& node) {
    const std::size_t before = decode_.errors();
    if (!decode_.check_map(
            node, "a test",
            {"name", "start", "until", "rules", "events", "expect", "transitions"})) {
      return;
    }
    rule_test test;
    test.line = node.line;
    read_name(node, test);
    test.start = default_start;
    if (const yaml_entry* const start = find(node, "start")) read_start(*start, test);
    if (const yaml_entry* const rules = find(node, "rules")) test.rules = texts(*rules);
    read_events(node, test);
    read_expect(node, test);
    if (const yaml_entry* const transitions = find(node, "transitions")) {
      test.transitions_line = transitions->key.line;
      test.transitions = alerts(*transitions, test.start);
    }
    if (test.expect.empty() && !test.transitions && decode_.errors() == before) {
      decode_.error(node, "the test wants nothing: write 'expect', 'transitions' or both");
    }
    read_until(node, test);
    if (decode_.errors() == before) into_.tests.push_back(std::move(test));
  }

  void read_name(const yaml_node& node, rule_test& test) {
    const yaml_entry* const name = find(node, "name");
    if (name == nullptr) {
      decode_.error(node, "'name' is missing (every test has one)");
      return;
    }
    const auto written = decode_.text(*name);
    if (!written) return;
    test.name = written->text;
    if (!names_.insert(test.name).second) {
      decode_.error(name->value, fmt::format("a second test '{}'", test.name));
    }
  }

  void read_start(const yaml_entry& entry, rule_test& test) {
    const auto written = decode_.text(entry);
    if (!written) return;
    const auto start = parse_rfc3339(written->text);
    if (!start || to_unix_ms(*start) < 0) {
      decode_.error(entry.value, fmt::format("'start': \"{}\" is not RFC 3339 from 1970 on "
                                             "(2026-01-01T00:00:00Z)",
                                             written->text));
    } else {
      test.start = *start;
    }
  }

  void read_events(const yaml_node& node, rule_test& test) {
    const yaml_entry* const events = find(node, "events");
    if (events == nullptr) return;
    if (!decode_.check(*events, yaml_node::kind::list, "'events'")) return;
    for (const yaml_node& item : events->value.items) {
      decode_test_event(decode_, item, test.start, test.events);
    }
    std::stable_sort(test.events.begin(), test.events.end(),
                     [](const test_event& left, const test_event& right) {
                       return left.arrival < right.arrival;
                     });
  }

  void read_expect(const yaml_node& node, rule_test& test) {
    const yaml_entry* const expect = find(node, "expect");
    if (expect == nullptr) return;
    if (!decode_.check(*expect, yaml_node::kind::list, "'expect'")) return;
    for (const yaml_node& item : expect->value.items) read_moment(item, test);
    std::stable_sort(
        test.expect.begin(), test.expect.end(),
        [](const wanted_moment& left, const wanted_moment& right) { return left.at < right.at; });
  }

  void read_moment(const yaml_node& node, rule_test& test) {
    if (!decode_.check_map(node, "an expectation", {"at", "rules", "alerts"})) return;
    wanted_moment moment;
    moment.line = node.line;
    moment.rules = test.rules;
    const yaml_entry* const at = find(node, "at");
    if (at == nullptr) {
      decode_.error(node, "'at' is missing (when it is looked at, e.g. at: 5m)");
    } else if (const auto when = decode_test_time(decode_, *at, test.start)) {
      moment.at = *when;
      if (*when < test.start) decode_.error(at->value, "'at' is before the test's start");
    }
    if (const yaml_entry* const rules = find(node, "rules")) moment.rules = texts(*rules);
    if (const yaml_entry* const list = find(node, "alerts")) {
      moment.alerts = alerts(*list, test.start);
    } else {
      decode_.error(node, "'alerts' is missing (alerts: [] when none is to be active)");
    }
    test.expect.push_back(std::move(moment));
  }

  std::vector<wanted_alert> alerts(const yaml_entry& entry, instant start) {
    std::vector<wanted_alert> all;
    if (!decode_.check(entry, yaml_node::kind::list, fmt::format("'{}'", entry.key.text))) {
      return all;
    }
    for (const yaml_node& item : entry.value.items) {
      if (!decode_.check_map(item, "an alert",
                             {"rule",
                              "at",
                              "state",
                              "previous_state",
                              "severity",
                              "cause",
                              "title",
                              "description",
                              "group",
                              "labels",
                              "annotations",
                              "values",
                              "event_count",
                              "event_ids",
                              "resource_id",
                              "item",
                              "source_id",
                              "resource_type",
                              "resource_name",
                              "started_at",
                              "condition",
                              "actor",
                              "first_event_time",
                              "last_event_time"})) {
        continue;
      }
      wanted_alert wanted;
      wanted.line = item.line;
      for (const yaml_entry& field : item.entries) read_field(field, start, wanted);
      all.push_back(std::move(wanted));
    }
    return all;
  }

  void read_field(const yaml_entry& entry, instant start, wanted_alert& into) {
    const std::string& name = entry.key.text;
    if (name == "group" || name == "labels" || name == "annotations" || name == "values") {
      read_map(entry, name == "values" ? compared::number : compared::text, into);
    } else if (name == "at" || name.ends_with("_at") || name.ends_with("_time")) {
      if (const auto at = decode_test_time(decode_, entry, start)) {
        add(into, name, time_on_line(*at, start), compared::time, entry.value);
      }
    } else if (name == "event_ids") {
      add(into, name, listed(texts(entry)), compared::text, entry.value);
    } else if (const auto written = decode_.text(entry)) {
      add(into, name, checked(entry, written->text),
          name == "event_count" ? compared::number : compared::text, entry.value);
    }
  }

  void read_map(const yaml_entry& entry, compared how, wanted_alert& into) {
    if (!decode_.check(entry, yaml_node::kind::map, fmt::format("'{}'", entry.key.text))) return;
    for (const yaml_entry& one : entry.value.entries) {
      const auto name = entry.key.text + "." + one.key.text;
      if (one.value.type == yaml_node::kind::null) {
        add(into, name, std::nullopt, how, one.key);
      } else if (const auto written = decode_.text(one)) {
        if (how == compared::number) check_number(one, written->text);
        add(into, name, written->text, how, one.value);
      }
    }
  }

  static void add(wanted_alert& into, std::string name, std::optional<std::string> text,
                  compared how, const yaml_node& at) {
    into.fields.push_back({std::move(name), std::move(text), how, at.line, at.column});
  }

  /// The text as alerts have it; reports one that none can have.
  std::string checked(const yaml_entry& entry, const std::string& text) {
    const std::string& name = entry.key.text;
    if (name == "severity") {
      if (const auto level = parse_severity(text)) return std::string(to_text(*level));
      decode_.error(entry.value, fmt::format("'severity': seen \"{}\", wanted critical, error, "
                                             "warning or info",
                                             text));
    } else if (name == "state") {
      if (std::find(known_states.begin(), known_states.end(), text) == known_states.end()) {
        decode_.error(entry.value, fmt::format("'state': seen \"{}\", wanted pending, firing, "
                                               "acknowledged, resolved or closed",
                                               text));
      }
    } else if (name == "event_count") {
      check_number(entry, text);
    }
    return text;
  }

  void check_number(const yaml_entry& entry, const std::string& text) {
    double number = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failed == std::errc{} && end == text.data() + text.size()) return;
    decode_.error(entry.value, fmt::format("'{}': \"{}\" is not a number", entry.key.text, text));
  }

  void read_until(const yaml_node& node, rule_test& test) {
    test.until = test.start;
    if (!test.events.empty()) test.until = std::max(test.until, test.events.back().arrival);
    if (!test.expect.empty()) test.until = std::max(test.until, test.expect.back().at);
    const yaml_entry* const until = find(node, "until");
    if (until == nullptr) return;
    const auto at = decode_test_time(decode_, *until, test.start);
    if (!at) return;
    if (*at < test.until) {
      decode_.error(until->value, fmt::format("'until' is before the last event or expectation, {}",
                                              time_on_line(test.until, test.start)));
    }
    test.until = *at;
  }

  yaml_decoder decode_;
  rule_test_file into_;
  std::set<std::string> names_;
};

}  // namespace

rule_test_file parse_rule_tests(std::string_view yaml, const std::string& path,
                                diagnostics& found) {
  const auto root = read_yaml(yaml, path, found);
  if (!root) {
    rule_test_file nothing;
    nothing.path = path;
    return nothing;
  }
  return test_file_decoder(path, found).read(*root);
}

rule_test_file load_rule_tests(const std::string& path, diagnostics& found) {
  const auto bytes = read_file(path);
  if (bytes) return parse_rule_tests(*bytes, path, found);
  found.push_back({diagnostic::grade::error, path, 0, 0, bytes.failure().message});
  rule_test_file nothing;
  nothing.path = path;
  return nothing;
}

std::string time_on_line(instant at, instant start) {
  return at < start ? format_rfc3339(at) : format_duration(at - start);
}

}  // namespace tocsin
