// SPDX-License-Identifier: Apache-2.0
// Compares an event's labels before and after each step.
#include "programs/enrich_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "tocsin/expression.hpp"

namespace tocsin {

namespace {

std::vector<shown_label> labels_of(const event_batch& batch) {
  std::vector<shown_label> shown;
  for (const label& each : batch.labels_of(batch.events.front())) {
    std::string text(each.text);
    if (each.type == label::kind::number) text = value::of(each.number).to_text();
    if (each.type == label::kind::boolean) text = each.number != 0 ? "true" : "false";
    shown.push_back({std::string(each.name), each.type, std::move(text)});
  }
  return shown;
}

const shown_label* find(const std::vector<shown_label>& labels, const std::string& name) {
  const auto at = std::find_if(labels.begin(), labels.end(),
                               [&](const shown_label& each) { return each.name == name; });
  return at == labels.end() ? nullptr : &*at;
}

/// Texts in quotes, which tell them from numbers.
std::string in_words(const shown_label& of) {
  if (of.type == label::kind::null) return "null";
  return of.type == label::kind::text ? fmt::format("\"{}\"", of.text) : of.text;
}

struct label_changes {
  std::vector<shown_label> added;
  std::vector<std::pair<shown_label, shown_label>> changed;  ///< before and after
  std::vector<shown_label> removed;
};

label_changes changes_of(const enrichment_trial& trial) {
  label_changes made;
  for (const shown_label& each : trial.after) {
    const auto* const old = find(trial.before, each.name);
    if (old == nullptr) {
      made.added.push_back(each);
    } else if (*old != each) {
      made.changed.emplace_back(*old, each);
    }
  }
  for (const shown_label& each : trial.before) {
    if (find(trial.after, each.name) == nullptr) made.removed.push_back(each);
  }
  return made;
}

std::string_view outcome_of(const enrichment_counts& counts) {
  if (counts.matched > 0) return "matched";
  if (counts.unmatched > 0) return "unmatched";
  return counts.skipped > 0 ? "skipped" : "overflow";
}

/// What the outcome means to the one who wrote the step.
std::string outcome_text(const enrichment_counts& counts) {
  if (counts.matched > 0) return "matched";
  if (counts.skipped > 0) return "skipped: `where` does not hold";
  if (counts.overflow > 0) {
    return fmt::format("matched, but {} labels were left out: they do not fit the limits",
                       counts.labels_left_out);
  }
  if (counts.step.ends_with("-extract"))
    return "unmatched: no such field, or the pattern is not in it";
  if (counts.step.ends_with("-lookup"))
    return "unmatched: no such field, or no row has it as its key";
  return "unmatched: there is no such label";
}

void add_labels(json_line& to, std::string_view key, const std::vector<shown_label>& labels) {
  to.key(key).begin_object();
  for (const shown_label& each : labels) {
    to.key(each.name);
    each.type == label::kind::null ? to.null() : to.text(each.text);
  }
  to.end_object();
}

}  // namespace

std::vector<enrichment_trial> try_enrichment(const std::shared_ptr<const enrichment>& steps,
                                             event_batch& batch) {
  std::vector<enrichment_trial> trials;
  if (!steps || batch.events.empty()) return trials;
  enricher one(steps);
  for (std::size_t i = 0; i < steps->size(); ++i) {
    enrichment_trial trial;
    trial.before = labels_of(batch);
    one.apply_step(batch, i);
    trial.after = labels_of(batch);
    trial.counts = one.counts()[i];
    trials.push_back(std::move(trial));
  }
  return trials;
}

std::string describe_enrichment(const std::vector<enrichment_trial>& trials) {
  std::string text = "enrichment of the event\n";
  for (const enrichment_trial& trial : trials) {
    text += fmt::format("  {:<11}{}\n", trial.counts.step, outcome_text(trial.counts));
    const label_changes made = changes_of(trial);
    for (const shown_label& each : made.added) {
      text += fmt::format("    + {} = {}\n", each.name, in_words(each));
    }
    for (const auto& [old, each] : made.changed) {
      text += fmt::format("    ~ {} = {} (was {})\n", each.name, in_words(each), in_words(old));
    }
    for (const shown_label& each : made.removed) {
      text += fmt::format("    - {} (was {})\n", each.name, in_words(each));
    }
  }
  return text;
}

void add_enrichment(json_line& to, const std::vector<enrichment_trial>& trials) {
  to.key("enrich").begin_list();
  for (const enrichment_trial& trial : trials) {
    const label_changes made = changes_of(trial);
    to.begin_object().key("step").text(trial.counts.step);
    to.key("outcome").text(outcome_of(trial.counts));
    to.key("labels_left_out").count(trial.counts.labels_left_out);
    add_labels(to, "added", made.added);
    std::vector<shown_label> changed;
    for (const auto& [old, each] : made.changed) changed.push_back(each);
    add_labels(to, "changed", changed);
    add_labels(to, "removed", made.removed);
    add_labels(to, "labels", trial.after);
    to.end_object();
  }
  to.end_list();
}

}  // namespace tocsin
