// SPDX-License-Identifier: Apache-2.0
// tocsin agent host: measures this machine and sends what it finds.
#include <fmt/format.h>

#include <chrono>
#include <memory>

#include "io/event_encoder.hpp"
#include "io/host_metrics.hpp"
#include "programs/agent_outbox.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/stop_signal.hpp"

namespace tocsin {
namespace {

struct host_options {
  agent_target to;
  std::string interval = "10s";
  std::uint64_t count = 0;  ///< rounds; 0: without end
  bool once = false;
};

std::string encode_measurement(const measurement& of, const std::string& source, instant at) {
  const auto id = fresh_event_id();
  event made;
  const auto set = [&made](event_field field, std::string_view text) {
    made.set_text(field, text);
  };
  set(event_field::event_id, id);
  set(event_field::source_id, source);
  set(event_field::resource_id, of.resource_id);
  set(event_field::resource_type, of.resource_type);
  set(event_field::resource_name, of.resource_name);
  set(event_field::item, of.item);
  made.time = at;
  made.has_time = true;
  made.level = severity::info;
  made.value = of.value;
  return encode_event(made, {});
}

int run_agent(const host_options& chosen) {
  const auto interval = parse_duration(chosen.interval);
  if (!interval || *interval < std::chrono::milliseconds{100} ||
      *interval > std::chrono::hours{24}) {
    say(fmt::format("--interval: seen \"{}\", wanted a duration from 100ms to 1d",
                    chosen.interval));
    return exit_usage;
  }
  stop_signal stop;
  agent_outbox outbox(chosen.to);
  if (const auto failed = outbox.connect()) {
    if (chosen.once || chosen.count > 0 || failed->code != "unreachable") {
      return report_connect_failure(*failed, chosen.to.setting());
    }
    say(fmt::format("{}; measuring and trying again", failed->message));
  }
  const auto host = host_name();
  const auto source = "host/" + host;
  // Rates need a sample before the first one that is sent.
  auto before = read_host();
  const duration first_wait = chosen.once ? duration{std::chrono::seconds{1}} : *interval;
  const std::uint64_t rounds = chosen.once ? 1 : chosen.count;
  for (std::uint64_t round = 1;; ++round) {
    if (stop.wait(round == 1 ? first_wait : *interval) == stop_signal::reason::signalled) break;
    auto now = read_host();
    const auto at = std::chrono::floor<duration>(std::chrono::system_clock::now());
    for (const auto& each : measure_host(host, &before, now)) {
      outbox.add(encode_measurement(each, source, at));
    }
    before = std::move(now);
    outbox.flush();
    if (round == rounds) break;
  }
  const bool all = outbox.close();
  say(fmt::format("sent {} measurements, dropped {}, rejected {}", outbox.sent(), outbox.dropped(),
                  outbox.rejected()));
  return all ? exit_ok : exit_check_failed;
}

}  // namespace

void add_agent_host(CLI::App& agent, int& exit_code) {
  auto* const command =
      agent.add_subcommand("host", "Send this machine's CPU, memory, disks, network");
  const auto chosen = std::make_shared<host_options>();
  chosen->to.add_to(*command);
  command->add_option("--interval", chosen->interval, "Time between measurements")
      ->capture_default_str();
  command->add_option("-n,--count", chosen->count, "Exit after so many rounds");
  command->add_flag("--once", chosen->once, "Two samples a second apart, one round, exit");
  command->footer(
      "Examples:\n"
      "  tocsin agent host\n"
      "  tocsin agent host --interval 1m --push tcp://127.0.0.1:5555\n"
      "  tocsin agent host --once\n"
      "Items: cpu_percent, memory_percent, swap_percent, load1, disk_percent, "
      "disk_inodes_percent,\n"
      "network_rx_bytes_per_second, network_tx_bytes_per_second, network_errors_per_second.\n"
      "While the daemon is away, 10,000 events are held; older ones are dropped, and that is "
      "said.\n"
      "With --acked each event is held until the daemon has it for good.");
  command->callback([chosen, &exit_code] { exit_code = run_agent(*chosen); });
}

}  // namespace tocsin
