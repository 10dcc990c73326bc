// SPDX-License-Identifier: Apache-2.0
// Speaks ZAP, the protocol in which libzmq asks whether a peer may come in (ZeroMQ RFC 27). Private
// to src/io.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>
#include <zmq.hpp>

namespace tocsin {

/// Where libzmq looks for the handler of a context.
inline constexpr const char* zap_endpoint = "inproc://zeromq.zap.01";

struct zap_request {
  std::string domain;      ///< of the socket that was connected to
  std::string public_key;  ///< of the peer, as Z85
};

/// Let in, as whom, and what each of its messages is to say (zmq_msg_gets).
struct zap_welcome {
  std::string user;
  std::vector<std::pair<std::string, std::string>> properties;
};

/// Nothing: refused. What it throws refuses, too.
using zap_judge = std::function<std::optional<zap_welcome>(const zap_request&)>;

/// Answers the next request that waits in a REP socket bound to zap_endpoint; false when there is
/// none. What is no request with a CURVE key is refused without asking `judge`.
bool answer_zap(zmq::socket_t& rep, const zap_judge& judge);

}  // namespace tocsin
