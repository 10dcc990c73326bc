// SPDX-License-Identifier: Apache-2.0
// tocsin watch: prints the live alert stream.
#include <fmt/format.h>

#include <atomic>
#include <csignal>
#include <memory>

#include "io/alert_summary.hpp"
#include "io/stream_subscriber.hpp"
#include "programs/alert_line.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"

namespace tocsin {
namespace {

struct watch_options {
  std::string stream = "tcp://127.0.0.1:5557";
  std::string prefix = "alert.";
  bool json = false;
  std::uint64_t count = 0;  ///< 0: without end
};

std::atomic<stream_subscriber*> interrupted_by_signal{nullptr};
std::atomic<bool> signalled{false};

void on_signal(int) {
  signalled = true;
  if (auto* const waiting = interrupted_by_signal.load()) waiting->interrupt();
}

/// Lets SIGINT and SIGTERM end the receive() of a subscriber while it lives.
class signal_guard {
 public:
  explicit signal_guard(stream_subscriber& of) {
    interrupted_by_signal = &of;
    struct sigaction action {};
    action.sa_handler = on_signal;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
  }
  ~signal_guard() { interrupted_by_signal = nullptr; }
  signal_guard(const signal_guard&) = delete;
  signal_guard& operator=(const signal_guard&) = delete;
};

/// Heartbeats come each second; five missed ones are told, once until the daemon is heard again.
class silence_notice {
 public:
  static constexpr duration patience = std::chrono::seconds{5};

  void heard() {
    if (told_) notice("the daemon is heard again");
    told_ = false;
  }
  void silent() {
    if (!told_) notice("the daemon is silent: no heartbeat for 5 s; still listening");
    told_ = true;
  }

 private:
  bool told_ = false;
};

/// Prints one transition. False when stdout takes no more.
bool print_alert(const stream_message& message, const watch_options& chosen) {
  if (chosen.json) {
    const auto line = msgpack_to_json(message.alert);
    if (!line) {
      notice("error: " + line.failure().message);
      return true;
    }
    return print_line(*line) && std::fflush(stdout) == 0;
  }
  const auto summary = read_summary(message.alert);
  if (!summary) {
    notice("error: " + summary.failure().message);
    return true;
  }
  return print_line(alert_line(*summary, colour_on_stdout())) && std::fflush(stdout) == 0;
}

int follow(stream_subscriber& from, const watch_options& chosen) {
  silence_notice silence;
  bool connected = false;
  std::uint64_t printed = 0;
  while (!signalled) {
    const auto received = from.receive(silence_notice::patience);
    if (!received) {
      notice("error: " + received.failure().message);
      continue;
    }
    if (!*received) {
      if (!signalled) silence.silent();
      continue;
    }
    const auto& message = **received;
    silence.heard();
    if (!connected) {
      notice(fmt::format("connected to {}: stream {}, seq {}", chosen.stream, message.header.stream,
                         message.header.seq));
      connected = true;
    }
    if (message.restarted) notice("the daemon started anew: the numbering began again");
    if (message.missed > 0) {
      notice(fmt::format(
          "gap: {} transitions before seq {} did not arrive", message.missed,
          message.header.kind == "heartbeat" ? message.header.seq + 1 : message.header.seq));
    }
    if (message.header.kind != "transition") continue;
    if (!print_alert(message, chosen)) return exit_check_failed;
    if (++printed == chosen.count) return exit_ok;
  }
  return exit_ok;
}

int run_watch(const watch_options& chosen) {
  auto connected = stream_subscriber::connect(chosen.stream, chosen.prefix);
  if (!connected) return report_connect_failure(connected.failure(), "alerts.stream");
  const signal_guard until_return(**connected);
  return follow(**connected, chosen);
}

}  // namespace

void add_watch(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("watch", "Print alerts as they happen");
  const auto chosen = std::make_shared<watch_options>();
  command->add_option("--stream", chosen->stream, "The daemon's alerts.stream endpoint")
      ->capture_default_str();
  command->add_option("--prefix", chosen->prefix, "Only topics that begin so")
      ->capture_default_str();
  command->add_flag("--json", chosen->json, "Print each alert map as a line of JSON");
  command->add_option("-n,--count", chosen->count, "Exit after so many transitions");
  command->footer(
      "Examples:\n"
      "  tocsin watch\n"
      "  tocsin watch --prefix alert.critical. --json | jq .title\n"
      "  tocsin watch --count 1\n"
      "Topics are alert.SEVERITY.RULE. Gaps and silence are told on stderr; Ctrl-C ends it (exit "
      "0).");
  command->callback([chosen, &exit_code] { exit_code = run_watch(*chosen); });
}

}  // namespace tocsin
