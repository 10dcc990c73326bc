// SPDX-License-Identifier: Apache-2.0
// Sequences: events of one key that follow each other in steps, or a last one that does not come.
#pragma once

#include <memory>
#include <vector>

#include "core/ordered_windows.hpp"

namespace tocsin {

/// Step k of the unit is bit k of an event's marks. The events of a begun sequence are kept packed;
/// what they count to is made when the sequence is judged.
class sequence_windows final : public ordered_windows {
 public:
  /// Steps that a sequence may have at most.
  static constexpr std::size_t steps_max = 64;

  sequence_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  ~sequence_windows() override;

 private:
  /// The events that have met steps 1 to k in order; empty: none have.
  using chain = std::vector<std::shared_ptr<const waiting_event>>;

  struct progress {
    std::vector<chain> begun;  ///< by step: the newest to have come so far. Of the step before
                               ///< an absent one: the oldest that still waits
    /// By rule::bit: when the newest match that met the rule is over; never_ms: there is none.
    std::vector<std::int64_t> over_ms;
  };

  [[nodiscard]] std::uint64_t marks_of(const event_batch& batch, const event& from) const override;
  void take_turn(std::uint32_t state, const waiting_event& of, const arriving_event& arriving,
                 std::vector<finding>& out) override;
  [[nodiscard]] std::int64_t next_timer(const window_state& state) const override;
  void run_timer(std::uint32_t state, std::int64_t deadline_ms, std::vector<finding>& out) override;
  [[nodiscard]] bool keeps_own(const window_state& state) const override {
    return next_timer(state) != never_ms;
  }
  void forget(window_state& state) override;
  void save_contents(const window_state& state, state_writer& to) const override;
  void load_contents(std::uint32_t state, state_reader& from) override;
  [[nodiscard]] std::uint64_t own_bytes() const override;

  /// The state's progress, made when it has none yet. Precondition: it has a buffer.
  progress& progress_of(const window_state& state);
  /// When what has come as far as step `step` is too old for the next one.
  [[nodiscard]] std::int64_t expiry_of(const chain& begun, std::size_t step) const;
  void replace(chain& begun, chain by);
  [[nodiscard]] static std::uint64_t bytes_of(const chain& of);

  /// Judges a match at now_ms; a rule that it meets is met until over_ms has passed without
  /// another. The chain's last event, when it completes the match, is `arriving`.
  void judge_match(std::uint32_t state, const chain& events, std::int64_t now_ms,
                   std::int64_t over_ms, const arriving_event* arriving, std::string_view words,
                   std::vector<finding>& out);
  void clear(std::uint32_t state, std::uint32_t bit, std::int64_t now_ms, std::string_view words,
             std::vector<finding>& out);

  std::size_t positive_;            ///< steps that an event must meet
  bool ends_absent_;                ///< the last step is that no such event comes
  std::int64_t size_ms_;            ///< all steps' `within` together
  std::uint32_t nothing_;           ///< an empty record: evidence that a rule is cleared
  std::vector<progress> progress_;  ///< by window_state::own
  std::uint64_t begun_bytes_ = 0;
};

}  // namespace tocsin
