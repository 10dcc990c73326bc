// SPDX-License-Identifier: Apache-2.0
// Rules for tests, written as a user writes them.
#pragma once

#include <memory>
#include <string_view>

#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

/// Compiles the rules of a YAML text. Throws std::invalid_argument with all findings when there is
/// an error, which fails the test that asked.
[[nodiscard]] std::shared_ptr<const rule_set> rules_from_yaml(std::string_view yaml);

}  // namespace tocsin::testing
