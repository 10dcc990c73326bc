// SPDX-License-Identifier: Apache-2.0
// Scopes for testing expressions: one owned event, and a schema of names with values set by hand.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/expression.hpp"

namespace tocsin::testing {

/// One event with its labels, as a scope for expressions over schema::of_event(). Texts given must
/// outlive it.
class one_event {
 public:
  one_event() { batch_.events.emplace_back(); }

  one_event& text(event_field field, std::string_view words) {
    seen().set_text(field, words);
    return *this;
  }
  one_event& value(double number) {
    seen().value = number;
    return *this;
  }
  one_event& level(severity of) {
    seen().level = of;
    return *this;
  }
  one_event& time(instant when) {
    seen().time = when;
    return *this;
  }
  one_event& action(event_action of) {
    seen().action = of;
    return *this;
  }
  one_event& label(std::string_view name, std::string_view words) {
    return add({name, words, 0, label::kind::text});
  }
  one_event& label(std::string_view name, double number) {
    return add({name, {}, number, label::kind::number});
  }
  one_event& flag(std::string_view name, bool on) {
    return add({name, {}, on ? 1.0 : 0.0, label::kind::boolean});
  }
  one_event& null_label(std::string_view name) { return add({name, {}, 0, label::kind::null}); }

  [[nodiscard]] event_scope scope() const { return {batch_, batch_.events.front()}; }

 private:
  using label_type = tocsin::label;
  event& seen() { return batch_.events.front(); }
  one_event& add(label_type made) {
    batch_.labels.push_back(made);
    ++seen().labels_count;
    return *this;
  }
  event_batch batch_;
};

/// Names bound by hand, in the order of their declaration.
class named_values final : public scope {
 public:
  named_values& declare(const std::string& name, value_type type, trend movement) {
    const auto id = static_cast<std::uint32_t>(values_.size());
    bindings_.emplace(name, name_binding{id, type, movement});
    values_.emplace_back();
    return *this;
  }
  void set(const std::string& name, value now) { values_[bindings_.at(name).id] = now; }

  [[nodiscard]] tocsin::schema schema() const {
    tocsin::schema out;
    out.find = [this](std::string_view name) -> std::optional<name_binding> {
      const auto found = bindings_.find(std::string{name});
      if (found == bindings_.end()) return std::nullopt;
      return found->second;
    };
    for (const auto& [name, binding] : bindings_) out.names.push_back(name);
    return out;
  }

  [[nodiscard]] value get(std::uint32_t id) const override { return values_.at(id); }
  [[nodiscard]] value label(std::string_view) const override { return {}; }

 private:
  std::map<std::string, name_binding> bindings_;
  std::vector<value> values_;
};

}  // namespace tocsin::testing
