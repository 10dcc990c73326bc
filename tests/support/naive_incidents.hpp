// SPDX-License-Identifier: Apache-2.0
// Incidents worked out anew from the list of all active alerts: what incident_book must equal.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tocsin/incident.hpp"

namespace tocsin::testing {

/// One rule's incidents. It never restarts.
class naive_incidents {
 public:
  naive_incidents(incident_rule rule, std::size_t index);

  [[nodiscard]] std::vector<incident_news> update(instant at, const alert& now);
  void forget(const fingerprint& print);
  /// Fingerprints of the open incidents.
  [[nodiscard]] std::vector<fingerprint> open() const;

 private:
  using group = std::vector<std::pair<std::string, std::string>>;
  enum class part { waiting, member, apart };
  struct entry {
    alert what;
    group of;
    part is = part::waiting;
  };
  struct incident {
    group of;
    std::vector<fingerprint> joined;  ///< alert ids
    instant first_started_at{};
    tocsin::severity worst = tocsin::severity::info;
    std::vector<std::pair<std::string, double>> told;
    tocsin::severity told_severity = tocsin::severity::info;
  };

  [[nodiscard]] bool accepts(const alert& what) const;
  [[nodiscard]] group group_of(const alert& what) const;
  [[nodiscard]] fingerprint print_of(const group& of) const;
  incident* open_in(const group& of);
  std::vector<entry*> members(const group& of);
  [[nodiscard]] std::vector<std::pair<std::string, double>> values(const group& of);
  incident_news news(incident_news::kind what, incident& of, instant at,
                     std::vector<fingerprint> joined);
  void begin(const alert& now, instant at, std::vector<incident_news>& told);
  void end(const fingerprint& print, instant at, std::vector<incident_news>& told);

  incident_rule rule_;
  std::size_t index_ = 0;
  std::vector<entry> entries_;
  std::vector<incident> open_;
};

}  // namespace tocsin::testing
