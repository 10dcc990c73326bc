// SPDX-License-Identifier: Apache-2.0
// Sends requests to an acked endpoint frame by frame, and reads the replies as one line of text.
#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>
#include <zmq.hpp>

#include "io/acked_reply.hpp"

namespace tocsin::testing {

using acked_frames = std::vector<std::string>;

/// "ok 1 2 3:bad_value" is accepted, duplicate, and each rejection's index and code; "retry 0 0
/// wait 10ms" what a daemon that has no room says.
inline std::string acked_text(std::string_view map) {
  const auto reply = decode_acked_reply(map);
  if (!reply) return reply.failure().message;
  auto line = fmt::format("{} {} {}", to_text(reply->status), reply->accepted, reply->duplicate);
  for (const auto& each : reply->rejected) line += fmt::format(" {}:{}", each.index, each.code);
  if (reply->retry_after.count() > 0) {
    line += " wait " + format_duration(reply->retry_after);
  }
  return line;
}

class acked_client {
 public:
  explicit acked_client(const std::string& endpoint,
                        zmq::socket_type type = zmq::socket_type::dealer)
      : socket_(context_, type) {
    constexpr int patience_ms = 20'000;
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::rcvtimeo, patience_ms);
    socket_.connect(endpoint);
  }
  void request(const acked_frames& all) {
    for (std::size_t i = 0; i < all.size(); ++i) {
      const bool more = i + 1 < all.size();
      socket_.send(zmq::buffer(all[i]), more ? zmq::send_flags::sndmore : zmq::send_flags::none);
    }
  }
  /// The frames of the next reply, its map as text.
  acked_frames answer() {
    acked_frames all;
    zmq::message_t frame;
    do {
      if (!socket_.recv(frame)) return {"no answer"};
      all.push_back(frame.to_string());
    } while (frame.more());
    all.back() = acked_text(all.back());
    return all;
  }
  [[nodiscard]] zmq::socket_t& socket() noexcept { return socket_; }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

}  // namespace tocsin::testing
