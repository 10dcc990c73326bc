// SPDX-License-Identifier: Apache-2.0
// tocsin send: one event from arguments, or many from a file or a pipe.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <vector>

#include "io/event_decoder.hpp"
#include "io/event_encoder.hpp"
#include "io/event_file.hpp"
#include "io/event_sender.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/curve_arguments.hpp"
#include "programs/event_arguments.hpp"

namespace tocsin {
namespace {

using steady = std::chrono::steady_clock;

constexpr duration connect_patience = std::chrono::seconds{3};

struct send_options {
  std::string push = "tcp://127.0.0.1:5555";
  std::string input;  ///< positional: "-" for the standard input
  std::string file;
  std::size_t batch = message_builder::events_max;
  bool raw = false;
  curve_arguments keys;
  event_arguments event;
};

/// Sends whole messages and says on stderr when that takes long.
class sending {
 public:
  explicit sending(event_sender& to) : to_(to) {}

  void send(std::string_view message, std::size_t events) {
    using std::chrono::seconds;
    while (!to_.send(message, duration{seconds{2}})) {
      say("waiting: the daemon pushes back or has gone away; Ctrl-C gives up");
    }
    events_ += events;
    const auto now = steady::now();
    if (now - told_ < (is_terminal_stderr() ? duration{500} : duration{seconds{2}})) return;
    told_ = now;
    progress_shown_ = true;
    report(is_terminal_stderr() ? "\r" : "", is_terminal_stderr() ? "" : "\n");
  }

  void finish() {
    if (progress_shown_ && is_terminal_stderr()) say("");
    report("", "\n");
  }

  [[nodiscard]] std::uint64_t events() const noexcept { return events_; }

 private:
  void report(std::string_view before, std::string_view after) const {
    const double seconds =
        std::max(std::chrono::duration<double>(steady::now() - begun_).count(), 1e-6);
    const auto text =
        fmt::format("{}sent {} events in {} messages, {:.1f} s, {:.0f} events/s{}", before, events_,
                    to_.messages(), seconds, static_cast<double>(events_) / seconds, after);
    std::fwrite(text.data(), 1, text.size(), stderr);
  }

  event_sender& to_;
  steady::time_point begun_ = steady::now();
  steady::time_point told_ = begun_;
  std::uint64_t events_ = 0;
  bool progress_shown_ = false;
};

/// Gathers events into messages of a batch each.
class batch_sender {
 public:
  batch_sender(sending& to, std::size_t events_max) : to_(to), events_max_(events_max) {}

  void add(std::string_view encoded) {
    // Well below the daemon's bound on a message, however large single events are.
    constexpr std::size_t bytes_max = 256 * 1024;
    if (builder_.count() > 0 && bytes_ + encoded.size() > bytes_max) flush();
    builder_.add(encoded);
    bytes_ += encoded.size();
    if (builder_.full() || builder_.count() >= events_max_) flush();
  }
  void flush() {
    const auto events = builder_.count();
    bytes_ = 0;
    if (events > 0) to_.send(builder_.take(), events);
  }

 private:
  sending& to_;
  std::size_t events_max_;
  message_builder builder_;
  std::size_t bytes_ = 0;
};

/// Sends all of a file; returns the exit code.
int send_file(const send_options& chosen, event_file& from, sending& out) {
  batch_sender batches(out, chosen.batch);
  auto decoder = checking_decoder();
  std::uint64_t wrong = 0;
  for (;;) {
    const auto next = from.next();
    if (!next) {
      say("error: " + next.failure().message);
      ++wrong;
      break;
    }
    if (!*next) break;
    const auto& message = **next;
    if (chosen.raw) {
      out.send(message.bytes, 1);
      continue;
    }
    event_batch events;
    std::vector<rejection> refused;
    decoder.decode(message.bytes, instant{}, events, refused);
    for (const auto& each : refused) {
      say(fmt::format("{} {}: error: {}: {}", from.counted_as(), message.number, each.code,
                      each.message));
    }
    wrong += refused.size();
    for (const auto& each : events.events) batches.add(encode_event(each, events.labels_of(each)));
  }
  batches.flush();
  if (wrong == 0) return exit_ok;
  say(fmt::format("{} events were not sent: see the errors above", wrong));
  return exit_check_failed;
}

int run_send(const send_options& chosen) {
  if (!chosen.input.empty() && chosen.input != "-") {
    say(
        fmt::format("error: seen \"{}\", wanted \"-\" (standard input), --file FILE, or one "
                    "event's fields",
                    chosen.input));
    return exit_usage;
  }
  const bool from_file = !chosen.input.empty() || !chosen.file.empty();
  if (from_file == chosen.event.given()) {
    say("error: wanted one event's fields (--item, --value, ...), or \"-\", or --file FILE: "
        "exactly one of these");
    return exit_usage;
  }
  const auto keys = chosen.keys.read();
  if (!keys) return report_key_failure(keys.failure());
  std::string event;
  std::optional<event_file> file;
  if (from_file) {
    auto opened = event_file::open(chosen.file.empty() ? "-" : chosen.file);
    if (!opened) {
      say("error: " + opened.failure().message);
      return exit_check_failed;
    }
    file.emplace(std::move(*opened));
  } else {
    auto made = chosen.event.encode();
    if (!made) {
      say("error: " + made.failure().message);
      return exit_usage;
    }
    event = std::move(*made);
  }
  auto connected = event_sender::connect(chosen.push, connect_patience, *keys);
  if (!connected) return report_connect_failure(connected.failure(), "ingest.push");
  sending out(**connected);
  int code = exit_ok;
  if (file) {
    code = send_file(chosen, *file, out);
  } else {
    out.send(event, 1);
  }
  if (!(*connected)->close()) {
    say("error: the daemon did not take everything within 30 s: some events may be lost");
    return exit_unreachable;
  }
  if (file) out.finish();
  return code;
}

}  // namespace

void add_send(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("send", "Send events to a daemon");
  const auto chosen = std::make_shared<send_options>();
  command->add_option("input", chosen->input, "\"-\": read events from the standard input");
  command->add_option("-f,--file", chosen->file, "Read events from this file")->type_name("FILE");
  command->add_option("--push", chosen->push, "The daemon's ingest.push endpoint")
      ->capture_default_str();
  command->add_option("--batch", chosen->batch, "Events of a file in one message, 1 to 64")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, message_builder::events_max));
  command->add_flag("--raw", chosen->raw,
                    "Send each line or message of a file as it is, unchecked, on its own");
  chosen->keys.add_to(*command);
  chosen->event.add_to(*command);
  command->footer(
      "Examples:\n"
      "  tocsin send --item cpu --resource host1 --value 93 --level error --label env=prod\n"
      "  tocsin send --item cpu --resource host1 --action resolved\n"
      "  tail -F app.jsonl | tocsin send -\n"
      "  tocsin send --file events.jsonl --push tcp://127.0.0.1:5555\n"
      "Files hold JSON, an event or an array of events a line, or msgpack messages one behind the\n"
      "other. A wrong line is named on stderr, the others are sent, and the exit code is 1.");
  command->callback([chosen, &exit_code] { exit_code = run_send(*chosen); });
}

}  // namespace tocsin
