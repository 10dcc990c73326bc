// SPDX-License-Identifier: Apache-2.0
// tocsin agent tail: follows a log file and sends an event for each line that a pattern matches.
#include <fmt/format.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <vector>

#include "io/event_encoder.hpp"
#include "io/log_tail.hpp"
#include "programs/agent_outbox.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/stop_signal.hpp"

namespace tocsin {
namespace {

constexpr duration poll_interval = std::chrono::milliseconds{250};
constexpr std::size_t title_bytes_max = 1024;
constexpr std::size_t label_bytes_max = 1024;

struct tail_options {
  agent_target to;
  std::string file;
  std::vector<std::string> matches;
  std::vector<std::string> levels;
  std::string resource;
  bool from_start = false;
};

struct levelled_pattern {
  line_pattern pattern;
  std::optional<severity> level;
};

/// NAME=REST, or nothing.
std::optional<std::pair<std::string, std::string>> split_name(const std::string& text) {
  const auto equals = text.find('=');
  if (equals == 0 || equals == std::string::npos) return std::nullopt;
  return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

result<std::vector<levelled_pattern>> compile_patterns(const tail_options& chosen) {
  std::vector<levelled_pattern> patterns;
  for (const auto& each : chosen.matches) {
    const auto named = split_name(each);
    if (!named) return error{"usage", fmt::format("--match: seen \"{}\", wanted NAME=REGEX", each)};
    auto compiled = line_pattern::compile(named->first, named->second);
    if (!compiled) return error{"usage", "--match: " + compiled.failure().message};
    patterns.push_back({std::move(*compiled), std::nullopt});
  }
  for (const auto& each : chosen.levels) {
    const auto named = split_name(each);
    const auto level = named ? parse_severity(named->second) : std::nullopt;
    if (!level) {
      return error{"usage", fmt::format("--level: seen \"{}\", wanted NAME=LEVEL with critical, "
                                        "error, warning or info",
                                        each)};
    }
    bool known = false;
    for (auto& pattern : patterns) {
      if (pattern.pattern.name() != named->first) continue;
      pattern.level = level;
      known = true;
    }
    if (!known) {
      return error{"usage", fmt::format("--level: seen \"{}\", wanted a name given with --match",
                                        named->first)};
    }
  }
  return patterns;
}

/// What an event is made of while its texts are alive.
struct line_event {
  event made;
  std::vector<label> labels;

  void set(event_field field, std::string_view text) { made.set_text(field, text); }
  /// A named group: a known field when it is named like one and reads as one, else a label.
  void set_group(std::string_view name, std::string_view text) {
    const auto field = parse_event_field(name);
    if (field && is_text(*field) && !text.empty()) return set(*field, text);
    if (field == event_field::level) {
      if (const auto level = parse_severity(text)) {
        made.level = level;
        return;
      }
    }
    if (field == event_field::value) {
      double number = 0;
      const auto* const end = text.data() + text.size();
      if (std::from_chars(text.data(), end, number).ptr == end && std::isfinite(number)) {
        made.value = number;
        return;
      }
    }
    if (field == event_field::time) {
      if (const auto time = parse_rfc3339(text)) {
        made.time = *time;
        return;
      }
    }
    labels.push_back({name, text, 0, label::kind::text});
  }
};

/// The events of a file's lines.
class line_events {
 public:
  line_events(const tail_options& chosen, std::vector<levelled_pattern> patterns)
      : patterns_(std::move(patterns)),
        source_(bounded_utf8(fmt::format("tail/{}:{}", host_name(), chosen.file), label_bytes_max)),
        resource_(chosen.resource.empty() ? host_name() : chosen.resource) {}

  /// Adds an event for each pattern that matches.
  void add(std::string_view raw, agent_outbox& to) {
    const auto line = bounded_utf8(raw, raw.size() * 3);
    for (const auto& each : patterns_) {
      const auto groups = each.pattern.match(line);
      if (groups) to.add(encode(each, line, *groups));
    }
  }

 private:
  std::string encode(const levelled_pattern& of, const std::string& line,
                     const std::vector<std::pair<std::string, std::string>>& groups) const {
    const auto id = fresh_event_id();
    const auto title = bounded_utf8(line, title_bytes_max);
    std::vector<std::string> texts;
    texts.reserve(groups.size());
    line_event built;
    built.set(event_field::event_id, id);
    built.set(event_field::source_id, source_);
    built.set(event_field::resource_id, resource_);
    built.set(event_field::item, of.pattern.name());
    built.set(event_field::title, title);
    built.made.has_time = true;
    built.made.time = std::chrono::floor<duration>(std::chrono::system_clock::now());
    built.made.level = of.level;
    for (const auto& [name, text] : groups) {
      built.set_group(name, texts.emplace_back(bounded_utf8(text, label_bytes_max)));
    }
    return encode_event(built.made, built.labels);
  }

  std::vector<levelled_pattern> patterns_;
  std::string source_;
  std::string resource_;
};

void tell(log_tail::happening happened, const std::string& file) {
  using enum log_tail::happening;
  switch (happened) {
    case none:
      return;
    case opened:
      return say(fmt::format("{}: following", file));
    case rotated:
      return say(fmt::format("{}: rotated: following the new file", file));
    case truncated:
      return say(fmt::format("{}: truncated: reading from its start", file));
    case missing:
      return say(fmt::format("{}: is not there: waiting for it", file));
  }
}

/// A followed file that tells on stderr what becomes of it.
class told_tail {
 public:
  explicit told_tail(const tail_options& chosen)
      : file_(chosen.file), tail_(chosen.file, chosen.from_start) {}

  void look(std::vector<std::string>& lines) {
    const auto happened = tail_.look(lines);
    if (happened) {
      tell(*happened, file_);
      last_failure_.clear();
    } else if (last_failure_ != happened.failure().message) {
      last_failure_ = happened.failure().message;
      say("error: " + last_failure_);
    }
  }
  [[nodiscard]] bool more() const noexcept { return tail_.more(); }
  [[nodiscard]] std::uint64_t lines_cut() const noexcept { return tail_.lines_cut(); }

 private:
  std::string file_;
  log_tail tail_;
  std::string last_failure_;
};

/// Follows until a signal; returns the exit code. `lines` are those read already.
int follow(told_tail& tail, std::vector<std::string> lines, line_events& events,
           agent_outbox& outbox, stop_signal& stop) {
  std::size_t next_line = 0;
  for (;;) {
    // While nobody takes events the file itself is the buffer: it is read no further.
    if (next_line == lines.size()) {
      lines.clear();
      next_line = 0;
      tail.look(lines);
    }
    const auto room = agent_outbox::events_max / 2;
    while (next_line < lines.size() && outbox.held() < room) events.add(lines[next_line++], outbox);
    const bool sent = outbox.flush();
    const bool more = sent && (tail.more() || next_line < lines.size());
    if (stop.wait(more ? duration{0} : poll_interval) == stop_signal::reason::signalled) break;
  }
  const bool all = outbox.close() && next_line == lines.size();
  say(fmt::format(
      "sent {} events, dropped {}, rejected {}, lines cut {}, lines read and not sent {}",
      outbox.sent(), outbox.dropped(), outbox.rejected(), tail.lines_cut(),
      lines.size() - next_line));
  return all ? exit_ok : exit_check_failed;
}

int run_agent(const tail_options& chosen) {
  auto patterns = compile_patterns(chosen);
  if (!patterns) {
    say("error: " + patterns.failure().message);
    return exit_usage;
  }
  line_events events(chosen, std::move(*patterns));
  stop_signal stop;
  agent_outbox outbox(chosen.to);
  // The first look settles where the file ends now, before the daemon is waited for.
  told_tail tail(chosen);
  std::vector<std::string> lines;
  tail.look(lines);
  if (const auto failed = outbox.connect()) {
    if (failed->code != "unreachable") return report_connect_failure(*failed, chosen.to.setting());
    say(fmt::format("{}; following and trying again", failed->message));
  }
  return follow(tail, std::move(lines), events, outbox, stop);
}

}  // namespace

void add_agent_tail(CLI::App& agent, int& exit_code) {
  auto* const command =
      agent.add_subcommand("tail", "Send an event for each matching line of a log");
  const auto chosen = std::make_shared<tail_options>();
  command->add_option("file", chosen->file, "The log file; rotation is followed")->required();
  command->add_option("--match", chosen->matches, "NAME=REGEX (RE2), may be given again")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--level", chosen->levels, "NAME=LEVEL of that pattern's events")
      ->allow_extra_args(false);
  command->add_option("--resource", chosen->resource, "resource_id; default: the host's name");
  command->add_flag("--from-start", chosen->from_start, "Also what the file holds already");
  chosen->to.add_to(*command);
  command->footer(
      "Examples:\n"
      "  tocsin agent tail /var/log/auth.log --match 'ssh_failed=Failed password for "
      "(?P<user>\\S+)'\n"
      "  tocsin agent tail app.log --match 'slow=took (?P<value>[0-9.]+) ms' --level slow=warning\n"
      "Each match is one event: item NAME, title the line. Named groups that are called like a "
      "field\n"
      "of an event (value, level, time, resource_id, ...) become that field, others become "
      "labels.");
  command->callback([chosen, &exit_code] { exit_code = run_agent(*chosen); });
}

}  // namespace tocsin
