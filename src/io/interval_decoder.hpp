// SPDX-License-Identifier: Apache-2.0
// Reads time intervals from YAML, as Alertmanager has them.
#pragma once

#include <vector>

#include "io/yaml_reader.hpp"
#include "tocsin/time_interval.hpp"

namespace tocsin {

/// Whether a range of times may end on the next day.
enum class midnight : std::uint8_t {
  ends_ranges,  ///< Alertmanager's rule
  is_crossed,   ///< "22:00" to "06:00" is a night, which belongs to the day it begins on
};

/// Appends what one map of `times`, `weekdays`, `days_of_month`, `months`, `years` and `location`
/// means: one interval, and with ranges that cross midnight a second one for what is after it.
/// Errors are reported.
void decode_interval(const yaml_node& node, midnight crossing, yaml_decoder& decode,
                     std::vector<time_interval>& into);

}  // namespace tocsin
