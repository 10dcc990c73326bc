// SPDX-License-Identifier: Apache-2.0
// Alerts with random values in every field, and their equality in every field.
#pragma once

#include <random>
#include <string>

#include "tocsin/alert.hpp"

namespace tocsin::testing {

/// Every field set or not, at random; texts hold any byte.
[[nodiscard]] alert random_alert(std::mt19937_64& random);

/// The first field in which the two differ, "" when they are equal. Numbers are equal when their
/// bits are; pointers when what they point to is.
[[nodiscard]] std::string first_difference(const alert& left, const alert& right);

}  // namespace tocsin::testing
