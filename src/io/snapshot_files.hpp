// SPDX-License-Identifier: Apache-2.0
// Snapshots as files: written beside, synced, renamed into place (docs/event-log.md has the bytes).
#pragma once

#include <memory>

#include "io/file_system.hpp"
#include "tocsin/result.hpp"
#include "tocsin/snapshot_store.hpp"

namespace tocsin {

/// In folder `snapshots` of `files`, made when there is none. Left-overs of an interrupted put()
/// are removed.
[[nodiscard]] result<std::unique_ptr<snapshot_store>> open_snapshot_files(
    std::shared_ptr<file_system> files);

}  // namespace tocsin
