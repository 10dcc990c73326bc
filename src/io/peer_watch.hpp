// SPDX-License-Identifier: Apache-2.0
// Waits until a connecting ZeroMQ socket has shaken hands with its peer. Private to src/io.
#pragma once

#include <optional>
#include <string>
#include <zmq.hpp>

#include "tocsin/result.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Connects and waits for the first handshake. Errors: bad_endpoint (not an endpoint),
/// unreachable (nobody answered in time), wrong_peer (what answered does not speak ZeroMQ, is not
/// the kind of socket wanted, or does not agree about CURVE), refused (it does not allow our key).
[[nodiscard]] std::optional<error> connect_within(zmq::context_t& context, zmq::socket_t& socket,
                                                  const std::string& endpoint, duration within);

}  // namespace tocsin
