// SPDX-License-Identifier: Apache-2.0
// Alerts and the findings they are made of.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/fingerprint.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule.hpp"
#include "tocsin/severity.hpp"
#include "tocsin/shared_text.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Names with texts, in their rule's order.
using text_map = std::vector<std::pair<shared_text, shared_text>>;

struct window_bounds {
  window_kind kind = window_kind::sliding;
  instant start{};
  instant end{};  ///< exclusive for fixed and sliding windows; a session's last event
};

/// What a window held when it was judged.
struct evidence {
  std::uint64_t event_count = 0;
  /// Of the first event_ids_max events with an id of each pane or session: the newest event_ids_max
  /// that lie in the window, by (time, log position).
  std::vector<std::string> event_ids;
  bool event_ids_truncated =
      false;  ///< true when some event's id is not in event_ids (events without id aside)
  instant first_event_time{};
  instant last_event_time{};
  std::uint64_t first_event_position = 0;
  window_bounds window;
  std::vector<std::pair<std::string, double>>
      values;  ///< the rule's selected values that are numbers
};
inline constexpr std::size_t event_ids_max = 16;

/// What an alert says in words, rendered when its condition was met.
struct alert_texts {
  shared_text title;
  shared_text description;
  text_map labels;
  text_map annotations;
  std::vector<std::pair<shared_text, std::optional<shared_text>>>
      group;  ///< group_by field -> value or NULL
  shared_text resource_id, resource_type, resource_name, item, source_id;
};

/// The position of what no event caused: of equal time, events come before timers.
inline constexpr std::uint64_t no_position = ~std::uint64_t{0};

/// What a window engine found out about one rule and key.
struct finding {
  enum class kind : std::uint8_t {
    met,        ///< the condition became true
    updated,    ///< it is still true, with newer evidence
    cleared,    ///< it became false
    recovered,  ///< an event with action resolved came
    dismissed,  ///< an event with action closed came
  };
  kind what = kind::met;
  std::uint32_t rule = 0;  ///< index in rule_set::rules
  fingerprint print;
  instant at{};  ///< by the log's clock; a closing window's is its end plus the rule's lateness
  std::uint64_t position =
      no_position;  ///< log position of the event that caused it; no_position when time did
  tocsin::severity severity = tocsin::severity::info;
  std::string_view cause;  ///< a string literal: "condition met", "window closed", ...
  evidence proof;
  std::shared_ptr<const alert_texts> texts;  ///< with met; else null
};

/// The one order in which findings of a step take effect, whatever shard they came from:
/// (at, position, rule, fingerprint).
[[nodiscard]] bool operator<(const finding& left, const finding& right) noexcept;

enum class alert_state : std::uint8_t { none, pending, firing, acknowledged, resolved, closed };
[[nodiscard]] std::string_view to_text(alert_state state) noexcept;

/// Where an alert comes from.
enum class alert_origin : std::uint8_t {
  rule,      ///< the condition of a rule
  posted,    ///< somebody posted it (Prometheus does)
  incident,  ///< it stands for several alerts
};
[[nodiscard]] std::string_view to_text(alert_origin origin) noexcept;

/// Why an alert does not notify, though it fires. All empty: it does.
struct alert_shields {
  std::vector<std::string> silenced_by;   ///< ids of silences, sorted
  std::vector<std::string> inhibited_by;  ///< alert ids, sorted
  std::vector<std::string> muted_by;      ///< names of time intervals, sorted
  [[nodiscard]] bool any() const noexcept {
    return !silenced_by.empty() || !inhibited_by.empty() || !muted_by.empty();
  }
  friend bool operator==(const alert_shields&, const alert_shields&) = default;
};

/// By whom an alert is acknowledged.
struct acknowledgement {
  shared_text by;
  instant at{};
  std::optional<instant> until;  ///< then it is lifted
  friend bool operator==(const acknowledgement&, const acknowledgement&) = default;
};

/// What only an alert that was posted has.
struct posted_facts {
  instant starts_at{};
  instant ends_at{};       ///< it resolves then, unless it is posted again
  bool times_out = false;  ///< ends_at was not given: it is the time of posting and resolve_timeout
  shared_text generator_url;
};

/// An alert after a transition, whole: what the stream carries (docs/stream.md, "The alert map").
struct alert {
  /// Of the transition: where it stands among all of them, from 1 without a gap; 0 where nothing
  /// numbers them.
  std::uint64_t seq = 0;
  alert_origin origin = alert_origin::rule;
  fingerprint alert_id;
  fingerprint print;
  shared_text rule;
  shared_text revision;
  std::uint64_t number = 0;  ///< of the transition, per alert, from 1
  instant at{};
  alert_state state = alert_state::none;
  alert_state previous_state = alert_state::none;
  shared_text cause;
  shared_text actor;  ///< "rule", "event", "checker", "api"; operators by name
  shared_text note;   ///< what an operator wrote with the transition
  tocsin::severity severity = tocsin::severity::info;
  std::shared_ptr<const alert_texts> texts;
  evidence proof;
  shared_text condition;
  instant started_at{};  ///< when the condition was first met
  std::optional<instant> resolved_at;
  std::optional<instant> closed_at;
  std::optional<acknowledgement> acknowledged;  ///< stays when it resolves: who had it
  shared_text assignee;                         ///< "": nobody
  alert_shields shields;
  bool flapping = false;
  std::optional<fingerprint> incident_id;      ///< the alert id of the incident it is part of
  std::shared_ptr<const posted_facts> posted;  ///< with origin posted; else null
};

/// A transition is the alert as it is after it.
using transition = std::shared_ptr<const alert>;

/// Every field of an alert as bytes, for the store; begins with a version.
[[nodiscard]] std::string alert_bytes(const alert& of);
/// Errors: malformed, newer_version.
[[nodiscard]] result<alert> alert_from_bytes(std::string_view bytes);

}  // namespace tocsin
