// SPDX-License-Identifier: Apache-2.0
// Chooses for each filter the equality that the fewest filters share.
#define XXH_INLINE_ALL
#include "core/condition_index.hpp"

#include <xxhash.h>

#include <algorithm>
#include <map>
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
    if (is_new) conditions_.push_back({one.where, fixed.has_value(), {}});
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
  for (std::uint32_t i = 0; i < conditions_.size(); ++i) {
    const auto& demands = conditions_[i].where.required();
    if (demands.empty()) {
      everywhere_.push_back(i);
      continue;
    }
    const auto& best = *std::min_element(
        demands.begin(), demands.end(),
        [&](const auto& left, const auto& right) { return cost(left) < cost(right); });
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
}

}  // namespace tocsin
