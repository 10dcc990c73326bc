// SPDX-License-Identifier: Apache-2.0
// Refuses what would let strangers in.
#include "io/http_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "io/http_address.hpp"
#include "io/policy_fields.hpp"
#include "io/yaml_fields.hpp"

namespace tocsin {
namespace {

constexpr std::size_t host_name_bytes_max = 253;

bool is_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), port);
  return failed == std::errc{} && end == text.data() + text.size();
}

/// What is wrong with "HOST:PORT", or "".
std::string refuse_listen(std::string_view address) {
  const auto parts = split_address(address);
  if (!parts) return "is not HOST:PORT (try 127.0.0.1:9093)";
  if (parts->host != "localhost" && !is_ip_address(parts->host)) {
    return fmt::format(
        "'{}' is not an address (wanted an IPv4 address, an IPv6 address in "
        "brackets or localhost)",
        parts->host);
  }
  if (!is_port(parts->port)) return fmt::format("'{}' is not a port (0 to 65535)", parts->port);
  return "";
}

/// What an address that strangers could reach lacks, or "".
std::string refuse_strangers(const http_settings& from) {
  const auto parts = split_address(from.listen);
  if (!parts || is_loopback_host(parts->host)) return "";
  std::vector<std::string> missing;
  if (from.tokens.empty()) missing.emplace_back("'tokens'");
  if (!from.has_tls()) missing.emplace_back("'tls'");
  if (missing.empty()) return "";
  return fmt::format(
      "'{}' is not a loopback address (127.0.0.0/8, localhost or [::1]): whoever reaches the port "
      "could read and operate alerts, or read tokens on their way, so it needs 'tokens' and 'tls'; "
      "not set: {}",
      parts->host, listed(missing));
}

bool is_host_name(std::string_view name) {
  if (is_ip_address(name)) return true;
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
  return plain && !name.empty() && name.size() <= host_name_bytes_max && name.front() != '.' &&
         name.back() != '.' && name.find("..") == std::string_view::npos;
}

class http_decoder {
 public:
  http_decoder(const yaml_entry& http, const std::filesystem::path& folder, yaml_decoder& decode)
      : fields_(http.value, decode), folder_(folder) {}

  http_settings decode() {
    placed_text listen;
    fields_.text("listen", listen);
    take_file(fields_, "tokens", into_.tokens);
    take_tls();
    take_hosts();
    take_listen(listen);
    return into_;
  }

 private:
  void take_file(const yaml_fields& from, std::string_view name, std::string& into) const {
    placed_text file;
    from.text(name, file);
    if (!file.text.empty()) into = (folder_ / file.text).string();
  }

  void take_tls() {
    const yaml_entry* entry = fields_.entry("tls");
    if (entry == nullptr) return;
    yaml_decoder& decode = fields_.decode();
    if (!decode.check(*entry, yaml_node::kind::map, "'tls'")) return;
    decode.check_map(entry->value, "'tls'", {"cert_file", "key_file"});
    const yaml_fields tls{entry->value, decode};
    take_file(tls, "cert_file", into_.cert_file);
    take_file(tls, "key_file", into_.key_file);
    if (into_.cert_file.empty() == into_.key_file.empty()) return;
    decode.error(entry->value,
                 fmt::format("'tls': '{}' is missing: TLS needs 'cert_file' and 'key_file', both "
                             "or none",
                             into_.cert_file.empty() ? "cert_file" : "key_file"));
  }

  void take_hosts() {
    for (const yaml_node* name : take_list(fields_, "hosts")) {
      if (is_host_name(name->text)) {
        into_.hosts.push_back(name->text);
      } else {
        fields_.decode().error(*name,
                               fmt::format("'hosts': \"{}\" is not a name or address without "
                                           "a port (try alerts.example.org)",
                                           name->text));
      }
    }
  }

  /// Last, when it is known what protects it.
  void take_listen(const placed_text& listen) {
    if (listen.line == 0) return;
    if (listen.text.empty()) {
      into_.listen.clear();
      return;
    }
    const std::string before = into_.listen;
    into_.listen = listen.text;
    std::string wrong = refuse_listen(listen.text);
    if (wrong.empty()) wrong = refuse_strangers(into_);
    if (wrong.empty()) return;
    into_.listen = before;
    fields_.decode().error(listen.line, listen.column,
                           fmt::format("'listen': \"{}\" {}", listen.text, wrong));
  }

  yaml_fields fields_;
  const std::filesystem::path& folder_;
  http_settings into_;
};

}  // namespace

std::string http_settings::url(std::string_view address) const {
  return fmt::format("{}://{}", has_tls() ? "https" : "http", address);
}

std::string http_settings::public_url() const {
  const auto parts = split_address(listen);
  if (hosts.empty() || !parts) return url(listen);
  return url(fmt::format("{}:{}", hosts.front(), parts->port));
}

http_settings decode_http(const yaml_entry& http, const std::filesystem::path& folder,
                          yaml_decoder& decode) {
  if (!decode.check(http, yaml_node::kind::map, "'http'")) return {};
  decode.check_map(http.value, "'http'", {"listen", "tokens", "tls", "hosts"});
  return http_decoder{http, folder, decode}.decode();
}

}  // namespace tocsin
