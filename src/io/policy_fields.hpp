// SPDX-License-Identifier: Apache-2.0
// Reads the kinds of fields that policies are made of: matchers, Prometheus's durations, flags,
// names of things that stand elsewhere.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/yaml_fields.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Fields that others know and tocsin does not use; `why` is the rest of a sentence that begins
/// with the field's name.
struct unused_fields {
  std::vector<std::string_view> names;
  std::string_view why;
};

/// yaml_decoder::check_map() with a sentence of their own for fields that are unused on purpose.
bool check_fields(const yaml_node& node, std::string_view what,
                  std::initializer_list<std::string_view> known,
                  const std::vector<unused_fields>& unused, yaml_decoder& decode);

/// parse_duration() with years of 365 days before the weeks, as Prometheus has them: "1y2d".
[[nodiscard]] std::optional<duration> parse_prometheus_duration(std::string_view text);

/// A duration of Prometheus between `least` and `most`, both included.
void take_length(const yaml_fields& fields, std::string_view name, duration& into, duration least,
                 duration most);
/// "true" or "false".
void take_flag(const yaml_fields& fields, std::string_view name, bool& into);
/// The texts of a list, which may be empty. Nodes that are none are reported and left out.
[[nodiscard]] std::vector<const yaml_node*> take_list(const yaml_fields& fields,
                                                      std::string_view name);
/// A text that must be there and say something.
[[nodiscard]] std::string take_name(const yaml_fields& fields, std::string_view hint);

/// A list of matchers as texts.
void take_matchers(const yaml_fields& fields, std::string_view name, label_matchers& into);
/// The older form: a map of label names to values, or to regular expressions.
void take_match_map(const yaml_fields& fields, std::string_view name, matcher_operator op,
                    label_matchers& into);
/// Alertmanager's order: by name, value, operator.
void sort_matchers(label_matchers& all);

/// True for a name that Prometheus takes for a label.
[[nodiscard]] bool is_label_name(std::string_view name) noexcept;
/// Label names, none twice; others are reported.
void take_label_names(const yaml_fields& fields, std::string_view name,
                      std::vector<std::string>& into);

/// Reports a name that is not among `known`; `what` is the kind of thing.
bool check_known(const yaml_node& name, std::string_view field, std::string_view what,
                 const std::vector<std::string>& known, yaml_decoder& decode);
/// The texts of a list, each among `known`.
void take_known(const yaml_fields& fields, std::string_view name, std::string_view what,
                const std::vector<std::string>& known, std::vector<std::string>& into);

/// Collects names that must differ.
class distinct_names {
 public:
  explicit distinct_names(std::string_view what) : what_(what) {}
  /// False, and reported, when it was there before.
  bool add(const std::string& name, const yaml_node& at, yaml_decoder& decode);
  [[nodiscard]] const std::vector<std::string>& all() const noexcept { return names_; }

 private:
  std::string_view what_;
  std::vector<std::string> names_;
  std::vector<int> lines_;
};

}  // namespace tocsin
