// SPDX-License-Identifier: Apache-2.0
// A window as a scope for expressions: its aggregates, selected values, bounds, key and
// representative event.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/window_judge.hpp"

namespace tocsin {

/// Of the events whose ids the ring holds, those that the window lists, by (time, log position).
[[nodiscard]] std::vector<id_ring::entry> listed_ids(const window_record& window,
                                                     const id_ring& known);

/// Lives as long as one evaluation: texts it hands out point into it.
class window_scope final : public scope {
 public:
  window_scope(const rule& of, const unit& in, const group& grouped, const record_store& records,
               const judged_window& window, const judged_key& key)
      : rule_(of), unit_(in), group_(grouped), records_(records), window_(window), key_(key) {}

  [[nodiscard]] value get(std::uint32_t id) const override;
  [[nodiscard]] value label(std::string_view name) const override;

 private:
  [[nodiscard]] value window_value(window_name name) const;
  [[nodiscard]] value event_value(event_field field) const;
  [[nodiscard]] value time_text(window_name name, instant at) const;
  [[nodiscard]] value idle_length() const;
  [[nodiscard]] value event_ids_text() const;
  /// The key's text for a group field, or nothing when the rule is not grouped by it.
  [[nodiscard]] std::optional<std::string_view> key_text(std::string_view field) const;

  const rule& rule_;
  const unit& unit_;
  const group& group_;
  const record_store& records_;
  const judged_window& window_;
  const judged_key& key_;
  mutable std::array<std::string, 4> time_texts_;
  mutable std::vector<std::string_view> key_texts_;
  mutable text_shelf texts_;
};

}  // namespace tocsin
