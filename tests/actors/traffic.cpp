// SPDX-License-Identifier: Apache-2.0
// The random stream, from its seed.
#include "traffic.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "support/event_builder.hpp"
#include "support/rules.hpp"

namespace tocsin::testing {

using namespace std::chrono_literals;

std::shared_ptr<const rule_set> traffic_rules() {
  return rules_from_yaml(R"(
rules:
- name: burst
  where: item == "http_status" && value >= 500
  group_by: [resource_id, item]
  window: {sliding: 1m, every: 10s}
  select: {failures: count(), worst: max(value)}
  having: failures >= 4
  severity: critical
  title: "${resource_id}: ${failures} errors, worst ${worst}"
  keep_firing_for: 20s
- name: average
  where: item == "http_status"
  group_by: [resource_id]
  window: {fixed: 30s}
  select: {mean: avg(value)}
  having: mean > 420
  title: "mean ${mean}"
- name: session
  where: item == "login"
  group_by: [source_id]
  window: {session: 15s}
  having: count() >= 3
- name: patient
  where: value >= 300
  group_by: [source_id, item]
  window: {sliding: 40s, every: 10s}
  having: count() >= 2
  for: 10s
)");
}

std::shared_ptr<const rule_set> every_event_fires() {
  return rules_from_yaml(R"(
rules:
- name: each
  where: true
  group_by: [resource_id]
  window: {sliding: 1m, every: 10s}
)");
}

std::shared_ptr<const rule_set> every_event_fires_shortly() {
  return rules_from_yaml(R"(
rules:
- name: each
  where: true
  group_by: [resource_id]
  window: {fixed: 100ms}
  clock: arrival
)");
}

std::string event_message(const std::string& resource, instant when) {
  return event_builder{}.source("agent").resource(resource).item("disk").time(when).json();
}

burst burst_of(const std::vector<std::string>& messages, std::vector<instant> arrivals) {
  auto copies = std::make_shared<const std::vector<std::string>>(messages);
  burst made;
  made.messages.assign(copies->begin(), copies->end());
  made.arrivals = std::move(arrivals);
  made.owner = std::move(copies);
  return made;
}

std::vector<burst> traffic::in_bursts(std::uint32_t seed) const {
  std::mt19937 random(seed);
  std::vector<burst> bursts;
  for (std::size_t begin = 0; begin < messages.size();) {
    const std::size_t end = std::min(messages.size(), begin + 1 + random() % 40);
    bursts.push_back(burst_of({messages.begin() + begin, messages.begin() + end},
                              {arrivals.begin() + begin, arrivals.begin() + end}));
    begin = end;
  }
  return bursts;
}

instant traffic::end() const {
  return (arrivals.empty() ? traffic_start : arrivals.back()) + 1h;
}

traffic random_traffic(std::uint32_t seed, std::size_t count) {
  std::mt19937 random(seed);
  traffic made;
  instant now = traffic_start;
  for (std::size_t i = 0; i < count; ++i) {
    now += duration{random() % 800};
    made.arrivals.push_back(now);
    if (random() % 50 == 0) {
      made.messages.emplace_back("{\"time\": ");
      continue;
    }
    event_builder event;
    event.event_id("e" + std::to_string(i))
        .source("agent-" + std::to_string(random() % 5))
        .resource("host-" + std::to_string(random() % 17))
        .item(random() % 4 == 0 ? "login" : "http_status")
        .time(now - duration{random() % 9'000})
        .value(200.0 + 100.0 * (random() % 4));
    if (random() % 40 == 0) event.action(event_action::resolved);
    made.messages.push_back(random() % 2 == 0 ? event.json() : event.map());
  }
  return made;
}

std::shared_ptr<shield_board> keeping_out(std::string_view matchers) {
  silence made;
  made.scope = silence_scope::events;
  made.matchers = parse_label_matchers(matchers).value();
  auto board = std::make_shared<shield_board>();
  board->put(std::make_shared<const event_shield>(
      std::vector<silence_ptr>{std::make_shared<const silence>(std::move(made))}));
  return board;
}

}  // namespace tocsin::testing
