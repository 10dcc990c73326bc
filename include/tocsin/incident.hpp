// SPDX-License-Identifier: Apache-2.0
// Incidents: many active alerts of one kind raise one alert that stands for them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/label_matcher.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Active (firing or acknowledged) alerts that the matchers accept, grouped by labels. When
/// `min_alerts` of them began (alert::started_at) within `within` of each other, an incident of
/// these is raised; alerts of its group that begin while it is open join it; it resolves when none
/// of its members is active. Alerts of its group that began before and were too far apart are no
/// members, and count again when it is over.
struct incident_rule {
  std::string name;  ///< the incident's rule and alertname; differs from all rules'
  label_matchers matchers;
  std::vector<std::string> group_by;  ///< label names; empty: all in one group
  duration within = std::chrono::minutes{10};
  std::uint32_t min_alerts = 2;  ///< at least 2
  std::string value;  ///< name of a member's value (alert::proof.values) to aggregate; "": none
  std::string title;  ///< "": "NAME: N alerts (GROUP)"
};

/// What the book is to do with one incident.
struct incident_news {
  enum class kind : std::uint8_t { raised, changed, over };
  kind what = kind::raised;
  std::size_t rule = 0;  ///< index
  fingerprint print;     ///< of the incident: fingerprint_of(name, group)
  instant at{};
  tocsin::severity severity = tocsin::severity::info;  ///< the worst of its members that are active
  /// `count` (members that are active), `members` (all there have been), and with a value `sum`,
  /// `avg`, `max`, `min` of the active members that have it; without these four when none has.
  std::vector<std::pair<std::string, double>> values;
  /// Alert ids in the order they joined, at most the first members_listed_max.
  std::vector<fingerprint> members;
  std::vector<std::pair<std::string, std::string>> group;  ///< label -> value
  instant first_started_at{};
  std::vector<fingerprint> joined;  ///< fingerprints (not ids) of those that joined with this news
};

/// Not thread-safe. Incidents are never members of incidents. A member stays one until it ends,
/// whatever becomes of its labels. What began at equal times is taken in the order of fingerprints.
class incident_book {
 public:
  static constexpr std::size_t members_listed_max = 1000;

  explicit incident_book(std::vector<incident_rule> rules);
  ~incident_book();
  incident_book(incident_book&&) noexcept;

  [[nodiscard]] const std::vector<incident_rule>& rules() const noexcept;

  /// An alert began to fire, changed, or ended (state resolved or closed). In order of rules.
  [[nodiscard]] std::vector<incident_news> update(instant at, const alert& now);

  /// An operator closed the incident itself: its members stay, and it is not raised again by them.
  void forget(const fingerprint& incident);

  /// An incident's state as bytes, for the store; "" when there is nothing to keep: it is not open,
  /// and none that was in it when an operator closed it is active.
  [[nodiscard]] std::string bytes_of(const fingerprint& incident) const;
  /// Incidents whose bytes_of() may differ from what it was at the last call, with it.
  [[nodiscard]] std::vector<std::pair<fingerprint, std::string>> take_changed();
  /// Takes back an incident. Afterwards update() is called with each active alert; those that are
  /// members already give no news. False when nothing was taken: no rule has its name any more, or
  /// the bytes are not such ones.
  bool restore(std::string_view bytes);

  /// Members of an open incident (alert ids in the order they joined, at most the first
  /// members_listed_max); empty when it is not open.
  [[nodiscard]] std::vector<fingerprint> members_of(const fingerprint& incident) const;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
