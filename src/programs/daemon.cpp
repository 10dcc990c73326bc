// SPDX-License-Identifier: Apache-2.0
// Wires sockets to the pipeline.
#include "programs/daemon.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <numeric>

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

}  // namespace

result<std::unique_ptr<daemon>> daemon::start(const settings& from,
                                              std::shared_ptr<const rule_set> rules,
                                              std::function<void(const std::string&)> failed) {
  std::unique_ptr<daemon> starting{new daemon(from)};
  if (auto wrong = starting->open_alert_stream()) return *wrong;
  starting->open_alert_replay();
  if (auto wrong = starting->start_pipeline(std::move(rules), std::move(failed))) return *wrong;
  if (auto wrong = starting->attach_push()) return *wrong;
  starting->attach_acked();
  starting->attach_http();
  return starting;
}

daemon::~daemon() {
  stop();
}

void daemon::stop() {
  if (stopped_) return;
  stopped_ = true;
  if (push_) push_->stop();
  if (pipeline_) pipeline_->stop();
  if (push_ && push_->abandoned() > 0) {
    spdlog::error("push: {} messages that had arrived were not taken: the pipeline had no room",
                  push_->abandoned());
  }
}

std::optional<error> daemon::open_alert_stream() {
  if (settings_.alerts_stream.empty()) return std::nullopt;
  auto opened = alert_stream::bind(settings_.alerts_stream);
  if (!opened) return opened.failure();
  stream_ = std::move(*opened);
  spdlog::info("alerts.stream: publishing on {}", stream_->endpoint());
  return std::nullopt;
}

void daemon::open_alert_replay() {
  log_unserved("alerts.replay", settings_.alerts_replay);
}

std::optional<error> daemon::start_pipeline(std::shared_ptr<const rule_set> rules,
                                            std::function<void(const std::string&)> failed) {
  pipeline_settings wanted;
  wanted.shards = settings_.shards;
  wanted.limits = settings_.limits;
  wanted.tick = settings_.tick;
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

void daemon::attach_http() {
  log_unserved("http.listen", settings_.http_listen);
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
