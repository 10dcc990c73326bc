// SPDX-License-Identifier: Apache-2.0
// What `tocsin check --event` says of enrichment: each step, and the labels before and after it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/json_line.hpp"
#include "tocsin/enrichment.hpp"
#include "tocsin/event.hpp"

namespace tocsin {

/// A label that outlives its batch.
struct shown_label {
  std::string name;
  label::kind type = label::kind::null;
  std::string text;  ///< of a number, true or false too; "" of null
  friend bool operator==(const shown_label&, const shown_label&) = default;
};

/// What one step did to one event.
struct enrichment_trial {
  enrichment_counts counts;         ///< of this event alone
  std::vector<shown_label> before;  ///< in the event's order
  std::vector<shown_label> after;
};

/// Applies the steps, one by one, to a batch of one event. Nothing when there is no event or
/// `steps` is null.
[[nodiscard]] std::vector<enrichment_trial> try_enrichment(
    const std::shared_ptr<const enrichment>& steps, event_batch& batch);

/// A line for each step and for each label that it added (+), changed (~) or removed (-).
[[nodiscard]] std::string describe_enrichment(const std::vector<enrichment_trial>& trials);

/// Adds "enrich": a list of {step, outcome, labels_left_out, added, changed, removed, labels},
/// labels by name as texts or null.
void add_enrichment(json_line& to, const std::vector<enrichment_trial>& trials);

}  // namespace tocsin
