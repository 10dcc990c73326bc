// SPDX-License-Identifier: Apache-2.0
// Parses /proc texts and turns two samples into measurements.
#include "io/host_metrics.hpp"

#include <sys/statvfs.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <set>

namespace tocsin {

namespace {

/// Cuts the next line off the front of `text`.
std::string_view take_line(std::string_view& text) {
  const auto end = text.find('\n');
  const auto line = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return line;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = line.find_first_not_of(" \t", at)) != std::string_view::npos;) {
    const auto end = std::min(line.find_first_of(" \t", at), line.size());
    words.push_back(line.substr(at, end - at));
    at = end;
  }
  return words;
}

template <class Number>
std::optional<Number> number_of(std::string_view word) {
  Number number{};
  const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (failed != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return number;
}

/// /proc/mounts writes space, tab, newline and backslash as three octal digits.
std::string unescape_octal(std::string_view text) {
  std::string plain;
  for (std::size_t at = 0; at < text.size(); ++at) {
    unsigned code = 0;
    if (text[at] == '\\' && at + 3 < text.size() &&
        std::from_chars(text.data() + at + 1, text.data() + at + 4, code, 8).ptr ==
            text.data() + at + 4) {
      plain += static_cast<char>(code);
      at += 3;
    } else {
      plain += text[at];
    }
  }
  return plain;
}

std::string read_whole(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::optional<disk_use> use_of(const std::string& folder) {
  struct statvfs state {};
  if (::statvfs(folder.c_str(), &state) != 0 || state.f_blocks == 0) return std::nullopt;
  const double used = static_cast<double>(state.f_blocks - state.f_bfree);
  const double fillable = used + static_cast<double>(state.f_bavail);
  disk_use use{folder, fillable > 0 ? 100.0 * used / fillable : 100.0, std::nullopt};
  if (state.f_files > 0) {
    use.inodes_used_percent = 100.0 * static_cast<double>(state.f_files - state.f_ffree) /
                              static_cast<double>(state.f_files);
  }
  return use;
}

}  // namespace

std::optional<cpu_ticks> parse_proc_stat(std::string_view text) {
  while (!text.empty()) {
    const auto words = words_of(take_line(text));
    if (words.size() < 5 || words[0] != "cpu") continue;
    cpu_ticks ticks;
    // user nice system idle iowait irq softirq steal; guest times follow and are in user already.
    for (std::size_t column = 1; column < std::min<std::size_t>(words.size(), 9); ++column) {
      const auto spent = number_of<std::uint64_t>(words[column]);
      if (!spent) return std::nullopt;
      ticks.total += *spent;
      if (column == 4 || column == 5) ticks.idle += *spent;
    }
    return ticks;
  }
  return std::nullopt;
}

std::optional<memory_state> parse_meminfo(std::string_view text) {
  memory_state state;
  bool has_total = false;
  bool has_available = false;
  while (!text.empty()) {
    const auto words = words_of(take_line(text));
    if (words.size() < 2) continue;
    const auto kib = number_of<std::uint64_t>(words[1]);
    if (!kib) continue;
    if (words[0] == "MemTotal:") {
      state.total_kib = *kib;
      has_total = *kib > 0;
    } else if (words[0] == "MemAvailable:") {
      state.available_kib = *kib;
      has_available = true;
    } else if (words[0] == "SwapTotal:") {
      state.swap_total_kib = *kib;
    } else if (words[0] == "SwapFree:") {
      state.swap_free_kib = *kib;
    }
  }
  if (!has_total || !has_available) return std::nullopt;
  return state;
}

std::optional<double> parse_loadavg(std::string_view text) {
  const auto words = words_of(take_line(text));
  if (words.empty()) return std::nullopt;
  return number_of<double>(words[0]);
}

std::vector<interface_counters> parse_net_dev(std::string_view text) {
  std::vector<interface_counters> found;
  while (!text.empty()) {
    const auto line = take_line(text);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto names = words_of(line.substr(0, colon));
    const auto columns = words_of(line.substr(colon + 1));
    if (names.size() != 1 || names[0] == "lo" || columns.size() < 11) continue;
    // Receive: bytes packets errs drop fifo frame compressed multicast; transmit: bytes packets
    // errs.
    const auto received = number_of<std::uint64_t>(columns[0]);
    const auto receive_errors = number_of<std::uint64_t>(columns[2]);
    const auto sent = number_of<std::uint64_t>(columns[8]);
    const auto send_errors = number_of<std::uint64_t>(columns[10]);
    if (!received || !receive_errors || !sent || !send_errors) continue;
    found.push_back({std::string(names[0]), *received, *sent, *receive_errors + *send_errors});
  }
  return found;
}

std::vector<mounted_disk> parse_mounts(std::string_view text) {
  std::vector<mounted_disk> found;
  std::set<std::string, std::less<>> devices;
  while (!text.empty()) {
    const auto words = words_of(take_line(text));
    if (words.size() < 3) continue;
    const bool local = words[0].starts_with("/dev/") || words[2] == "zfs";
    if (!local && words[1] != "/") continue;
    if (words[2] == "squashfs" || words[2] == "iso9660") continue;  // always full, by nature
    mounted_disk disk{unescape_octal(words[0]), unescape_octal(words[1])};
    if (devices.insert(disk.device).second) found.push_back(std::move(disk));
  }
  return found;
}

host_sample read_host() {
  host_sample sample;
  sample.taken = std::chrono::steady_clock::now();
  sample.cpu = parse_proc_stat(read_whole("/proc/stat"));
  sample.memory = parse_meminfo(read_whole("/proc/meminfo"));
  sample.load1 = parse_loadavg(read_whole("/proc/loadavg"));
  sample.interfaces = parse_net_dev(read_whole("/proc/net/dev"));
  for (const auto& disk : parse_mounts(read_whole("/proc/mounts"))) {
    if (auto use = use_of(disk.folder)) sample.disks.push_back(std::move(*use));
  }
  return sample;
}

namespace {

void measure_cpu(const std::string& host, const host_sample& before, const host_sample& now,
                 std::vector<measurement>& out) {
  if (!before.cpu || !now.cpu || now.cpu->total <= before.cpu->total) return;
  const double total = static_cast<double>(now.cpu->total - before.cpu->total);
  // iowait may run backwards by some ticks (proc(5)).
  const double idle =
      now.cpu->idle > before.cpu->idle ? static_cast<double>(now.cpu->idle - before.cpu->idle) : 0;
  out.push_back(
      {host, "host", host, "cpu_percent", std::clamp(100.0 * (1.0 - idle / total), 0.0, 100.0)});
}

void measure_network(const std::string& host, const host_sample& before, const host_sample& now,
                     std::vector<measurement>& out) {
  const double seconds = std::chrono::duration<double>(now.taken - before.taken).count();
  if (seconds <= 0) return;
  for (const auto& current : now.interfaces) {
    const auto earlier =
        std::find_if(before.interfaces.begin(), before.interfaces.end(),
                     [&](const interface_counters& other) { return other.name == current.name; });
    if (earlier == before.interfaces.end()) continue;
    const auto rate = [&](const char* item, std::uint64_t from, std::uint64_t to) {
      if (to < from) return;
      out.push_back({host + ":" + current.name, "interface", current.name, item,
                     static_cast<double>(to - from) / seconds});
    };
    rate("network_rx_bytes_per_second", earlier->received_bytes, current.received_bytes);
    rate("network_tx_bytes_per_second", earlier->sent_bytes, current.sent_bytes);
    rate("network_errors_per_second", earlier->errors, current.errors);
  }
}

double used_percent(std::uint64_t total, std::uint64_t free) {
  return 100.0 * static_cast<double>(total - std::min(free, total)) / static_cast<double>(total);
}

}  // namespace

std::vector<measurement> measure_host(const std::string& host, const host_sample* before,
                                      const host_sample& now) {
  std::vector<measurement> out;
  if (before != nullptr) measure_cpu(host, *before, now, out);
  if (now.memory) {
    out.push_back({host, "host", host, "memory_percent",
                   used_percent(now.memory->total_kib, now.memory->available_kib)});
    if (now.memory->swap_total_kib > 0) {
      out.push_back({host, "host", host, "swap_percent",
                     used_percent(now.memory->swap_total_kib, now.memory->swap_free_kib)});
    }
  }
  if (now.load1) out.push_back({host, "host", host, "load1", *now.load1});
  for (const auto& disk : now.disks) {
    const auto id = host + ":" + disk.folder;
    out.push_back({id, "disk", disk.folder, "disk_percent", disk.used_percent});
    if (disk.inodes_used_percent) {
      out.push_back({id, "disk", disk.folder, "disk_inodes_percent", *disk.inodes_used_percent});
    }
  }
  if (before != nullptr) measure_network(host, *before, now, out);
  return out;
}

}  // namespace tocsin
