// SPDX-License-Identifier: Apache-2.0
// Where alert transitions go when they leave the pipeline: the stream, a callback, a recorder in
// tests.
#pragma once

#include <span>

#include "tocsin/alert_book.hpp"

namespace tocsin {

class transition_sink {
 public:
  virtual ~transition_sink() = default;
  /// Takes transitions in their order. Must not block. Called from one thread at a time.
  virtual void publish(std::span<const transition> transitions) = 0;
  /// Takes notices for receivers, after the transitions that led to them. Must not block.
  virtual void notify(std::span<const notice_ptr> /*notices*/) {}
  /// Called about once a second while the pipeline runs.
  virtual void heartbeat() {}
};

}  // namespace tocsin
