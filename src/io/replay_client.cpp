// SPDX-License-Identifier: Apache-2.0
// A DEALER socket that lives for one question.
#include "io/replay_client.hpp"

#include <fmt/format.h>

#include <utility>
#include <zmq.hpp>

#include "io/network_options.hpp"
#include "io/peer_watch.hpp"
#include "io/socket_wait.hpp"

namespace tocsin {

namespace {

/// Takes one message of an answer. True when it was the last.
result<bool> take(std::vector<std::string> frames, replay_answer& into) {
  if (frames.size() == 2 && (frames[0] == replay_end || frames[0] == replay_snapshot)) {
    auto position = decode_position(frames[1]);
    if (!position) return position.failure();
    const bool last = frames[0] == replay_end;
    if (last) into.through = std::move(*position);
    if (!last) into.snapshot = std::move(*position);
    return last;
  }
  if (frames.size() == 2 && frames[0] == replay_error) {
    const auto refusal = decode_refusal(frames[1]);
    if (!refusal) return refusal.failure();
    return error{"refused", fmt::format("{}: {}", refusal->code, refusal->message)};
  }
  auto message = decode_stream_message(std::move(frames));
  if (!message) return message.failure();
  into.messages.push_back(std::move(*message));
  return false;
}

}  // namespace

result<replay_answer> ask_replay(const std::string& endpoint, const replay_request& request,
                                 wake_flag& interrupt, duration within,
                                 const optional_identity& identity) {
  zmq::context_t context;
  zmq::socket_t dealer{context, zmq::socket_type::dealer};
  set_network_options(dealer, endpoint);
  set_identity(dealer, identity);
  dealer.set(zmq::sockopt::linger, 0);
  if (auto failure = connect_within(context, dealer, endpoint, within)) return std::move(*failure);
  dealer.send(zmq::buffer(encode_replay_request(request)), zmq::send_flags::dontwait);
  replay_answer answer;
  for (;;) {
    switch (wait_readable(dealer, interrupt, within)) {
      case waited::woken:
        return error{"interrupted", fmt::format("the question to {} was broken off", endpoint)};
      case waited::timed_out:
        return error{"silent", fmt::format("{} has not answered to the end: nothing for {}",
                                           endpoint, format_duration(within))};
      case waited::readable:
        break;
    }
    const auto last = take(read_frames(dealer), answer);
    if (!last) return last.failure();
    if (*last) return answer;
  }
}

}  // namespace tocsin
