// SPDX-License-Identifier: Apache-2.0
// The settings of what lasts beside alerts: `event_log`, `snapshots` and `ingest.dedup`.
#pragma once

#include <chrono>
#include <cstdint>

#include "io/yaml_reader.hpp"
#include "tocsin/dedup_limits.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// Log and snapshots are used where `data` names a folder.
struct durability_settings {
  duration log_horizon = std::chrono::hours{24};      ///< event_log.horizon
  std::uint64_t log_bytes = std::uint64_t{10} << 30;  ///< event_log.bytes
  duration snapshot_every = std::chrono::minutes{1};  ///< snapshots.every
  dedup_limits dedup;                                 ///< ingest.dedup
};

/// Decodes the sections `event_log` and `snapshots` of the settings file's root, and `dedup` of
/// its section `ingest`; findings go to `decode`.
[[nodiscard]] durability_settings decode_durability(const yaml_node& root, yaml_decoder& decode);

}  // namespace tocsin
