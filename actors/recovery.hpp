// SPDX-License-Identifier: Apache-2.0
// How a pipeline finds its way back: the newest snapshot that can be used, and the log's steps
// behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "crew.hpp"
#include "shield_board.hpp"
#include "step_maker.hpp"
#include "tocsin/log_entry.hpp"
#include "tocsin/pipeline.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin {

/// What the actors of a pipeline with a log begin with.
struct beginning {
  std::shared_ptr<step_maker> steps;
  std::shared_ptr<shield_board> shields;                ///< which `steps` looks at
  std::vector<std::shared_ptr<window_engine>> engines;  ///< one a shard; empty: windows begin empty
  std::uint64_t after = 0;  ///< the log's steps behind this one are to be gone through again
  instant clock{};          ///< the latest that is known of; steps to come are not before it
  recovery report;
};

/// Takes the newest snapshot that ingest and all shards can go on with; each that cannot be used is
/// a remark. `stored` is what the store goes on with, `ingest` what ingest is to be made of.
[[nodiscard]] beginning begin_from_log(const pipeline_settings& settings, std::size_t shards,
                                       const ingest_setup& ingest, const book_state& stored);

/// Lets a crew with the settings' log and snapshots begin there.
void go_on_from(const beginning& from, const pipeline_settings& settings, crew_setup& into);

/// Gives the entries of the log behind `after`, in order, to `take`, which returns false when it
/// takes no more; counts them in `into`. Errors: log_damaged, bad_log_entry, with the place.
[[nodiscard]] std::optional<error> go_through_again(
    const event_log& log, std::uint64_t after,
    const std::function<bool(std::shared_ptr<const log_entry>)>& take, recovery& into);

}  // namespace tocsin
