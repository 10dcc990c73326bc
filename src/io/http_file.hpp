// SPDX-License-Identifier: Apache-2.0
// The settings below `http`: where it listens, and who gets in.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "io/yaml_reader.hpp"

namespace tocsin {

struct http_settings {
  std::string listen = "127.0.0.1:9093";  ///< HOST:PORT; "" = off
  std::string tokens;                     ///< the file of bearer tokens; "" = nobody is asked
  std::string cert_file;                  ///< tls.cert_file: PEM, the server's first; "" = no TLS
  std::string key_file;                   ///< tls.key_file: PEM; "" = no TLS
  /// Names that requests may have in Host, beside localhost, loopback and the listen address.
  std::vector<std::string> hosts;

  [[nodiscard]] bool has_tls() const noexcept { return !cert_file.empty(); }
  /// "https://127.0.0.1:9093" of an address as bound.
  [[nodiscard]] std::string url(std::string_view address) const;
  /// Where others reach it: the first of `hosts` with the port of `listen`, or `listen` itself.
  [[nodiscard]] std::string public_url() const;
  friend bool operator==(const http_settings&, const http_settings&) = default;
};

/// Decodes the value of `http`. Files are relative to `folder`. What is wrong is reported, all of
/// it: an address that strangers could reach without both tokens and TLS, a certificate without a
/// key, names that are none.
[[nodiscard]] http_settings decode_http(const yaml_entry& http, const std::filesystem::path& folder,
                                        yaml_decoder& decode);

}  // namespace tocsin
