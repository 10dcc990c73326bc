// SPDX-License-Identifier: Apache-2.0
// What a Linux host says of itself in /proc, and the measurements that two looks at it give.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tocsin {

/// The first line of /proc/stat, in clock ticks since boot.
struct cpu_ticks {
  std::uint64_t idle = 0;   ///< idle and iowait
  std::uint64_t total = 0;  ///< everything; guest time is part of user time and not added again
};
/// Nothing when the text has no readable "cpu" line.
[[nodiscard]] std::optional<cpu_ticks> parse_proc_stat(std::string_view text);

/// From /proc/meminfo, in KiB.
struct memory_state {
  std::uint64_t total_kib = 0;
  std::uint64_t available_kib = 0;
  std::uint64_t swap_total_kib = 0;  ///< 0: the host has no swap
  std::uint64_t swap_free_kib = 0;
};
/// Nothing when MemTotal or MemAvailable is missing.
[[nodiscard]] std::optional<memory_state> parse_meminfo(std::string_view text);

/// The load average of the last minute.
[[nodiscard]] std::optional<double> parse_loadavg(std::string_view text);

/// One line of /proc/net/dev: counters since boot.
struct interface_counters {
  std::string name;
  std::uint64_t received_bytes = 0;
  std::uint64_t sent_bytes = 0;
  std::uint64_t errors = 0;  ///< receive and transmit errors
};
/// All interfaces but the loopback; lines that cannot be read are left out.
[[nodiscard]] std::vector<interface_counters> parse_net_dev(std::string_view text);

/// A mounted local file system.
struct mounted_disk {
  std::string device;
  std::string folder;  ///< escapes (\040 for a space) resolved
};
/// From /proc/mounts: file systems on a local device, and whatever is mounted at "/" (a container's
/// overlay), each device once. Network file systems are left out: asking a dead one would hang.
[[nodiscard]] std::vector<mounted_disk> parse_mounts(std::string_view text);

/// How full a file system is.
struct disk_use {
  std::string folder;
  double used_percent = 0;                    ///< of what an ordinary user can fill, as df shows
  std::optional<double> inodes_used_percent;  ///< nothing where inodes are not limited
};

/// One look at a host. What could not be read is empty.
struct host_sample {
  std::chrono::steady_clock::time_point taken{};
  std::optional<cpu_ticks> cpu;
  std::optional<memory_state> memory;
  std::optional<double> load1;
  std::vector<interface_counters> interfaces;
  std::vector<disk_use> disks;
};

/// Looks at this host now.
[[nodiscard]] host_sample read_host();

/// One measured value of one resource.
struct measurement {
  std::string resource_id;    ///< HOST, HOST:FOLDER or HOST:INTERFACE
  std::string resource_type;  ///< "host", "disk" or "interface"
  std::string resource_name;  ///< HOST, FOLDER or INTERFACE
  std::string item;           ///< "cpu_percent", "network_rx_bytes_per_second", ...
  double value = 0;
};

/// What `now` says, and with `before` also what is a rate (CPU, network). A counter that went
/// backwards (an interface that was made anew) gives no rate this time.
[[nodiscard]] std::vector<measurement> measure_host(const std::string& host,
                                                    const host_sample* before,
                                                    const host_sample& now);

}  // namespace tocsin
