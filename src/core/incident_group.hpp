// SPDX-License-Identifier: Apache-2.0
// The alerts of one group of an incident rule: which wait for an incident, which are in it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/incident.hpp"

namespace tocsin {

enum class incident_part : std::uint8_t {
  waiting,  ///< counts towards an incident
  member,   ///< is in the one that is open
  apart,    ///< was in one that an operator closed: never counts again
};

/// What a group knows of an active alert.
struct incident_alert {
  fingerprint alert_id;
  instant started_at{};
  tocsin::severity severity = tocsin::severity::info;
  std::optional<double> value;  ///< the one that the rule aggregates; never NaN
  incident_part part = incident_part::waiting;
  bool restored = false;  ///< it was taken back, and has not been seen since
};

/// What an incident says of its members.
struct incident_summary {
  tocsin::severity severity = tocsin::severity::info;
  std::vector<std::pair<std::string, double>> values;
  friend bool operator==(const incident_summary&, const incident_summary&) = default;
};

/// Not thread-safe. One group with at most one open incident.
class incident_group {
 public:
  using labels = std::vector<std::pair<std::string, std::string>>;
  explicit incident_group(labels group) : labels_(std::move(group)) {}

  [[nodiscard]] const labels& group() const noexcept { return labels_; }
  [[nodiscard]] bool open() const noexcept { return open_; }
  /// Nothing is left of it.
  [[nodiscard]] bool idle() const noexcept { return !open_ && alerts_.empty(); }
  [[nodiscard]] instant first_started_at() const noexcept { return first_started_at_; }
  /// Alert ids of members in the order they joined, the first members_listed_max.
  [[nodiscard]] const std::vector<fingerprint>& listed() const noexcept { return listed_; }
  [[nodiscard]] std::size_t active_members() const noexcept { return active_members_; }

  /// Null when it is not here.
  [[nodiscard]] const incident_alert* find(const fingerprint& print) const;
  /// Takes an alert that is not here yet: into the open incident, else among those that wait.
  void add(const fingerprint& print, incident_alert what);
  void remove(const fingerprint& print);
  /// Takes the newest severity, value and start of an alert that is here; it keeps its part.
  void refresh(const fingerprint& print, const incident_alert& newest);

  /// Opens an incident when at least `min_alerts` that wait, `newest` among them, began within
  /// `within` of each other: of the earliest such ones. Gives their fingerprints in the order they
  /// began; empty when there are not enough.
  [[nodiscard]] std::vector<fingerprint> raise(const fingerprint& newest, duration within,
                                               std::uint32_t min_alerts);
  /// The incident is over; members that are active still are apart from now on.
  void close();

  /// Of the members that are active; with none the severity of the last one that was.
  [[nodiscard]] incident_summary summary(bool with_value) const;
  /// What was last told of the incident.
  incident_summary told;

  /// True when there is something that a restart must not forget.
  [[nodiscard]] bool lasting() const noexcept { return open_ || apart_ > 0; }
  [[nodiscard]] std::string bytes(std::string_view rule) const;
  /// The rule's name and the group; nothing for what bytes() did not write.
  [[nodiscard]] static std::optional<std::pair<std::string, incident_group>> from_bytes(
      std::string_view bytes);
  [[nodiscard]] const std::map<fingerprint, incident_alert>& alerts() const noexcept {
    return alerts_;
  }

 private:
  void join(incident_alert& one);
  void count(const incident_alert& one, std::ptrdiff_t change);

  labels labels_;
  std::map<fingerprint, incident_alert> alerts_;
  std::set<std::pair<instant, fingerprint>> waiting_;
  bool open_ = false;
  instant first_started_at_{};
  std::uint64_t joined_ = 0;  ///< members there have been
  std::vector<fingerprint> listed_;
  std::array<std::size_t, 4> by_severity_{};  ///< active members
  std::size_t active_members_ = 0;
  std::size_t apart_ = 0;
  tocsin::severity worst_ = tocsin::severity::info;  ///< of the members while there were some
};

}  // namespace tocsin
