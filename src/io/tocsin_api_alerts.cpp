// SPDX-License-Identifier: Apache-2.0
// GET alerts and GET alerts/{alert_id}.
#include <algorithm>
#include <utility>

#include "io/alert_codec.hpp"
#include "io/tocsin_api_parts.hpp"
#include "io/tocsin_api_query.hpp"
#include "tocsin/alert_labels.hpp"

namespace tocsin::api {

namespace {

constexpr std::uint64_t listed_max = 1'000'000;

/// Which of the active alerts are wanted.
struct alert_choice {
  label_matchers matchers;
  std::vector<alert_state> states;  ///< empty: any
  std::optional<bool> acknowledged;
  std::size_t limit = listed_max;

  [[nodiscard]] bool takes(const alert& of) const {
    const bool has_state =
        states.empty() || std::find(states.begin(), states.end(), of.state) != states.end();
    return has_state &&
           (!acknowledged || *acknowledged == (of.state == alert_state::acknowledged)) &&
           matches(matchers, of);
  }
};

alert_choice read_choice(query_request& query) {
  static const std::vector<std::string_view> words{"pending", "firing", "acknowledged"};
  constexpr alert_state states[] = {alert_state::pending, alert_state::firing,
                                    alert_state::acknowledged};
  alert_choice choice;
  choice.matchers = query.matchers("filter");
  for (const std::size_t word : query.words("state", words)) choice.states.push_back(states[word]);
  choice.acknowledged = query.flag("acknowledged");
  choice.limit = query.count("limit", 1, listed_max).value_or(listed_max);
  return choice;
}

http_response list_alerts(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  const alert_choice choice = read_choice(query);
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto active = active_alerts(backend);
  if (!active) return unavailable();
  std::size_t listed = 0;
  std::string list = "[";
  for (const transition& each : *active) {
    if (listed == choice.limit) break;
    if (!choice.takes(*each)) continue;
    if (listed++ > 0) list += ',';
    list += encode_alert_json(*each);
  }
  return json_answer(list + "]");
}

http_response show_alert(const alert_backend& backend, const http_request& request) {
  query_request query{request};
  if (const auto wrong = query.failure()) return refusal(400, *wrong);
  const auto id = requested_alert(request);
  if (!id) return refusal(400, {"bad_field", id.failure().message, "alert_id"});
  transition found;
  if (!backend.inspect([&](const alert_book& book) { found = book.find(*id); })) {
    return unavailable();
  }
  if (found) return json_answer(encode_alert_json(*found));
  const auto stored = backend.store().explain(*id);
  if (!stored) return refusal(stored.failure());
  return json_answer(encode_alert_json(*stored->now));
}

}  // namespace

void add_alert_routes(std::vector<http_route>& to, alert_backend& backend) {
  to.push_back({"GET", api_path("/alerts"),
                [&backend](const http_request& request) { return list_alerts(backend, request); }});
  to.push_back({"GET", api_path("/alerts/{alert_id}"),
                [&backend](const http_request& request) { return show_alert(backend, request); }});
}

}  // namespace tocsin::api
