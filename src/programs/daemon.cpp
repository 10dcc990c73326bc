// SPDX-License-Identifier: Apache-2.0
// Wires sockets to the pipeline.
#include "programs/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <mutex>
#include <numeric>
#include <vector>

#include "io/alertmanager_api.hpp"
#include "io/curve_access.hpp"
#include "io/http_guard.hpp"
#include "io/metrics_page.hpp"
#include "io/tocsin_api.hpp"

namespace tocsin {

namespace {

/// "bad_value 3, malformed 1": what is in `now` beyond `before`; "" when nothing is.
std::string growth(const std::map<std::string, std::uint64_t, std::less<>>& before,
                   const std::map<std::string, std::uint64_t, std::less<>>& now) {
  std::string text;
  for (const auto& [code, count] : now) {
    const auto earlier = before.find(code);
    const auto more = count - (earlier == before.end() ? 0 : earlier->second);
    if (more > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", code, more);
  }
  return text;
}

http_response plain_text(std::string text) {
  return {200, "text/plain; charset=utf-8", std::move(text), {}};
}

/// Counted beside the pipeline, for the metrics page.
using door_counter = std::function<door_counts()>;

http_route metrics_route(const pipeline& running, std::size_t rules,
                         std::shared_ptr<const lookup_watcher> lookups, door_counter doors) {
  struct page_state {
    explicit page_state(std::size_t loaded) : page{TOCSIN_VERSION, loaded} {}
    std::mutex one_at_a_time;
    metrics_page page;
  };
  auto state = std::make_shared<page_state>(rules);
  return {"GET", "/metrics",
          [&running, lookups = std::move(lookups), doors = std::move(doors),
           state = std::move(state)](const http_request&) {
            const auto tables = lookups ? lookups->status() : std::vector<lookup_status>{};
            const auto counts = running.counts();
            const std::scoped_lock lock(state->one_at_a_time);
            return http_response{200,
                                 metrics_page::content_type,
                                 state->page.render(counts, read_process_usage(), tables, doors()),
                                 {}};
          }};
}

/// What HTTP serves (docs/http.md). The pipeline, the backend and what `doors` asks outlive the
/// routes.
std::vector<http_route> http_routes(const pipeline& running, alert_backend& backend,
                                    std::shared_ptr<const lookup_watcher> lookups,
                                    door_counter doors) {
  std::vector<http_route> routes{
      metrics_route(running, backend.rules().rules().size(), std::move(lookups), std::move(doors)),
      {"GET", "/-/healthy", [](const http_request&) { return plain_text("healthy\n"); }},
      {"GET", "/-/ready", [&running](const http_request&) {
         if (const auto failure = running.failure()) {
           return http_failure(503, "pipeline_failed", "the pipeline failed: " + *failure);
         }
         return plain_text("ready\n");
       }}};
  for (http_route& each : alertmanager_routes(backend)) routes.push_back(std::move(each));
  for (http_route& each : tocsin_routes(backend)) routes.push_back(std::move(each));
  return routes;
}

/// How soon a change of a list of allowed keys is seen: after two looks.
constexpr duration lists_looked_at_each = std::chrono::milliseconds{500};

void log_gate(const gate_news& news) {
  spdlog::log(news.trouble ? spdlog::level::warn : spdlog::level::info, "{}", news.text);
}

void log_lookup(const lookup_news& news) {
  const auto& [now, found] = news;
  if (found.empty()) {
    spdlog::info("enrich: {}: {} was loaded anew: {} rows", now.step, now.file, now.rows);
    return;
  }
  spdlog::warn("enrich: {}: {} is not used, the table of before with {} rows is kept: {}", now.step,
               now.file, now.rows, found.front().text());
  for (std::size_t i = 1; i < found.size(); ++i) spdlog::warn("enrich: {}", found[i].text());
}

void log_tokens(const token_news& news) {
  if (news.found.empty()) {
    spdlog::info("http.tokens: {} was read anew: {} tokens", news.file, news.tokens);
    return;
  }
  spdlog::warn("http.tokens: {} is not used, the {} tokens of before are kept: {}", news.file,
               news.tokens, news.found.front().text());
  for (std::size_t i = 1; i < news.found.size(); ++i) {
    spdlog::warn("http.tokens: {}", news.found[i].text());
  }
}

}  // namespace

result<std::unique_ptr<daemon>> daemon::start(const settings& from,
                                              std::shared_ptr<const rule_set> rules,
                                              loaded_enrichment enrich,
                                              std::function<void(const std::string&)> failed) {
  std::unique_ptr<daemon> starting{new daemon(from, std::move(rules), std::move(enrich))};
  if (auto wrong = starting->open_store()) return *wrong;
  if (auto wrong = starting->open_gate()) return *wrong;
  if (auto wrong = starting->open_alert_stream()) return *wrong;
  if (auto wrong = starting->open_alert_replay()) return *wrong;
  starting->attach_receivers();
  if (auto wrong = starting->start_pipeline(std::move(failed))) return *wrong;
  if (auto wrong = starting->attach_push()) return *wrong;
  if (auto wrong = starting->attach_acked()) return *wrong;
  if (auto wrong = starting->attach_http()) return *wrong;
  starting->watch_lookups();
  return starting;
}

daemon::~daemon() {
  stop();
}

void daemon::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (http_) http_->stop();
  if (push_) push_->stop();
  if (acked_) acked_->stop();
  if (courier_) courier_->stop();
  if (pipeline_) pipeline_->stop();
  if (replay_) replay_->stop();
  if (enrich_.tables) enrich_.tables->stop();
  if (push_ && push_->abandoned() > 0) {
    spdlog::error("push: {} messages that had arrived were not taken: the pipeline had no room",
                  push_->abandoned());
  }
  log_undelivered();
}

std::optional<error> daemon::open_store() {
  auto opened = open_data(settings_);
  if (!opened) return opened.failure();
  store_ = std::move(opened->store);
  log_ = std::move(opened->log);
  snapshots_ = std::move(opened->snapshots);
  poison_ = std::move(opened->poison);
  crashes_ = std::move(opened->crashes);
  return std::nullopt;
}

std::optional<error> daemon::open_gate() {
  diagnostics found;
  auto access = load_curve_access(settings_.security, found);
  for (const diagnostic& each : found) {
    if (each.kind == diagnostic::grade::error) return error{"bad_security", each.text()};
  }
  if (access) {
    spdlog::info("security.curve: peers need a key; this daemon's public key: {}",
                 access->server.public_key);
  }
  gate_ = network_gate::open(settings_.security.limits, std::move(access),
                             {.report = log_gate, .look_interval = lists_looked_at_each});
  return std::nullopt;
}

std::optional<error> daemon::open_alert_stream() {
  if (settings_.alerts_stream.empty()) return std::nullopt;
  if (!settings_.alerts_replay.empty()) history_ = std::make_shared<stream_history>();
  // A stream that lasts keeps its name, and with it the meaning of its numbers.
  constexpr std::uint64_t lasting_epoch = 1;
  const auto from = store_->durable()
                        ? std::optional{stream_position{store_->name(), lasting_epoch, 0}}
                        : std::nullopt;
  auto opened = alert_stream::bind(settings_.alerts_stream, history_, from, gate_);
  if (!opened) return opened.failure();
  stream_ = std::move(*opened);
  spdlog::info("alerts.stream: publishing on {}", stream_->endpoint());
  return std::nullopt;
}

std::optional<error> daemon::open_alert_replay() {
  if (settings_.alerts_replay.empty()) return std::nullopt;
  if (!history_) {
    spdlog::warn("alerts.replay: not served, for without alerts.stream there is nothing to replay");
    return std::nullopt;
  }
  auto started = replay_listener::start(settings_.alerts_replay, history_, {}, gate_);
  if (!started) return started.failure();
  replay_ = std::move(*started);
  spdlog::info("alerts.replay: listening on {}", replay_->endpoint());
  return std::nullopt;
}

void daemon::attach_receivers() {
  // Tries end when the pipeline is there: start() comes after it.
  courier_ = std::make_shared<notice_courier>(
      settings_.policy->notify->receivers, store_, settings_.http.public_url(),
      [this](notice_outcome ended) {
        if (!ended.delivered) {
          spdlog::warn("notice {}: {}{}", ended.id, ended.failure,
                       ended.final ? ": given up" : ": will be tried again");
        }
        pipeline_->settle(std::move(ended));
      });
}

std::optional<error> daemon::start_pipeline(std::function<void(const std::string&)> failed) {
  pipeline_settings wanted;
  wanted.shards = settings_.shards;
  wanted.limits = settings_.limits;
  wanted.state = settings_.state;
  wanted.tick = settings_.tick;
  wanted.enrich = enrich_.steps;
  std::vector<std::shared_ptr<transition_sink>> sinks;
  wanted.alerts = settings_.policy;
  wanted.store = store_;
  wanted.retention = settings_.retention;
  wanted.log = log_;
  wanted.snapshots = snapshots_;
  wanted.poison = poison_;
  wanted.snapshot_every = settings_.durability.snapshot_every;
  wanted.log_horizon = settings_.durability.log_horizon;
  wanted.log_bytes = settings_.durability.log_bytes;
  wanted.dedup = settings_.durability.dedup;
  wanted.quotas = settings_.quotas;
  if (stream_) sinks.push_back(stream_);
  sinks.push_back(courier_);
  std::vector<transition> published;
  if (history_ && store_->durable()) {
    auto read = store_->recent_transitions(history_limits{}.messages_max);
    if (!read) return error{read.failure().code, "data: " + read.failure().message};
    published = *std::move(read);
  }
  const auto began = std::chrono::steady_clock::now();
  auto started = pipeline::start(wanted, rules_, std::move(sinks));
  if (!started) return started.failure();
  pipeline_ = std::move(*started);
  log_recovery(pipeline_->recovered(), std::chrono::steady_clock::now() - began);
  if (history_) history_->remember(published);
  pipeline_->on_failure(std::move(failed));
  courier_->start();
  return std::nullopt;
}

std::optional<error> daemon::attach_push() {
  if (settings_.ingest_push.empty()) return std::nullopt;
  pipeline_->on_room([this] {
    if (auto* const waiting = has_room_.load()) waiting->room();
  });
  auto started = push_listener::start(
      settings_.ingest_push, settings_.limits.message_bytes,
      [this](burst& messages) { return pipeline_->try_push(messages); }, gate_);
  if (!started) return started.failure();
  push_ = std::move(*started);
  has_room_ = push_.get();
  // Room may have come before there was anybody to tell.
  push_->room();
  spdlog::info("ingest.push: listening on {}", push_->endpoint());
  return std::nullopt;
}

std::optional<error> daemon::attach_acked() {
  if (settings_.ingest_acked.empty()) return std::nullopt;
  acked_limits limits;
  limits.message_bytes = settings_.limits.message_bytes;
  auto started = acked_listener::start(
      settings_.ingest_acked, limits,
      [this](burst& request) { return pipeline_->try_push(request); }, gate_);
  if (!started) return started.failure();
  acked_ = std::move(*started);
  spdlog::info("ingest.acked: listening on {}", acked_->endpoint());
  if (!store_->durable()) {
    spdlog::warn("ingest.acked: data is not set, so ok means accepted, and nothing is durable");
  }
  return std::nullopt;
}

std::optional<error> daemon::attach_http() {
  if (settings_.http.listen.empty()) return std::nullopt;
  diagnostics found;
  const http_guard guard = load_http_guard(settings_.http, found);
  if (has_errors(found)) return error{"bad_settings", "http: " + found.front().text()};
  if (guard.tokens) {
    guard.tokens->on_news(log_tokens);
    spdlog::info("http.tokens: {} tokens are known", guard.tokens->size());
  }
  backend_ = std::make_unique<daemon_backend>(*pipeline_, store_, rules_);
  door_counter doors = [gate = gate_, acked = acked_.get(), refusals = guard.refusals] {
    return door_counts{gate->counts(), acked ? std::optional{acked->counts()} : std::nullopt,
                       refusals.get()};
  };
  auto started = http_server::start(
      settings_.http.listen, http_routes(*pipeline_, *backend_, enrich_.tables, std::move(doors)),
      {}, guard);
  if (!started) {
    return error{started.failure().code, "http.listen: " + started.failure().message};
  }
  http_ = std::move(*started);
  spdlog::info("http.listen: serving on {}", settings_.http.url(http_->address()));
  return std::nullopt;
}

void daemon::log_undelivered() const {
  const auto undelivered = acked_ ? acked_->counts().undelivered : 0;
  if (undelivered == 0) return;
  spdlog::warn(
      "ingest.acked: {} replies could not be delivered: their senders had gone, or did "
      "not read them",
      undelivered);
}

void daemon::watch_lookups() {
  if (!enrich_.tables) return;
  for (const lookup_status& each : enrich_.tables->status()) {
    spdlog::info("enrich: {}: {}: {} rows", each.step, each.file, each.rows);
  }
  enrich_.tables->watch(log_lookup);
}

void log_settings(const settings& from, const rule_set& rules) {
  const auto shards = from.shards == 0 ? std::string("one a core") : std::to_string(from.shards);
  spdlog::info("{} rules in {} units; shards: {}", rules.rules().size(), rules.units().size(),
               shards);
  if (rules.rules().empty()) spdlog::warn("no rules: no event can raise an alert");
  log_durability(from);
}

void rejection_log::look(const pipeline_counts& now, std::chrono::steady_clock::time_point at) {
  if (const auto fresh = growth(seen_, now.rejected_by_code); !fresh.empty()) {
    spdlog::debug("rejected events in the last second: {}", fresh);
    seen_ = now.rejected_by_code;
  }
  if (warned_at_ && at - *warned_at_ < warning_interval) return;
  const auto news = growth(warned_, now.rejected_by_code);
  if (news.empty()) return;
  spdlog::warn("rejected events: {} (docs/protocol.md lists the codes)", news);
  warned_ = now.rejected_by_code;
  warned_at_ = at;
}

void store_log::look(const store_counts& now) {
  if (now.failures > failures_ && !failing_) {
    failing_ = true;
    spdlog::error("data: alerts cannot be stored, and are tried again: {}", now.last_failure);
  } else if (failing_ && now.failures == failures_ && now.commits > commits_ && now.waiting == 0) {
    failing_ = false;
    spdlog::info("data: alerts are stored again");
  }
  failures_ = now.failures;
  commits_ = now.commits;
}

}  // namespace tocsin
