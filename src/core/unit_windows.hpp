// SPDX-License-Identifier: Apache-2.0
// What pane windows and sessions have in common: a unit's states, their deadlines, and how rules'
// bits move.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/deadline_queue.hpp"
#include "core/id_ring.hpp"
#include "core/key_store.hpp"
#include "core/window_judge.hpp"
#include "core/window_record.hpp"

namespace tocsin {

/// An event on its way into a unit.
struct arriving_event {
  const event_batch& batch;
  const event& from;
  std::uint64_t position;
};

/// What all units of an engine share: bounds, and how much of them is used.
struct engine_budget {
  engine_limits limits;
  std::uint32_t shard = 0;
  std::uint32_t shards = 1;
  std::uint64_t keys = 0;   ///< (key, unit) pairs with state
  std::uint64_t bytes = 0;  ///< of state, as the units last said
};

/// One unit on one shard. A state is made for a key by the engine (make_state), takes events, and
/// ends by itself when nothing more can come of it.
class unit_windows {
 public:
  unit_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  virtual ~unit_windows() = default;
  unit_windows(const unit_windows&) = delete;
  unit_windows& operator=(const unit_windows&) = delete;

  /// The first step's clock: what is waited for from the start begins to be waited for.
  virtual void begin(std::int64_t clock_ms);

  /// Takes an event that meets the unit's filter for the key in `slot`, whose state is `state`
  /// (no_index: none; it is made then, unless the event is late). Gives the key's state.
  /// Precondition: close_until(arrival) has been called.
  std::uint32_t take(std::uint32_t slot, std::uint32_t state, const arriving_event& arriving,
                     std::vector<finding>& out);

  /// Hints that an event for this state comes soon: first the state, some events later what it
  /// points to.
  void prefetch_state(std::uint32_t state) const { __builtin_prefetch(&states_[state], 1); }
  void prefetch_record(std::uint32_t state) const {
    const std::uint32_t head = states_[state].head;
    if (head != no_index) __builtin_prefetch(&records_.at(head), 1);
  }

  /// An event with action resolved or closed came for a key: rules that are met, or whose alert may
  /// outlive its condition, are reported; what was counted is forgotten. `state` is no_index when
  /// there is none.
  void act(std::uint32_t state, std::string_view key_values, const arriving_event& arriving,
           std::vector<finding>& out);

  /// Closes, in order of deadline, everything whose deadline the watermark at `clock_ms` is beyond.
  void close_until(std::int64_t clock_ms, std::vector<finding>& out);
  /// close_until does something for clocks greater than this; never_ms when nothing waits.
  [[nodiscard]] std::int64_t idle_until() const noexcept {
    return deadlines_.first() == never_ms ? never_ms : deadlines_.first() + lateness_ms_;
  }

  [[nodiscard]] std::uint64_t updates() const noexcept { return updates_; }
  [[nodiscard]] std::uint64_t late() const noexcept { return late_; }
  [[nodiscard]] std::uint64_t judgements() const noexcept { return judge_.judgements(); }

 protected:
  struct window_state {
    std::uint32_t key = no_index;    ///< slot in keys_
    std::uint32_t head = no_index;   ///< newest pane, or earliest open session
    std::uint32_t scheduled = 0;     ///< entries in deadlines_, stale ones too
    std::uint32_t own = no_index;    ///< the derived class's: where it keeps more of this state
    std::int64_t due_ms = never_ms;  ///< the deadline that counts; other entries are stale
    std::uint64_t met = 0;           ///< by rule::bit
    std::unique_ptr<id_ring> ids;
  };

  /// False when an event at time_ms is late for every window; one that is late for some is counted
  /// here. `state` is no_index when there is none.
  virtual bool accepts(std::uint32_t state, std::int64_t time_ms, std::int64_t watermark_ms) = 0;
  virtual void enter(std::uint32_t state, const arriving_event& arriving, std::int64_t time_ms,
                     std::int64_t watermark_ms, std::vector<finding>& out) = 0;
  /// The deadline `due_ms` of a state has passed: judge, free, and give the next deadline
  /// (never_ms: none).
  virtual std::int64_t close_at(std::uint32_t state, std::int64_t due_ms,
                                std::vector<finding>& out) = 0;
  /// Gives back all records of a state, and what `own` stands for.
  virtual void forget(window_state& state) = 0;
  /// What the derived class holds of a state: records, `own`. The rest is saved here.
  virtual void save_contents(const window_state& state, state_writer& to) const = 0;
  /// Into a state of a new key; ids, met and due_ms are there already.
  virtual void load_contents(std::uint32_t state, state_reader& from) = 0;
  /// Bytes of what `own` stands for, all states together.
  [[nodiscard]] virtual std::uint64_t own_bytes() const { return 0; }

  /// Adds an event to a pane or session, remembers its id, keeps it as representative where one is
  /// needed.
  void count_in(window_state& state, std::uint32_t record, const arriving_event& arriving,
                std::int64_t time_ms);
  void arm(std::uint32_t state, std::int64_t deadline_ms);
  void release_if_over(std::uint32_t state);

  /// Whether the rule's `having` is true of the window. A rule that throws is off from then on; one
  /// that has used up its budget is left out until the log's next second: both as if false.
  [[nodiscard]] bool holds(const rule& of, const judged_window& window);
  /// Counts work against a rule's budget, in panes merged.
  void charge(const rule& of, std::uint64_t work);

  [[nodiscard]] judged_key key_of(const window_state& state) const {
    return {keys_->values(state.key), state.ids.get(), nullptr, nullptr};
  }
  /// Reports met, or updated when the rule was met already and the window has news, with the event
  /// at hand or else the window's newest as representative.
  void report_holding(window_state& state, std::uint32_t state_index, const rule& of,
                      const judged_window& window, const arriving_event* arriving,
                      const judged_cause& cause, std::vector<finding>& out);
  void report_cleared(window_state& state, const rule& of, const judged_window& window,
                      const judged_cause& cause, std::vector<finding>& out);

  [[nodiscard]] static std::uint64_t mask_of(const rule& of) { return std::uint64_t{1} << of.bit; }
  [[nodiscard]] judged_cause closing_cause(std::int64_t deadline_ms, std::string_view words) const {
    return {from_unix_ms(deadline_ms + lateness_ms_), no_position, words};
  }

  /// What is asked of a rule at every event, beside the rule: bit by bit in one line.
  struct rule_gate {
    std::uint64_t count_floor;
    bool rising;
  };

  const unit* unit_;
  std::vector<rule_gate> gates_;  ///< by rule::bit
  key_store* keys_;
  record_store records_;
  window_judge judge_;
  deadline_queue deadlines_;
  std::vector<window_state> states_;
  std::vector<std::uint32_t> free_states_;
  /// The greatest log position in what the last met or updated finding told, by state and rule bit.
  std::vector<std::uint64_t> reported_;
  std::int64_t lateness_ms_;
  std::uint64_t early_mask_ = 0;
  std::uint64_t close_mask_ = 0;
  std::uint64_t lingering_mask_ = 0;  ///< rules with keep_firing_for
  bool keeps_newest_ = false;
  std::uint64_t updates_ = 0;
  std::uint64_t late_ = 0;

 private:
  std::uint32_t make_state(std::uint32_t slot);
};

/// The windows of a unit: panes for fixed and sliding, else sessions.
[[nodiscard]] std::unique_ptr<unit_windows> make_unit_windows(const rule_set& rules, const unit& of,
                                                              key_store& keys);

}  // namespace tocsin
