// SPDX-License-Identifier: Apache-2.0
// The thread of a network_gate: answers libzmq's questions, follows its events, looks after the
// lists of keys. Private to src/io.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "io/gate_door.hpp"
#include "io/wake_flag.hpp"
#include "io/zap_handler.hpp"

namespace tocsin {

struct network_gate::watch {
  watch(const network_limits& with, std::optional<curve_access> who, gate_options options);
  ~watch();

  /// Makes the door's sockets the thread's.
  void add(std::shared_ptr<gate_door> door);
  /// Closes the door's sockets and waits until the thread has done so.
  void remove(const std::shared_ptr<gate_door>& door);

  const network_limits limits;
  const bool curve;
  /// For connections of this process to itself: allowed everywhere, and nowhere written.
  const curve_pair own;
  /// Allowed nowhere: what the test of a socket knocks with.
  const curve_pair stranger;
  const std::string server_public_key;
  const std::string server_secret_key;

  mutable std::mutex mutex;
  std::vector<std::shared_ptr<gate_door>> doors;    ///< guarded by mutex
  std::vector<std::shared_ptr<gate_door>> leaving;  ///< guarded by mutex
  std::map<surface, surface_counts> past;           ///< of doors that are gone; guarded by mutex

 private:
  using steady = std::chrono::steady_clock;

  /// What is known of a list's file beside the list: see look_at().
  struct watched_list {
    std::optional<file_stamp> tried;
    std::optional<std::optional<file_stamp>> changing;  ///< seen once, and not what was tried
  };

  void run();
  void turn();
  void let_go(const std::vector<std::shared_ptr<gate_door>>& gone);
  [[nodiscard]] bool wait(const std::vector<std::shared_ptr<gate_door>>& open);
  void read_events(gate_door& door);
  void take_event(gate_door& door, int event, int value);
  [[nodiscard]] std::optional<zap_welcome> judge(gate_door& door, const zap_request& request);
  [[nodiscard]] std::optional<std::string> user(surface which, const std::string& key) const;
  void look_at_lists();
  void look_at(curve_role role);
  void replace(curve_role role, loaded_allow_list fresh);
  [[nodiscard]] std::size_t drop_the_removed(curve_role role);
  void tell(bool trouble, std::string text) const;

  const gate_options options_;
  std::optional<curve_access> access_;  ///< of the thread
  std::map<curve_role, watched_list> files_;
  steady::time_point next_look_;
  std::uint64_t order_ = 0;  ///< of what happened last, see gate_door::accepted()
  wake_flag wake_;
  std::condition_variable changed_;
  bool stopping_ = false;  ///< guarded by mutex
  std::thread thread_;
};

}  // namespace tocsin
