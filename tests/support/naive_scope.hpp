// SPDX-License-Identifier: Apache-2.0
// What the naive window engine reads off one window: values of names, severity, evidence, texts.
#pragma once

#include <deque>

#include "support/naive_rule.hpp"
#include "tocsin/expression.hpp"

namespace tocsin::testing {

/// A window of a key as the scope of a rule's expressions and templates. Lives as long as the
/// values it gave.
class naive_scope final : public scope {
 public:
  naive_scope(const rule_set& rules, const rule& by, const naive_key& key, const naive_window& in)
      : rules_(rules), rule_(by), unit_(rules.units()[by.unit]), key_(key), window_(in) {}

  [[nodiscard]] value get(std::uint32_t id) const override;
  [[nodiscard]] value label(std::string_view name) const override;

  [[nodiscard]] severity level() const;
  [[nodiscard]] evidence proof() const;
  [[nodiscard]] std::shared_ptr<const alert_texts> texts() const;

 private:
  [[nodiscard]] value event_value(event_field field) const;
  [[nodiscard]] value key_value(std::size_t field) const;
  [[nodiscard]] value text(std::string words) const;
  [[nodiscard]] value named(window_name name) const;
  [[nodiscard]] value idle() const;
  [[nodiscard]] std::optional<severity> worst_level() const;
  void list_ids(evidence& proof) const;

  const rule_set& rules_;
  const rule& rule_;
  const unit& unit_;
  const naive_key& key_;
  const naive_window& window_;
  mutable std::deque<std::string> texts_;  ///< what text values view
};

}  // namespace tocsin::testing
