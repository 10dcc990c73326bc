// SPDX-License-Identifier: Apache-2.0
// Keys that fall silent, and keys that are waited for and never come.
#pragma once

#include <vector>

#include "core/unit_windows.hpp"

namespace tocsin {

/// A state counts the silence of one key from L, the greatest time of an event it has seen; a key
/// that is expected counts from the log's clock at the beginning. `head` is a record of the newest
/// event alone (of none for a key that never came), `own` names L. The silence is judged once the
/// watermark is beyond L + the rule's length, and once for each L. A key that meets no rule then
/// is kept for a day, so that an event from before L does not pass for news of it, and forgotten.
class absence_windows final : public unit_windows {
 public:
  absence_windows(const rule_set& rules, const unit& of, key_store& keys, engine_budget& budget);
  ~absence_windows() override;

  /// Begins to wait for those expected keys that belong to this shard.
  void begin(std::int64_t clock_ms) override;

 private:
  /// Since when a key has been silent.
  struct silence {
    std::int64_t since_ms;         ///< L
    std::int64_t heard_ms;         ///< the log's clock when L became known
    std::uint64_t heard_position;  ///< log position of the event that told; no_position: none did
  };

  bool accepts(std::uint32_t, std::int64_t, std::int64_t) override { return true; }
  void enter(std::uint32_t state, const arriving_event& arriving, std::int64_t time_ms,
             std::int64_t watermark_ms, std::vector<finding>& out) override;
  std::int64_t close_at(std::uint32_t state, std::int64_t due_ms,
                        std::vector<finding>& out) override;
  void forget(window_state& state) override;
  void save_contents(const window_state& state, state_writer& to) const override;
  void load_contents(std::uint32_t state, state_reader& from) override;
  [[nodiscard]] std::uint64_t own_bytes() const override {
    return (silences_.size() - free_silences_.size()) * sizeof(silence);
  }

  void wait_for(const expected_key& key, std::int64_t clock_ms);
  /// Gives a state without contents an empty record and a silence.
  void start(window_state& state, const silence& from);
  /// Reports rules that are met as cleared by the event at hand, which ends the silence.
  void clear_met(std::uint32_t state, const arriving_event& arriving, std::vector<finding>& out);
  [[nodiscard]] judged_window window_of(const window_state& state) const;
  void judge(std::uint32_t state, std::int64_t deadline_ms, std::vector<finding>& out);

  std::int64_t absent_ms_;
  std::vector<silence> silences_;  ///< by window_state::own
  std::vector<std::uint32_t> free_silences_;
};

}  // namespace tocsin
