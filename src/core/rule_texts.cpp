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
  }
  return "count";
}

}  // namespace tocsin
