// SPDX-License-Identifier: Apache-2.0
// What the benchmarks inside the library share: rules from YAML, figures by name, and their ratios.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tocsin/rule_file.hpp"
#include "tocsin/rule_set.hpp"

namespace tocsin::bench {

/// Rules that are known to be right.
inline std::shared_ptr<const rule_set> rules_of(const std::string& yaml) {
  diagnostics found;
  auto specs = parse_rules(yaml, "bench", found);
  auto rules = rule_set::compile(std::move(specs), found);
  if (rules == nullptr) throw std::runtime_error{found.front().text()};
  return rules;
}

/// Time a benchmark took for one event, by the benchmark's name.
class measured {
 public:
  static measured& all() {
    static measured figures;
    return figures;
  }

  void add(const std::string& name, std::uint64_t steps, double ns_an_event) {
    runs_[name].push_back({steps, ns_an_event});
  }

  /// Prints name / base and what is wanted of it, when both were run.
  void print_ratio(const std::string& name, const std::string& base, double wanted_at_most) const {
    if (runs_.count(name) == 0 || runs_.count(base) == 0) return;
    fmt::print("ratio {} / {} = {:.2f} (wanted: at most {})\n", name, base,
               median(name) / median(base), wanted_at_most);
  }

 private:
  struct timed_run {
    std::uint64_t steps;
    double ns_an_event;
  };

  /// Of the repetitions: the longest runs. Shorter ones only found out how long those should be.
  [[nodiscard]] double median(const std::string& name) const {
    std::uint64_t longest = 0;
    for (const timed_run& one : runs_.at(name)) longest = std::max(longest, one.steps);
    std::vector<double> sorted;
    for (const timed_run& one : runs_.at(name))
      if (one.steps == longest) sorted.push_back(one.ns_an_event);
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }

  std::map<std::string, std::vector<timed_run>> runs_;
};

/// Runs `step`, which works through `events` events, as often as the benchmark asks, and notes the
/// time an event took under `name`.
template <class Step>
std::uint64_t time_events(benchmark::State& state, const std::string& name, std::size_t events,
                          const Step& step) {
  std::uint64_t steps = 0;
  const auto begin = std::chrono::steady_clock::now();
  for (auto _ : state) {
    step();
    ++steps;
  }
  const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - begin;
  const double ns = taken.count() / (static_cast<double>(steps) * static_cast<double>(events));
  measured::all().add(name, steps, ns);
  state.counters["ns/event"] = ns;
  state.SetItemsProcessed(static_cast<std::int64_t>(steps * events));
  return steps;
}

}  // namespace tocsin::bench
