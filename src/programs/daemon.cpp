// SPDX-License-Identifier: Apache-2.0
// Wires sockets to the pipeline.
#include "programs/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <numeric>
#include <vector>

#include "io/alert_codec.hpp"
#include "io/metrics_page.hpp"

namespace tocsin {

namespace {

/// Endpoints that settings know and nothing listens on are said, so that nobody waits for them.
void log_unserved(std::string_view setting, const std::string& endpoint) {
  if (endpoint.empty()) return;
  spdlog::warn("{}: {} is not served by this version; set it to \"\" to be rid of this line",
               setting, endpoint);
}

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

/// What HTTP serves (docs/http.md). The pipeline outlives the routes.
std::vector<http_route> http_routes(const pipeline& running, std::size_t rules,
                                    std::shared_ptr<const lookup_watcher> lookups) {
  const auto plain = [](std::string text) {
    return http_response{200, "text/plain; charset=utf-8", std::move(text), {}};
  };
  return {{"GET", "/metrics",
           [&running, lookups = std::move(lookups),
            page = metrics_page{TOCSIN_VERSION, rules}](const http_request&) mutable {
             const auto tables = lookups ? lookups->status() : std::vector<lookup_status>{};
             return http_response{200,
                                  metrics_page::content_type,
                                  page.render(running.counts(), read_process_usage(), tables),
                                  {}};
           }},
          {"GET", "/-/healthy", [plain](const http_request&) { return plain("healthy\n"); }},
          {"GET", "/-/ready",
           [&running, plain](const http_request&) {
             if (const auto failure = running.failure()) {
               return http_failure(503, "pipeline_failed", "the pipeline failed: " + *failure);
             }
             return plain("ready\n");
           }},
          {"GET", "/api/tocsin/v1/alerts", [&running](const http_request&) {
             std::string list;
             for (const transition& active : running.active_alerts()) {
               list += (list.empty() ? "[" : ",") + encode_alert_json(*active);
             }
             return http_response{200, "application/json", (list.empty() ? "[" : list) + "]", {}};
           }}};
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

}  // namespace

result<std::unique_ptr<daemon>> daemon::start(const settings& from,
                                              std::shared_ptr<const rule_set> rules,
                                              loaded_enrichment enrich,
                                              std::function<void(const std::string&)> failed) {
  std::unique_ptr<daemon> starting{new daemon(from, std::move(enrich))};
  const std::size_t rule_count = rules->rules().size();
  if (auto wrong = starting->open_alert_stream()) return *wrong;
  if (auto wrong = starting->open_alert_replay()) return *wrong;
  if (auto wrong = starting->start_pipeline(std::move(rules), std::move(failed))) return *wrong;
  if (auto wrong = starting->attach_push()) return *wrong;
  starting->attach_acked();
  if (auto wrong = starting->attach_http(rule_count)) return *wrong;
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
  if (pipeline_) pipeline_->stop();
  if (replay_) replay_->stop();
  if (enrich_.tables) enrich_.tables->stop();
  if (push_ && push_->abandoned() > 0) {
    spdlog::error("push: {} messages that had arrived were not taken: the pipeline had no room",
                  push_->abandoned());
  }
}

std::optional<error> daemon::open_alert_stream() {
  if (settings_.alerts_stream.empty()) return std::nullopt;
  if (!settings_.alerts_replay.empty()) history_ = std::make_shared<stream_history>();
  auto opened = alert_stream::bind(settings_.alerts_stream, history_);
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
  auto started = replay_listener::start(settings_.alerts_replay, history_);
  if (!started) return started.failure();
  replay_ = std::move(*started);
  spdlog::info("alerts.replay: listening on {}", replay_->endpoint());
  return std::nullopt;
}

std::optional<error> daemon::start_pipeline(std::shared_ptr<const rule_set> rules,
                                            std::function<void(const std::string&)> failed) {
  pipeline_settings wanted;
  wanted.shards = settings_.shards;
  wanted.limits = settings_.limits;
  wanted.state = settings_.state;
  wanted.tick = settings_.tick;
  wanted.enrich = enrich_.steps;
  std::vector<std::shared_ptr<transition_sink>> sinks;
  if (stream_) sinks.push_back(stream_);
  auto started = pipeline::start(wanted, std::move(rules), std::move(sinks));
  if (!started) return started.failure();
  pipeline_ = std::move(*started);
  pipeline_->on_failure(std::move(failed));
  return std::nullopt;
}

std::optional<error> daemon::attach_push() {
  if (settings_.ingest_push.empty()) return std::nullopt;
  pipeline_->on_room([this] {
    if (auto* const waiting = has_room_.load()) waiting->room();
  });
  auto started =
      push_listener::start(settings_.ingest_push, settings_.limits.message_bytes,
                           [this](burst& messages) { return pipeline_->try_push(messages); });
  if (!started) return started.failure();
  push_ = std::move(*started);
  has_room_ = push_.get();
  // Room may have come before there was anybody to tell.
  push_->room();
  spdlog::info("ingest.push: listening on {}", push_->endpoint());
  return std::nullopt;
}

void daemon::attach_acked() {
  log_unserved("ingest.acked", settings_.ingest_acked);
}

std::optional<error> daemon::attach_http(std::size_t rules) {
  if (settings_.http_listen.empty()) return std::nullopt;
  auto started =
      http_server::start(settings_.http_listen, http_routes(*pipeline_, rules, enrich_.tables));
  if (!started) {
    return error{started.failure().code, "http.listen: " + started.failure().message};
  }
  http_ = std::move(*started);
  spdlog::info("http.listen: serving on http://{}", http_->address());
  return std::nullopt;
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
  if (from.data.empty()) {
    spdlog::warn("data: not set, so nothing is durable: a restart forgets windows and alerts");
  } else {
    spdlog::warn("data: {} is not used by this version: nothing is durable", from.data);
  }
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

}  // namespace tocsin
