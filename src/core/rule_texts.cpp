// SPDX-License-Identifier: Apache-2.0
// The words rules use for windows and aggregates.
#include "tocsin/rule.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

std::string_view to_text(window_kind kind) noexcept {
  switch (kind) {
    case window_kind::fixed:
      return "fixed";
    case window_kind::sliding:
      return "sliding";
    case window_kind::session:
      return "session";
    case window_kind::absence:
      return "absence";
    case window_kind::sequence:
      return "sequence";
  }
  return "sliding";
}

std::string_view to_text(aggregate_function function) noexcept {
  switch (function) {
    case aggregate_function::count:
      return "count";
    case aggregate_function::count_if:
      return "count_if";
    case aggregate_function::sum:
      return "sum";
    case aggregate_function::avg:
      return "avg";
    case aggregate_function::min:
      return "min";
    case aggregate_function::max:
      return "max";
    case aggregate_function::stddev:
      return "stddev";
    case aggregate_function::stddev_pop:
      return "stddev_pop";
    case aggregate_function::variance:
      return "variance";
    case aggregate_function::variance_pop:
      return "variance_pop";
    case aggregate_function::distinct:
      return "distinct";
    case aggregate_function::quantile:
      return "quantile";
    case aggregate_function::first:
      return "first";
    case aggregate_function::last:
      return "last";
    case aggregate_function::delta:
      return "delta";
    case aggregate_function::rate:
      return "rate";
    case aggregate_function::slope:
      return "slope";
    case aggregate_function::predict:
      return "predict";
    case aggregate_function::time_to:
      return "time_to";
    case aggregate_function::ewma:
      return "ewma";
    case aggregate_function::zscore:
      return "zscore";
    case aggregate_function::mad_score:
      return "mad_score";
    case aggregate_function::top:
      return "top";
    case aggregate_function::collect:
      return "collect";
    case aggregate_function::merge_labels:
      return "merge_labels";
    case aggregate_function::any:
      return "any";
    case aggregate_function::all:
      return "all";
  }
  return "count";
}

}  // namespace tocsin
