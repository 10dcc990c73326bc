// SPDX-License-Identifier: Apache-2.0
// Polls a socket and a flag until a steady deadline.
#include "io/socket_wait.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <span>

namespace tocsin {

namespace {

/// The last of `items` is the flag's.
waited wait(std::span<zmq::pollitem_t> items, wake_flag& wake, std::optional<duration> timeout) {
  using clock = std::chrono::steady_clock;
  const auto until = clock::now() + timeout.value_or(duration::zero());
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
    if ((items.back().revents & ZMQ_POLLIN) != 0) {
      wake.lower();
      return waited::woken;
    }
    if ((items.front().revents & ZMQ_POLLIN) != 0) return waited::readable;
    if (left.count() == 0) return waited::timed_out;
  }
}

}  // namespace

waited wait_readable(zmq::socket_t& socket, wake_flag& wake, std::optional<duration> timeout) {
  std::array<zmq::pollitem_t, 2> items{
      {{socket.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, wake.descriptor(), ZMQ_POLLIN, 0}}};
  return wait(items, wake, timeout);
}

void wait_woken(wake_flag& wake, std::optional<duration> timeout) {
  std::array<zmq::pollitem_t, 1> items{{{nullptr, wake.descriptor(), ZMQ_POLLIN, 0}}};
  (void)wait(items, wake, timeout);
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
