// SPDX-License-Identifier: Apache-2.0
// Sessions that an event, a longest duration or a number of events may end, beside the gap.
#pragma once

#include "core/ordered_windows.hpp"

namespace tocsin {

/// A state has at most one open session, `head`; events enter it in their turn.
class cut_sessions final : public ordered_windows {
 public:
  cut_sessions(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  ~cut_sessions() override;

 private:
  enum class session_end : std::uint8_t { timeout, close, limit };

  [[nodiscard]] std::uint64_t marks_of(const event_batch& batch, const event& from) const override;
  void take_turn(std::uint32_t state, const waiting_event& of, const arriving_event& arriving,
                 std::vector<finding>& out) override;
  [[nodiscard]] std::int64_t next_timer(const window_state& state) const override;
  void run_timer(std::uint32_t state, std::int64_t deadline_ms, std::vector<finding>& out) override;
  void forget(window_state& state) override;
  void save_contents(const window_state& state, state_writer& to) const override;
  void load_contents(std::uint32_t state, state_reader& from) override;

  [[nodiscard]] std::int64_t timeout_of(const window_record& session) const {
    return session.last_ms + gap_ms_;
  }
  [[nodiscard]] std::int64_t limit_of(const window_record& session) const {
    return max_ms_ == 0 ? never_ms : session.first_ms + max_ms_;
  }
  [[nodiscard]] static judged_window window_of(const window_record& session, std::int64_t now_ms);
  /// A closing event came while no session was open: what had fired is over.
  void clear_met(std::uint32_t state, std::int64_t now_ms, std::vector<finding>& out);
  void judge_early(std::uint32_t state, std::int64_t now_ms, const arriving_event& arriving,
                   std::vector<finding>& out);
  /// Judges the open session, ended at now_ms, and frees it.
  void end_session(std::uint32_t state, session_end how, std::int64_t now_ms,
                   std::vector<finding>& out);

  std::int64_t gap_ms_;
  std::int64_t max_ms_;       ///< 0: no bound
  std::uint64_t events_max_;  ///< 0: no bound
  std::uint32_t nothing_;     ///< an empty record: evidence where no session is
};

}  // namespace tocsin
