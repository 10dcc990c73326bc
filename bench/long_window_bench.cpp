// SPDX-License-Identifier: Apache-2.0
// What many panes cost: windows of an hour, sliding every 10 s against fixed, every key with about
// one event a second or one every ten.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "bench/measured.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin {
namespace {

constexpr std::size_t batch_events = 4096;
constexpr std::int64_t hour_ms = 3'600'000;

/// Never true, by a count that says so before the contents are asked for, or by an average that
/// has to be worked out at every close.
const char* having_of(bool by_average) {
  return by_average ? "mean > 1000000" : "n >= 1000000000";
}

/// Events of `keys` keys in random order, routed once: the same slices serve again and again.
struct stream {
  stream(const std::shared_ptr<const rule_set>& rules, std::size_t keys) : router(rules, 1) {
    for (std::size_t i = 0; i < keys; ++i) names.push_back(fmt::format("resource-{}", i));
    std::mt19937_64 random{7};
    for (int b = 0; b < 32; ++b) {
      event_batch& batch = all.emplace_back();
      batch.events.resize(batch_events);
      for (event& one : batch.events) {
        one.set_text(event_field::resource_id, names[random() % keys]);
        one.value = static_cast<double>(random() % 100);
      }
      slices.push_back(router.route(batch).front());
    }
  }
  event_router router;
  std::vector<std::string> names;
  std::vector<event_batch> all;
  std::vector<slice> slices;
};

void run(benchmark::State& state, const std::string& name, const std::string& window) {
  const auto keys = static_cast<std::size_t>(state.range(0));
  const std::int64_t gap_s = state.range(1);
  const bool by_average = state.range(2) != 0;
  const auto rules = bench::rules_of(
      fmt::format("rules:\n- {{name: r, where: true, group_by: [resource_id], window: {}, "
                  "select: {{n: count(), mean: avg(value), worst: max(value)}}, having: {}}}\n",
                  window, having_of(by_average)));
  stream events{rules, keys};
  window_engine engine{rules};
  std::vector<finding> found;
  // Events lie evenly between two clocks, as far apart as the rate wants.
  const double ms_an_event = static_cast<double>(gap_s) * 1000 / static_cast<double>(keys);
  constexpr std::int64_t begin_ms = 1'700'000'000'000 / hour_ms * hour_ms;
  std::uint64_t position = 0;
  std::size_t at = 0;
  const auto now_ms = [&] {
    return begin_ms + static_cast<std::int64_t>(static_cast<double>(position) * ms_an_event);
  };
  const auto step = [&] {
    event_batch& batch = events.all[at];
    batch.first_position = position;
    for (event& one : batch.events) {
      one.time = one.arrived = from_unix_ms(now_ms());
      ++position;
    }
    batch.clock = batch.events.back().arrived;
    engine.step(batch.clock, &batch, events.slices[at], found);
    at = (at + 1) % events.all.size();
  };
  while (now_ms() < begin_ms + hour_ms) step();
  bench::time_events(state, fmt::format("{}/{}/{}/{}", name, keys, gap_s, by_average ? 1 : 0),
                     batch_events, step);
  const engine_totals& totals = engine.totals();
  if (totals.updates != position || totals.late != 0 || totals.keys != keys || !found.empty())
    state.SkipWithError("events or keys were lost, or a rule fired");
}

void sliding_1h_by_10s(benchmark::State& state) {
  run(state, "sliding_1h_by_10s", "{sliding: 1h, every: 10s}");
}
void fixed_1h(benchmark::State& state) {
  run(state, "fixed_1h", "{fixed: 1h}");
}

/// keys, seconds between two events of a key, judged by an average.
void cases(benchmark::internal::Benchmark* of) {
  of->ArgNames({"keys", "gap_s", "avg"});
  for (const std::int64_t by_average : {0, 1}) {
    for (const std::int64_t gap_s : {1, 10}) of->Args({1'000, gap_s, by_average});
    of->Args({10'000, 10, by_average});
  }
}
BENCHMARK(fixed_1h)->Apply(cases);
BENCHMARK(sliding_1h_by_10s)->Apply(cases);

}  // namespace
}  // namespace tocsin

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  for (const char* const of :
       {"1000/1/0", "1000/10/0", "10000/10/0", "1000/1/1", "1000/10/1", "10000/10/1"}) {
    tocsin::bench::measured::all().print_ratio(fmt::format("sliding_1h_by_10s/{}", of),
                                               fmt::format("fixed_1h/{}", of), 1.5);
  }
  return 0;
}
