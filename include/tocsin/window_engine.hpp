// SPDX-License-Identifier: Apache-2.0
// One shard's window state: takes log steps, says which rules' conditions were met or cleared for
// which keys.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin {

/// What an engine has counted since it began.
struct engine_totals {
  std::uint64_t updates = 0;     ///< (event, unit) pairs taken into a window
  std::uint64_t late = 0;        ///< (event, unit) pairs kept out of at least one closed window
  std::uint64_t keys = 0;        ///< keys alive now
  std::uint64_t judgements = 0;  ///< times a `having` was evaluated
};

/// Not thread-safe; owned by a window aggregator. Deterministic: the same steps give the same
/// findings, and a key's findings do not depend on the other keys.
///
/// Windows are half-open [start, end); the watermark is the step's clock minus the rule's lateness;
/// a window is closed once the watermark is beyond its end, so that of equal time an event comes
/// before the closing (docs/rules.md).
class window_engine {
 public:
  explicit window_engine(std::shared_ptr<const rule_set> rules);
  ~window_engine();
  window_engine(window_engine&&) noexcept;

  /// Takes the slice's events in log order, each after closing what its arrival has passed, in
  /// order of deadline; at last closes what `clock` has passed. `batch` may be null when the slice
  /// is empty. Findings are appended to `out`. Precondition: arrivals and clocks never decrease.
  void step(instant clock, const event_batch* batch, const slice& events,
            std::vector<finding>& out);

  /// A step without events for this shard changes nothing for clocks up to this.
  [[nodiscard]] instant idle_until() const noexcept;

  [[nodiscard]] const engine_totals& totals() const noexcept;
  /// Late (event, unit) pairs, by rule_set::units index.
  [[nodiscard]] const std::vector<std::uint64_t>& late_by_unit() const noexcept;

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
