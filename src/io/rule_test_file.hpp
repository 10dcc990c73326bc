// SPDX-License-Identifier: Apache-2.0
// Unit tests of rules from YAML files (docs/testing-rules.md): events on a time line, and the
// alerts that are wanted of them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Something that comes in, or only time that passes.
struct test_event {
  instant arrival{};
  std::string message;  ///< one event, msgpack; "": time passes, nothing comes
};

/// A field of an alert that a test has written: what it does not write is not compared.
struct wanted_field {
  enum class kind : std::uint8_t {
    text,
    number,  ///< equal within 1e-9 of the larger one
    time,    ///< text is as time_on_line() writes it
  };
  std::string name;                 ///< "state", "group.resource_id", "values.failures", ...
  std::optional<std::string> text;  ///< nothing: the alert must not have it
  kind compared = kind::text;
  int line = 0;
  int column = 0;
};

/// An alert, or a transition, that a test wants.
struct wanted_alert {
  std::vector<wanted_field> fields;
  int line = 0;
};

/// All alerts that are to be active at one time.
struct wanted_moment {
  instant at{};
  std::vector<std::string> rules;  ///< only alerts of these are compared; empty: of all
  std::vector<wanted_alert> alerts;
  int line = 0;
};

struct rule_test {
  std::string name;
  instant start{};
  instant until{};                    ///< time passes to here at least
  std::vector<std::string> rules;     ///< only transitions of these are compared; empty: of all
  std::vector<test_event> events;     ///< by arrival
  std::vector<wanted_moment> expect;  ///< by time
  std::optional<std::vector<wanted_alert>> transitions;  ///< all of them in order; nothing: any
  int transitions_line = 0;
  int line = 0;
};

struct rule_test_file {
  std::string path;
  std::vector<std::string> rules;  ///< globs, as they stand from the working folder
  int rules_line = 0;
  std::vector<rule_test> tests;
};

/// The tests of a YAML text; `path` is named in the findings, and globs are relative to its folder.
/// All errors are reported; tests with an error are left out.
[[nodiscard]] rule_test_file parse_rule_tests(std::string_view yaml, const std::string& path,
                                              diagnostics& found);

/// The tests of a file.
[[nodiscard]] rule_test_file load_rule_tests(const std::string& path, diagnostics& found);

/// A time as tests write it: "5m" after `start`, else RFC 3339.
[[nodiscard]] std::string time_on_line(instant at, instant start);

}  // namespace tocsin
