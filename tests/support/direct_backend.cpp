// SPDX-License-Identifier: Apache-2.0
// The book's changes go to the store under one lock.
#include "support/direct_backend.hpp"

#include <gtest/gtest.h>

#include <span>
#include <utility>

namespace tocsin::testing {

direct_backend::direct_backend(std::shared_ptr<const rule_set> rules,
                               std::unique_ptr<alert_store> store, instant began,
                               std::shared_ptr<const alert_policy> policy)
    : rules_(std::move(rules)),
      store_(std::move(store)),
      began_(began),
      book_(rules_, std::move(policy)),
      now_(began) {
  auto known = store_->load();
  if (!known) {
    ADD_FAILURE() << "the store does not load: " << known.failure().message;
    return;
  }
  keep(book_.restore(std::move(*known), began));
}

result<operation_result> direct_backend::operate(operation wanted) {
  const std::lock_guard lock{mutex_};
  if (gone_) return error{"unavailable", "the pipeline has ended"};
  auto done = book_.operate(wanted);
  keep(done.changes);
  return std::move(done.outcome);
}

bool direct_backend::inspect(const std::function<void(const alert_book&)>& look) const {
  const std::lock_guard lock{mutex_};
  if (gone_) return false;
  look(book_);
  return true;
}

instant direct_backend::now() const {
  const std::lock_guard lock{mutex_};
  return now_;
}

book_changes direct_backend::step(instant clock, std::vector<finding> findings) {
  const std::lock_guard lock{mutex_};
  now_ = clock;
  auto changes = book_.step(clock, std::move(findings));
  keep(changes);
  return changes;
}

void direct_backend::set_gone(bool gone) {
  const std::lock_guard lock{mutex_};
  gone_ = gone;
}

void direct_backend::keep(const book_changes& changes) {
  if (changes.empty()) return;
  const auto wrong = store_->commit(std::span{&changes, 1});
  EXPECT_FALSE(wrong.has_value()) << wrong->message;
}

}  // namespace tocsin::testing
