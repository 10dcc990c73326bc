// SPDX-License-Identifier: Apache-2.0
// Random lives of an alert book: findings, time and operators, under a policy that has everything.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tocsin/alert_book.hpp"

namespace tocsin::testing {

/// One step of the log, and what operators do after it.
struct book_turn {
  instant clock{};
  std::vector<finding> findings;
  /// Given the book, so that they can be about alerts that are active.
  std::vector<std::function<operation(const alert_book&)>> operations;
};

struct book_scenario {
  std::shared_ptr<const rule_set> rules;
  std::shared_ptr<const alert_policy> policy;
  std::vector<book_turn> turns;
};

/// Times are whole seconds close together, so that findings, timers and operators often coincide.
[[nodiscard]] book_scenario make_book_scenario(std::uint64_t seed);

/// A transition in words, every field that tests compare; with `seq` only when wanted.
[[nodiscard]] std::string listed(const alert& of, bool with_seq);
/// The transitions and notices of changes, one a line.
[[nodiscard]] std::string listed(const book_changes& of, bool with_seq);
/// The active alerts and the groups of a book.
[[nodiscard]] std::string listed(const alert_book& of);

}  // namespace tocsin::testing
