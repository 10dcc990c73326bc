// SPDX-License-Identifier: Apache-2.0
// What each aggregate takes and gives, and whether a call is one.
#pragma once

#include "tocsin/rule_set.hpp"

namespace tocsin {

/// A call that is right.
struct bound_aggregate {
  aggregate of;
  value_type type = value_type::number;
  trend movement = trend::any;
};

/// Checks a call's arguments. Errors that are about one argument begin with its column
/// (aggregate_call::argument_columns).
[[nodiscard]] result<bound_aggregate> bind_aggregate(const aggregate_call& call);

/// True for zscore and mad_score, which mean nothing without a baseline.
[[nodiscard]] bool needs_baseline(aggregate_function function) noexcept;

}  // namespace tocsin
