// SPDX-License-Identifier: Apache-2.0
// Who else is told of alerts that nobody acknowledges, and when.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "core/notice_due.hpp"
#include "core/notice_slots.hpp"
#include "tocsin/group_dispatcher.hpp"

namespace tocsin {

/// Each alert climbs the levels of the first policy that accepts it while it fires, is not
/// acknowledged, not shielded and does not flap. Steps that were due while it could not be told are
/// told as soon as it can, each level once. Not thread-safe.
class escalations {
 public:
  explicit escalations(std::shared_ptr<const notify_policy> policy);

  void update(instant at, const transition& now);
  [[nodiscard]] std::optional<instant> next_due();
  /// Tells what is due at `at`, which is next_due(), in order of the notices' keys.
  void run(instant at, std::vector<notice_ptr>& into);

  void take_changed(std::vector<group_record>& into);
  /// As if take_changed() had been called.
  void forget_changed();
  /// False: not a record of an escalation.
  [[nodiscard]] bool restore(const group_record& record);

 private:
  struct climb {
    fingerprint alert_id;
    transition now;   ///< null when it was restored and the alert has not come
    instant fired{};  ///< when the alert began to fire
    instant done{};   ///< steps up to it, included, were told
    instant due = never;
    std::uint32_t policy = no_index;  ///< no_index: none accepts it
    bool changed : 1 = false;
    bool stored : 1 = false;
  };

  void begin(const transition& now);
  void forget(const fingerprint& print);
  [[nodiscard]] std::uint32_t policy_for(const alert& of) const;
  void schedule(climb& of, std::uint32_t place, instant at);
  void tell(climb& of, instant at, std::vector<notice_ptr>& into);
  void mark(climb& of, std::uint32_t place);

  std::shared_ptr<const notify_policy> policy_;
  notice_slots<climb> climbs_;
  absl::flat_hash_map<fingerprint, std::uint32_t, fingerprint_hash>
      climb_of_;  ///< by the alert's print
  notice_due due_;
  std::vector<std::uint32_t> changed_;
  std::vector<std::string> gone_;
  std::vector<std::uint32_t> due_places_;  ///< reused by run()
};

}  // namespace tocsin
