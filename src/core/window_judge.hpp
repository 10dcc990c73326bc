// SPDX-License-Identifier: Apache-2.0
// Evaluates a unit's rules over window records and turns what they say into findings.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/id_ring.hpp"
#include "core/window_record.hpp"
#include "tocsin/alert.hpp"

namespace tocsin {

/// The value of every group field of the key that takes the events of keys without room.
inline constexpr std::string_view overflow_value = "__overflow__";

/// A window's contents and bounds, as handed to a judgement. `record` may be empty.
struct judged_window {
  const window_record* record;
  window_bounds bounds;
  std::int64_t now_ms = 0;  ///< the time, by the rule's clock, that the judgement speaks of: the
                            ///< event's at hand, or the deadline's
  const window_record* baseline = nullptr;  ///< the unit's baseline before the window; null: none
};

/// Who a finding is about and what its texts are made from.
struct judged_key {
  std::string_view values = {};        ///< packed key (packed_event.hpp)
  const id_ring* ids = nullptr;        ///< null: no ids remembered
  const event_batch* batch = nullptr;  ///< of the representative event; null: none is known
  const event* representative = nullptr;
};

/// When and why a finding came about.
struct judged_cause {
  instant at{};
  std::uint64_t position = no_position;
  std::string_view words;
};

/// Stateless but for its counter; the unit's rules by their bit.
class window_judge {
 public:
  /// `shard` tells the __overflow__ keys of several shards apart; "" when there is one.
  window_judge(const rule_set& rules, const unit& of, const record_store& records,
               std::string shard)
      : rules_(&rules), unit_(&of), records_(&records), shard_(std::move(shard)) {}

  [[nodiscard]] const rule& rule_at(std::uint32_t bit) const {
    return rules_->rules()[unit_->rules[bit]];
  }

  /// Whether the rule's `having` is true of the window; an empty window never meets it, unless the
  /// unit is about absence. Of the key, `having` can see the ids of events; without it
  /// `event_ids` is missing.
  [[nodiscard]] bool holds(const rule& of, const judged_window& window, const judged_key& key = {});

  /// A finding with the window as evidence; texts only when asked for.
  [[nodiscard]] finding report(finding::kind what, const rule& of, const judged_window& window,
                               const judged_key& key, const judged_cause& cause) const;
  /// The finding's severity, without building the rest.
  [[nodiscard]] severity severity_of(const rule& of, const judged_window& window,
                                     const judged_key& key) const;
  [[nodiscard]] std::shared_ptr<const alert_texts> texts_of(const rule& of,
                                                            const judged_window& window,
                                                            const judged_key& key) const;
  /// A finding that an explicit event brings about: no window is its evidence.
  [[nodiscard]] finding report_action(finding::kind what, const rule& of, const judged_key& key,
                                      const judged_cause& cause) const;

  [[nodiscard]] std::uint64_t judgements() const noexcept { return judgements_; }

 private:
  [[nodiscard]] fingerprint print_of(const rule& of, std::string_view values) const;
  /// True of the key that takes events of keys without room, where each shard has its own.
  [[nodiscard]] bool is_shards_own(const std::vector<std::string_view>& values) const;
  [[nodiscard]] const group& group_of() const { return rules_->groups()[unit_->group]; }

  const rule_set* rules_;
  const unit* unit_;
  const record_store* records_;
  std::string shard_;
  std::uint64_t judgements_ = 0;
};

}  // namespace tocsin
