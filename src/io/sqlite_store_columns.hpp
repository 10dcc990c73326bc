// SPDX-License-Identifier: Apache-2.0
// How the values of alerts and silences stand in the store's columns.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/alert.hpp"
#include "tocsin/alert_lifecycle.hpp"
#include "tocsin/fingerprint.hpp"
#include "tocsin/result.hpp"
#include "tocsin/silence.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// 16 bytes, high half first, each big endian: hex() of it is to_text() of the fingerprint.
[[nodiscard]] std::string fingerprint_bytes(const fingerprint& print);
/// Of 16 bytes; all zeros for any other length.
[[nodiscard]] fingerprint fingerprint_from_bytes(std::string_view bytes) noexcept;

/// True for people; false for "rule", "event", "checker" and "api".
[[nodiscard]] bool is_operator(std::string_view actor) noexcept;
/// When an ended alert ended.
[[nodiscard]] instant end_of(const alert& ended) noexcept;

/// `{a="b",c=~"d"}`: what parse_label_matchers reads back.
[[nodiscard]] std::string matchers_text(const label_matchers& all);

/// A JSON array of intervals. parse_recurs reads it back; errors: malformed.
[[nodiscard]] std::string recurs_text(const std::vector<time_interval>& recurs);
[[nodiscard]] result<std::vector<time_interval>> parse_recurs(std::string_view text);

/// "alerts" or "events".
[[nodiscard]] std::string_view scope_text(silence_scope scope) noexcept;

}  // namespace tocsin
