// SPDX-License-Identifier: Apache-2.0
// Records under a lock.
#include "support/recording_sink.hpp"

#include "io/alert_codec.hpp"

namespace tocsin::testing {

void recording_sink::publish(std::span<const transition> transitions) {
  const std::scoped_lock lock(mutex_);
  transitions_.insert(transitions_.end(), transitions.begin(), transitions.end());
}

void recording_sink::heartbeat() {
  const std::scoped_lock lock(mutex_);
  ++heartbeats_;
}

std::vector<transition> recording_sink::transitions() const {
  const std::scoped_lock lock(mutex_);
  return transitions_;
}

std::string recording_sink::json_lines() const {
  std::string lines;
  for (const transition& each : transitions()) lines += encode_alert_json(*each) + '\n';
  return lines;
}

std::size_t recording_sink::heartbeats() const {
  const std::scoped_lock lock(mutex_);
  return heartbeats_;
}

}  // namespace tocsin::testing
