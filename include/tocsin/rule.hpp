// SPDX-License-Identifier: Apache-2.0
// A rule as its author wrote it: texts not yet compiled, each with the place it stands at.
#pragma once

#include <optional>
#include <string>
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

enum class window_kind : std::uint8_t { fixed, sliding, session };
[[nodiscard]] std::string_view to_text(window_kind kind) noexcept;

/// Which events count together (docs/rules.md, "Windows").
struct window_spec {
  window_kind kind = window_kind::sliding;
  duration size{};    ///< fixed, sliding: the window's length. Session: the gap
  duration every{};   ///< sliding: step between windows' ends; divides size. Fixed: equals size
  duration offset{};  ///< fixed: windows start at multiples of size plus this
  friend bool operator==(const window_spec&, const window_spec&) = default;
};

/// Which time of an event a rule goes by.
enum class rule_clock : std::uint8_t { event, arrival };

/// When a rule fires: `automatic` lets the compiler decide by whether `having` is monotone.
enum class fire_mode : std::uint8_t { automatic, early, close };

/// A rule before compilation. Optional texts that were not given are empty with line 0.
struct rule_spec {
  std::string file;
  int line = 0;
  placed_text name;
  placed_text where;  ///< an expression giving true or false; "true" for all events
  std::vector<placed_text>
      group_by;  ///< event text fields or labels.NAME; default source_id, resource_id, item
  window_spec window;
  std::vector<std::pair<std::string, placed_text>> select;  ///< name -> expression over aggregates
  placed_text having;    ///< default: true at the first event (count() >= 1)
  placed_text severity;  ///< a level's name, worst_level, or an expression giving a name; default
                         ///< worst_level
  placed_text title;     ///< template; default: "RULE: KEY"
  placed_text description;  ///< template
  duration pending_for{};   ///< `for`: having must hold this long before the alert fires
  duration keep_firing_for{};
  std::optional<duration> lateness;  ///< default 5 s, 0 with clock: arrival
  rule_clock clock = rule_clock::event;
  fire_mode fire = fire_mode::automatic;  ///< sessions: `early` also fires inside the session
  std::vector<std::pair<std::string, placed_text>> labels;       ///< templates
  std::vector<std::pair<std::string, placed_text>> annotations;  ///< templates
};

}  // namespace tocsin
