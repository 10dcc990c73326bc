// SPDX-License-Identifier: Apache-2.0
// Alerts as Alertmanager's API lists them.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/time.hpp"

namespace tocsin::alertmanager {

using label_list = std::vector<std::pair<std::string, std::string>>;

/// Alert ids -> names as the API has them.
using names_by_id = std::map<std::string, std::string>;

/// An alert with its label set and the name that follows from it. Lives no longer than the alert.
struct named_alert {
  const alert* what = nullptr;
  label_list labels;
  std::string name;
};
[[nodiscard]] named_alert with_name(const alert& each);

/// The names of those of `all` that inhibit some of `shown`.
[[nodiscard]] names_by_id name_inhibitors(const std::vector<transition>& shown,
                                          const std::vector<transition>& all);

class alert_writer {
 public:
  /// `ends_at`: of alerts that have no end of their own. Ids without a name are written as they
  /// are.
  alert_writer(instant ends_at, names_by_id inhibitors)
      : ends_at_(ends_at), inhibitors_(std::move(inhibitors)) {}

  /// Appends one, as a JSON object.
  void write(std::string& to, const named_alert& from,
             const std::vector<std::string>& receivers) const;

 private:
  void write_status(std::string& to, const alert_shields& shields) const;

  instant ends_at_;
  names_by_id inhibitors_;
};

}  // namespace tocsin::alertmanager
