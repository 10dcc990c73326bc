// SPDX-License-Identifier: Apache-2.0
// The routes of a policy by number, with what a group needs to know of its route.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "tocsin/fingerprint.hpp"
#include "tocsin/notify_policy.hpp"
#include "tocsin/shared_text.hpp"

namespace tocsin {

/// What a receiver takes. Nobody is told through a receiver without webhooks; one that the policy
/// does not list takes everything.
struct receiver_appetite {
  bool firing = true;
  bool resolved = true;
};
[[nodiscard]] receiver_appetite appetite_of(const notify_policy& policy, std::string_view receiver);

/// Not thread-safe: remembers for a minute which routes are muted.
class route_table {
 public:
  struct facts {
    const notify_route* route = nullptr;
    /// Tells routes with one key and one receiver from each other: how many of them come before.
    std::uint32_t occurrence = 0;
    shared_text receiver;
    receiver_appetite takes;
    duration interval{};                ///< group_interval, at least 1 s: timers must go on
    std::vector<shared_text> group_by;  ///< sorted, each once
    std::vector<std::string> muted_by;  ///< at the minute of `muting_from`
    std::optional<instant> muting_from;
  };

  explicit route_table(std::shared_ptr<const notify_policy> policy);

  [[nodiscard]] const facts& operator[](std::uint32_t route) const { return routes_[route]; }
  /// Replaces `into` by the numbers of the routes an alert takes.
  void routes_of(const alert& of, std::vector<std::uint32_t>& into);
  /// As muting() gives it.
  [[nodiscard]] const std::vector<std::string>& muted_by(std::uint32_t route, instant at);
  [[nodiscard]] bool has_intervals() const noexcept { return has_intervals_; }
  [[nodiscard]] std::optional<std::uint32_t> find(std::string_view key, std::string_view receiver,
                                                  std::uint32_t occurrence) const;

  /// The labels by which a route groups an alert; those it does not have are left out.
  [[nodiscard]] text_map group_labels(std::uint32_t route, const alert& of) const;
  /// The same as a text, `{a="b", c="d"}` with the quoting of Go's %q, as Alertmanager prints label
  /// sets. Replaces `into`.
  void group_labels_text(std::uint32_t route, const alert& of, std::string& into) const;
  /// What names the group of a route with these labels.
  [[nodiscard]] fingerprint group_print(std::uint32_t route, std::string_view labels_text) const;
  /// "ROUTE:LABELS".
  [[nodiscard]] std::string group_key(std::uint32_t route, std::string_view labels_text) const;
  /// The labels as a text again, out of a key of this route. The view lives as long as the key.
  [[nodiscard]] std::string_view labels_text_of(std::uint32_t route, std::string_view key) const;

 private:
  void add(const notify_route& route);

  std::shared_ptr<const notify_policy> policy_;
  std::vector<facts> routes_;
  absl::flat_hash_map<const notify_route*, std::uint32_t> numbers_;
  std::vector<const notify_route*> taken_;  ///< reused by routes_of()
  bool has_intervals_ = false;
};

/// The walk of routes_of(), appending to `into`.
void append_routes_of(const notify_route& root, const alert& of,
                      std::vector<const notify_route*>& into);

}  // namespace tocsin
