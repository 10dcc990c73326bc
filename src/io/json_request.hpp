// SPDX-License-Identifier: Apache-2.0
// The JSON bodies of requests, read strictly: what is wrong is told with the field it is about.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// What is wrong with a request. `field` is "" when it is about no single one; parts of lists and
/// objects are written as "recurs[0].times[1].start_time".
struct field_error {
  std::string_view code;  ///< a string literal
  std::string message;
  std::string field;
};

/// Reads an instant as requests write them: RFC 3339, or Unix milliseconds (whole, not negative,
/// before the year 10,000).
[[nodiscard]] std::optional<instant> parse_request_time(std::string_view text);

/// One JSON object. Ask for every field there may be, then for failure(): fields that nobody asked
/// for are errors. After the first failure all answers are empty or what was given as default. A
/// field that is null is as if it were not there.
///
/// Codes: malformed (no JSON object, a key twice, more than depth_max levels or values_max values),
/// missing_field, bad_field, unknown_field.
class json_request {
 public:
  static constexpr int depth_max = 16;
  static constexpr std::size_t values_max = 600'000;

  explicit json_request(std::string_view body);
  ~json_request();
  json_request(json_request&&) noexcept;
  json_request(const json_request&) = delete;
  json_request& operator=(const json_request&) = delete;

  [[nodiscard]] bool has(std::string_view name);
  /// "" when it is not there.
  [[nodiscard]] std::string text(std::string_view name);
  /// Must be there and not be "".
  [[nodiscard]] std::string needed_text(std::string_view name);
  /// True or false, no other word for it.
  [[nodiscard]] bool flag(std::string_view name);
  [[nodiscard]] std::uint64_t count(std::string_view name, std::uint64_t otherwise,
                                    std::uint64_t least, std::uint64_t most);
  /// An RFC 3339 text or a whole number of Unix milliseconds.
  [[nodiscard]] std::optional<instant> time(std::string_view name);
  /// A text such as "2h" or "1h30m".
  [[nodiscard]] std::optional<duration> length(std::string_view name);
  /// A list of texts; empty when it is not there.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name);
  /// Calls for each object of a list, in order.
  void each(std::string_view name, const std::function<void(json_request&)>& look);

  /// Says that something is wrong with a field (of this object). The first failure stays.
  void refuse(std::string_view field, std::string message, std::string_view code = "bad_field");
  /// The first failure; when there was none, about a field that nobody asked for.
  [[nodiscard]] std::optional<field_error> failure();

 private:
  struct state;
  explicit json_request(std::unique_ptr<state> made);
  std::unique_ptr<state> state_;
};

}  // namespace tocsin
