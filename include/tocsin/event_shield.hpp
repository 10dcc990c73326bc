// SPDX-License-Identifier: Apache-2.0
// Silences with scope `events`: which events are kept out of the rules.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "tocsin/event.hpp"
#include "tocsin/silence.hpp"

namespace tocsin {

/// Matchers see an event's text fields, `severity` (also as `level`), `action`, and its labels by
/// their names, also as `labels.NAME`; a known field wins over a label of its name. Numbers and
/// booleans are their texts, what is missing is "". Immutable.
class event_shield {
 public:
  explicit event_shield(std::vector<silence_ptr> in_force) : in_force_(std::move(in_force)) {}

  [[nodiscard]] bool keeps_out(const event_batch& batch, const event& of) const;
  [[nodiscard]] const std::vector<silence_ptr>& silences() const noexcept { return in_force_; }

 private:
  std::vector<silence_ptr> in_force_;
};

}  // namespace tocsin
