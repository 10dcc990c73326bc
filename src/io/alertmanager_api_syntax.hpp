// SPDX-License-Identifier: Apache-2.0
// What is wrong with a text that is no JSON, in the words of Go's decoder.
#pragma once

#include <string>
#include <string_view>

namespace tocsin::alertmanager {

/// "unexpected EOF" or "invalid character 'x' looking for beginning of value", about the first
/// value of `text`; "" when there is nothing wrong with it.
[[nodiscard]] std::string json_syntax_error(std::string_view text);

/// `text` with each \uXXXX that is half of a surrogate pair without its other half made \ufffd, as
/// Go reads it.
[[nodiscard]] std::string with_paired_surrogates(std::string_view text);

}  // namespace tocsin::alertmanager
