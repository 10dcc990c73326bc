// SPDX-License-Identifier: Apache-2.0
// Stands at the daemon's ZeroMQ sockets: judges keys (ZAP), counts connections, cuts off who must
// go.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "io/curve_access.hpp"
#include "io/security_file.hpp"
#include "tocsin/time.hpp"

namespace tocsin {

/// What a gate has counted of one surface.
struct surface_counts {
  surface of = surface::push;
  std::uint64_t connections = 0;    ///< open now
  std::uint64_t subscriptions = 0;  ///< held now; of the stream only
  /// Connections that were refused or cut off, by reason: docs/security.md lists them.
  std::map<std::string, std::uint64_t, std::less<>> refused;
};

/// Something that an operator wants to know.
struct gate_news {
  bool trouble = false;  ///< a warning
  std::string text;
};

struct gate_options {
  /// Called on the gate's thread; must not throw.
  std::function<void(const gate_news&)> report = {};
  /// How often the files of allowed keys are looked at.
  duration look_interval = std::chrono::milliseconds{500};
  /// Judges instead of the lists: the user a key belongs to, or nothing. A gate that judges wrongly
  /// does not pass its own test.
  std::function<std::optional<std::string>(surface, std::string_view public_key)> judge = {};
};

/// One for all sockets of a daemon, which hold on to it (io/surface_socket.hpp). It has a thread of
/// its own; while that fails, nobody new is let in.
class network_gate {
 public:
  /// Without `access` there is no CURVE: whoever reaches a socket may use it, within the limits.
  [[nodiscard]] static std::shared_ptr<network_gate> open(
      const network_limits& limits, std::optional<curve_access> access = std::nullopt,
      gate_options options = {});
  ~network_gate();
  network_gate(const network_gate&) = delete;
  network_gate& operator=(const network_gate&) = delete;

  /// Of each surface that is open or was. From any thread.
  [[nodiscard]] std::vector<surface_counts> counts() const;
  /// Whether peers need a key.
  [[nodiscard]] bool curve() const noexcept;

 private:
  friend class surface_socket;
  struct watch;
  explicit network_gate(std::unique_ptr<watch> started);
  std::unique_ptr<watch> watch_;
};

}  // namespace tocsin
