// SPDX-License-Identifier: Apache-2.0
// The tables of the alert store, and how a file of an older version gets them.
#pragma once

#include <optional>
#include <span>

#include "io/sqlite_database.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Brings a file from the version before to this one. Versions count from 1; an empty file has 0.
struct store_migration {
  int version = 0;
  const char* sql = "";
};

/// All of them, oldest first. docs/store.md describes the tables that come of it.
[[nodiscard]] std::span<const store_migration> store_migrations() noexcept;

/// SQLite's application_id of an alert store: "toca".
inline constexpr int store_application_id = 0x746f6361;

/// Runs what the file does not have yet, all or nothing. Errors: store_failed: the file is of
/// another program, of a newer version, or damaged.
[[nodiscard]] std::optional<error> migrate(sqlite_database& file,
                                           std::span<const store_migration> steps);

}  // namespace tocsin
