// SPDX-License-Identifier: Apache-2.0
// The events of a rule test: one written entry may stand for many.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/rule_test_file.hpp"
#include "io/yaml_reader.hpp"

namespace tocsin {

/// Events of one test at most: a slip in a count must not fill the memory.
inline constexpr std::size_t test_events_max = 1'000'000;

/// Reads promtool's expanding notation: values and gaps ("_") between spaces; "a+bxn" is a, a+b,
/// ... a+n*b (n + 1 values), "a-bxn" likewise downwards, "axn" is n + 1 times a, "_xn" n gaps.
/// Nothing in the list is a gap. Errors: bad_series, with the part that is wrong.
[[nodiscard]] result<std::vector<std::optional<double>>> expand_series(std::string_view notation);

/// A time of a test: a length after `start`, or RFC 3339. Reports what is neither.
[[nodiscard]] std::optional<instant> decode_test_time(yaml_decoder& decode, const yaml_entry& entry,
                                                      instant start);

/// Appends what one entry of `events` stands for. Reports what is wrong with it.
void decode_test_event(yaml_decoder& decode, const yaml_node& node, instant start,
                       std::vector<test_event>& into);

}  // namespace tocsin
