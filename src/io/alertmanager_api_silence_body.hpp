// SPDX-License-Identifier: Apache-2.0
// The bodies that ask Alertmanager's API for a silence.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/alertmanager_api_post.hpp"
#include "tocsin/time.hpp"

namespace tocsin::alertmanager {

/// A matcher as it is asked for; nothing of it is known to be right.
struct asked_matcher {
  std::optional<bool> is_regex;
  std::optional<std::string> name;
  std::optional<std::string> value;
  bool is_equal = true;
};

struct asked_silence {
  std::string id;
  std::optional<std::string> comment;
  std::optional<std::string> created_by;
  std::optional<instant> starts_at;
  std::optional<instant> ends_at;
  std::optional<std::vector<asked_matcher>> matchers;
};

struct silence_body {
  /// Then `asked` means nothing; without it all of it is there but what is "" or has a default.
  std::optional<body_refusal> refused;
  asked_silence asked;
};

/// Reads a JSON object as Alertmanager does: unknown keys are skipped, keys are known in any case,
/// null is as good as nothing, what follows the object is not looked at.
[[nodiscard]] silence_body read_silence(std::string_view body);

}  // namespace tocsin::alertmanager
