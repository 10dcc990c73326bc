// SPDX-License-Identifier: Apache-2.0
// The frames of ZAP 1.0 requests and replies.
#include "io/zap_handler.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <string_view>

#include "io/curve_keys.hpp"
#include "io/socket_wait.hpp"

namespace tocsin {
namespace {

// Request: version, request id, domain, address, routing id, mechanism, credentials.
constexpr std::size_t request_frames = 7;
enum frame : std::size_t { version, request_id, domain, address, routing_id, mechanism, key };

std::string encode_properties(const std::vector<std::pair<std::string, std::string>>& properties) {
  std::string bytes;
  for (const auto& [name, value] : properties) {
    bytes.push_back(static_cast<char>(name.size()));
    bytes += name;
    const auto size = static_cast<std::uint32_t>(value.size());
    for (const int shift : {24, 16, 8, 0}) bytes.push_back(static_cast<char>(size >> shift));
    bytes += value;
  }
  return bytes;
}

std::optional<zap_welcome> judge_safely(const std::vector<std::string>& frames,
                                        const zap_judge& judge) {
  if (frames.size() != request_frames || frames[frame::version] != "1.0" ||
      frames[frame::mechanism] != "CURVE") {
    return std::nullopt;
  }
  const zap_request request{frames[frame::domain], curve_key_text(frames[frame::key])};
  if (request.public_key.empty()) return std::nullopt;
  try {
    return judge(request);
  } catch (const std::exception&) {
    return std::nullopt;
  }
}

}  // namespace

bool answer_zap(zmq::socket_t& rep, const zap_judge& judge) {
  std::vector<std::string> frames;
  try {
    frames = read_frames(rep);
  } catch (const zmq::error_t& failure) {
    if (failure.num() != EINTR) throw;
  }
  if (frames.empty()) return false;
  const auto welcome = judge_safely(frames, judge);
  const std::array<std::string, 6> reply{
      "1.0",
      frames.size() > frame::request_id ? frames[frame::request_id] : "",
      welcome ? "200" : "400",
      welcome ? "welcome" : "not allowed here",
      welcome ? welcome->user : "",
      welcome ? encode_properties(welcome->properties) : ""};
  for (std::size_t i = 0; i < reply.size(); ++i) {
    const bool last = i + 1 == reply.size();
    rep.send(zmq::buffer(reply[i]), last ? zmq::send_flags::none : zmq::send_flags::sndmore);
  }
  return true;
}

}  // namespace tocsin
