// SPDX-License-Identifier: Apache-2.0
// Parse, compile, or throw.
#include "support/rules.hpp"

#include <stdexcept>
#include <string>
#include <utility>

#include "tocsin/rule_file.hpp"

namespace tocsin::testing {

std::shared_ptr<const rule_set> rules_from_yaml(std::string_view yaml) {
  diagnostics found;
  auto specs = parse_rules(yaml, "test.yaml", found);
  auto rules = rule_set::compile(std::move(specs), found);
  if (rules && !has_errors(found)) return rules;
  std::string all = "the test's rules do not compile:";
  for (const diagnostic& each : found) all += '\n' + each.text();
  throw std::invalid_argument(all);
}

}  // namespace tocsin::testing
