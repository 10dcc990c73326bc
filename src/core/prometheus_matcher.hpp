// SPDX-License-Identifier: Apache-2.0
// Reads one Prometheus matcher: name, operator, value.
#pragma once

#include <string>
#include <string_view>

#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

struct prometheus_matcher {
  std::string name;
  matcher_operator op = matcher_operator::equal;
  std::string value;            ///< escapes resolved
  std::size_t value_begin = 0;  ///< offset of the value's first byte, after an opening quote
};

/// Reads `name="value"`, with = != =~ or !~, white space around each part, the name in quotes when
/// it is no word, the value in quotes or not (as Alertmanager's classic parser takes it). Errors
/// begin with "column N: ".
[[nodiscard]] result<prometheus_matcher> parse_matcher(std::string_view text);

}  // namespace tocsin
