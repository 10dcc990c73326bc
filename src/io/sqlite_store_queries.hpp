// SPDX-License-Identifier: Apache-2.0
// What is read of the alert store: at the start, by the notifier and by people.
#pragma once

#include <cstddef>
#include <vector>

#include "io/sqlite_database.hpp"
#include "tocsin/alert_store.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Each as alert_store's call of that name, over a connection that one thread uses at a time; each
/// sees one state of the store.
[[nodiscard]] result<book_state> read_book_state(sqlite_database& db);
[[nodiscard]] result<std::vector<stored_notice>> read_pending_notices(sqlite_database& db,
                                                                      const std::string& receiver,
                                                                      std::size_t limit,
                                                                      std::int64_t after);
[[nodiscard]] result<history_page> read_history(sqlite_database& db, const history_query& query);
[[nodiscard]] result<alert_history> read_alert(sqlite_database& db, const fingerprint& alert_id);
[[nodiscard]] result<std::vector<transition>> read_recent_transitions(sqlite_database& db,
                                                                      std::size_t limit);
[[nodiscard]] result<alert_statistics> read_statistics(sqlite_database& db, instant from,
                                                       instant until);

}  // namespace tocsin
