// SPDX-License-Identifier: Apache-2.0
// tocsin send: one event from arguments, or many from a file or a pipe.
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "io/event_decoder.hpp"
#include "io/event_encoder.hpp"
#include "io/event_file.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/event_arguments.hpp"
#include "programs/sending.hpp"

namespace tocsin {
namespace {

struct send_options {
  std::string push = "tcp://127.0.0.1:5555";
  bool acked = false;
  std::string acked_endpoint = "tcp://127.0.0.1:5556";
  std::string timeout = "30s";  ///< acked: without a sign of life
  std::string input;            ///< positional: "-" for the standard input
  std::string file;
  std::size_t batch = message_builder::events_max;
  bool raw = false;
  event_arguments event;
};

/// Gathers events into messages of a batch each.
class batch_sender {
 public:
  batch_sender(sending& to, std::size_t events_max) : to_(to), events_max_(events_max) {}

  /// False when the daemon was given up.
  [[nodiscard]] bool add(std::string_view encoded, std::uint64_t origin) {
    // Well below the daemon's bound on a message, however large single events are.
    constexpr std::size_t bytes_max = 256 * 1024;
    if (builder_.count() > 0 && bytes_ + encoded.size() > bytes_max && !flush()) return false;
    builder_.add(encoded);
    bytes_ += encoded.size();
    origins_.push_back(origin);
    return (!builder_.full() && builder_.count() < events_max_) || flush();
  }
  [[nodiscard]] bool flush() {
    bytes_ = 0;
    return builder_.count() == 0 || to_.send(builder_.take(), std::exchange(origins_, {}));
  }

 private:
  sending& to_;
  std::size_t events_max_;
  message_builder builder_;
  event_origins origins_;
  std::size_t bytes_ = 0;
};

/// Names events that are to be acknowledged: by source and id a daemon knows one again that comes a
/// second time. A name is given once and sent with the event each time.
class event_namer {
 public:
  explicit event_namer(bool on) : on_(on) {}
  /// The texts live until the next call.
  void name(event& of) {
    if (!on_) return;
    if (!of.has(event_field::source_id)) of.set_text(event_field::source_id, source_);
    if (of.has(event_field::event_id)) return;
    id_ = fmt::format("{}-{}", run_, ++named_);
    of.set_text(event_field::event_id, id_);
  }

 private:
  bool on_;
  std::string source_ = user_at_host();
  std::string run_ = random_id();
  std::string id_;
  std::uint64_t named_ = 0;
};

/// Reads and checks a file's messages and sends them on.
class file_sender {
 public:
  file_sender(const send_options& chosen, event_file& from, sending& out)
      : chosen_(chosen),
        from_(from),
        out_(out),
        batches_(out, chosen.batch),
        namer_(chosen.acked) {}

  /// The exit code of what was wrong with the file.
  int run() {
    while (const auto message = next()) {
      if (!(chosen_.raw ? out_.send(std::string{message->bytes}, {message->number})
                        : send_events(*message))) {
        break;
      }
    }
    (void)batches_.flush();
    if (wrong_ == 0) return exit_ok;
    say(fmt::format("{} events were not sent: see the errors above", wrong_));
    return exit_check_failed;
  }

 private:
  std::optional<event_file::message> next() {
    const auto read = from_.next();
    if (read) return *read;
    say("error: " + read.failure().message);
    ++wrong_;
    return std::nullopt;
  }

  bool send_events(const event_file::message& message) {
    event_batch events;
    std::vector<rejection> refused;
    decoder_.decode(message.bytes, instant{}, events, refused);
    for (const auto& each : refused) {
      say(fmt::format("{} {}: error: {}: {}", from_.counted_as(), message.number, each.code,
                      each.message));
    }
    wrong_ += refused.size();
    for (auto& each : events.events) {
      namer_.name(each);
      if (!batches_.add(encode_event(each, events.labels_of(each)), message.number)) return false;
    }
    return true;
  }

  const send_options& chosen_;
  event_file& from_;
  sending& out_;
  batch_sender batches_;
  event_namer namer_;
  event_decoder decoder_ = checking_decoder();
  std::uint64_t wrong_ = 0;
};

/// Connects as chosen. Nothing: `code` is the exit code, and why was said.
std::unique_ptr<sending> connect(const send_options& chosen, std::string_view counted_as,
                                 int& code) {
  if (!chosen.acked) {
    auto connected = event_sender::connect(chosen.push);
    if (connected) return std::make_unique<push_sending>(std::move(*connected));
    code = report_connect_failure(connected.failure(), "ingest.push");
    return nullptr;
  }
  const auto timeout = parse_duration(chosen.timeout);
  if (!timeout || *timeout < std::chrono::seconds{1} || *timeout > std::chrono::hours{24}) {
    say(fmt::format("--timeout: seen \"{}\", wanted a duration from 1s to 1d", chosen.timeout));
    code = exit_usage;
    return nullptr;
  }
  auto made = std::make_unique<acked_sending>(*timeout, counted_as);
  if (const auto failed = made->connect(chosen.acked_endpoint)) {
    code = report_connect_failure(*failed, "ingest.acked");
    return nullptr;
  }
  return made;
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
  int code = exit_ok;
  const auto out = connect(chosen, file ? file->counted_as() : "event", code);
  if (!out) return code;
  if (file) {
    code = file_sender(chosen, *file, *out).run();
  } else {
    (void)out->send(std::move(event), {1});
  }
  const int finished = out->finish(file.has_value());
  return finished == exit_ok ? code : finished;
}

}  // namespace

void add_send(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("send", "Send events to a daemon");
  const auto chosen = std::make_shared<send_options>();
  command->add_option("input", chosen->input, "\"-\": read events from the standard input");
  command->add_option("-f,--file", chosen->file, "Read events from this file")->type_name("FILE");
  command->add_option("--push", chosen->push, "The daemon's ingest.push endpoint")
      ->capture_default_str();
  command->add_flag("--acked", chosen->acked,
                    "Over ingest.acked: each event until the daemon has it for good");
  command->add_option("--acked-endpoint", chosen->acked_endpoint, "The daemon's ingest.acked")
      ->capture_default_str();
  command->add_option("--timeout", chosen->timeout, "With --acked: give up after so long a silence")
      ->capture_default_str();
  command->add_option("--batch", chosen->batch, "Events of a file in one message, 1 to 64")
      ->capture_default_str()
      ->check(CLI::Range(std::size_t{1}, message_builder::events_max));
  command->add_flag("--raw", chosen->raw,
                    "Send each line or message of a file as it is, unchecked, on its own");
  chosen->event.add_to(*command);
  command->footer(
      "Examples:\n"
      "  tocsin send --item cpu --resource host1 --value 93 --level error --label env=prod\n"
      "  tocsin send --item cpu --resource host1 --action resolved\n"
      "  tail -F app.jsonl | tocsin send -\n"
      "  tocsin send --file events.jsonl --push tcp://127.0.0.1:5555\n"
      "  tocsin send --file events.jsonl --acked\n"
      "Files hold JSON, an event or an array of events a line, or msgpack messages one behind the\n"
      "other. A wrong line is named on stderr, the others are sent, and the exit code is 1.\n"
      "With --acked, 0 means that the daemon has every event for good, 1 that it rejected some, 3 "
      "that\n"
      "it fell silent. Events without an event_id get one, so that none counts twice.");
  command->callback([chosen, &exit_code] { exit_code = run_send(*chosen); });
}

}  // namespace tocsin
