// SPDX-License-Identifier: Apache-2.0
// Choosing a snapshot, and reading the log behind it.
#include "recovery.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "window_aggregator.hpp"

namespace tocsin {
namespace {

/// The shards' engines as the snapshot has them. Errors: why one cannot go on with it.
result<std::vector<std::shared_ptr<window_engine>>> engines_of(
    const pipeline_snapshot& from, const std::shared_ptr<const rule_set>& rules,
    const engine_limits& limits, std::size_t shards) {
  if (from.shards.size() != shards) {
    return error{"snapshot_unusable",
                 fmt::format("it is of {} shards, there are {} now", from.shards.size(), shards)};
  }
  std::vector<std::shared_ptr<window_engine>> engines;
  for (std::uint32_t i = 0; i < shards; ++i) {
    const engine_place place = place_of(i, shards, limits);
    engines.push_back(
        std::make_shared<window_engine>(rules, place.limits, place.shard, place.shards));
    if (auto wrong = engines.back()->restore(from.shards[i])) {
      return error{wrong->code, fmt::format("shard {}: {}", i, wrong->message)};
    }
  }
  return engines;
}

/// Goes on with the snapshot, or says why not and changes nothing.
std::optional<error> take(const pipeline_settings& settings, std::size_t shards,
                          const std::shared_ptr<const rule_set>& rules, std::uint64_t step,
                          beginning& into) {
  const auto snapshot = settings.snapshots->get(step);
  if (!snapshot) return snapshot.failure();
  auto engines = engines_of(*snapshot, rules, settings.state, shards);
  if (!engines) return engines.failure();
  if (auto wrong = into.steps->restore(*snapshot)) return wrong;
  into.engines = *std::move(engines);
  into.after = snapshot->step;
  into.clock = std::max(into.clock, snapshot->clock);
  into.report.snapshot_step = snapshot->step;
  return std::nullopt;
}

/// What keeps windows from being as if nothing had happened; "" when nothing does.
std::string gap_in(const event_log& log, const beginning& from, const book_state& stored) {
  const std::uint64_t first = log.first_step();
  const std::uint64_t last = std::max(log.last_step(), from.after);
  const bool new_here =
      last == 0 && stored.step == 0 && stored.seq == 0 && stored.clock == instant{};
  if (new_here) return "";
  if (last == 0) return "there is neither an event log nor a snapshot: windows begin empty";
  if (last < stored.step) {
    return fmt::format("log and snapshots end with step {}, alerts were stored up to step {}", last,
                       stored.step);
  }
  if (stored.clock > std::max(from.clock, log.last_clock())) {
    return "alerts were stored after the last step of the log";
  }
  if (log.last_step() > from.after && first > from.after + 1) {
    return fmt::format("the log begins with step {}: what came before is not in the windows",
                       first);
  }
  return "";
}

}  // namespace

beginning begin_from_log(const pipeline_settings& settings, std::size_t shards,
                         const ingest_setup& ingest, const book_state& stored) {
  beginning from;
  from.shields = std::make_shared<shield_board>();
  step_maker_setup making = making_of(ingest, shards, true);
  making.shields = from.shields;
  making.clock = stored.clock;
  making.last_step = std::max(stored.step, settings.log->last_step());
  from.steps = std::make_shared<step_maker>(std::move(making));
  for (const std::uint64_t step : settings.snapshots->steps()) {
    const auto wrong = take(settings, shards, ingest.rules, step, from);
    if (!wrong) break;
    from.report.remarks.push_back(
        fmt::format("the snapshot of step {} is not used: {}", step, wrong->message));
  }
  const std::string gap = gap_in(*settings.log, from, stored);
  from.report.windows_kept = gap.empty();
  if (!gap.empty()) from.report.remarks.push_back(gap);
  from.clock = std::max({from.clock, stored.clock, settings.log->last_clock()});
  return from;
}

void go_on_from(const beginning& from, const pipeline_settings& settings, crew_setup& into) {
  into.log = settings.log;
  into.snapshots = settings.snapshots;
  into.log_horizon = settings.log_horizon;
  into.log_bytes = settings.log_bytes;
  into.ingest.snapshot_every = settings.snapshot_every;
  into.ingest.steps = from.steps;
  into.shields = from.shields;
  into.engines = from.engines;
  into.after = from.after;
  into.windows_kept = from.report.windows_kept;
}

std::optional<error> go_through_again(
    const event_log& log, std::uint64_t after,
    const std::function<bool(std::shared_ptr<const log_entry>)>& take, recovery& into) {
  auto reader = log.read(after + 1);
  if (!reader) return reader.failure();
  for (;;) {
    auto record = (*reader)->next();
    if (!record) return record.failure();
    if (!*record) return std::nullopt;
    auto entry = decode_log_entry((*record)->bytes, (*reader)->owner());
    if (!entry) {
      return error{entry.failure().code, fmt::format("the event log's step {}: {}", (*record)->step,
                                                     entry.failure().message)};
    }
    ++into.steps;
    if (entry->batch) into.events += entry->batch->events.size();
    if (!take(std::make_shared<const log_entry>(*std::move(entry)))) return std::nullopt;
  }
}

}  // namespace tocsin
