// SPDX-License-Identifier: Apache-2.0
// GET history and GET stats: alerts of the past, page by page, and what they come to.
#include <fmt/format.h>

#include <chrono>
#include <utility>

#include "io/tocsin_api_parts.hpp"
#include "io/tocsin_api_query.hpp"

namespace tocsin::api {

namespace {

using std::chrono::days;

constexpr std::uint64_t page_alerts_max = 10'000;
constexpr std::uint64_t default_days = 7;
constexpr std::uint64_t days_max = 3'660;

history_query read_history_query(query_request& query) {
  static const std::vector<std::string_view> state_words{"pending", "firing", "acknowledged",
                                                         "resolved", "closed"};
  static const std::vector<std::string_view> severity_words{"critical", "error", "warning", "info"};
  constexpr alert_state states[] = {alert_state::pending, alert_state::firing,
                                    alert_state::acknowledged, alert_state::resolved,
                                    alert_state::closed};
  history_query wanted;
  wanted.from = query.time("from");
  wanted.until = query.time("until");
  wanted.rule = query.text("rule");
  const auto levels = query.words("severity", severity_words);
  if (levels.size() > 1) query.refuse("severity", "severity: stands there twice, wanted once");
  if (levels.size() == 1) wanted.severity = static_cast<severity>(levels.front());
  for (const std::size_t word : query.words("state", state_words)) {
    wanted.states.push_back(states[word]);
  }
  wanted.matchers = query.matchers("filter");
  wanted.text = query.text("text");
  wanted.unacknowledged = query.flag("unacknowledged").value_or(false);
  wanted.limit = query.count("limit", 1, page_alerts_max).value_or(wanted.limit);
  wanted.after = query.text("after");
  return wanted;
}

http_response list_history(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  const history_query wanted = read_history_query(query);
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto page = backend.store().history(wanted);
  if (!page) return refusal(page.failure());
  json_line body;
  body.begin_object().key("alerts");
  write_alerts(body, page->alerts);
  return json_answer(body.key("next").text(page->next).end_object().line());
}

struct time_range {
  instant from{};
  instant until{};
};

/// `days`: that many days of UTC with today as the last one; or from and until.
time_range read_range(query_request& query, instant now) {
  const auto count = query.count("days", 1, days_max);
  const auto from = query.time("from");
  const auto until = query.time("until");
  if (count && (from || until)) {
    query.refuse("days", "days: from or until is there too, wanted days alone");
  }
  const instant tomorrow = std::chrono::floor<days>(now) + days{1};
  time_range range;
  range.until = until.value_or(tomorrow);
  range.from = from.value_or(std::chrono::ceil<days>(range.until) -
                             days{static_cast<int>(count.value_or(default_days))});
  if (range.from >= range.until) {
    query.refuse("until", fmt::format("until: {} is not after from, {}",
                                      format_rfc3339(range.until), format_rfc3339(range.from)));
  } else if (range.until - range.from > days{static_cast<int>(days_max)}) {
    query.refuse("from", fmt::format("from: over {} days before until", days_max));
  }
  return range;
}

void write_length(json_line& to, std::string_view name, const std::optional<duration>& length) {
  to.key(name);
  length ? to.number(static_cast<double>(length->count())) : to.null();
}

void write_rule(json_line& to, const alert_statistics::of_rule& each) {
  to.begin_object().key("rule").text(each.rule).key("total").count(each.total);
  to.key("acknowledged").count(each.acknowledged);
  to.key("self_resolved").count(each.self_resolved);
  write_length(to, "mean_time_to_acknowledge_ms", each.mean_time_to_acknowledge);
  write_length(to, "mean_time_to_resolve_ms", each.mean_time_to_resolve);
  write_length(to, "median_time_to_resolve_ms", each.median_time_to_resolve);
  to.end_object();
}

std::string statistics_json(const alert_statistics& of, const time_range& range) {
  json_line body;
  body.begin_object().key("from").time(range.from).key("until").time(range.until);
  body.key("total").count(of.total).key("active").count(of.active);
  body.key("acknowledged").count(of.acknowledged);
  body.key("resolved").count(of.resolved).key("closed").count(of.closed);
  write_length(body, "mean_time_to_acknowledge_ms", of.mean_time_to_acknowledge);
  write_length(body, "mean_time_to_resolve_ms", of.mean_time_to_resolve);
  body.key("rules").begin_list();
  for (const auto& each : of.rules) write_rule(body, each);
  body.end_list().key("days").begin_list();
  for (const auto& day : of.days) {
    body.begin_object().key("start").time(day.start);
    for (const auto& [level, count] : day.by_severity) body.key(to_text(level)).count(count);
    body.end_object();
  }
  return body.end_list().end_object().line();
}

http_response show_statistics(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  const time_range range = read_range(query, backend.now());
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto known = backend.store().statistics(range.from, range.until);
  if (!known) return refusal(known.failure());
  return json_answer(statistics_json(*known, range));
}

}  // namespace

void add_history_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", api_path("/history"), [&backend](const http_request& request) {
                  return list_history(backend, request);
                }});
  to.push_back({"GET", api_path("/stats"), [&backend](const http_request& request) {
                  return show_statistics(backend, request);
                }});
}

}  // namespace tocsin::api
