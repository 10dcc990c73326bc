// SPDX-License-Identifier: Apache-2.0
// Under which name it is recorded what somebody does over HTTP.
#pragma once

#include <string>
#include <string_view>

namespace tocsin {

/// `caller`: http_request::caller; `given`: the name that the request gives itself, or "".
/// - nobody is asked for a token: what is given;
/// - nothing is given, or the token's own name: the token's name;
/// - else "GIVEN (via CALLER)": the last name in a record is always one that was proved, whatever
///   somebody writes before it. A name that ends so already, such as that of a silence which is
///   edited, stays as it is.
[[nodiscard]] std::string actor_of(std::string_view caller, std::string given);

}  // namespace tocsin
