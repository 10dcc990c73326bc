// SPDX-License-Identifier: Apache-2.0
// The actor that turns bursts and time into log steps.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "burst_gate.hpp"
#include "caf/fwd.hpp"
#include "messages.hpp"
#include "shard_progress.hpp"
#include "shield_board.hpp"
#include "step_maker.hpp"
#include "tocsin/dedup_limits.hpp"
#include "tocsin/ingest_quotas.hpp"
#include "tocsin/quarantine.hpp"

namespace tocsin {

struct ingest_setup {
  std::shared_ptr<const rule_set> rules;
  event_limits limits;
  /// How often time passes when no event comes. Not used with a manual clock.
  duration tick{};
  /// The log's clock for what arrives now, never decreasing; empty: time only comes with bursts'
  /// arrivals and time_in.
  std::function<instant()> now;
  std::shared_ptr<const enrichment> enrich =
      nullptr;  ///< null: events go to the rules as they came
  std::shared_ptr<const shield_board> shields =
      nullptr;                                   ///< null: no silence keeps events out of the rules
  instant clock{};                               ///< where the log's clock goes on
  dedup_limits dedup = {};                       ///< of bursts that are answered
  ingest_quotas quotas = {};                     ///< what each source may send
  std::shared_ptr<quarantine> poison = nullptr;  ///< null: nothing is kept out
  /// Goes on with what this remembers, which `limits` to `quotas` were given to, and takes it;
  /// null: begins with nothing.
  std::shared_ptr<step_maker> steps = nullptr;
  duration snapshot_every = std::chrono::minutes{1};  ///< of the log's clock, where there is a log
};

/// A shard as ingest sees it.
struct ingest_shard {
  window_aggregator_actor actor;
  std::shared_ptr<const shard_progress> progress;
  std::uint64_t last_sent = 0;  ///< number of the last step it got
};

/// What a step_maker is made of.
[[nodiscard]] step_maker_setup making_of(const ingest_setup& from, std::size_t shards, bool logged);

/// The shards get the steps that concern them, in order; one at least gets each. The first step
/// comes after `after`. Without a log (empty), answers are given at once.
[[nodiscard]] ingest_actor spawn_ingest(caf::actor_system& system, ingest_setup setup,
                                        std::shared_ptr<burst_gate> gate,
                                        std::vector<ingest_shard> shards, log_writer_actor log = {},
                                        std::uint64_t after = 0);

}  // namespace tocsin
