// SPDX-License-Identifier: Apache-2.0
// HOST:PORT of HTTP: its parts, and which hosts are this machine alone.
#pragma once

#include <optional>
#include <string_view>

namespace tocsin {

struct host_and_port {
  std::string_view host;  ///< an IPv6 address in its brackets
  std::string_view port;  ///< "" when there is none
};

/// The parts of "HOST", "HOST:PORT", "[IPV6]" or "[IPV6]:PORT"; nothing when it is none of these.
/// Points into `text`.
[[nodiscard]] std::optional<host_and_port> split_address(std::string_view text) noexcept;

/// An IPv4 or bracketed IPv6 address, written in full.
[[nodiscard]] bool is_ip_address(std::string_view host);
/// localhost, 127.0.0.0/8 or [::1]. Names that only begin like one may lead anywhere.
[[nodiscard]] bool is_loopback_host(std::string_view host);

}  // namespace tocsin
