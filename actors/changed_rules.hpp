// SPDX-License-Identifier: Apache-2.0
// What rules that were changed before a restart have found in steps that the alert book has had:
// the book has had them under the rules of then.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// Not thread-safe; owned by the alert manager.
class changed_rules {
 public:
  using fact = std::pair<std::string, std::string>;

  explicit changed_rules(std::shared_ptr<const rule_set> rules);

  /// Takes its own fact out of those that were stored: which rules there were.
  void restore(std::vector<fact>& stored);

  /// A finding of a step that the book has had. That of a rule which is new or another now is kept
  /// while its condition holds.
  void pass_over(finding&& found);
  /// What was kept, as found at `at`: the conditions of new and changed rules that hold. Once; to
  /// be done with the first step that the book has not had.
  [[nodiscard]] std::vector<finding> take(instant at);

  /// What the next changes must store; nothing when it is stored, and before take().
  [[nodiscard]] std::optional<fact> take_fact();

 private:
  [[nodiscard]] bool is_changed(std::uint32_t rule) const {
    return rule < changed_.size() && changed_[rule];
  }

  std::shared_ptr<const rule_set> rules_;
  std::string now_;  ///< names and revisions of the rules
  bool stored_ = false;
  std::vector<bool> changed_;  ///< by rule_set::rules index
  std::unordered_map<fingerprint, finding, fingerprint_hash> in_force_;
};

}  // namespace tocsin
