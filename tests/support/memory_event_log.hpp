// SPDX-License-Identifier: Apache-2.0
// An event log and a snapshot store in memory that a test can make fail, damage and crash.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tocsin/event_log.hpp"
#include "tocsin/snapshot_store.hpp"

namespace tocsin::testing {

/// Thread-safe. Each record is a segment of its own to trim(). A step that is not behind the one
/// before fails the test.
class memory_event_log final : public event_log {
 public:
  /// While on, append() finds no room.
  void fill(bool on);
  /// From now on append() and sync() are broken.
  void break_down();
  /// Called at the beginning of each append() and each sync().
  void on_append(std::function<void()> call);
  void on_sync(std::function<void()> call);

  /// What is there after a power failure now: all that was synced, and the first `unsynced` records
  /// behind that. Nothing fails in it.
  [[nodiscard]] std::shared_ptr<memory_event_log> after_crash(std::size_t unsynced) const;
  /// Makes the record of a step unreadable.
  void damage(std::uint64_t step);
  /// Takes the record of a step out.
  void lose(std::uint64_t step);

  [[nodiscard]] std::size_t syncs() const;
  [[nodiscard]] std::size_t unsynced() const;
  [[nodiscard]] std::uint64_t synced_step() const;
  [[nodiscard]] std::vector<std::uint64_t> steps() const;
  [[nodiscard]] std::vector<retention> trims() const;

  [[nodiscard]] std::optional<error> append(std::span<const log_record> records) override;
  [[nodiscard]] std::optional<error> sync() override;
  [[nodiscard]] std::uint64_t first_step() const override;
  [[nodiscard]] std::uint64_t last_step() const override;
  [[nodiscard]] instant last_clock() const override;
  [[nodiscard]] result<std::unique_ptr<log_reader>> read(std::uint64_t from) const override;
  [[nodiscard]] std::optional<error> trim(const retention& keep) override;
  [[nodiscard]] std::uint64_t bytes() const override;

 private:
  struct kept_record {
    std::uint64_t step = 0;
    instant clock{};
    std::shared_ptr<const std::string> bytes;  ///< null: damaged
  };
  class reader;

  mutable std::mutex mutex_;
  std::vector<kept_record> records_;
  std::uint64_t last_step_ = 0;  ///< stays when all is trimmed
  std::uint64_t synced_ = 0;
  instant last_clock_{};
  std::size_t syncs_ = 0;
  std::vector<retention> trims_;
  bool full_ = false;
  bool broken_ = false;
  std::function<void()> on_append_;
  std::function<void()> on_sync_;
};

/// Thread-safe.
class memory_snapshots final : public snapshot_store {
 public:
  /// While on, put() fails.
  void fail(bool on);
  /// Called with each step before it is kept.
  void on_put(std::function<void(std::uint64_t)> call);
  /// Makes a snapshot unreadable.
  void damage(std::uint64_t step);
  [[nodiscard]] std::shared_ptr<memory_snapshots> copy() const;
  [[nodiscard]] std::size_t puts() const;

  [[nodiscard]] std::optional<error> put(const pipeline_snapshot& made) override;
  [[nodiscard]] std::vector<std::uint64_t> steps() const override;
  [[nodiscard]] result<pipeline_snapshot> get(std::uint64_t step) const override;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, pipeline_snapshot> kept_;
  std::set<std::uint64_t> damaged_;
  std::size_t puts_ = 0;
  bool failing_ = false;
  std::function<void(std::uint64_t)> on_put_;
};

}  // namespace tocsin::testing
