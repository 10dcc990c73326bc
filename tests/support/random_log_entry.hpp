// SPDX-License-Identifier: Apache-2.0
// Log entries with random values in every field, and their equality in every field.
#pragma once

#include <cstddef>
#include <memory>
#include <random>
#include <string>

#include "tocsin/log_entry.hpp"

namespace tocsin::testing {

/// Up to `events` events, of which neighbours have much in common; every field set or not.
[[nodiscard]] std::shared_ptr<event_batch> random_batch(std::mt19937_64& random,
                                                        std::size_t events);

/// One of the eight kinds, by its place in the variant.
[[nodiscard]] operation random_operation(std::mt19937_64& random, std::size_t kind);

/// With or without events, remembered ones and an operation.
[[nodiscard]] log_entry random_log_entry(std::mt19937_64& random);

/// The first field in which the two differ, "" when they are equal. Numbers are equal when their
/// bits are, texts that are null only to each other.
[[nodiscard]] std::string first_difference(const event_batch& left, const event_batch& right);
[[nodiscard]] std::string first_difference(const operation& left, const operation& right);
[[nodiscard]] std::string first_difference(const log_entry& left, const log_entry& right);

}  // namespace tocsin::testing
