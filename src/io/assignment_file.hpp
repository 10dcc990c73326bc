// SPDX-License-Identifier: Apache-2.0
// Reads the `assignment` section of the settings: who looks after alerts.
#pragma once

#include "io/yaml_reader.hpp"
#include "tocsin/assignment.hpp"

namespace tocsin {

/// The map `assignment`: `rules` and `fallback`. Errors are reported.
[[nodiscard]] assignment_policy decode_assignment(const yaml_entry& assignment,
                                                  yaml_decoder& decode);

}  // namespace tocsin
