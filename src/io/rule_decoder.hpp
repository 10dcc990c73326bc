// SPDX-License-Identifier: Apache-2.0
// Decodes the tree of a rule file.
#pragma once

#include <string>
#include <vector>

#include "io/yaml_reader.hpp"

namespace tocsin {

/// The rules of a file that are right as far as their form goes; everything else is reported, all
/// at once.
[[nodiscard]] std::vector<rule_spec> decode_rules(const yaml_node& root, const std::string& file,
                                                  diagnostics& found);

}  // namespace tocsin
