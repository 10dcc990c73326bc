// SPDX-License-Identifier: Apache-2.0
// Where the alert manager tells ingest which events silences keep out.
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "tocsin/event_shield.hpp"

namespace tocsin {

/// Written by the alert manager, read by ingest at each burst: one burst meets one shield
/// throughout.
class shield_board {
 public:
  /// Null: nothing is kept out.
  void put(std::shared_ptr<const event_shield> now) {
    const bool any = now != nullptr;
    now_.store(std::move(now));
    any_.store(any, std::memory_order_release);
  }
  [[nodiscard]] std::shared_ptr<const event_shield> look() const {
    if (!any_.load(std::memory_order_acquire)) return nullptr;
    return now_.load();
  }

 private:
  std::atomic<std::shared_ptr<const event_shield>> now_;
  std::atomic<bool> any_{false};  ///< most pipelines have none: spares the pointer's lock
};

}  // namespace tocsin
