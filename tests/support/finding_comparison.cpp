// SPDX-License-Identifier: Apache-2.0
// Implementation of the comparison of findings.
#include "support/finding_comparison.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "support/engine_driver.hpp"

namespace tocsin::testing {
namespace {

using named_numbers = std::map<std::string, double>;

named_numbers numbers_of(const finding& what) {
  named_numbers numbers{what.proof.values.begin(), what.proof.values.end()};
  std::erase_if(numbers,
                [](const auto& each) { return each.first.starts_with("t_") && each.second > 1e8; });
  return numbers;
}

bool same_number(const std::string& name, double one, double other) {
  const double apart = std::abs(one - other);
  const double size = std::max(std::abs(one), std::abs(other));
  if (name.starts_with("q_")) return apart <= 0.0100001 * size;
  if (name.starts_with("t_")) return apart <= 0.002 + 1e-6 * size;
  return apart <= 1e-9 + 1e-9 * size;
}

bool same(const finding& one, const finding& other, const rule_set& rules) {
  const named_numbers ones = numbers_of(one);
  const named_numbers others = numbers_of(other);
  if (ones.size() != others.size()) return false;
  if (!std::equal(
          ones.begin(), ones.end(), others.begin(), [](const auto& left, const auto& right) {
            return left.first == right.first && same_number(left.first, left.second, right.second);
          }))
    return false;
  finding bare = one;
  finding other_bare = other;
  bare.proof.values.clear();
  other_bare.proof.values.clear();
  return describe(bare, rules) == describe(other_bare, rules);
}

std::string shown(const std::vector<finding>& list, std::size_t place, const rule_set& rules) {
  return place < list.size() ? describe(list[place], rules) : "(nothing)";
}

}  // namespace

std::string difference_of(const std::vector<finding>& seen, const std::vector<finding>& wanted,
                          const rule_set& rules) {
  for (std::size_t i = 0; i < std::max(seen.size(), wanted.size()); ++i) {
    if (i < seen.size() && i < wanted.size() && same(seen[i], wanted[i], rules)) continue;
    return "seen:   " + shown(seen, i, rules) + "\nwanted: " + shown(wanted, i, rules) + "\n";
  }
  return {};
}

}  // namespace tocsin::testing
