// SPDX-License-Identifier: Apache-2.0
// The window core alone: events already decoded and routed, one engine, one thread.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tocsin/event_router.hpp"
#include "tocsin/rule_file.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin {
namespace {

std::shared_ptr<const rule_set> compile(const std::string& window, int rules) {
  std::string yaml = "rules:\n";
  for (int i = 0; i < rules; ++i)
    yaml +=
        "- {name: r" + std::to_string(i) + ", where: value >= " + std::to_string(i) +
        ", group_by: [resource_id], window: " + window +
        ", select: {n: count(), total: sum(value), worst: max(value)}, having: n >= 1000000000}\n";
  diagnostics found;
  auto specs = parse_rules(yaml, "bench", found);
  return rule_set::compile(std::move(specs), found);
}

/// Batches of 4,096 events over `keys` keys in random order, 1 ms apart a batch, routed to one
/// shard.
struct stream {
  stream(std::shared_ptr<const rule_set> rules, std::size_t keys, std::size_t batches)
      : router(std::move(rules), 1) {
    names.reserve(keys);
    for (std::size_t i = 0; i < keys; ++i) names.push_back("resource-" + std::to_string(i));
    std::mt19937_64 random{7};
    for (std::size_t b = 0; b < batches; ++b) {
      event_batch& batch = all.emplace_back();
      batch.events.resize(4096);
      for (event& one : batch.events) {
        one.set_text(event_field::resource_id, names[random() % keys]);
        one.value = static_cast<double>(random() % 100 + 100);
      }
      slices.push_back(router.route(batch).front());
    }
  }
  event_router router;
  std::vector<std::string> names;
  std::vector<event_batch> all;
  std::vector<slice> slices;
};

void run(benchmark::State& state, const std::string& window, int rules) {
  const auto compiled = compile(window, rules);
  stream events{compiled, static_cast<std::size_t>(state.range(0)), 256};
  window_engine engine{compiled};
  std::vector<finding> found;
  std::int64_t clock_ms = 1'700'000'000'000;
  std::uint64_t position = 0;
  std::size_t at = 0;
  const auto step = [&] {
    event_batch& batch = events.all[at];
    // About a million events a second: 4 ms a batch.
    clock_ms += 4;
    batch.first_position = position;
    batch.clock = from_unix_ms(clock_ms);
    for (event& one : batch.events) one.time = one.arrived = batch.clock;
    engine.step(batch.clock, &batch, events.slices[at], found);
    position += batch.events.size();
    at = (at + 1) % events.all.size();
  };
  for (std::size_t i = 0; i < events.all.size(); ++i) step();
  const std::uint64_t before = engine.totals().updates;
  std::uint64_t batches = 0;
  for (auto _ : state) {
    step();
    ++batches;
  }
  const std::uint64_t updates = engine.totals().updates - before;
  if (updates != batches * 4096 * static_cast<std::uint64_t>(rules) || !found.empty())
    state.SkipWithError("events were lost or a rule fired");
  state.SetItemsProcessed(static_cast<std::int64_t>(updates));
}

void sliding_60s_by_1s(benchmark::State& state) {
  run(state, "{sliding: 60s, every: 1s}", 1);
}
void fixed_60s(benchmark::State& state) {
  run(state, "{fixed: 60s}", 1);
}
void session_60s(benchmark::State& state) {
  run(state, "{session: 60s}", 1);
}
void ten_rules_sliding(benchmark::State& state) {
  run(state, "{sliding: 60s, every: 1s}", 10);
}

BENCHMARK(sliding_60s_by_1s)->Arg(10'000)->Arg(100'000)->Arg(1'000'000);
BENCHMARK(fixed_60s)->Arg(10'000)->Arg(1'000'000);
BENCHMARK(session_60s)->Arg(10'000);
BENCHMARK(ten_rules_sliding)->Arg(10'000);

}  // namespace
}  // namespace tocsin

BENCHMARK_MAIN();
