// SPDX-License-Identifier: Apache-2.0
// The alert store in one SQLite file.
#pragma once

#include <memory>
#include <string>

#include "tocsin/alert_store.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// Opens FOLDER/alerts.db, makes folder and file when there are none, and brings an older version's
/// up to date. With folder "" it is a temporary file that nobody else sees and that is gone with
/// the store: nothing lasts, all else works. Errors: store_failed (cannot be opened, is damaged, is
/// of a newer version, is used by another process: the file and the reason).
[[nodiscard]] result<std::unique_ptr<alert_store>> open_sqlite_store(const std::string& folder);

}  // namespace tocsin
