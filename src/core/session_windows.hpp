// SPDX-License-Identifier: Apache-2.0
// Sessions of a unit: runs of events at most the gap apart.
#pragma once

#include "core/unit_windows.hpp"

namespace tocsin {

/// A state's chain holds its open sessions, earliest first; they are more than the gap apart.
class session_windows final : public unit_windows {
 public:
  session_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  ~session_windows() override;

 private:
  bool accepts(std::uint32_t state, std::int64_t time_ms, std::int64_t watermark_ms) override;
  void enter(std::uint32_t state, const arriving_event& arriving, std::int64_t time_ms,
             std::int64_t watermark_ms, std::vector<finding>& out) override;
  std::int64_t close_at(std::uint32_t state, std::int64_t due_ms,
                        std::vector<finding>& out) override;
  void forget(window_state& state) override;
  void save_contents(const window_state& state, state_writer& to) const override;
  void load_contents(std::uint32_t state, state_reader& from) override;

  [[nodiscard]] bool belongs(const window_record& session, std::int64_t time_ms) const {
    return time_ms >= session.first_ms - gap_ms_ && time_ms <= session.last_ms + gap_ms_;
  }
  /// The session an event at time_ms enters: an open one, two joined into one, or a new one.
  [[nodiscard]] std::uint32_t session_for(window_state& state, std::int64_t time_ms);
  void join(window_record& earlier, std::uint32_t later);
  [[nodiscard]] judged_window window_of(const window_record& session, std::int64_t now_ms) const;
  void judge_ended(std::uint32_t state, const window_record& session, std::int64_t due_ms,
                   std::vector<finding>& out);

  std::int64_t gap_ms_;
};

}  // namespace tocsin
