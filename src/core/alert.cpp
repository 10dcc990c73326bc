// SPDX-License-Identifier: Apache-2.0
// The order of findings and the names of alert states and origins.
#include "tocsin/alert.hpp"

#include <tuple>

namespace tocsin {

bool operator<(const finding& left, const finding& right) noexcept {
  return std::tie(left.at, left.position, left.rule, left.print) <
         std::tie(right.at, right.position, right.rule, right.print);
}

std::string_view to_text(alert_state state) noexcept {
  switch (state) {
    case alert_state::none:
      return "none";
    case alert_state::pending:
      return "pending";
    case alert_state::firing:
      return "firing";
    case alert_state::acknowledged:
      return "acknowledged";
    case alert_state::resolved:
      return "resolved";
    case alert_state::closed:
      return "closed";
  }
  return "none";
}

std::string_view to_text(alert_origin origin) noexcept {
  switch (origin) {
    case alert_origin::rule:
      return "rule";
    case alert_origin::posted:
      return "posted";
    case alert_origin::incident:
      return "incident";
  }
  return "rule";
}

}  // namespace tocsin
