// SPDX-License-Identifier: Apache-2.0
// Reads the frames of a stream message.
#include "io/stream_message.hpp"

#include <fmt/format.h>

#include <utility>

namespace tocsin {

result<stream_message> decode_stream_message(std::vector<std::string> frames) {
  if (frames.size() < 2) {
    return error{
        "malformed",
        fmt::format("stream message: {} frame, wanted topic, header and alert", frames.size())};
  }
  auto header = decode_header(frames[1]);
  if (!header) return header.failure();
  const std::size_t wanted = header->kind == "heartbeat" ? 2 : 3;
  if (frames.size() != wanted) {
    return error{"malformed", fmt::format("stream message \"{}\": {} frames, wanted {} of a {}",
                                          frames[0], frames.size(), wanted, header->kind)};
  }
  stream_message message;
  message.topic = std::move(frames[0]);
  message.header = std::move(*header);
  if (wanted == 3) message.alert = std::move(frames[2]);
  return message;
}

}  // namespace tocsin
