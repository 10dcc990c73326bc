// SPDX-License-Identifier: Apache-2.0
// Reads Prometheus matchers: name, operator, value; one, or a list of them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// A matcher as it is written: nothing is compiled.
struct prometheus_matcher {
  std::string name;
  matcher_operator op = matcher_operator::equal;
  std::string value;            ///< escapes resolved
  std::size_t value_begin = 0;  ///< offset of the value's first byte, after an opening quote
};

/// Reads `name="value"`, with = != =~ or !~, white space around each part, the name in quotes when
/// it is no word, the value in quotes or not, `\"`, `\\` and `\n` standing for what they stand for
/// in Alertmanager's classic parser, and any other backslash for itself. A comma outside of quotes
/// belongs to the value. Errors: bad_matcher, beginning with "column N: ".
[[nodiscard]] result<prometheus_matcher> parse_matcher(std::string_view text);

/// Reads any number of them, separated by commas outside of quotes, one comma behind the last
/// allowed; an opening brace before and a closing one behind all, each by itself. Errors as above.
[[nodiscard]] result<std::vector<prometheus_matcher>> parse_matcher_list(std::string_view text);

/// True for what may stand before an operator without quotes.
[[nodiscard]] bool is_matcher_name(std::string_view text) noexcept;

}  // namespace tocsin
