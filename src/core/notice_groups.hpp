// SPDX-License-Identifier: Apache-2.0
// Groups of alerts that are told together: who is in them, what was told of whom, and their timers.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <absl/container/flat_hash_map.h>

#include "core/notice_due.hpp"
#include "core/notice_slots.hpp"
#include "core/notify_policy_routes.hpp"
#include "tocsin/group_dispatcher.hpp"
#include "tocsin/shared_text.hpp"

namespace tocsin {

/// Active alerts before others, then by start, then id: as notices and views list them.
[[nodiscard]] bool told_before(const transition& left, const transition& right);

[[nodiscard]] inline bool is_active(const alert& of) noexcept {
  return of.state == alert_state::firing || of.state == alert_state::acknowledged;
}
[[nodiscard]] inline bool is_ended(const alert& of) noexcept {
  return of.state == alert_state::resolved || of.state == alert_state::closed;
}
/// By more than a mute interval: those silence a group when it is looked at, and another route of
/// the alert may not be muted.
[[nodiscard]] inline bool is_shielded(const alert& of) noexcept {
  return !of.shields.silenced_by.empty() || !of.shields.inhibited_by.empty();
}

/// The groups of a policy that routes. An alert is known by its fingerprint, as Alertmanager knows
/// it by its labels: one that ends and fires again before anybody was told of its end never ended
/// to those who are told. Not thread-safe.
class notice_groups {
 public:
  explicit notice_groups(std::shared_ptr<const notify_policy> policy);

  void update(instant at, const transition& now);
  [[nodiscard]] std::optional<instant> next_due();
  /// Looks at the groups that are due at `at`, which is next_due(), in order of their keys.
  void run(instant at, std::vector<notice_ptr>& into);

  [[nodiscard]] route_table& routes() noexcept { return routes_; }
  [[nodiscard]] std::vector<group_view> view();
  [[nodiscard]] std::size_t size() const noexcept { return group_of_.size(); }

  /// Adds the records that changed since the last call; no bytes: gone. Of those with one key the
  /// last one counts.
  void take_changed(std::vector<group_record>& into);
  /// As if take_changed() had been called.
  void forget_changed();
  /// False: not a record of groups. All records come before the first update().
  [[nodiscard]] bool restore(const group_record& record);
  /// A record that means nothing here goes.
  void drop(std::string key) { gone_.push_back(std::move(key)); }

 private:
  enum class told : std::uint8_t {
    nothing,
    firing,
    resolved,  ///< and it is kept because it flaps: that it does is told once
  };

  /// An alert in a group.
  struct member {
    fingerprint print;
    transition now;  ///< null when it was restored and the alert has not come
    std::uint32_t group = no_index;
    std::uint32_t next_of_alert = no_index;
    std::uint32_t next = no_index;  ///< in the group
    std::uint32_t previous = no_index;
    told what = told::nothing;
    bool told_flapping : 1 = false;
    /// Tell it again: it was shielded, or its severity has risen.
    bool again : 1 = false;
    /// It is of another group by now; this one was told that it fires and will be told that it
    /// ended, nothing else.
    bool left : 1 = false;
    bool changed : 1 = false;  ///< in changed_members_
    bool stored : 1 = false;   ///< there is a record of it
  };

  struct group {
    shared_text key;  ///< route_table::group_key(); notices share it
    instant due = never;
    instant told_at{};  ///< valid when `notices` is not 0
    std::uint32_t route = 0;
    std::uint32_t notices = 0;  ///< how many there were
    std::uint32_t first = no_index;
    bool alive : 1 = false;
    bool flushed : 1 = false;  ///< group_wait is over
    bool muted : 1 = false;    ///< a mute interval kept it from being told
    bool changed : 1 = false;  ///< in changed_groups_
    bool stored : 1 = false;   ///< there is a record of it
  };

  /// A told member of a group whose record has not been taken back.
  struct orphan {
    fingerprint group;
    fingerprint print;
    told what = told::nothing;
    bool told_flapping = false;
    bool again = false;
    transition ended;
  };

  /// What a look at a group found worth telling.
  struct worth_telling {
    std::vector<std::uint32_t> firing;
    std::vector<std::uint32_t> resolved;
    bool news = false;
    bool repeatable = false;  ///< somebody should see to one of them
  };

  [[nodiscard]] std::uint32_t first_member_of(const fingerprint& print) const;
  void move_all(std::uint32_t first, instant at, const transition& now);
  void route(std::uint32_t first, instant at, const transition& now);
  void join(std::uint32_t group_at, const transition& now);
  void advance(std::uint32_t member_at, const transition& now);
  void depart(std::uint32_t member_at, const transition& now);
  void end(std::uint32_t first, const transition& now);
  [[nodiscard]] std::uint32_t group_for(std::uint32_t route, instant at, const alert& of);
  std::uint32_t add_group(std::uint32_t route, const fingerprint& print, std::string_view labels);
  std::uint32_t add_member(std::uint32_t group_at, const fingerprint& print);
  void remove_member(std::uint32_t member_at);
  void remove_group(std::uint32_t group_at);
  /// Who posts an alert may know of it since before it came here: group_wait counts from then.
  void hurry(std::uint32_t group_at, instant at, const alert& of);
  void set_due(std::uint32_t group_at, instant due);
  void catch_up();

  void flush(std::uint32_t group_at, instant at, std::vector<notice_ptr>& into);
  void look_at(std::uint32_t group_at, instant at);
  void look_at_ended(const group& of, std::uint32_t member_at, instant at);
  void look_at_active(const group& of, std::uint32_t member_at);
  [[nodiscard]] notice_ptr told_notice(std::uint32_t group_at, instant at);
  void note_told();

  [[nodiscard]] std::string_view labels_of(const group& of) const {
    return routes_.labels_text_of(of.route, of.key);
  }
  [[nodiscard]] fingerprint print_of(const group& of) const;
  [[nodiscard]] std::string key_of(const group& of) const;
  [[nodiscard]] std::string key_of(const member& of) const;
  void mark(group& of, std::uint32_t group_at);
  void mark(member& of, std::uint32_t member_at);
  [[nodiscard]] std::string record_of(const group& of) const;
  [[nodiscard]] std::string record_of(const member& of) const;
  [[nodiscard]] bool restore_group(std::string_view bytes);
  [[nodiscard]] bool restore_member(std::string_view bytes);
  void settle();

  std::shared_ptr<const notify_policy> policy_;
  route_table routes_;
  notice_slots<group> groups_;
  notice_slots<member> members_;
  absl::flat_hash_map<fingerprint, std::uint32_t, fingerprint_hash> group_of_;
  /// The first of an alert's members, by the alert's fingerprint.
  absl::flat_hash_map<fingerprint, std::uint32_t, fingerprint_hash> members_of_;
  notice_due due_;

  std::vector<std::uint32_t> changed_groups_;
  std::vector<std::uint32_t> changed_members_;
  std::vector<std::string> gone_;  ///< keys of records
  /// The last time groups were looked at. With it the deadlines in the groups' records, which may
  /// be of earlier looks, are brought forward: a look that changes nothing changes no group's
  /// record.
  std::optional<instant> looked_at_;
  bool looked_changed_ = false;
  std::vector<orphan> orphans_;
  std::vector<std::uint32_t> restored_groups_;  ///< whose missed looks are to be left out
  instant restored_until_ = instant::min();     ///< the newest time that alerts came back with
  bool unsettled_ = false;

  // Reused from call to call.
  worth_telling look_;
  std::vector<std::uint32_t> taken_routes_;
  std::vector<std::uint32_t> target_groups_;
  std::vector<std::uint32_t> due_groups_;
  std::string labels_text_;
};

}  // namespace tocsin
