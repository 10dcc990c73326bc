// SPDX-License-Identifier: Apache-2.0
// What the HTTP interfaces ask, answered by an alert book and a store on the caller's own thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "io/alert_backend.hpp"
#include "tocsin/alert.hpp"
#include "tocsin/alert_book.hpp"
#include "tocsin/alert_policy.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/operation.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::testing {

/// Every call stores what it changed before it returns. Safe for any number of threads.
class direct_backend final : public alert_backend {
 public:
  /// The book's clock and now() begin at `began`. Goes on with what the store holds.
  direct_backend(std::shared_ptr<const rule_set> rules, std::unique_ptr<alert_store> store,
                 instant began, std::shared_ptr<const alert_policy> policy = nullptr);

  [[nodiscard]] result<operation_result> operate(operation wanted) override;
  [[nodiscard]] bool inspect(const std::function<void(const alert_book&)>& look) const override;
  [[nodiscard]] const alert_store& store() const override { return *store_; }
  [[nodiscard]] const rule_set& rules() const override { return *rules_; }
  [[nodiscard]] instant now() const override;
  [[nodiscard]] instant started_at() const override { return began_; }
  [[nodiscard]] std::string version() const override { return "1.2.3"; }

  /// One step of the log: now() and the book's clock become `clock`, which never goes back.
  book_changes step(instant clock, std::vector<finding> findings);
  /// The same without a finding: only time passes.
  book_changes set_now(instant clock) { return step(clock, {}); }

  /// As when the pipeline has ended: operate() says `unavailable`, inspect() false.
  void set_gone(bool gone);
  /// The store, for what a backend does not offer.
  [[nodiscard]] alert_store& stored() { return *store_; }

 private:
  /// The test fails when the store does not take it.
  void keep(const book_changes& changes);

  std::shared_ptr<const rule_set> rules_;
  std::unique_ptr<alert_store> store_;
  instant began_;
  mutable std::mutex mutex_;  ///< guards what follows
  alert_book book_;
  instant now_;
  bool gone_ = false;
};

}  // namespace tocsin::testing
