// SPDX-License-Identifier: Apache-2.0
// What all kinds of windows have in common: a unit's states, their deadlines, bounds, and how
// rules' bits move.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/deadline_queue.hpp"
#include "core/id_ring.hpp"
#include "core/key_store.hpp"
#include "core/rule_meter.hpp"
#include "core/state_bytes.hpp"
#include "core/window_judge.hpp"
#include "core/window_record.hpp"
#include "tocsin/window_engine.hpp"

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
  /// Events that were late for some unit, by source; see count_late.
  std::map<std::string, std::uint64_t, std::less<>> late_by_source{};
  std::uint64_t last_late_position = no_position;

  /// Counts an event once, however many units it is late for. Sources beyond
  /// ingest_ledger::sources_max count together, as there.
  void count_late(const event& from, std::uint64_t position);
};

/// One unit on one shard. A state is made for a key at its first event, takes events, and ends by
/// itself when nothing more can come of it.
class unit_windows {
 public:
  unit_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  virtual ~unit_windows() = default;
  unit_windows(const unit_windows&) = delete;
  unit_windows& operator=(const unit_windows&) = delete;

  /// The first step's clock: what is waited for from the start begins to be waited for.
  virtual void begin(std::int64_t clock_ms);

  /// Takes an event that meets the unit's filter for the key in `slot`, whose state is `state`
  /// (no_index: none; it is made then, unless the event is late or there is no room: then the event
  /// goes to the __overflow__ key). Precondition: close_until(arrival) has been called. True when
  /// the unit has let go of the key: the slot may be gone.
  bool take(std::uint32_t slot, std::uint32_t state, const arriving_event& arriving,
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
  [[nodiscard]] std::uint64_t judgements() const noexcept { return judge_.judgements(); }
  /// Events kept out of at least one closed window of the unit's view.
  [[nodiscard]] std::uint64_t late(std::uint32_t view) const { return late_[view]; }
  [[nodiscard]] std::uint32_t views() const { return static_cast<std::uint32_t>(late_.size()); }
  [[nodiscard]] std::uint64_t overflowed() const noexcept { return overflowed_; }
  [[nodiscard]] std::uint64_t keys() const noexcept { return keys_in_use_; }
  [[nodiscard]] std::uint64_t bytes() const;
  /// By rule::bit.
  [[nodiscard]] const rule_meter& meter(std::uint32_t bit) const { return meters_[bit]; }

  /// All states; `ordinal_of` gives the number of each key's slot in the snapshot.
  void save(state_writer& to, const std::vector<std::uint32_t>& ordinal_of) const;
  /// Precondition: the unit is as new, and the keys are in `slot_of` their ordinals.
  void load(state_reader& from, const std::vector<std::uint32_t>& slot_of);

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

  /// False when an event at time_ms is late for every window; what it is late for is counted here.
  /// `state` is no_index when there is none.
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

  /// The event at hand is late for a window of the view.
  void count_late(std::size_t view) {
    ++late_[view];
    is_late_ = true;
  }
  std::uint32_t make_state(std::uint32_t slot);
  /// Adds an event to a pane or session, remembers its id, keeps it as representative where one is
  /// needed.
  void count_in(window_state& state, std::uint32_t record, const arriving_event& arriving,
                std::int64_t time_ms);
  /// Drops the ids of events with times from `first_ms` to `last_ms`, both included.
  void forget_ids(window_state& state, std::int64_t first_ms, std::int64_t last_ms);
  void arm(std::uint32_t state, std::int64_t deadline_ms);
  /// Arms the deadline unless an earlier one is armed.
  void arm_earlier(std::uint32_t state, std::int64_t deadline_ms) {
    if (deadline_ms < states_[state].due_ms) arm(state, deadline_ms);
  }
  /// Frees a state of which nothing more can come; true when it has.
  bool release_if_over(std::uint32_t state);

  /// False for a rule that has thrown, or has used up its budget until the log's next second
  /// (counted): it is not judged then, and stands as it stood.
  [[nodiscard]] bool may_judge(const rule& of);
  /// Whether the rule's `having` is true of the window. A rule that throws is off from then on, and
  /// this is false. Precondition: may_judge(of).
  [[nodiscard]] bool holds(const rule& of, const judged_window& window, const window_state& state);
  /// Work to be counted against the rule that is judged next, in panes merged.
  void charge(std::uint64_t work) noexcept { work_done_ += work; }

  [[nodiscard]] judged_key key_of(const window_state& state) const {
    return {keys_->values(state.key), state.ids.get(), nullptr, nullptr};
  }
  /// Reports met, or updated when the rule was met already and the window has news, with the event
  /// at hand or else the window's newest as representative.
  void report_holding(window_state& state, std::uint32_t state_index, const rule& of,
                      const judged_window& window, const arriving_event* arriving,
                      const judged_cause& cause, std::vector<finding>& out);
  void report_cleared(window_state& state, std::uint32_t state_index, const rule& of,
                      const judged_window& window, const judged_cause& cause,
                      std::vector<finding>& out);

  [[nodiscard]] static std::uint64_t mask_of(const rule& of) { return std::uint64_t{1} << of.bit; }
  [[nodiscard]] judged_cause closing_cause(std::int64_t deadline_ms, std::string_view words) const {
    return {from_unix_ms(deadline_ms + lateness_ms_), no_position, words};
  }

  const rule_set* rules_;
  const unit* unit_;
  key_store* keys_;
  engine_budget* budget_;
  record_store records_;
  window_judge judge_;
  deadline_queue deadlines_;
  std::vector<window_state> states_;
  std::vector<std::uint32_t> free_states_;
  std::int64_t lateness_ms_;
  std::uint64_t early_mask_ = 0;
  std::uint64_t close_mask_ = 0;
  std::uint64_t lingering_mask_ = 0;  ///< rules with keep_firing_for
  bool keeps_newest_ = false;
  std::uint64_t updates_ = 0;

 private:
  std::vector<std::uint64_t> late_;  ///< by view
  /// Names a state's rule in told_.
  [[nodiscard]] static std::uint64_t told_key(std::uint32_t state, const rule& of) {
    return (std::uint64_t{state} << 6) | of.bit;
  }
  [[nodiscard]] bool has_room() const;
  void account();
  std::uint32_t overflow_state();
  /// Findings of the engine's own rules that have come due.
  void tell(std::int64_t clock_ms, std::uint64_t position, std::vector<finding>& out);
  [[nodiscard]] finding about_rule(rule_set::built_in which, finding::kind what, const rule& of,
                                   std::int64_t clock_ms, std::uint64_t position) const;

  /// The greatest log position in what the last met or updated finding told, of rules that are met.
  absl::flat_hash_map<std::uint64_t, std::uint64_t> told_;
  std::vector<rule_meter> meters_;  ///< by rule::bit
  std::uint64_t keys_max_ = 0;
  std::uint64_t bytes_max_ = 0;
  std::uint64_t keys_in_use_ = 0;
  std::uint64_t id_bytes_ = 0;
  std::uint64_t accounted_bytes_ = 0;
  std::uint64_t overflowed_ = 0;
  std::uint32_t overflow_state_ = no_index;
  bool overflow_told_ = false;
  bool is_late_ = false;   ///< the event at hand, for some window
  bool has_news_ = false;  ///< tell() has something to say
  std::uint64_t work_done_ = 0;
  std::int64_t second_ = 0;  ///< of the log's clock
};

/// The windows of a unit, by its kind.
[[nodiscard]] std::unique_ptr<unit_windows> make_unit_windows(const rule_set& rules, const unit& of,
                                                              key_store& keys,
                                                              engine_budget& budget);

}  // namespace tocsin
