// SPDX-License-Identifier: Apache-2.0
// The pipeline's public face: settings checked, an actor system of its own, calls turned into
// messages.
#include "tocsin/pipeline.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <chrono>
#include <future>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include "burst_gate.hpp"
#include "caf/actor_system.hpp"
#include "caf/actor_system_config.hpp"
#include "caf/scoped_actor.hpp"
#include "caf/send.hpp"
#include "crew.hpp"
#include "io/announced_events.hpp"
#include "io/crash_watch.hpp"
#include "recovery.hpp"
#include "tocsin/log_clock.hpp"

namespace tocsin {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t shards_max = 256;
constexpr std::size_t bursts_in_flight_max = 4'096;
constexpr std::size_t events_in_flight_max = 16'777'216;
constexpr std::size_t dedup_entries_min = 1'000;
constexpr std::size_t dedup_entries_max = 100'000'000;
constexpr duration tick_min = 1ms;
constexpr duration tick_max = 1min;
constexpr duration heartbeat_every = 1s;
/// How long counts() waits for all actors together, and inspect() for the alert manager.
constexpr duration answer_time = 5s;
constexpr duration operation_time = 30s;

/// Its threads are those that have events at hand.
struct crash_stacks final : caf::thread_hook {
  void init(caf::actor_system&) override {}
  void thread_started() override { give_crash_stack(); }
  void thread_terminates() override {}
};

/// Work sharing, by measurement with a 200 ms tick on 2 cores: idle it takes 0.1 % of a core and at
/// 1,000 bursts/s 7 %, where work stealing takes 4.5 % and 20 % (its workers poll; tuned to poll
/// less, 1.1 % and 20 %). Latency at 10,000 bursts/s is the same (p50 40 us, p99 0.4 ms). Stealing
/// has 1.1 times the throughput with bursts of 64; that does not outweigh what it costs a quiet
/// system. At least 2 threads, so that a sink that asks for counts() does not wait for itself.
struct system_settings : caf::actor_system_config {
  explicit system_settings(std::size_t shards) {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::max<std::size_t>(2, shards));
    add_thread_hook<crash_stacks>();
  }
};

std::size_t shards_of(const pipeline_settings& settings) {
  if (settings.shards > 0) return settings.shards;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, shards_max);
}

instant wall_clock() {
  return std::chrono::time_point_cast<duration>(std::chrono::system_clock::now());
}

/// `not_before`: the last stamp that is stored.
std::function<instant()> live_clock(instant not_before) {
  return [clock = log_clock{std::chrono::steady_clock::now(), wall_clock(), not_before}]() mutable {
    return clock.stamp(std::chrono::steady_clock::now(), wall_clock());
  };
}

class callback_sink final : public transition_sink {
 public:
  explicit callback_sink(std::function<void(const alert&)> call) : call_(std::move(call)) {}
  void publish(std::span<const transition> transitions) override {
    for (const transition& made : transitions) call_(*made);
  }

 private:
  std::function<void(const alert&)> call_;
};

/// What the actors last said they had counted.
struct crew_reports {
  ingest_report ingest;
  std::vector<shard_report> shards;
  alerts_report alerts;
  store_counts store;
  event_log_counts log;
  snapshot_counts snapshots;
  std::vector<transition> active;  ///< when it stopped
};

std::vector<transition> active_of(const book_state& stored) {
  std::vector<transition> active;
  active.reserve(stored.alerts.size());
  for (const alert_record& each : stored.alerts) active.push_back(each.now);
  return active;
}

/// Asks one actor. One that has died, or is too slow, leaves `into` as it was.
template <class Question, class Report, class Handle>
void ask(caf::scoped_actor& self, const Handle& whom,
         std::chrono::steady_clock::time_point deadline, Report& into) {
  const auto left = std::chrono::duration_cast<duration>(
      std::max(deadline - std::chrono::steady_clock::now(), std::chrono::nanoseconds{0}));
  self->request(whom, left, Question{})
      .receive([&](Report& answer) { into = std::move(answer); }, [](const caf::error&) {});
}

void add(rule_totals& to, const rule_totals& of) {
  to.late += of.late;
  to.keys += of.keys;
  to.bytes += of.bytes;
  to.overflowed += of.overflowed;
  to.judgements += of.judgements;
  to.met += of.met;
  to.failures += of.failures;
  to.exhausted += of.exhausted;
}

pipeline_counts merge(const crew_reports& reports, const rule_set& rules) {
  pipeline_counts all;
  all.events = reports.ingest.events;
  all.rejected_by_code = reports.ingest.rejected_by_code;
  all.by_source = reports.ingest.by_source;
  all.enrichment = reports.ingest.enrichment;
  all.unmatched = reports.ingest.unmatched;
  all.shielded = reports.ingest.shielded;
  all.quarantined = reports.ingest.quarantined;
  all.steps = reports.ingest.steps;
  for (const rule& each : rules.rules()) all.by_rule[each.name] = {};
  for (const shard_report& shard : reports.shards) {
    all.updates += shard.totals.updates;
    all.judgements += shard.totals.judgements;
    all.keys += shard.totals.keys;
    all.bytes += shard.totals.bytes;
    all.overflowed += shard.totals.overflowed;
    for (const auto& [source, count] : shard.late_by_source) all.late_by_source[source] += count;
    for (std::size_t i = 0; i < shard.rules.size(); ++i)
      add(all.by_rule[rules.rules()[i].name], shard.rules[i]);
  }
  all.transitions = reports.alerts.transitions;
  all.active_alerts = reports.alerts.active;
  all.alerts_by_state = reports.alerts.by_state;
  all.suppressed_alerts = reports.alerts.suppressed;
  all.silences_by_state = reports.alerts.silences;
  all.notification_groups = reports.alerts.groups;
  all.notices_by_receiver = reports.alerts.notices;
  all.failed_checks = reports.alerts.failed_checks;
  all.store = reports.store;
  all.log = reports.log;
  all.snapshots = reports.snapshots;
  return all;
}

burst_gate::lane lane_of(const burst& of) {
  return of.answer ? burst_gate::lane::answered : burst_gate::lane::pushed;
}

std::optional<error> out_of_range(std::string_view setting, const std::string& seen,
                                  std::string_view wanted) {
  return error{"bad_setting", fmt::format("{}: {} is out of range ({})", setting, seen, wanted)};
}

/// What is wrong with the settings of what lasts.
std::optional<error> refuse_log(const pipeline_settings& of) {
  if (!of.log != !of.snapshots) {
    return error{"bad_setting", "log and snapshots: one of them is missing (both or none)"};
  }
  if (of.log && !(of.store && of.store->durable())) {
    return error{"bad_setting", "log: a durable store is wanted with it"};
  }
  if (of.poison && !of.log) return error{"bad_setting", "poison: a log is wanted with it"};
  if (of.snapshot_every < 1s || of.snapshot_every > std::chrono::days{1}) {
    return out_of_range("snapshot_every", format_duration(of.snapshot_every), "1s to 1d");
  }
  if (of.log_horizon < 0s || of.log_horizon > std::chrono::days{10'000}) {
    return out_of_range("log_horizon", format_duration(of.log_horizon), "0s to 10000d");
  }
  if (of.dedup.horizon < 1s || of.dedup.horizon > std::chrono::days{7}) {
    return out_of_range("dedup.horizon", format_duration(of.dedup.horizon), "1s to 7d");
  }
  if (of.dedup.entries < dedup_entries_min || of.dedup.entries > dedup_entries_max) {
    return out_of_range("dedup.entries", std::to_string(of.dedup.entries), "1000 to 100000000");
  }
  return std::nullopt;
}

}  // namespace

std::optional<error> pipeline_settings::validate() const {
  if (shards > shards_max) {
    return out_of_range("shards", std::to_string(shards), "0 to 256, 0 = one a core");
  }
  if (tick < tick_min || tick > tick_max) {
    return out_of_range("tick", fmt::format("{}ms", tick.count()), "1ms to 1m");
  }
  if (bursts_in_flight < 1 || bursts_in_flight > bursts_in_flight_max) {
    return out_of_range("bursts_in_flight", std::to_string(bursts_in_flight), "1 to 4096");
  }
  if (retention < std::chrono::hours{1} || retention > std::chrono::days{10'000}) {
    return out_of_range("retention", format_duration(retention), "1h to 10000d");
  }
  if (events_in_flight < 1 || events_in_flight > events_in_flight_max) {
    return out_of_range("events_in_flight", std::to_string(events_in_flight), "1 to 16777216");
  }
  return refuse_log(*this);
}

struct pipeline::running {
  running(const pipeline_settings& settings, std::shared_ptr<const rule_set> compiled,
          std::vector<std::shared_ptr<transition_sink>> sinks, book_state stored)
      : manual_clock(settings.manual_clock),
        events_per_message(settings.limits.events_per_message),
        rules(std::move(compiled)),
        gate(burst_gate::open(settings.bursts_in_flight, settings.events_in_flight)),
        config(shards_of(settings)),
        system(config) {
    crew_setup setup;
    setup.ingest = {rules, settings.limits, settings.tick, {}, settings.enrich};
    setup.ingest.dedup = settings.dedup;
    setup.ingest.quotas = settings.quotas;
    setup.ingest.poison = settings.poison;
    setup.shards = shards_of(settings);
    setup.state = settings.state;
    setup.clock = stored.clock;
    if (!manual_clock) setup.heartbeat = heartbeat_every;
    if (settings.log) {
      go_on(settings, stored, setup);
    } else if (!manual_clock) {
      setup.ingest.now = live_clock(stored.clock);
      setup.clock = setup.ingest.now();
    }
    setup.policy = settings.alerts;
    setup.store = settings.store;
    setup.retention = settings.retention;
    const std::vector<transition> active = active_of(stored);
    for (const auto& sink : sinks) sink->begin(stored.seq, active);
    setup.stored = std::make_shared<book_state>(std::move(stored));
    setup.sinks = std::move(sinks);
    setup.gate = gate;
    reports.shards.resize(setup.shards);
    actors = spawn_crew(system, setup);
  }

  /// Where log and snapshots let the actors go on.
  void go_on(const pipeline_settings& settings, const book_state& stored, crew_setup& setup) {
    beginning from = begin_from_log(settings, setup.shards, setup.ingest, stored);
    go_on_from(from, settings, setup);
    log_clock_end = from.clock;
    recovered = std::move(from.report);
    replay_after = from.after;
    // Where windows are lost and nothing is left to make up for it, alerts are waited for from now
    // on, not from when they were stored.
    const bool goes_through = settings.log->last_step() > std::max(from.after, stored.step);
    if (!setup.windows_kept && !goes_through && !manual_clock) {
      log_clock_end = std::max(log_clock_end, wall_clock());
      setup.clock = log_clock_end;
    }
  }

  /// Goes through the log's steps that no snapshot has, and then lets time go on.
  std::optional<error> catch_up(const event_log& log) {
    auto wrong = go_through_again(
        log, replay_after,
        [this](std::shared_ptr<const log_entry> entry) {
          auto held = gate->enter(entry->batch ? entry->batch->events.size() : 0);
          if (!held) return false;
          caf::anon_send(actors.ingest, replayed{std::move(entry), std::move(held)});
          return true;
        },
        recovered);
    if (!gate->wait_for_all()) return error{"pipeline_failed", gate->failure().value_or("stopped")};
    if (wrong) return wrong;
    if (!manual_clock) caf::anon_send(actors.ingest, live_begins{live_clock(log_clock_end)});
    return std::nullopt;
  }

  [[nodiscard]] std::size_t events_at_most(const burst& messages) const {
    if (messages.decoded) return messages.decoded->events.size();
    std::size_t events = 0;
    for (const std::string_view message : messages.messages) {
      events += std::min(announced_events(message), events_per_message + 1);
    }
    return events;
  }

  bool send(burst messages, burst_gate::credit held) {
    if (!held) return false;
    assert(manual_clock || !messages.decoded);
    assert(!messages.answer || !messages.decoded);
    if (!manual_clock) messages.arrivals.clear();
    caf::anon_send(actors.ingest,
                   burst_in{std::make_shared<const burst>(std::move(messages)), std::move(held)});
    return true;
  }

  /// The newest reports; after stop() the last ones.
  template <class Read>
  auto with_reports(Read read) {
    const std::scoped_lock lock(reports_mutex);
    if (!stopped) refresh();
    return read(reports);
  }

  void refresh() {
    caf::scoped_actor self{system};
    const auto deadline = std::chrono::steady_clock::now() + answer_time;
    ask<counts_wanted>(self, actors.ingest, deadline, reports.ingest);
    for (std::size_t i = 0; i < actors.shards.size(); ++i) {
      ask<counts_wanted>(self, actors.shards[i], deadline, reports.shards[i]);
    }
    ask<counts_wanted>(self, actors.alerts, deadline, reports.alerts);
    if (actors.recorder) ask<counts_wanted>(self, actors.recorder, deadline, reports.store);
    if (actors.log) ask<counts_wanted>(self, actors.log, deadline, reports.log);
    if (actors.snapshots) ask<counts_wanted>(self, actors.snapshots, deadline, reports.snapshots);
  }

  /// Runs `look` on the alert manager's thread, if that comes to it in time.
  bool inspect(const std::function<void(const alert_book&)>& look) {
    // Whoever takes the turn first decides: the actor looks, or the caller goes away.
    const auto turn = std::make_shared<std::atomic_flag>();
    auto done = std::make_shared<std::promise<void>>();
    auto looked = done->get_future();
    caf::anon_send(actors.alerts,
                   look_in{[turn, done = std::move(done), &look](const alert_book& book) {
                     if (turn->test_and_set()) return;
                     try {
                       look(book);
                       done->set_value();
                     } catch (...) {  // the caller's failure, not the book's
                       done->set_exception(std::current_exception());
                     }
                   }});
    const auto in_time = looked.wait_for(answer_time) == std::future_status::ready;
    if (!in_time && !turn->test_and_set()) return false;
    try {
      looked.get();
      return true;
    } catch (const std::future_error&) {  // the message went with its actor
      return false;
    }
  }

  std::vector<transition> active_alerts() {
    std::vector<transition> found;
    (void)inspect([&](const alert_book& book) { found = book.active(); });
    return found;
  }

  result<operation_result> operate(operation wanted) {
    using answer = result<operation_result>;
    auto done = std::make_shared<std::promise<answer>>();
    auto answered = done->get_future();
    auto asked = std::make_shared<operation_in>();
    asked->wanted = std::move(wanted);
    asked->answer = [done = std::move(done)](answer outcome) {
      done->set_value(std::move(outcome));
    };
    caf::anon_send(actors.ingest, operation_ptr{std::move(asked)});
    if (answered.wait_for(operation_time) != std::future_status::ready) {
      return error{"unavailable", fmt::format("no answer within {}; it may still happen",
                                              format_duration(operation_time))};
    }
    try {
      return answered.get();
    } catch (const std::future_error&) {  // the message went with its actor
      return error{"unavailable", "the pipeline has stopped"};
    }
  }

  void stop() {
    const std::scoped_lock once(stop_mutex);
    if (stopped) return;
    gate->shut();
    (void)gate->wait_for_all();  // after a failure there is nothing to wait for, but all to end
    {
      auto active = active_alerts();
      const std::scoped_lock lock(reports_mutex);
      refresh();
      reports.active = std::move(active);
      stopped = true;
    }
    dismiss(actors);
    await_end(system, actors);
  }

  const bool manual_clock;
  const std::size_t events_per_message;
  const std::shared_ptr<const rule_set> rules;
  const std::shared_ptr<burst_gate> gate;
  system_settings config;
  caf::actor_system system;
  crew actors;
  std::mutex stop_mutex;
  std::mutex reports_mutex;
  tocsin::recovery recovered;
  std::uint64_t replay_after = 0;  ///< the log's steps behind this one are gone through again
  instant log_clock_end{};         ///< time goes on from here
  crew_reports reports;            ///< guarded by reports_mutex, like `stopped` where it is written
  bool stopped = false;
};

pipeline::pipeline(std::unique_ptr<running> parts) : parts_(std::move(parts)) {}

pipeline::~pipeline() {
  stop();
}

result<std::unique_ptr<pipeline>> pipeline::start(
    const pipeline_settings& settings, std::shared_ptr<const rule_set> rules,
    std::vector<std::shared_ptr<transition_sink>> sinks) {
  if (auto wrong = settings.validate()) return *std::move(wrong);
  if (!rules) return error{"bad_setting", "rules: none were given (a compiled rule_set is wanted)"};
  if (std::find(sinks.begin(), sinks.end(), nullptr) != sinks.end()) {
    return error{"bad_setting", "sinks: one of them is null"};
  }
  book_state stored;
  if (settings.store) {
    auto loaded = settings.store->load();
    if (!loaded) return loaded.failure();
    stored = *std::move(loaded);
  }
  std::unique_ptr<pipeline> started(new pipeline(
      std::make_unique<running>(settings, std::move(rules), std::move(sinks), std::move(stored))));
  if (settings.log) {
    if (auto wrong = started->parts_->catch_up(*settings.log)) return *std::move(wrong);
  }
  return started;
}

result<std::unique_ptr<pipeline>> pipeline::start(const pipeline_settings& settings,
                                                  std::shared_ptr<const rule_set> rules,
                                                  std::function<void(const alert&)> on_transition) {
  std::vector<std::shared_ptr<transition_sink>> sinks;
  if (on_transition) sinks.push_back(std::make_shared<callback_sink>(std::move(on_transition)));
  return start(settings, std::move(rules), std::move(sinks));
}

bool pipeline::push(std::string_view message) {
  auto copy = std::make_shared<const std::string>(message);
  burst one;
  one.messages.emplace_back(*copy);
  one.owner = std::move(copy);
  return push(std::move(one));
}

bool pipeline::push(burst messages) {
  auto held = parts_->gate->enter(parts_->events_at_most(messages), lane_of(messages));
  return parts_->send(std::move(messages), std::move(held));
}

bool pipeline::try_push(burst& messages) {
  auto held = parts_->gate->try_enter(parts_->events_at_most(messages), lane_of(messages));
  return held && parts_->send(std::move(messages), std::move(held));
}

void pipeline::on_room(std::function<void()> wake) {
  parts_->gate->on_room(std::move(wake));
}

bool pipeline::advance(instant clock) {
  if (!parts_->manual_clock) return false;
  auto held = parts_->gate->enter();
  if (!held) return false;
  caf::anon_send(parts_->actors.ingest, time_in{clock, std::move(held)});
  return true;
}

bool pipeline::drain() {
  return parts_->gate->wait_for_all();
}

void pipeline::stop() {
  parts_->stop();
}

const recovery& pipeline::recovered() const noexcept {
  return parts_->recovered;
}

std::optional<std::string> pipeline::failure() const {
  return parts_->gate->failure();
}

void pipeline::on_failure(std::function<void(const std::string&)> handler) {
  parts_->gate->on_failure(std::move(handler));
}

pipeline_counts pipeline::counts() const {
  return parts_->with_reports([this](const crew_reports& reports) {
    pipeline_counts all = merge(reports, *parts_->rules);
    all.recovery_steps = parts_->recovered.steps;
    return all;
  });
}

std::vector<transition> pipeline::active_alerts() const {
  {
    const std::scoped_lock lock(parts_->reports_mutex);
    if (parts_->stopped) return parts_->reports.active;
  }
  return parts_->active_alerts();
}

result<operation_result> pipeline::operate(operation wanted) {
  return parts_->operate(std::move(wanted));
}

bool pipeline::inspect(const std::function<void(const alert_book&)>& look) const {
  return parts_->inspect(look);
}

void pipeline::settle(notice_outcome outcome) {
  if (parts_->actors.recorder) {
    caf::anon_send(parts_->actors.recorder, notice_settled{std::move(outcome)});
  }
}

}  // namespace tocsin
