// SPDX-License-Identifier: Apache-2.0
// JSON texts by nlohmann's rules of quoting.
#include "io/json_line.hpp"

#include <cmath>
#include <nlohmann/json.hpp>

namespace tocsin {

void json_line::separate() {
  if (!first_) line_ += ',';
  first_ = false;
}

json_line& json_line::open(char bracket) {
  separate();
  line_ += bracket;
  first_ = true;
  return *this;
}

json_line& json_line::close(char bracket) {
  line_ += bracket;
  first_ = false;
  return *this;
}

json_line& json_line::plain(std::string_view word) {
  separate();
  line_ += word;
  return *this;
}

json_line& json_line::text(std::string_view value) {
  return plain(
      nlohmann::json(value).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

json_line& json_line::number(double value) {
  constexpr double exact_whole_max = 9007199254740992.0;
  return plain(value == std::trunc(value) && std::abs(value) <= exact_whole_max
                   ? std::to_string(static_cast<long long>(value))
                   : nlohmann::json(value).dump());
}

json_line& json_line::key(std::string_view name) {
  text(name);
  line_ += ':';
  first_ = true;
  return *this;
}

}  // namespace tocsin
