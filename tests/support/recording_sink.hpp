// SPDX-License-Identifier: Apache-2.0
// A sink that remembers everything it was given.
#pragma once

#include <cstddef>
#include <mutex>
#include <string>
#include <vector>

#include "tocsin/transition_sink.hpp"

namespace tocsin::testing {

/// Thread-safe: a test may look while the pipeline runs.
class recording_sink final : public transition_sink {
 public:
  void publish(std::span<const transition> transitions) override;
  void heartbeat() override;

  [[nodiscard]] std::vector<transition> transitions() const;
  /// The transitions as the stream would carry them, one JSON line each: equal texts are equal
  /// byte for byte in all a user can see.
  [[nodiscard]] std::string json_lines() const;
  [[nodiscard]] std::size_t heartbeats() const;

 private:
  mutable std::mutex mutex_;
  std::vector<transition> transitions_;
  std::size_t heartbeats_ = 0;
};

}  // namespace tocsin::testing
