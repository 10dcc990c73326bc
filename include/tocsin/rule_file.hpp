// SPDX-License-Identifier: Apache-2.0
// Reads rules from YAML files, strictly: unknown and duplicate keys, wrong types and bad texts are
// errors with places.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/rule.hpp"

namespace tocsin {

/// The rules of one YAML text; `file` is named in the findings. All errors are reported, not just
/// the first; rules with an error are left out.
[[nodiscard]] std::vector<rule_spec> parse_rules(std::string_view yaml, const std::string& file,
                                                 diagnostics& found);

/// The rules of all files that match the globs ("config/rules/*.yaml"), files in name order, each
/// once. A glob that matches nothing is a warning, a file that cannot be read an error.
[[nodiscard]] std::vector<rule_spec> load_rules(const std::vector<std::string>& globs,
                                                diagnostics& found);

}  // namespace tocsin
