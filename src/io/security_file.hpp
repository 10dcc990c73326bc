// SPDX-License-Identifier: Apache-2.0
// The settings section `security`: who may connect to the ZeroMQ sockets, and how much of them one
// may take.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "io/yaml_reader.hpp"

namespace tocsin {

/// The ZeroMQ sockets that a daemon listens on.
enum class surface : std::uint8_t { push, acked, stream, replay };
inline constexpr std::array all_surfaces{surface::push, surface::acked, surface::stream,
                                         surface::replay};
[[nodiscard]] std::string_view to_text(surface which) noexcept;

/// What a public key is allowed for; each role has a list of keys.
enum class curve_role : std::uint8_t { agents, subscribers, operators, nodes };
inline constexpr std::array all_roles{curve_role::agents, curve_role::subscribers,
                                      curve_role::operators, curve_role::nodes};
[[nodiscard]] std::string_view to_text(curve_role role) noexcept;
/// Agents send events (push, acked), subscribers and operators read alerts (stream, replay), nodes
/// use none of these sockets.
[[nodiscard]] bool may_use(curve_role role, surface which) noexcept;

/// Bounds on what strangers and peers can take of a daemon's sockets.
struct network_limits {
  /// security.connections: open connections of one surface; who comes beyond it is cut off.
  std::size_t connections = 1000;
  /// security.subscriptions: prefixes that one connection to the stream may subscribe to; who wants
  /// more is cut off.
  std::size_t subscriptions = 1000;
};

struct security_settings {
  /// security.curve.server_key_file: the daemon's secret key; "": no CURVE.
  std::string server_key_file;
  /// security.allow.ROLE: files of public keys, by curve_role; "": nobody of that role.
  std::array<std::string, all_roles.size()> allow;
  network_limits limits;

  [[nodiscard]] bool curve() const noexcept { return !server_key_file.empty(); }
};

/// Decodes `security` of the settings, if it is there. Paths are made relative to `folder`. The
/// files themselves are read by load_curve_access().
[[nodiscard]] security_settings decode_security(const yaml_node& settings,
                                                const std::filesystem::path& folder,
                                                yaml_decoder& decode);

}  // namespace tocsin
