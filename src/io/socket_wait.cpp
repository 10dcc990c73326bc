// SPDX-License-Identifier: Apache-2.0
// Polls a socket and a flag until a steady deadline.
#include "io/socket_wait.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace tocsin {

waited wait_readable(zmq::socket_t& socket, wake_flag& wake, std::optional<duration> timeout) {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + timeout.value_or(duration::zero());
  std::array<zmq::pollitem_t, 2> items{
      {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake.descriptor(), ZMQ_POLLIN, 0}}};
  for (;;) {
    auto left = std::chrono::milliseconds{-1};
    if (timeout) {
      left = std::max(std::chrono::ceil<std::chrono::milliseconds>(until - clock::now()),
                      std::chrono::milliseconds{0});
    }
    try {
      zmq::poll(items.data(), items.size(), left);
    } catch (const zmq::error_t& failure) {
      if (failure.num() != EINTR) throw;
      continue;
    }
    if ((items[1].revents & ZMQ_POLLIN) != 0) {
      wake.lower();
      return waited::woken;
    }
    if ((items[0].revents & ZMQ_POLLIN) != 0) return waited::readable;
    if (left.count() == 0) return waited::timed_out;
  }
}

std::vector<std::string> read_frames(zmq::socket_t& socket) {
  std::vector<std::string> frames;
  zmq::message_t frame;
  do {
    // The first frame is there, and ZeroMQ gives the others with it.
    if (!socket.recv(frame, zmq::recv_flags::dontwait)) break;
    frames.push_back(frame.to_string());
  } while (frame.more());
  return frames;
}

}  // namespace tocsin
