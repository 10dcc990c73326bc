// SPDX-License-Identifier: Apache-2.0
// Counts crashes, and writes down what two of them accuse.
#include "io/quarantine_files.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>
#include <vector>

#include "io/crash_record.hpp"
#include "io/event_json.hpp"
#include "io/json_line.hpp"
#include "tocsin/fingerprint.hpp"

namespace tocsin {
namespace {

constexpr std::size_t crashes_enough = 2;
constexpr const char* crashes_beside = "crashes.new";

/// Records of one crash have the same time, so the times are the crashes.
using crash_times = std::set<instant>;

std::string texts_of(const crash_times& times) {
  std::string text;
  for (const instant each : times) text += (text.empty() ? "" : ", ") + format_rfc3339(each);
  return text;
}

void add_times(json_line& to, const crash_times& times) {
  to.key("crashed_at").begin_list();
  for (const instant each : times) to.text(format_rfc3339(each));
  to.end_list();
}

std::string base64(std::string_view bytes) {
  // Four characters for three bytes, and a zero at the end.
  std::vector<unsigned char> text((bytes.size() + 2) / 3 * 4 + 1);
  const auto* const from = reinterpret_cast<const unsigned char*>(bytes.data());
  const int length = EVP_EncodeBlock(text.data(), from, static_cast<int>(bytes.size()));
  return {text.begin(), text.begin() + length};
}

/// What a line of the file is about: the same for the same event of a log, and the same message.
std::string name_of_event(std::uint64_t step, std::uint64_t position) {
  return fmt::format("event {} {}", step, position);
}
std::string name_of_message(const std::string& print) {
  return "message " + print;
}

/// Such a name of a line that was written before; "" for what is no such line.
std::string name_in(std::string_view line) {
  const auto read = nlohmann::json::parse(line, nullptr, false);
  if (!read.is_object()) return "";
  const auto kind = read.find("kind");
  if (kind == read.end()) return "";
  if (*kind == "message" && read.contains("hash") && read["hash"].is_string()) {
    return name_of_message(read["hash"].get<std::string>());
  }
  const auto number = [&](const char* key) {
    return read.contains(key) && read[key].is_number_unsigned();
  };
  if (*kind == "event" && number("step") && number("position")) {
    return name_of_event(read["step"].get<std::uint64_t>(), read["position"].get<std::uint64_t>());
  }
  return "";
}

/// What the records come to now that it is known what the log got.
std::vector<crash_record> settled(const std::vector<crash_record>& records,
                                  const quarantine_setup& by) {
  std::vector<crash_record> kept;
  for (crash_record each : records) {
    const bool in_log = each.step > 0 && each.step <= by.last_step;
    const bool of_message = each.what == crash_record::kind::message;
    // Its event, or its step, is accused already.
    if (of_message && in_log) continue;
    if (in_log) {
      if (each.step >= by.first_step) kept.push_back(each);
      continue;
    }
    if (each.message == fingerprint{} || each.at < by.now - by.message_memory) continue;
    each.what = crash_record::kind::message;
    each.position = 0;
    each.step = 0;
    kept.push_back(each);
  }
  return kept;
}

class quarantine_files : public quarantine {
 public:
  quarantine_files(std::shared_ptr<file_system> files, const quarantine_setup& setup)
      : files_(std::move(files)), setup_(setup) {}

  std::optional<error> open() {
    const auto names = files_->list("");
    if (!names) return names.failure();
    const auto there = [&](const char* name) {
      return std::binary_search(names->begin(), names->end(), name);
    };
    if (there(crashes_beside)) {
      if (auto failed = files_->remove(crashes_beside)) return failed;
    }
    if (auto failed = read_crashes(there(crashes_file))) return failed;
    return there(quarantine_file) ? read_written() : std::nullopt;
  }

  bool refuses(std::string_view message) override {
    if (messages_.empty()) return false;
    const fingerprint print = print_of_message(message);
    const auto found = messages_.find(print);
    if (found == messages_.end() || found->second.size() < crashes_enough) return false;
    const std::string text = to_text(print);
    if (told_.insert(text).second) {
      say(true, fmt::format("data: a message of {} bytes was at hand at {} crashes ({}) and is "
                            "refused; {} has it under the hash {}",
                            message.size(), found->second.size(), texts_of(found->second),
                            files_->shown(quarantine_file), text));
    }
    json_line line;
    line.begin_object().key("kind").text("message").key("hash").text(text);
    add_times(line, found->second);
    line.key("bytes").text(base64(message)).end_object();
    write(name_of_message(text), line.line());
    return true;
  }

  std::vector<std::uint32_t> left_out(const log_entry& entry) override {
    std::vector<std::uint32_t> out;
    const std::uint32_t events =
        entry.batch ? static_cast<std::uint32_t>(entry.batch->events.size()) : 0;
    const auto step = steps_.find(entry.step);
    if (step != steps_.end() && step->second.size() >= crashes_enough) {
      if (events == 0) {
        say(true, fmt::format("data: the daemon crashed {} times at step {} of the event log ({}), "
                              "which holds no event that could be kept out; it is gone through "
                              "again",
                              step->second.size(), entry.step, texts_of(step->second)));
      }
      for (std::uint32_t i = 0; i < events; ++i) keep(entry, i, step->second, out);
      return out;
    }
    for (auto at = events_.lower_bound({entry.step, 0});
         at != events_.end() && at->first.first == entry.step; ++at) {
      const std::uint64_t position = at->first.second;
      if (at->second.size() < crashes_enough || events == 0) continue;
      if (position < entry.batch->first_position) continue;
      if (position - entry.batch->first_position >= events) continue;
      keep(entry, static_cast<std::uint32_t>(position - entry.batch->first_position), at->second,
           out);
    }
    return out;
  }

 private:
  std::optional<error> read_crashes(bool there) {
    crash_records read;
    if (there) {
      const auto held = files_->read(crashes_file);
      if (!held) return held.failure();
      read = decode_crash_records(held->bytes);
    }
    if (read.ignored_bytes > 0) {
      say(false,
          fmt::format("data: {}: the last {} bytes are no record of a crash, or half of one, "
                      "and are ignored",
                      files_->shown(crashes_file), read.ignored_bytes));
    }
    const auto kept = settled(read.records, setup_);
    count(kept);
    if (there && read.ignored_bytes == 0 && kept == read.records) return std::nullopt;
    return write_crashes(kept);
  }

  /// Whole or not at all, whenever the machine stops.
  std::optional<error> write_crashes(const std::vector<crash_record>& records) {
    std::string bytes;
    for (const crash_record& each : records) {
      const auto encoded = encode_crash_record(each);
      bytes.append(encoded.data(), encoded.size());
    }
    auto file = files_->open(crashes_beside);
    if (!file) return file.failure();
    if (auto failed = (*file)->append(bytes)) return failed;
    if (auto failed = (*file)->sync()) return failed;
    if (auto failed = files_->rename(crashes_beside, crashes_file)) return failed;
    return files_->sync_folder("");
  }

  void count(const std::vector<crash_record>& records) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::set<fingerprint>> came_as;
    for (const crash_record& each : records) {
      switch (each.what) {
        case crash_record::kind::message:
          messages_[each.message].insert(each.at);
          break;
        case crash_record::kind::event:
          events_[{each.step, each.position}].insert(each.at);
          came_as[{each.step, each.position}].insert(each.message);
          break;
        case crash_record::kind::step:
          steps_[each.step].insert(each.at);
          break;
      }
    }
    // It was at hand as a message before, until the log got it.
    for (auto& [event, times] : events_) {
      for (const fingerprint& message : came_as[event]) {
        const auto before = messages_.find(message);
        if (before != messages_.end()) times.insert(before->second.begin(), before->second.end());
      }
    }
  }

  std::optional<error> read_written() {
    const auto held = files_->read(quarantine_file);
    if (!held) return held.failure();
    std::string_view left = held->bytes;
    line_is_open_ = !left.empty() && !left.ends_with('\n');
    std::size_t unknown = 0;
    while (!left.empty()) {
      const std::size_t end = std::min(left.find('\n'), left.size());
      auto name = name_in(left.substr(0, end));
      if (name.empty()) {
        ++unknown;
      } else {
        written_.insert(std::move(name));
      }
      left.remove_prefix(std::min(end + 1, left.size()));
    }
    if (unknown > 0) {
      say(false,
          fmt::format("data: {}: {} lines are none that tocsind has written, and are ignored",
                      files_->shown(quarantine_file), unknown));
    }
    return std::nullopt;
  }

  void keep(const log_entry& entry, std::uint32_t index, const crash_times& times,
            std::vector<std::uint32_t>& out) {
    out.push_back(index);
    const event& of = entry.batch->events[index];
    const std::uint64_t position = entry.batch->first_position + index;
    say(true, fmt::format("data: the event at position {} (step {}) was at hand at {} crashes ({}) "
                          "and is kept out of the rules; {} has it",
                          position, entry.step, times.size(), texts_of(times),
                          files_->shown(quarantine_file)));
    json_line line;
    line.begin_object().key("kind").text("event");
    line.key("step").count(entry.step).key("position").count(position);
    add_times(line, times);
    line.key("event").json(event_json(of, entry.batch->labels_of(of))).end_object();
    write(name_of_event(entry.step, position), line.line());
  }

  void write(const std::string& name, const std::string& line) {
    if (written_.contains(name)) return;
    if (const auto failed = append(line)) {
      // Half a line may be there.
      line_is_open_ = true;
      say(true, fmt::format("data: what is kept out could not be written down, and is tried again "
                            "when it is met again: {}",
                            failed->message));
      return;
    }
    line_is_open_ = false;
    written_.insert(name);
  }

  std::optional<error> append(const std::string& line) {
    auto file = files_->open(quarantine_file);
    if (!file) return file.failure();
    if (auto failed = (*file)->append((line_is_open_ ? "\n" : "") + line + "\n")) return failed;
    if (auto failed = (*file)->sync()) return failed;
    return files_->sync_folder("");
  }

  void say(bool is_error, std::string text) const {
    if (setup_.report) setup_.report({is_error, std::move(text)});
  }

  std::shared_ptr<file_system> files_;
  quarantine_setup setup_;
  std::map<fingerprint, crash_times> messages_;
  std::map<std::pair<std::uint64_t, std::uint64_t>, crash_times> events_;  ///< by step and position
  std::map<std::uint64_t, crash_times> steps_;
  std::set<std::string> told_;     ///< messages whose refusal was reported
  std::set<std::string> written_;  ///< names of what the file has
  bool line_is_open_ = false;      ///< the file's last line has no end
};

}  // namespace

result<std::unique_ptr<quarantine>> open_quarantine(std::shared_ptr<file_system> files,
                                                    const quarantine_setup& setup) {
  auto opened = std::make_unique<quarantine_files>(std::move(files), setup);
  if (auto failed = opened->open()) return *std::move(failed);
  return std::unique_ptr<quarantine>{std::move(opened)};
}

}  // namespace tocsin
