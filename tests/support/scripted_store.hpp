// SPDX-License-Identifier: Apache-2.0
// An alert store in memory that a test can make fail, and that remembers what was asked of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "support/stored_book.hpp"
#include "tocsin/alert_store.hpp"

namespace tocsin::testing {

/// Thread-safe. A transition that is not numbered on from the last one stored fails the test.
class scripted_store final : public alert_store {
 public:
  explicit scripted_store(bool durable = true) : durable_(durable) {}

  /// One with the same contents that does not fail.
  [[nodiscard]] std::shared_ptr<scripted_store> copy() const;

  /// While on, commit(), settle() and pending_notices() fail and change nothing.
  void fail(bool on);
  /// maintain() says as often that there is more to do.
  void maintain_goes_on(int times);
  /// Called with each commit before anything of it is stored.
  void on_commit(std::function<void()> call);
  /// Called with each pending_notices() before it looks.
  void on_pending(std::function<void()> call);
  /// Stores a notice as if a book had made it.
  void put(notice_ptr what);

  /// Everything stored, in order.
  [[nodiscard]] std::vector<transition> transitions() const;
  /// The same as the stream would carry it, one JSON line each.
  [[nodiscard]] std::string json_lines() const;
  /// Of the last transition stored.
  [[nodiscard]] std::uint64_t seq() const;
  /// How many changes each successful commit took.
  [[nodiscard]] std::vector<std::size_t> commits() const;
  [[nodiscard]] std::size_t failed_commits() const;
  [[nodiscard]] std::vector<notice_outcome> settled() const;
  [[nodiscard]] std::vector<instant> maintained() const;
  /// Ids of notices that wait, oldest first.
  [[nodiscard]] std::vector<std::string> waiting_notices() const;

  [[nodiscard]] result<book_state> load() override;
  [[nodiscard]] std::optional<error> commit(
      std::span<const std::shared_ptr<const book_changes>> changes) override;
  [[nodiscard]] result<std::vector<stored_notice>> pending_notices(
      const std::string& receiver, std::size_t limit) const override;
  [[nodiscard]] std::optional<error> settle(const notice_outcome& outcome) override;
  [[nodiscard]] result<history_page> history(const history_query& query) const override;
  [[nodiscard]] result<alert_history> explain(const fingerprint& alert_id) const override;
  [[nodiscard]] result<alert_statistics> statistics(instant from, instant until) const override;
  [[nodiscard]] result<bool> maintain(instant before) override;
  [[nodiscard]] std::string name() const override { return "0123456789abcdef"; }
  [[nodiscard]] bool durable() const override { return durable_; }
  [[nodiscard]] std::uint64_t bytes() const override { return 4096; }

 private:
  const bool durable_;
  mutable std::mutex mutex_;
  bool failing_ = false;
  int maintenance_left_ = 0;
  std::function<void()> on_commit_;
  std::function<void()> on_pending_;
  stored_book book_;
  std::vector<transition> transitions_;
  std::vector<std::size_t> commits_;
  std::size_t failed_commits_ = 0;
  std::vector<stored_notice> notices_;
  std::vector<notice_outcome> settled_;
  std::vector<instant> maintained_;
};

}  // namespace tocsin::testing
