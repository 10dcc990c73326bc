// SPDX-License-Identifier: Apache-2.0
// What window kinds share whose result depends on the order of events: events wait until nothing
// earlier can come, and turns and timers alternate in order of time.
#pragma once

#include <vector>

#include "core/reorder_buffer.hpp"
#include "core/unit_windows.hpp"

namespace tocsin {

/// An event has its turn once the watermark is beyond its time, in the order of (time, log
/// position); one whose time the watermark has passed when it arrives is late and not taken. Of
/// equal time, a turn comes before a timer. `own` of a state names its buffer.
class ordered_windows : public unit_windows {
 protected:
  ordered_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);

  /// Which of the unit's conditions an event meets, by bit; handed back with its turn.
  [[nodiscard]] virtual std::uint64_t marks_of(const event_batch& batch,
                                               const event& from) const = 0;
  /// The event's turn. All timers with deadlines before its time have run.
  virtual void take_turn(std::uint32_t state, const waiting_event& of,
                         const arriving_event& arriving, std::vector<finding>& out) = 0;
  /// The earliest deadline of what the state has open; never_ms when nothing is.
  [[nodiscard]] virtual std::int64_t next_timer(const window_state& state) const = 0;
  /// Runs everything whose deadline is `deadline_ms`, which next_timer gave; next_timer is later
  /// then.
  virtual void run_timer(std::uint32_t state, std::int64_t deadline_ms,
                         std::vector<finding>& out) = 0;
  /// Whether the derived class keeps something beside the buffer under the state's `own`.
  [[nodiscard]] virtual bool keeps_own(const window_state&) const { return false; }

  bool accepts(std::uint32_t state, std::int64_t time_ms, std::int64_t watermark_ms) final;
  void enter(std::uint32_t state, const arriving_event& arriving, std::int64_t time_ms,
             std::int64_t watermark_ms, std::vector<finding>& out) final;
  std::int64_t close_at(std::uint32_t state, std::int64_t due_ms, std::vector<finding>& out) final;
  [[nodiscard]] std::uint64_t own_bytes() const override;

  /// States that have a buffer.
  [[nodiscard]] std::uint64_t buffers_held() const noexcept {
    return buffers_.size() - free_buffers_.size();
  }
  /// Gives the state a buffer if it has none.
  reorder_buffer& buffer_of(window_state& state);
  /// Gives the buffer back with all that waits in it.
  void forget_waiting(window_state& state);
  void save_waiting(const window_state& state, state_writer& to) const;
  void load_waiting(window_state& state, state_reader& from);

 private:
  [[nodiscard]] std::int64_t first_waiting(const window_state& state) const {
    return state.own == no_index ? never_ms : buffers_[state.own].first_ms();
  }
  [[nodiscard]] waiting_event take_first(const window_state& state);
  void run_timers(std::uint32_t state, std::int64_t until_ms, std::vector<finding>& out);

  std::vector<reorder_buffer> buffers_;  ///< by window_state::own
  std::vector<std::uint32_t> free_buffers_;
  std::uint64_t waiting_bytes_ = 0;
};

}  // namespace tocsin
