// SPDX-License-Identifier: Apache-2.0
// tocsin watch: prints the live alert stream and fetches what it missed of it.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <memory>
#include <optional>

#include "io/alert_summary.hpp"
#include "io/stream_subscriber.hpp"
#include "programs/alert_line.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/curve_arguments.hpp"

namespace tocsin {
namespace {

constexpr duration connect_patience = std::chrono::seconds{3};

struct watch_options {
  std::string stream = "tcp://127.0.0.1:5557";
  std::string replay = "tcp://127.0.0.1:5558";  ///< "": gaps stay
  std::string prefix = "alert.";
  std::optional<std::uint64_t> since;  ///< history is printed from here
  curve_arguments keys;
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
    if (told_) say("the daemon is heard again");
    told_ = false;
  }
  void silent() {
    if (!told_) say("the daemon is silent: no heartbeat for 5 s; still listening");
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
      say("error: " + line.failure().message);
      return true;
    }
    return print_line(*line) && std::fflush(stdout) == 0;
  }
  const auto summary = read_summary(message.alert);
  if (!summary) {
    say("error: " + summary.failure().message);
    return true;
  }
  return print_line(alert_line(*summary, colour_on_stdout())) && std::fflush(stdout) == 0;
}

/// Prints transitions in the order of their numbers, each once.
class watcher {
 public:
  watcher(stream_subscriber& from, const watch_options& chosen) : from_(from), chosen_(chosen) {}

  /// Until the end that was asked for, a signal, or a stdout that takes no more. The exit code.
  int follow();

 private:
  /// A replay socket that failed is asked again no sooner.
  static constexpr std::chrono::seconds ask_again_after{30};

  void print(const stream_message& message);
  void print_all(const replay_answer& answer);
  bool print_history(std::uint64_t since);
  void hear(const stream_message& message);
  std::optional<replay_answer> repair(const stream_message& after_gap);

  stream_subscriber& from_;
  const watch_options& chosen_;
  bool connected_ = false;
  std::uint64_t printed_ = 0;
  std::optional<int> exit_code_;  ///< once nothing more is to be printed
  std::optional<std::chrono::steady_clock::time_point> failed_at_;  ///< of the replay socket
};

void watcher::print(const stream_message& message) {
  if (exit_code_) return;
  if (!print_alert(message, chosen_)) {
    exit_code_ = exit_check_failed;
  } else if (++printed_ == chosen_.count) {
    exit_code_ = exit_ok;
  }
}

void watcher::print_all(const replay_answer& answer) {
  if (answer.snapshot) {
    say(
        fmt::format("the daemon's history does not reach back so far: instead of it, the active "
                    "alerts as of seq {}",
                    answer.snapshot->seq));
  }
  for (const stream_message& each : answer.messages) print(each);
}

/// False when it cannot be had; exit_code_ says how to end.
bool watcher::print_history(std::uint64_t since) {
  const auto answer = from_.fetch(chosen_.replay, since);
  if (!answer) {
    exit_code_ = signalled ? exit_ok : report_connect_failure(answer.failure(), "alerts.replay");
    return false;
  }
  print_all(*answer);
  return true;
}

/// Asks for what is missing before a message, and says how that went.
std::optional<replay_answer> watcher::repair(const stream_message& after_gap) {
  using clock = std::chrono::steady_clock;
  const auto& header = after_gap.header;
  const auto before = header.kind == "heartbeat" ? header.seq : header.seq - 1;
  const auto gap = fmt::format("gap: {} transitions before seq {}", after_gap.missed, before + 1);
  if (chosen_.replay.empty() || (failed_at_ && clock::now() - *failed_at_ < ask_again_after)) {
    say(gap + " did not arrive");
    return std::nullopt;
  }
  auto answer = from_.fetch(chosen_.replay, before - after_gap.missed, header.epoch);
  if (!answer) {
    failed_at_ = clock::now();
    if (!signalled) say(fmt::format("{} did not arrive: {}", gap, answer.failure().message));
    return std::nullopt;
  }
  say(fmt::format("{} did not arrive: fetched from {}", gap, chosen_.replay));
  return std::move(*answer);
}

void watcher::hear(const stream_message& message) {
  const auto& header = message.header;
  if (!connected_) {
    say(fmt::format("connected to {}: stream {}, seq {}", chosen_.stream, header.stream,
                    header.seq));
    connected_ = true;
  }
  if (message.restarted) say("the daemon started anew: the numbering began again");
  const auto fetched = message.missed > 0 ? repair(message) : std::nullopt;
  const bool printed =
      fetched && fetched->through.stream == header.stream && fetched->through.epoch == header.epoch;
  if (!printed && header.kind == "transition") print(message);
  if (fetched) print_all(*fetched);
}

int watcher::follow() {
  if (chosen_.since && !print_history(*chosen_.since)) return *exit_code_;
  silence_notice silence;
  while (!signalled && !exit_code_) {
    const auto received = from_.receive(silence_notice::patience);
    if (!received) {
      say("error: " + received.failure().message);
    } else if (*received) {
      silence.heard();
      hear(**received);
    } else if (!signalled) {
      silence.silent();
    }
  }
  return exit_code_.value_or(exit_ok);
}

int run_watch(const watch_options& chosen) {
  if (chosen.since && chosen.replay.empty()) {
    say("error: --since: wanted a replay socket to ask, --replay is \"\"");
    return exit_usage;
  }
  const auto keys = chosen.keys.read();
  if (!keys) return report_key_failure(keys.failure());
  auto connected =
      stream_subscriber::connect(chosen.stream, chosen.prefix, connect_patience, *keys);
  if (!connected) return report_connect_failure(connected.failure(), "alerts.stream");
  const signal_guard until_return(**connected);
  return watcher{**connected, chosen}.follow();
}

}  // namespace

void add_watch(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("watch", "Print alerts as they happen");
  const auto chosen = std::make_shared<watch_options>();
  command->add_option("--stream", chosen->stream, "The daemon's alerts.stream endpoint")
      ->capture_default_str();
  command
      ->add_option(
          "--replay", chosen->replay,
          "The daemon's alerts.replay endpoint, asked for what was missed; \"\": nobody is")
      ->capture_default_str();
  command->add_option("--since", chosen->since,
                      "First print what came after this seq (0: all that the daemon remembers)");
  command->add_option("--prefix", chosen->prefix, "Only topics that begin so")
      ->capture_default_str();
  chosen->keys.add_to(*command);
  command->add_flag("--json", chosen->json, "Print each alert map as a line of JSON");
  command->add_option("-n,--count", chosen->count, "Exit after so many transitions");
  command->footer(
      "Examples:\n"
      "  tocsin watch\n"
      "  tocsin watch --prefix alert.critical. --json | jq .title\n"
      "  tocsin watch --count 1\n"
      "  tocsin watch --since 0\n"
      "Topics are alert.SEVERITY.RULE. What was missed is fetched and printed in its place. Gaps "
      "and silence are told on stderr; Ctrl-C ends it (exit 0).");
  command->callback([chosen, &exit_code] { exit_code = run_watch(*chosen); });
}

}  // namespace tocsin
