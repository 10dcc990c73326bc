// SPDX-License-Identifier: Apache-2.0
// Events as JSON, for people and for replays.
#pragma once

#include <span>
#include <string>

#include "tocsin/event.hpp"

namespace tocsin {

/// One object on one line: as a sender writes it, with `arrived_at`, so that it is a recording.
[[nodiscard]] std::string event_json(const event& of, std::span<const label> labels);

}  // namespace tocsin
