// SPDX-License-Identifier: Apache-2.0
// A rule as its author wrote it: texts not yet compiled, each with the place it stands at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/time.hpp"

namespace tocsin {

/// A text from a rule file and where it begins, so that errors inside it can point at the column.
struct placed_text {
  std::string text;
  int line = 0;    ///< from 1; 0 = unknown
  int column = 0;  ///< from 1, of the first character of the text itself (after an opening quote)
};

enum class window_kind : std::uint8_t { fixed, sliding, session, absence, sequence };
[[nodiscard]] std::string_view to_text(window_kind kind) noexcept;

/// Which events count together (docs/rules.md, "Windows").
struct window_spec {
  window_kind kind = window_kind::sliding;
  duration size{};    ///< fixed, sliding: the window's length. Session: the gap. Absence: the
                      ///< silence. Sequence: the sum of all steps' `within`
  duration every{};   ///< sliding: step between windows' ends; divides size. Fixed: equals size
  duration offset{};  ///< fixed: windows start at multiples of size plus this
  /// sliding with `every: event`: the trailing window (t - size, t] of each event; `every` is then
  /// 1 ms, the resolution of time, so that it is a sliding window like any other.
  bool trailing = false;
  /// fixed, sizes of whole days: the IANA name of the time zone whose days these are; "" is UTC.
  std::string time_zone{};
  duration session_max{};                ///< session: longest from first to last event; 0: no bound
  std::uint64_t session_events_max = 0;  ///< session: most events; 0: no bound
  friend bool operator==(const window_spec&, const window_spec&) = default;
};

/// Which time of an event a rule goes by.
enum class rule_clock : std::uint8_t { event, arrival };

/// When a rule fires: `automatic` lets the compiler decide by whether `having` is monotone.
enum class fire_mode : std::uint8_t { automatic, early, close };

/// One term of a structured filter: `{field, op, value}`, or a Prometheus matcher as a text.
struct match_term {
  placed_text matcher;              ///< 'item=~"cpu.*"'; empty when it is a field, op and values
  placed_text field;                ///< an event's field, or labels.NAME
  placed_text op;                   ///< eq, ne, contains, not_contains, re, gt, ge, lt, le, in
  std::vector<placed_text> values;  ///< one; for eq, ne and in also several
  std::vector<bool> quoted;         ///< by value: it stood in quotes, so it is a text
};

/// By which ends of a session a rule is judged, beside (or instead of) the gap running out.
struct session_ends {
  bool timeout = true;  ///< no event came for the gap
  bool close = false;   ///< an event met `close`
  bool limit = false;   ///< max or max_events was reached
  friend bool operator==(const session_ends&, const session_ends&) = default;
};

/// One step of a sequence.
struct sequence_step_spec {
  placed_text where;
  bool absent = false;  ///< `not:` instead of `where:`: no such event may come; the last step only
  duration within{};    ///< at most this long after the step before; all steps but the first
  int line = 0;
};

/// The past that zscore, mad_score and ewma compare with: [window start - length, window start).
struct baseline_spec {
  duration length{};              ///< 0: the rule has none
  std::uint64_t samples_min = 0;  ///< with fewer values there is no score
  friend bool operator==(const baseline_spec&, const baseline_spec&) = default;
};

/// What one rule may hold. 0: no bound of its own.
struct rule_limits {
  std::uint64_t keys = 0;    ///< keys that have state; a new one beyond goes to __overflow__
  std::uint64_t bytes = 0;   ///< of state; beyond, new keys go to __overflow__
  std::uint64_t events = 0;  ///< `every: event`: instants with events that a key's window may hold
  friend bool operator==(const rule_limits&, const rule_limits&) = default;
};

/// Where the value of a rule's field begins in its file.
struct field_place {
  std::string field;  ///< "window", "limits", ...
  int line = 0;       ///< from 1
  int column = 0;     ///< from 1
};

/// A rule before compilation. Optional texts that were not given are empty with line 0.
struct rule_spec {
  std::string file;
  int line = 0;
  placed_text name;
  /// An expression giving true or false; "true" for all events. May be left out with `match` or
  /// `then`.
  placed_text where;
  /// A structured filter: some inner list must hold whole. With `where`, both must hold.
  std::vector<std::vector<match_term>> match;
  std::vector<placed_text>
      group_by;  ///< event text fields or labels.NAME; default source_id, resource_id, item
  window_spec window;
  placed_text close;  ///< session: the condition over one event that ends it; judged on every event
                      ///< of the group key, whatever `where` says
  session_ends fire_on;                  ///< session
  std::vector<sequence_step_spec> then;  ///< sequence: at least two steps; stands for `window`
  /// absence: keys that are waited for from the start; each a list of group field -> value
  std::vector<std::vector<std::pair<std::string, placed_text>>> expect;
  baseline_spec baseline;
  rule_limits limits;
  std::vector<std::pair<std::string, placed_text>> select;  ///< name -> expression over aggregates
  placed_text having;    ///< default: event_count >= 1; absence: true
  placed_text severity;  ///< a level's name, worst_level, or an expression giving a name; default
                         ///< worst_level
  placed_text title;     ///< template; default: "RULE: KEY"
  placed_text description;  ///< template
  duration pending_for{};   ///< `for`: having must hold this long before the alert fires
  duration keep_firing_for{};
  duration close_after{};  ///< a firing alert that had no event this long is closed; 0: never
  std::optional<duration> lateness;  ///< default 5 s, 0 with clock: arrival
  rule_clock clock = rule_clock::event;
  fire_mode fire = fire_mode::automatic;  ///< sessions: `early` also fires inside the session
  std::vector<std::pair<std::string, placed_text>> labels;       ///< templates
  std::vector<std::pair<std::string, placed_text>> annotations;  ///< templates
  std::vector<field_place> places;  ///< of the fields that were given, for errors about them
};

}  // namespace tocsin
