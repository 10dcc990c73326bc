// SPDX-License-Identifier: Apache-2.0
// Where alert transitions go when they leave the pipeline: the stream, a callback, a recorder in
// tests.
#pragma once

#include <cstdint>
#include <span>

#include "tocsin/alert.hpp"
#include "tocsin/notice.hpp"

namespace tocsin {

class transition_sink {
 public:
  virtual ~transition_sink() = default;
  /// Called once, before all else: how things stand. The next transition has the number `seq` + 1.
  virtual void begin(std::uint64_t /*seq*/, std::span<const transition> /*active*/) {}
  /// Takes transitions in their order. Must not block. Called from one thread at a time.
  virtual void publish(std::span<const transition> transitions) = 0;
  /// Takes notices for receivers, after the transitions that led to them. Must not block.
  virtual void notify(std::span<const notice_ptr> /*notices*/) {}
  /// Called about once a second while the pipeline runs.
  virtual void heartbeat() {}
};

}  // namespace tocsin
