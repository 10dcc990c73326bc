// SPDX-License-Identifier: Apache-2.0
// Tocsin inside a program: rules from a text, events by call, alerts by callback; no socket, no
// daemon.
#include <atomic>
#include <iostream>
#include <string>
#include <utility>

#include "tocsin/pipeline.hpp"
#include "tocsin/rule_file.hpp"
#include "tocsin/rule_set.hpp"
#include "tocsin/severity.hpp"

namespace {

constexpr const char* rules_yaml = R"(
rules:
- name: disk-errors
  where: item == "disk_error"
  group_by: [resource_id]
  window: {sliding: 5m, every: 1m}
  select: {errors: count()}
  having: errors >= 3
  severity: critical
  title: "${resource_id}: ${errors} disk errors in ${window.size}"
)";

}  // namespace

int main() {
  // Every mistake in the rules is reported at once, each with its place.
  tocsin::diagnostics found;
  auto specs = tocsin::parse_rules(rules_yaml, "rules.yaml", found);
  const auto rules = tocsin::rule_set::compile(std::move(specs), found);
  for (const auto& finding : found) std::cerr << finding.text() << '\n';
  if (!rules || tocsin::has_errors(found)) return 1;

  // The callback runs on one of the pipeline's threads, once a transition, in order.
  std::atomic<int> fired{0};
  auto started = tocsin::pipeline::start({}, rules, [&fired](const tocsin::alert& alert) {
    if (alert.state != tocsin::alert_state::firing) return;
    std::cout << tocsin::to_text(alert.severity) << ' ' << alert.rule << ": " << alert.texts->title
              << '\n';
    ++fired;
  });
  if (!started) {
    std::cerr << started.failure().message << '\n';
    return 1;
  }
  tocsin::pipeline& pipeline = **started;

  // A message is one event or a batch, JSON or msgpack.
  for (const char* id : {"e1", "e2", "e3"}) {
    const std::string event =
        std::string{R"({"source_id":"kernel","resource_id":"db-1","item":"disk_error",)"} +
        R"("event_id":")" + id + R"("})";
    if (!pipeline.push(event)) {
      std::cerr << pipeline.failure().value_or("the pipeline has stopped") << '\n';
      return 1;
    }
  }

  // After drain() the callback has seen everything that these events caused.
  if (!pipeline.drain()) return 1;
  pipeline.stop();
  return fired == 1 ? 0 : 1;
}
