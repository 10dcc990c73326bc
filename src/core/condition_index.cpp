// SPDX-License-Identifier: Apache-2.0
// Chooses for each filter the equality that the fewest filters share.
#define XXH_INLINE_ALL
#include "core/condition_index.hpp"

#include <xxhash.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <tuple>

namespace tocsin {
namespace {

/// (field or event_field_count for a label, label's name, text)
using fact = std::tuple<std::size_t, std::string, std::string>;

fact fact_of(const required_equality& demand, const std::string& text) {
  return {demand.field ? static_cast<std::size_t>(*demand.field) : event_field_count, demand.label,
          text};
}

/// Of equalities as selective as each other, what an event is about tells more than who sent it,
/// and fields are found faster than labels.
int preference(const required_equality& demand) {
  if (!demand.field) return 4;
  switch (*demand.field) {
    case event_field::item:
      return 0;
    case event_field::resource_id:
      return 1;
    case event_field::resource_name:
      return 2;
    default:
      return 3;
  }
}

}  // namespace

std::size_t text_hash::operator()(std::string_view text) const noexcept {
  return XXH3_64bits(text.data(), text.size());
}

condition_index::condition_index(const rule_set& rules) {
  collect_conditions(rules);
  file_conditions();
}

void condition_index::collect_conditions(const rule_set& rules) {
  std::map<std::string_view, std::size_t> by_text_form;
  for (const unit& one : rules.units()) {
    const auto fixed = one.where.constant();
    if (fixed && !fixed->is_true()) continue;
    const auto [known, is_new] = by_text_form.emplace(one.where_canonical, conditions_.size());
    if (is_new) conditions_.push_back({one.where, fixed.has_value(), {}, {}});
    conditions_[known->second].units.push_back(std::uint64_t{one.group} << 32 | one.index);
  }
  for (condition& one : conditions_) std::sort(one.units.begin(), one.units.end());
}

void condition_index::file_conditions() {
  std::map<fact, std::size_t> demanded_by;
  for (const condition& one : conditions_) {
    for (const required_equality& demand : one.where.required()) {
      for (const std::string& text : demand.texts) ++demanded_by[fact_of(demand, text)];
    }
  }
  const auto cost = [&](const required_equality& demand) {
    std::size_t shared_with = 0;
    for (const std::string& text : demand.texts) shared_with += demanded_by[fact_of(demand, text)];
    return std::pair{shared_with, preference(demand)};
  };
  std::vector<std::optional<std::uint32_t>> answered(conditions_.size());
  for (std::uint32_t i = 0; i < conditions_.size(); ++i) {
    const auto& demands = conditions_[i].where.required();
    if (demands.empty()) {
      everywhere_.push_back(i);
      continue;
    }
    const auto& best = *std::min_element(
        demands.begin(), demands.end(),
        [&](const auto& left, const auto& right) { return cost(left) < cost(right); });
    // Of two labels with one name an expression sees the first, the index both: a label is asked
    // again.
    if (best.field) answered[i] = static_cast<std::uint32_t>(&best - demands.data());
    by_text& texts =
        best.field ? by_field_[static_cast<std::size_t>(*best.field)] : by_label_[best.label];
    // A text that is listed twice must not make the filter a candidate twice.
    for (const std::string& text : std::set(best.texts.begin(), best.texts.end())) {
      texts[text].push_back(i);
    }
  }
  for (std::size_t i = 0; i < event_field_count; ++i) {
    if (!by_field_[i].empty()) fields_.push_back(static_cast<event_field>(i));
  }
  list_predicates(answered);
}

void condition_index::list_predicates(const std::vector<std::optional<std::uint32_t>>& answered) {
  std::map<std::string_view, std::uint32_t> by_text_form;
  for (std::size_t i = 0; i < conditions_.size(); ++i) {
    condition& one = conditions_[i];
    if (one.always) continue;
    const std::vector<conjunct>& parts = one.where.conjuncts();
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (answered[i] && parts[part].required == answered[i]) continue;
      const auto next = static_cast<std::uint32_t>(predicates_.size());
      const auto [known, is_new] = by_text_form.emplace(parts[part].canonical, next);
      if (is_new) predicates_.push_back({one.where, part, false});
      // A filter may say a thing twice.
      if (std::find(one.asked.begin(), one.asked.end(), known->second) != one.asked.end()) continue;
      if (!is_new) predicates_[known->second].shared = true;
      one.asked.push_back(known->second);
    }
  }
}

bool condition_index::holds(const condition& one, const scope& names,
                            predicate_answers& answers) const {
  for (const std::uint32_t index : one.asked) {
    const predicate& asked = predicates_[index];
    const conjunct& part = asked.where.conjuncts()[asked.part];
    if (!asked.shared) {
      if (!asked.where.holds(part, names)) return false;
      continue;
    }
    if (answers.known_.empty()) answers.known_.resize(predicates_.size());
    std::uint64_t& known = answers.known_[index];
    if (known >> 1 != answers.event_)
      known = answers.event_ << 1 | std::uint64_t{asked.where.holds(part, names)};
    if ((known & 1) == 0) return false;
  }
  return true;
}

}  // namespace tocsin
