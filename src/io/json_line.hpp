// SPDX-License-Identifier: Apache-2.0
// Writes one line of JSON, part by part.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tocsin/time.hpp"

namespace tocsin {

/// Calls nest as JSON does: inside an object each value has a key before it.
class json_line {
 public:
  json_line& begin_object() { return open('{'); }
  json_line& end_object() { return close('}'); }
  json_line& begin_list() { return open('['); }
  json_line& end_list() { return close(']'); }
  json_line& key(std::string_view name);
  /// Bytes that are not UTF-8 are replaced.
  json_line& text(std::string_view value);
  json_line& count(std::uint64_t value) { return plain(std::to_string(value)); }
  /// The shortest text that reads back as the same number; whole numbers without a point.
  /// Precondition: finite.
  json_line& number(double value);
  json_line& flag(bool value) { return plain(value ? "true" : "false"); }
  json_line& null() { return plain("null"); }
  /// Unix milliseconds.
  json_line& time(instant at) { return plain(std::to_string(to_unix_ms(at))); }
  /// A value that is JSON already.
  json_line& json(std::string_view value) { return plain(value); }

  [[nodiscard]] const std::string& line() const noexcept { return line_; }

 private:
  json_line& open(char bracket);
  json_line& close(char bracket);
  json_line& plain(std::string_view word);
  void separate();

  std::string line_;
  bool first_ = true;
};

}  // namespace tocsin
