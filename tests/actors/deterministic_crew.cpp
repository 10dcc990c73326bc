// SPDX-License-Identifier: Apache-2.0
// Drives the testing scheduler.
#include "deterministic_crew.hpp"

#include <random>
#include <stdexcept>
#include <utility>

#include "actors/recovery.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"

namespace tocsin::testing {

using namespace std::chrono_literals;

deterministic_crew::deterministic_crew(std::shared_ptr<const rule_set> rules, std::size_t shards,
                                       std::function<instant()> now,
                                       std::optional<duration> heartbeat, alert_side alerts)
    : system_(config_),
      gate_(burst_gate::open(alerts.room)),
      sink_(std::make_shared<recording_sink>()) {
  crew_setup setup;
  setup.ingest = {std::move(rules), {}, 200ms, std::move(now)};
  setup.ingest.poison = std::move(alerts.poison);
  setup.shards = shards;
  setup.sinks = std::move(alerts.more_sinks);
  setup.sinks.push_back(sink_);
  setup.heartbeat = heartbeat;
  setup.gate = gate_;
  setup.policy = std::move(alerts.policy);
  setup.store = std::move(alerts.store);
  setup.retention = alerts.retention;
  setup.disk_threads = false;
  if (alerts.stored) setup.stored = std::make_shared<book_state>(*alerts.stored);
  setup.clock = alerts.clock;
  if (alerts.log) {
    go_on(alerts, setup);
  } else {
    actors_ = spawn_crew(system_, setup);
  }
}

void deterministic_crew::go_on(const alert_side& alerts, crew_setup& setup) {
  pipeline_settings settings;
  settings.log = alerts.log;
  settings.snapshots = alerts.snapshots;
  settings.snapshot_every = alerts.snapshot_every;
  settings.log_horizon = alerts.log_horizon;
  auto stored = setup.store->load();
  if (!stored) throw std::runtime_error(stored.failure().message);
  const beginning from = begin_from_log(settings, setup.shards, setup.ingest, *stored);
  go_on_from(from, settings, setup);
  setup.clock = stored->clock;
  setup.stored = std::make_shared<book_state>(*std::move(stored));
  recovered_ = from.report;
  actors_ = spawn_crew(system_, setup);
  not_recovered_ = go_through_again(
      *alerts.log, from.after,
      [this](std::shared_ptr<const log_entry> entry) {
        caf::anon_send(actors_.ingest, replayed{std::move(entry), gate_->enter()});
        return true;
      },
      recovered_);
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

bool deterministic_crew::try_send(burst messages) {
  auto held =
      gate_->try_enter(0, messages.answer ? burst_gate::lane::answered : burst_gate::lane::pushed);
  if (!held) return false;
  caf::anon_send(actors_.ingest,
                 burst_in{std::make_shared<const burst>(std::move(messages)), std::move(held)});
  return true;
}

void deterministic_crew::advance(instant clock) {
  caf::anon_send(actors_.ingest, time_in{clock, gate_->enter()});
}

operation_answer deterministic_crew::operate(operation wanted, std::function<void()> answered) {
  auto answer = std::make_shared<std::optional<result<operation_result>>>();
  auto asked = std::make_shared<operation_in>();
  asked->wanted = std::move(wanted);
  asked->answer = [answer, answered = std::move(answered)](result<operation_result> outcome) {
    if (*answer) throw std::logic_error("an operation was answered twice");
    *answer = std::move(outcome);
    if (answered) answered();
  };
  caf::anon_send(actors_.ingest, operation_ptr{std::move(asked)});
  return answer;
}

void deterministic_crew::inspect(const std::function<void(const alert_book&)>& look) {
  run();
  caf::anon_send(actors_.alerts, look_in{look});
  run();
}

void deterministic_crew::settle(notice_outcome outcome) {
  caf::anon_send(actors_.recorder, notice_settled{std::move(outcome)});
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

bool deterministic_crew::run_one(std::mt19937& random) {
  auto& jobs = scheduler().jobs;
  if (jobs.empty()) return false;
  std::swap(jobs.front(), jobs[random() % jobs.size()]);
  scheduler().run_once();
  return true;
}

void deterministic_crew::run_ingest() {
  while (scheduler().prioritize(actors_.ingest)) scheduler().run_once();
}

void deterministic_crew::run_all_but_the_recorder() {
  const auto is_ready = [this] {
    if (scheduler().prioritize(actors_.ingest)) return true;
    for (const window_aggregator_actor& shard : actors_.shards) {
      if (scheduler().prioritize(shard)) return true;
    }
    return scheduler().prioritize(actors_.alerts) || scheduler().prioritize(actors_.notifier);
  };
  while (is_ready()) scheduler().run_once();
}

template <class Report, class Handle, class Run>
Report deterministic_crew::ask(const Handle& whom, Run run_jobs) {
  caf::scoped_actor self{system_};
  auto asked = self->request(whom, caf::infinite, counts_wanted{});
  run_jobs();
  Report answer;
  asked.receive([&](Report& given) { answer = std::move(given); },
                [](const caf::error& failed) { throw std::runtime_error(caf::to_string(failed)); });
  return answer;
}

ingest_report deterministic_crew::ingest_counts() {
  return ask<ingest_report>(actors_.ingest, [this] { run_ingest(); });
}

store_counts deterministic_crew::recorder_counts() {
  return ask<store_counts>(actors_.recorder, [this] { run(); });
}

event_log_counts deterministic_crew::log_counts() {
  return ask<event_log_counts>(actors_.log, [this] { run(); });
}

snapshot_counts deterministic_crew::snapshots_counts() {
  return ask<snapshot_counts>(actors_.snapshots, [this] { run(); });
}

caf::scheduler::test_coordinator& deterministic_crew::scheduler() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_.scheduler());
}

}  // namespace tocsin::testing
