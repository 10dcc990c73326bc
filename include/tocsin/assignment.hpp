// SPDX-License-Identifier: Apache-2.0
// Assignment: who is to look after an alert that begins to fire.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/time.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin {

enum class assign_by : std::uint8_t {
  person,         ///< `to`
  label,          ///< the value of the label `label`
  resource_type,  ///< `by_type`, by the alert's resource_type
  last_handler,   ///< who handled the last alert with the same fingerprint
  round_robin,    ///< one of `people` after the other
};

/// The first rule that accepts the alert, whose time it is, and that has somebody for it decides.
struct assignment_rule {
  std::string name;
  label_matchers matchers;
  std::vector<time_interval> times;  ///< empty: always. Ranges that cross midnight come as two
  assign_by by = assign_by::person;
  std::string to;
  std::string label;
  std::vector<std::pair<std::string, std::string>> by_type;  ///< resource type -> person
  std::vector<std::string> people;
};

struct assignment_policy {
  std::vector<assignment_rule> rules;
  std::string fallback;  ///< "": such alerts stay unassigned
};

/// Not thread-safe.
class assigner {
 public:
  explicit assigner(assignment_policy policy) : policy_(std::move(policy)) {}

  struct choice {
    std::string to;   ///< "": nobody
    std::string why;  ///< "assigned by NAME", "assigned to the fallback"
  };
  /// For an alert that begins to fire at `at`.
  [[nodiscard]] choice assign(instant at, const alert& of);

  /// Somebody acknowledged, closed or was assigned it by hand: the last handler of its fingerprint.
  /// Nobody ("") changes nothing.
  /// At most handlers_max are remembered, the oldest are forgotten.
  void handled(const fingerprint& print, const std::string& by);
  static constexpr std::size_t handlers_max = 100'000;

  /// State that must last: turns of round robin and last handlers that changed since the last call,
  /// as (key, value), each key once: "turn/RULE" and "handler/FINGERPRINT". An empty value: gone.
  /// restore() takes them back in any order.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> take_changed();
  /// False for what take_changed() did not give.
  bool restore(std::string_view key, std::string_view value);

 private:
  /// Whom a rule has for an alert; "" for nobody.
  [[nodiscard]] std::string choose(const assignment_rule& rule, const alert& of);
  void remember(const fingerprint& print, std::uint64_t age, std::string by);

  assignment_policy policy_;
  std::map<std::string, std::uint64_t, std::less<>> turns_;  ///< rule name -> next of its people
  std::map<fingerprint, std::pair<std::uint64_t, std::string>> handlers_;  ///< -> (age, name)
  std::map<std::uint64_t, fingerprint> by_age_;
  std::uint64_t age_ = 0;  ///< of the newest handler
  std::map<std::string, std::string> changed_;
};

}  // namespace tocsin
