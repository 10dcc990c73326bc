// SPDX-License-Identifier: Apache-2.0
// Rules by name and revision, and conditions that hold.
#include "changed_rules.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace tocsin {
namespace {

constexpr std::string_view fact_name = "event_log/rules";

std::string line_of(const rule& of) {
  return of.name + ' ' + of.revision + '\n';
}

}  // namespace

changed_rules::changed_rules(std::shared_ptr<const rule_set> rules) : rules_(std::move(rules)) {
  for (const rule& each : rules_->rules()) now_ += line_of(each);
}

void changed_rules::restore(std::vector<fact>& stored) {
  const auto own = std::find_if(stored.begin(), stored.end(),
                                [](const fact& each) { return each.first == fact_name; });
  if (own == stored.end()) return;
  const std::string then = std::move(own->second);
  stored.erase(own);
  stored_ = then == now_;
  if (stored_) return;
  std::set<std::string_view> known;
  for (std::string_view rest = then; !rest.empty();) {
    const std::size_t end = std::min(rest.find('\n'), rest.size() - 1) + 1;
    known.insert(rest.substr(0, end));
    rest.remove_prefix(end);
  }
  for (const rule& each : rules_->rules()) changed_.push_back(!known.contains(line_of(each)));
}

void changed_rules::pass_over(finding&& found) {
  if (!is_changed(found.rule)) return;
  switch (found.what) {
    case finding::kind::met:
      in_force_.insert_or_assign(found.print, std::move(found));
      return;
    case finding::kind::updated:
      if (const auto held = in_force_.find(found.print); held != in_force_.end()) {
        held->second.severity = found.severity;
        if (found.proof.event_count > 0) held->second.proof = std::move(found.proof);
        if (found.texts) held->second.texts = std::move(found.texts);
      }
      return;
    case finding::kind::cleared:
    case finding::kind::recovered:
    case finding::kind::dismissed:
      in_force_.erase(found.print);
      return;
  }
}

std::vector<finding> changed_rules::take(instant at) {
  std::vector<finding> all;
  all.reserve(in_force_.size());
  for (auto& [print, each] : in_force_) {
    all.push_back(std::move(each));
    all.back().at = at;
  }
  in_force_.clear();
  changed_.clear();
  return all;
}

std::optional<changed_rules::fact> changed_rules::take_fact() {
  if (stored_ || !changed_.empty()) return std::nullopt;
  stored_ = true;
  return fact{std::string{fact_name}, now_};
}

}  // namespace tocsin
