// SPDX-License-Identifier: Apache-2.0
// What is kept out because the process crashed at it, twice.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tocsin/log_entry.hpp"

namespace tocsin {

/// Called from one thread at a time. What it keeps out it writes down first, once, for people to
/// look at; where that fails it is kept out all the same, and said.
class quarantine {
 public:
  virtual ~quarantine() = default;

  /// Whether a message is refused: it was at hand at two crashes and never got into the log.
  [[nodiscard]] virtual bool refuses(std::string_view message) = 0;
  /// The events of an entry of the log that the rules must not see, as indexes in its batch,
  /// ascending: those at hand at two crashes, or all of a step that was. The same whenever the
  /// entry is gone through again.
  [[nodiscard]] virtual std::vector<std::uint32_t> left_out(const log_entry& entry) = 0;
};

}  // namespace tocsin
