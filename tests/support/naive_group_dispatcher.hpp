// SPDX-License-Identifier: Apache-2.0
// The dispatcher as docs/notifications.md tells it, with no queue, no index and no records.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tocsin/group_dispatcher.hpp"

namespace tocsin::testing {

/// One notice as a line: when, to whom, of which group, what of whom.
[[nodiscard]] std::string to_line(const notice& of);

class naive_group_dispatcher {
 public:
  explicit naive_group_dispatcher(std::shared_ptr<const notify_policy> policy)
      : policy_(std::move(policy)) {}

  void update(instant at, const transition& now);
  /// Everything due up to and including `at`, as lines.
  [[nodiscard]] std::vector<std::string> run(instant at);

 private:
  enum class heard { nothing, firing, resolved };
  struct member {
    transition now;
    heard what = heard::nothing;
    bool flapping_heard = false;
    bool again = false;
    bool elsewhere = false;
  };
  struct group {
    const notify_route* route = nullptr;
    std::string key;
    instant next{};
    std::optional<instant> told_at;
    bool looked_at = false;
    bool was_muted = false;
    std::map<fingerprint, member> members;
  };
  /// (route's place in the tree, labels as a text)
  using group_name = std::pair<std::size_t, std::string>;

  struct climb {
    transition now;
    instant fired{};
    const escalation_policy* policy = nullptr;
    std::optional<instant> able_since;
    std::set<std::pair<std::size_t, std::uint32_t>> told;  ///< (level, which time)
  };
  struct step {
    instant at{};
    std::pair<std::size_t, std::uint32_t> what;
  };

  [[nodiscard]] std::vector<group_name> names_for(instant at, const transition& now);
  void take(member& in, const transition& now) const;
  void end(const transition& now);
  void look(group& in, instant at, std::vector<std::string>& told);
  [[nodiscard]] bool takes(const std::string& receiver, bool resolved) const;
  void climb_on(instant at, const transition& now);
  [[nodiscard]] static std::vector<step> steps_left(const climb& of);
  [[nodiscard]] static std::optional<instant> due(const climb& of);
  void tell(climb& of, instant at, std::vector<std::string>& told);

  std::shared_ptr<const notify_policy> policy_;
  std::map<group_name, group> groups_;
  std::map<fingerprint, climb> climbs_;
};

}  // namespace tocsin::testing
