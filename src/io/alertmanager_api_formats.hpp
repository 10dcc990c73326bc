// SPDX-License-Identifier: Apache-2.0
// Texts as Alertmanager's API (0.25) reads and writes them, with its words for what is wrong.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tocsin/label_matcher.hpp"
#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin::alertmanager {

/// True when they differ at most in the case of ASCII letters, as Go compares keys of JSON.
[[nodiscard]] bool same_in_any_case(std::string_view left, std::string_view right) noexcept;

/// Appends a JSON string. Bytes that are not UTF-8 are replaced.
void append_text(std::string& to, std::string_view text);

/// Appends a JSON object of texts, in their order.
void append_texts(std::string& to, const std::vector<std::pair<std::string, std::string>>& texts);

/// `text` with each byte that belongs to no UTF-8 replaced by U+FFFD, as Go does when it reads
/// JSON.
[[nodiscard]] std::string with_valid_utf8(std::string_view text);

/// Go's zero time, which stands for a time that was not given.
[[nodiscard]] bool is_zero_time(instant at) noexcept;
/// A date-time as go-openapi reads it: RFC 3339; also without seconds, without an offset (UTC), and
/// "2006-01-02 15:04:05"; "" is 1970. Errors: bad_time, in Go's words.
[[nodiscard]] result<instant> parse_time(std::string_view text);

/// A flag of a query: "" is `otherwise`; "true", "1", "yes", "ok", "y", "on", "selected",
/// "checked", "t" and "enabled" in any case are true, all else is false.
[[nodiscard]] bool parse_flag(std::string_view text, bool otherwise);

/// True for a URI with a scheme, or an absolute path (Go's url.ParseRequestURI).
[[nodiscard]] bool is_request_uri(std::string_view text);
/// True for 32 hexadecimal digits with or without a UUID's dashes.
[[nodiscard]] bool is_uuid(std::string_view text);
/// True for the name of a label: a letter or _, then letters, digits and _.
[[nodiscard]] bool is_label_name(std::string_view text);

/// A text in Go's quotes (%q), for error messages.
[[nodiscard]] std::string go_quoted(std::string_view text);

/// Why `pattern` is no regular expression, in Go's words; nothing when it is one.
[[nodiscard]] std::optional<std::string> regexp_error(std::string_view pattern);

/// One matcher of a query's `filter`. Errors: bad_matcher, in Alertmanager's words.
[[nodiscard]] result<label_matcher> parse_filter(std::string_view text);

/// The hash of a label set that Alertmanager names an alert by, 16 hex digits: 64-bit FNV-1a over
/// the names and values, by name, each followed by the byte 0xff (prometheus/common,
/// model.LabelSet.Fingerprint).
[[nodiscard]] std::string label_fingerprint(
    const std::vector<std::pair<std::string, std::string>>& labels_by_name);

}  // namespace tocsin::alertmanager
