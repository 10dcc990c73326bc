// SPDX-License-Identifier: Apache-2.0
// Messages on their way into the pipeline, not yet decoded.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tocsin/time.hpp"

namespace tocsin {

/// Messages that came in together. Memory behind the views is kept by `owner`.
struct burst {
  std::vector<std::string_view>
      messages;  ///< each one event or a batch, msgpack or JSON (docs/protocol.md)
  /// Manual clock: one a message, never decreasing (one before the clock's time counts as that
  /// time; a message that has none arrives at the clock's time). Not used with the wall clock.
  std::vector<instant> arrivals;
  std::shared_ptr<const void> owner;
};

}  // namespace tocsin
