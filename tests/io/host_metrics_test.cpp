// SPDX-License-Identifier: Apache-2.0
// /proc texts as kernels write them, and the measurements made of two samples.
#include "io/host_metrics.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace tocsin {
namespace {

std::optional<double> value_of(const std::vector<measurement>& all, const std::string& resource,
                               const std::string& item) {
  const auto found = std::find_if(all.begin(), all.end(), [&](const measurement& each) {
    return each.resource_id == resource && each.item == item;
  });
  if (found == all.end()) return std::nullopt;
  return found->value;
}

TEST(host_metrics, cpu_ticks_leave_out_guest_time_and_count_iowait_as_idle) {
  const auto ticks = parse_proc_stat("cpu  10 1 5 100 20 2 3 4 7 8\ncpu0 1 1 1 1 1 1 1 1 1 1\n");
  ASSERT_TRUE(ticks);
  EXPECT_EQ(ticks->total, 145U);
  EXPECT_EQ(ticks->idle, 120U);
  EXPECT_FALSE(parse_proc_stat("intr 5 6\n"));
  EXPECT_FALSE(parse_proc_stat("cpu 1 2 x 4\n"));
}

TEST(host_metrics, memory_needs_total_and_available) {
  const auto state = parse_meminfo(
      "MemTotal:       1000 kB\nMemFree:  1 kB\nMemAvailable:    250 kB\nSwapTotal: 400 kB\n"
      "SwapFree: 100 kB\n");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->total_kib, 1000U);
  EXPECT_EQ(state->available_kib, 250U);
  EXPECT_EQ(state->swap_total_kib, 400U);
  EXPECT_EQ(state->swap_free_kib, 100U);
  EXPECT_FALSE(parse_meminfo("MemTotal: 1000 kB\n"));
  EXPECT_FALSE(parse_meminfo(""));
}

TEST(host_metrics, the_load_average_is_the_first_number) {
  EXPECT_EQ(parse_loadavg("0.52 0.58 0.59 1/389 12345\n"), 0.52);
  EXPECT_FALSE(parse_loadavg("x 1 2"));
  EXPECT_FALSE(parse_loadavg(""));
}

TEST(host_metrics, interfaces_are_read_even_when_the_counter_touches_the_name) {
  const auto found = parse_net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs "
      "drop\n"
      "    lo: 99 1 0 0 0 0 0 0 99 1 0 0 0 0 0 0\n"
      "  eth0:1234 10 2 0 0 0 0 0 5678 20 3 0 0 0 0 0\n"
      "  bad: 1 2\n");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "eth0");
  EXPECT_EQ(found[0].received_bytes, 1234U);
  EXPECT_EQ(found[0].sent_bytes, 5678U);
  EXPECT_EQ(found[0].errors, 5U);
}

TEST(host_metrics, mounts_are_local_disks_once_each_and_the_root) {
  const auto found = parse_mounts(
      "overlay / overlay rw 0 0\n"
      "proc /proc proc rw 0 0\n"
      "/dev/sda1 /data\\040one ext4 rw 0 0\n"
      "/dev/sda1 /bound ext4 rw 0 0\n"
      "server:/x /nfs nfs4 rw 0 0\n"
      "/dev/loop0 /snap/x squashfs ro 0 0\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].folder, "/");
  EXPECT_EQ(found[1].folder, "/data one");
}

TEST(host_metrics, rates_need_two_samples) {
  host_sample before;
  before.cpu = cpu_ticks{100, 200};
  before.interfaces = {{"eth0", 1000, 2000, 1}, {"eth1", 500, 0, 0}};
  host_sample now = before;
  now.taken += std::chrono::seconds{2};
  now.cpu = cpu_ticks{125, 300};
  now.memory = memory_state{1000, 250, 0, 0};
  now.load1 = 1.5;
  now.interfaces = {{"eth0", 1400, 2000, 5}, {"eth1", 100, 0, 0}, {"eth2", 1, 1, 1}};
  now.disks = {{"/", 40.0, 7.0}, {"/boot", 90.0, std::nullopt}};

  const auto first = measure_host("h", nullptr, now);
  EXPECT_FALSE(value_of(first, "h", "cpu_percent"));
  EXPECT_EQ(value_of(first, "h", "memory_percent"), 75.0);

  const auto second = measure_host("h", &before, now);
  EXPECT_EQ(value_of(second, "h", "cpu_percent"), 75.0);
  EXPECT_EQ(value_of(second, "h", "load1"), 1.5);
  EXPECT_FALSE(value_of(second, "h", "swap_percent")) << "the host has no swap";
  EXPECT_EQ(value_of(second, "h:/", "disk_percent"), 40.0);
  EXPECT_EQ(value_of(second, "h:/", "disk_inodes_percent"), 7.0);
  EXPECT_FALSE(value_of(second, "h:/boot", "disk_inodes_percent"));
  EXPECT_EQ(value_of(second, "h:eth0", "network_rx_bytes_per_second"), 200.0);
  EXPECT_EQ(value_of(second, "h:eth0", "network_tx_bytes_per_second"), 0.0);
  EXPECT_EQ(value_of(second, "h:eth0", "network_errors_per_second"), 2.0);
  EXPECT_FALSE(value_of(second, "h:eth1", "network_rx_bytes_per_second"))
      << "the counter went backwards";
  EXPECT_FALSE(value_of(second, "h:eth2", "network_rx_bytes_per_second"))
      << "the interface was not there before";
}

TEST(host_metrics, this_host_can_be_read) {
  const auto sample = read_host();
  EXPECT_TRUE(sample.cpu);
  EXPECT_TRUE(sample.memory);
  EXPECT_TRUE(sample.load1);
}

}  // namespace
}  // namespace tocsin
