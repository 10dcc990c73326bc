// SPDX-License-Identifier: Apache-2.0
// Drives the testing scheduler.
#include "deterministic_crew.hpp"

#include <random>
#include <stdexcept>
#include <utility>

#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"

namespace tocsin::testing {

using namespace std::chrono_literals;

deterministic_crew::deterministic_crew(std::shared_ptr<const rule_set> rules, std::size_t shards,
                                       std::function<instant()> now,
                                       std::optional<duration> heartbeat)
    : system_(config_),
      gate_(burst_gate::open(100'000)),
      sink_(std::make_shared<recording_sink>()) {
  crew_setup setup;
  setup.ingest = {std::move(rules), {}, 200ms, std::move(now)};
  setup.shards = shards;
  setup.sinks = {sink_};
  setup.heartbeat = heartbeat;
  setup.gate = gate_;
  actors_ = spawn_crew(system_, setup);
}

deterministic_crew::~deterministic_crew() {
  dismiss(actors_);
  run();
  actors_ = {};
}

void deterministic_crew::send(burst messages) {
  caf::anon_send(actors_.ingest,
                 burst_in{std::make_shared<const burst>(std::move(messages)), gate_->enter()});
}

void deterministic_crew::advance(instant clock) {
  caf::anon_send(actors_.ingest, time_in{clock, gate_->enter()});
}

void deterministic_crew::run() {
  while (scheduler().has_job()) scheduler().run_once();
}

void deterministic_crew::run_shuffled(std::uint32_t seed) {
  std::mt19937 random(seed);
  auto& jobs = scheduler().jobs;
  while (!jobs.empty()) {
    std::swap(jobs.front(), jobs[random() % jobs.size()]);
    scheduler().run_once();
  }
}

void deterministic_crew::run_ingest() {
  while (scheduler().prioritize(actors_.ingest)) scheduler().run_once();
}

ingest_report deterministic_crew::ingest_counts() {
  caf::scoped_actor self{system_};
  auto asked = self->request(actors_.ingest, caf::infinite, counts_wanted{});
  run_ingest();
  ingest_report answer;
  asked.receive([&](ingest_report& given) { answer = std::move(given); },
                [](const caf::error& failed) { throw std::runtime_error(caf::to_string(failed)); });
  return answer;
}

caf::scheduler::test_coordinator& deterministic_crew::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

}  // namespace tocsin::testing
