// SPDX-License-Identifier: Apache-2.0
// Addresses are read by the system's own inet_pton().
#include "io/http_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <string>

namespace tocsin {
namespace {

std::optional<in_addr> ipv4(std::string_view host) {
  in_addr address{};
  if (::inet_pton(AF_INET, std::string{host}.c_str(), &address) != 1) return std::nullopt;
  return address;
}

std::optional<in6_addr> ipv6(std::string_view host) {
  if (!host.starts_with('[') || !host.ends_with(']')) return std::nullopt;
  in6_addr address{};
  const std::string inside{host.substr(1, host.size() - 2)};
  if (::inet_pton(AF_INET6, inside.c_str(), &address) != 1) return std::nullopt;
  return address;
}

}  // namespace

std::optional<host_and_port> split_address(std::string_view text) noexcept {
  // Colons inside brackets are the address's.
  const auto bracket = text.starts_with('[') ? text.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  const auto colon = std::min(text.find(':', bracket), text.size());
  host_and_port parts{text.substr(0, colon), {}};
  if (colon < text.size()) parts.port = text.substr(colon + 1);
  const bool has_bad_end = bracket != 0 && parts.host.size() != bracket + 1;
  const bool has_more_colons = parts.port.find(':') != std::string_view::npos;
  if (parts.host.empty() || has_bad_end || has_more_colons) return std::nullopt;
  return parts;
}

bool is_ip_address(std::string_view host) {
  return ipv4(host) || ipv6(host);
}

bool is_loopback_host(std::string_view host) {
  if (host == "localhost") return true;
  if (const auto address = ipv4(host)) return ntohl(address->s_addr) >> 24U == 127U;
  const auto address = ipv6(host);
  return address && IN6_IS_ADDR_LOOPBACK(&*address) != 0;
}

}  // namespace tocsin
