// SPDX-License-Identifier: Apache-2.0
// A disk in memory that SQLite writes to: it knows what was synced, can lose the rest as a power
// cut would, and can fail at any call.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace tocsin::testing {

/// What is left of all files after a power cut, by path.
using disk_image = std::map<std::string, std::string>;

/// While one lives it is SQLite's default file system for files that are opened by name. One at a
/// time. Files are written in sectors of 512 bytes; until a file is synced, each sector that was
/// written, each change of its size and its being there at all may be lost on its own.
class simulated_sqlite_disk {
 public:
  explicit simulated_sqlite_disk(const disk_image& files = {});
  ~simulated_sqlite_disk();
  simulated_sqlite_disk(const simulated_sqlite_disk&) = delete;
  simulated_sqlite_disk& operator=(const simulated_sqlite_disk&) = delete;

  /// A power cut now: what was synced, and of the rest what `seed` picks.
  [[nodiscard]] disk_image after_power_cut(std::uint64_t seed) const;

  /// Writes, truncations, syncs, makings and removals of files so far.
  [[nodiscard]] std::uint64_t calls() const noexcept;
  /// Called before each of them with its number, from 1. What it returns is the call's outcome, and
  /// unless that is SQLITE_OK nothing happens. With short_write a write puts half its bytes in
  /// place before it fails with SQLITE_FULL.
  static constexpr int short_write = -1;
  void before_call(std::function<int(std::uint64_t number)> judge);

  struct state;

 private:
  std::unique_ptr<state> state_;
};

}  // namespace tocsin::testing
