// SPDX-License-Identifier: Apache-2.0
// What many rules cost an event: decoded batches through router and engine on one thread, 5 rules
// matching each event however many there are.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "bench/measured.hpp"
#include "tocsin/event_router.hpp"
#include "tocsin/window_engine.hpp"

namespace tocsin {
namespace {

constexpr std::size_t matching = 5;
constexpr std::size_t keys = 10'000;
constexpr std::size_t batch_events = 4096;
/// Above what any key of the stream reaches in a window, and what the probe reaches.
constexpr std::uint64_t threshold = 100'000;

/// Every item has 5 rules; `shared` says what all rules ask beside.
std::shared_ptr<const rule_set> make_rules(std::size_t count, const std::string& shared) {
  std::string yaml = "rules:\n";
  for (std::size_t i = 0; i < count; ++i) {
    yaml += fmt::format(
        "- {{name: r{}, where: \"item == 'item-{}' && {}value >= {}\", group_by: [resource_id], "
        "window: {{fixed: 60s}}, select: {{n: count()}}, having: n >= {}}}\n",
        i, i / matching, shared, i % matching, threshold);
  }
  return bench::rules_of(yaml);
}

/// 10,000 resources, each with one item, so that the states in memory are as many for any number of
/// rules. The resource after the last is the probe.
class traffic {
 public:
  explicit traffic(std::size_t items) {
    for (std::size_t i = 0; i <= keys; ++i) resources_.push_back(fmt::format("resource-{}", i));
    for (std::size_t i = 0; i < items; ++i) items_.push_back(fmt::format("item-{}", i));
    std::mt19937_64 random{7};
    batches.resize(64);
    for (event_batch& batch : batches) {
      for (std::size_t i = 0; i < batch_events; ++i)
        fill(batch.events.emplace_back(), random() % keys);
    }
    for (std::size_t i = 0; i < batch_events; ++i) fill(probe.events.emplace_back(), keys);
  }

  std::vector<event_batch> batches;
  event_batch probe;

 private:
  void fill(event& one, std::size_t key) const {
    one.set_text(event_field::resource_id, resources_[key]);
    one.set_text(event_field::item, items_[key % items_.size()]);
    one.set_text(event_field::title,
                 "upstream timed out (110: Connection timed out) while reading");
    one.value = 100;
  }

  std::vector<std::string> resources_;
  std::vector<std::string> items_;
};

void run(benchmark::State& state, const std::string& name, const std::string& shared) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto rules = make_rules(count, shared);
  traffic events(count / matching);
  event_router router(rules, 1);
  window_engine engine(rules);
  std::vector<finding> found;
  std::int64_t clock_ms = 1'700'000'000'000;
  std::uint64_t position = 0;
  const auto take = [&](event_batch& batch) {
    batch.first_position = position;
    batch.clock = from_unix_ms(clock_ms);
    for (event& one : batch.events) one.time = one.arrived = batch.clock;
    const auto slices = router.route(batch);
    engine.step(batch.clock, &batch, slices.front(), found);
    position += batch.events.size();
  };
  std::size_t at = 0;
  const auto step = [&] {
    clock_ms += 4;  // about a million events a second
    take(events.batches[at]);
    at = (at + 1) % events.batches.size();
  };
  for (std::size_t i = 0; i < events.batches.size(); ++i) step();
  bench::time_events(state, fmt::format("{}/{}", name, count), batch_events, step);

  if (engine.totals().updates != position * matching || !found.empty())
    state.SkipWithError("not every event was counted by 5 rules, or a rule fired");
  // The probe's rules fire at the very event that makes the count, and nobody else's.
  clock_ms += 60'000;
  clock_ms -= clock_ms % 60'000;
  for (std::size_t sent = 0; sent < threshold; sent += batch_events) take(events.probe);
  std::size_t fired = 0;
  for (const finding& one : found)
    fired += one.what == finding::kind::met && one.proof.event_count == threshold ? 1 : 0;
  if (fired != matching) state.SkipWithError("the probe's rules did not fire at their count");
}

void equality(benchmark::State& state) {
  run(state, "equality", "");
}
/// All rules share a regular expression that costs more than all the rest.
void shared_regex(benchmark::State& state) {
  run(state, "shared_regex", "title.matches('time.?(d )?out.*[0-9]+.*(reading|writing)') && ");
}

BENCHMARK(equality)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);
BENCHMARK(shared_regex)->Arg(10)->Arg(100)->Arg(1'000)->Arg(10'000);

}  // namespace
}  // namespace tocsin

int main(int count, char** arguments) {
  benchmark::Initialize(&count, arguments);
  if (benchmark::ReportUnrecognizedArguments(count, arguments)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  const auto& figures = tocsin::bench::measured::all();
  for (const char* const name : {"equality", "shared_regex"}) {
    figures.print_ratio(fmt::format("{}/1000", name), fmt::format("{}/10", name), 2);
    figures.print_ratio(fmt::format("{}/10000", name), fmt::format("{}/10", name), 4);
  }
  figures.print_ratio("shared_regex/1000", "equality/1000", 2);
  return 0;
}
