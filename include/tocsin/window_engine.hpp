// SPDX-License-Identifier: Apache-2.0
// One shard's window state: takes log steps, says which rules' conditions were met or cleared for
// which keys.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/engine_limits.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/rule_totals.hpp"

namespace tocsin {

/// What an engine has counted since it began.
struct engine_totals {
  std::uint64_t updates = 0;     ///< (event, unit) pairs taken into a window
  std::uint64_t late = 0;        ///< (event, unit's view) pairs kept out of a closed window
  std::uint64_t keys = 0;        ///< keys alive now
  std::uint64_t judgements = 0;  ///< times a `having` was evaluated
  std::uint64_t bytes = 0;       ///< of state, estimated
  std::uint64_t overflowed = 0;  ///< (event, unit) pairs that went to a rule's __overflow__ key
};

/// Not thread-safe; owned by a window aggregator. Deterministic: the same steps give the same
/// findings, and a key's findings do not depend on the other keys.
///
/// Windows are half-open [start, end); the watermark is the step's clock minus the rule's lateness;
/// a window is closed once the watermark is beyond its end, so that of equal time an event comes
/// before the closing (docs/rules.md).
class window_engine {
 public:
  /// `shard` of `shards`: which expected keys are its own, and what its share of rules' own limits
  /// is.
  explicit window_engine(std::shared_ptr<const rule_set> rules, const engine_limits& limits = {},
                         std::uint32_t shard = 0, std::uint32_t shards = 1);
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
  /// By rule_set::rules index.
  [[nodiscard]] std::vector<rule_totals> totals_by_rule() const;

  /// Events that were late for some rule, by source_id ("" for none). Sources beyond
  /// ingest_ledger::sources_max count together, under its other_sources.
  [[nodiscard]] std::map<std::string, std::uint64_t> late_by_source() const;

  /// The whole state, as it is between two steps.
  [[nodiscard]] std::string save() const;
  /// Goes on where the engine that saved left off. Errors: bytes that are damaged, of another
  /// format version, or of other rules, limits or shards. Precondition: no step was taken yet. An
  /// engine that refused is as good as destroyed.
  [[nodiscard]] std::optional<error> restore(std::string_view saved);

 private:
  struct state;
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
