// SPDX-License-Identifier: Apache-2.0
// Over OpenSSL.
#include "io/http_tls.hpp"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509err.h>

#include <string_view>

#include "io/yaml_reader.hpp"

namespace tocsin {
namespace {

/// Whether OpenSSL found a key that is not the certificate's, as it compares both when it reads
/// one.
bool is_mismatch() {
  const unsigned long first = ::ERR_peek_error();
  const int reason = ERR_GET_REASON(first);
  return ERR_GET_LIB(first) == ERR_LIB_X509 &&
         (reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH);
}

/// What OpenSSL complains of: the first error in its queue, which it then forgets.
std::string openssl_reason() {
  const unsigned long first = ::ERR_get_error();
  ::ERR_clear_error();
  const char* const reason = first == 0 ? nullptr : ::ERR_reason_error_string(first);
  return reason == nullptr ? "no reason is known" : reason;
}

/// Nobody is there to type a passphrase.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

}  // namespace

std::shared_ptr<tls_identity> tls_identity::load(const std::string& cert_file,
                                                 const std::string& key_file, diagnostics& found) {
  std::shared_ptr<tls_identity> made{new tls_identity};
  SSL_CTX* const context = made->context_.native_handle();
  ::ERR_clear_error();
  bool good = ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
              ::SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1;
  ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  ::SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  const auto refuse = [&](const std::string& file, std::string_view what, const std::string& why) {
    good = false;
    found.push_back(
        {diagnostic::grade::error, file, 0, 0, fmt::format("{} cannot be used: {}", what, why)});
  };
  // OpenSSL's own words for a missing file are poor.
  const auto readable = [&](const std::string& file, std::string_view what) {
    const auto bytes = read_file(file);
    if (!bytes) refuse(file, what, bytes.failure().message);
    return static_cast<bool>(bytes);
  };
  const bool cert_there = readable(cert_file, "the certificate");
  if (cert_there && ::SSL_CTX_use_certificate_chain_file(context, cert_file.c_str()) != 1) {
    refuse(cert_file, "the certificate", openssl_reason());
  }
  const bool key_there = readable(key_file, "the key");
  if (key_there &&
      ::SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    const bool other = is_mismatch();
    const std::string why = openssl_reason();
    refuse(key_file, "the key", other ? fmt::format("it does not belong to {}", cert_file) : why);
  }
  return good ? made : nullptr;
}

}  // namespace tocsin
