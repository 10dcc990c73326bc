// SPDX-License-Identifier: Apache-2.0
// What the HTTP interfaces need of what runs behind them.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "tocsin/alert_book.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/result.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Safe for any number of threads.
class alert_backend {
 public:
  virtual ~alert_backend() = default;

  /// Does it and waits until it is stored. Errors: those of alert_book::operate; `unavailable` when
  /// the pipeline has ended or is too busy, `store_failed`.
  [[nodiscard]] virtual result<operation_result> operate(operation wanted) = 0;
  /// Calls `look` once with the book, on the thread that owns it: short looks only. False when
  /// nobody answers (`look` was not and will not be called).
  [[nodiscard]] virtual bool inspect(const std::function<void(const alert_book&)>& look) const = 0;
  [[nodiscard]] virtual const alert_store& store() const = 0;
  [[nodiscard]] virtual const rule_set& rules() const = 0;
  /// The wall clock.
  [[nodiscard]] virtual instant now() const = 0;
  [[nodiscard]] virtual instant started_at() const = 0;
  [[nodiscard]] virtual std::string version() const = 0;
};

}  // namespace tocsin
