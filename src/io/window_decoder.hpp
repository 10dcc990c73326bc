// SPDX-License-Identifier: Apache-2.0
// Decodes what says which events of a rule count together: `window` or `then`, and what goes with
// them.
#pragma once

#include "io/yaml_fields.hpp"

namespace tocsin {

/// Reads window, then, expect, fire_on, baseline and limits. What is wrong is reported.
void decode_window(const yaml_fields& rule, rule_spec& into);

}  // namespace tocsin
