// SPDX-License-Identifier: Apache-2.0
// Writes what the alert book changed, and forgets what is old.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "io/sqlite_database.hpp"
#include "io/sqlite_store_alerts.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Over a connection to a file that has the newest tables; the only one who writes it. Used by one
/// thread at a time.
class sqlite_store_writer {
 public:
  explicit sqlite_store_writer(sqlite_database& into) : db_(into), ids_(into) {}

  /// All of them or none. Errors: store_failed: SQLite's reason; the transitions' numbers have a
  /// gap.
  [[nodiscard]] std::optional<error> commit(
      std::span<const std::shared_ptr<const book_changes>> changes);
  /// All of them or none. Errors: store_failed: SQLite's reason; no notice has one of the ids. Of a
  /// notice that is settled already nothing changes.
  [[nodiscard]] std::optional<error> settle(std::span<const notice_outcome> outcomes);
  /// Forgets a piece of what ended before `before`. True: there is more.
  [[nodiscard]] result<bool> forget(instant before);

  /// How much one call of forget() deletes at most, in alerts and in notices each.
  static constexpr std::int64_t forget_max = 2000;

 private:
  /// False: no notice has the id.
  bool enter(const notice_outcome& outcome);
  bool forget_alerts(instant before);
  bool forget_notices(instant before);

  sqlite_database& db_;
  row_ids ids_;
};

}  // namespace tocsin
