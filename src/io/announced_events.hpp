// SPDX-License-Identifier: Apache-2.0
// How many events a message can hold, told before it is decoded.
#pragma once

#include <cstddef>
#include <string_view>

namespace tocsin {

/// Never less than the events and rejections that decoding without a bound on their number makes;
/// one more than these for well-formed msgpack. JSON is judged by its commas.
[[nodiscard]] std::size_t announced_events(std::string_view message) noexcept;

}  // namespace tocsin
