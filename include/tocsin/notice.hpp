// SPDX-License-Identifier: Apache-2.0
// A notice: what one receiver is to be told about one group of alerts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/alert.hpp"
#include "tocsin/result.hpp"
#include "tocsin/shared_text.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

enum class notice_kind : std::uint8_t {
  group,       ///< a group's alerts changed, or it is time to repeat them
  escalation,  ///< nobody acknowledged in time
};
[[nodiscard]] std::string_view to_text(notice_kind kind) noexcept;

struct notice {
  shared_text id;  ///< 32 hex; the same for each try of delivering it
  notice_kind kind = notice_kind::group;
  shared_text receiver;
  shared_text group_key;  ///< "ROUTE:{a=\"b\"}"
  text_map group_labels;
  instant at{};
  std::vector<transition> alerts;  ///< firing ones first, each by start; at least one
  std::uint32_t level = 0;         ///< escalation: which level, from 1
};
using notice_ptr = std::shared_ptr<const notice>;

/// How a try to deliver a notice ended.
struct notice_outcome {
  std::string id;
  bool delivered = false;
  bool final = false;   ///< not delivered, and not to be tried again
  std::string failure;  ///< why not
};

/// As bytes for the outbox; begins with a version.
[[nodiscard]] std::string notice_bytes(const notice& of);
/// Errors: malformed, newer_version.
[[nodiscard]] result<notice> notice_from_bytes(std::string_view bytes);

}  // namespace tocsin
