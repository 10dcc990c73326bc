// SPDX-License-Identifier: Apache-2.0
// The naive twin of event_decoder: unpacks each element with msgpack-c and checks the objects one
// after the other.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "io/event_decoder.hpp"
#include "tocsin/event.hpp"

namespace tocsin::testing {

/// What one decoder made of one message.
struct decoded_message {
  event_batch batch;
  std::vector<rejection> refused;
};

/// As event_decoder::decode into an empty batch; the rejections have no messages. JSON is
/// transcoded by the product's transcoder: the twin covers what follows.
[[nodiscard]] decoded_message reference_decode(std::string_view message, const event_limits& limits,
                                               instant arrived);

/// The same by event_decoder.
[[nodiscard]] decoded_message decode(std::string_view message, const event_limits& limits,
                                     instant arrived);

/// The first difference in events, labels, or refusals (index, code, source); "" when there is
/// none.
[[nodiscard]] std::string difference(const decoded_message& got, const decoded_message& wanted);

}  // namespace tocsin::testing
