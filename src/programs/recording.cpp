// SPDX-License-Identifier: Apache-2.0
// Pushes recordings into a pipeline whose time is theirs.
#include "programs/recording.hpp"

#include <fmt/format.h>

#include <chrono>
#include <limits>
#include <utility>

#include "io/event_file.hpp"
#include "io/recorded_events.hpp"
#include "tocsin/pipeline.hpp"

namespace tocsin {
namespace {

error pipeline_error(const pipeline& failed) {
  return {"pipeline_failed",
          fmt::format("the pipeline failed: {}", failed.failure().value_or("it stopped"))};
}

/// Nothing when all went well.
std::optional<error> push_file(const std::string& name, recorded_events& reader, pipeline& to,
                               replay_count& count) {
  auto file = event_file::open(name);
  if (!file) return file.failure();
  for (;;) {
    const auto piece = reader.read(*file);
    count.rejected += piece.refused.size();
    count.events += piece.refused.size();
    if (piece.events) {
      count.events += piece.events->events.size();
      burst messages;
      messages.decoded = piece.events;
      if (!to.push(std::move(messages))) return pipeline_error(to);
    }
    if (piece.failure) return piece.failure;
    if (piece.ended) return std::nullopt;
  }
}

}  // namespace

duration time_to_end_all(const rule_set& rules) {
  duration sum{};
  for (const auto& each : rules.rules()) {
    sum += each.spec.window.size + rules.units()[each.unit].lateness + each.spec.pending_for +
           each.spec.keep_firing_for;
  }
  return 2 * sum + std::chrono::seconds{1};
}

result<replay_count> replay_through(const recording& of, std::shared_ptr<const rule_set> rules,
                                    std::function<void(const alert&)> on_transition) {
  pipeline_settings wanted;
  wanted.manual_clock = true;
  // Many variants of one rule hold what the daemon holds once; it is the daemon's bounds that keep
  // it safe, and here somebody waits for the whole answer.
  wanted.state.keys = std::numeric_limits<std::uint32_t>::max();
  wanted.state.bytes *= rules->rules().size() + 1;
  const duration rest = time_to_end_all(*rules);
  auto started = pipeline::start(wanted, std::move(rules), std::move(on_transition));
  if (!started) return started.failure();
  pipeline& running = **started;
  recorded_events reader(of.limits, of.enrich);
  replay_count count;
  for (const std::string& name : of.files) {
    if (auto failed = push_file(name, reader, running, count)) return *std::move(failed);
  }
  const bool any = count.events > count.rejected;
  if (any && !running.advance(reader.clock() + rest)) return pipeline_error(running);
  if (!running.drain()) return pipeline_error(running);
  running.stop();
  return count;
}

}  // namespace tocsin
