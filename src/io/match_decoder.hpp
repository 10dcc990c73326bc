// SPDX-License-Identifier: Apache-2.0
// Decodes structured filters.
#pragma once

#include <vector>

#include "io/yaml_fields.hpp"

namespace tocsin {

/// Reads `match`: a list of lists of terms, some list of which must hold whole; or a list of terms,
/// all of which must hold. A term is a map {field, op, value} or a Prometheus matcher as a text.
/// Nothing when the field is not there; what is wrong is reported.
[[nodiscard]] std::vector<std::vector<match_term>> decode_match(const yaml_fields& rule);

}  // namespace tocsin
