// SPDX-License-Identifier: Apache-2.0
// What `tocsin check` says of compiled rules, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "programs/enrich_report.hpp"
#include "tocsin/event.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// What a rule would do with one event.
struct rule_trial {
  bool matches = false;   ///< the event meets `where` and its action is firing
  bool recovers = false;  ///< its action is resolved or closed: it ends this key's alert
  std::vector<std::pair<std::string, std::optional<std::string>>> key;  ///< nullopt: NULL
  fingerprint print;
};

/// Tries the first event of `batch` on a rule.
[[nodiscard]] rule_trial try_rule(const rule_set& rules, const rule& of, const event_batch& batch);

/// Some lines, indented, ending in a newline.
[[nodiscard]] std::string describe_rule(const rule_set& rules, const rule& of,
                                        const std::optional<rule_trial>& trial);

/// One line of JSON: {ok, diagnostics, rules}. `rules` may be null, when there were errors; `tried`
/// is the batch whose first event is tried, or null.
/// What enrichment did to it goes under "enrich" where there are steps.
[[nodiscard]] std::string report_as_json(const diagnostics& found, const rule_set* rules,
                                         const event_batch* tried,
                                         const std::vector<enrichment_trial>& trials = {});

}  // namespace tocsin
