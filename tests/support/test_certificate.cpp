// SPDX-License-Identifier: Apache-2.0
// Over OpenSSL.
#include "support/test_certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>

namespace tocsin::testing {
namespace {

constexpr long valid_seconds = 24L * 60 * 60;

std::string text_of(BIO* from) {
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(from, &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, int what, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  ::X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&::X509_EXTENSION_free)> made{
      ::X509V3_EXT_conf_nid(nullptr, &context, what, value), &::X509_EXTENSION_free};
  if (!made || ::X509_add_ext(certificate, made.get(), -1) != 1) {
    throw std::runtime_error{"no extension of a certificate"};
  }
}

}  // namespace

test_certificate make_test_certificate() {
  const std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> key{::EVP_EC_gen("P-256"),
                                                                  &::EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&::X509_free)> made{::X509_new(), &::X509_free};
  if (!key || !made) throw std::runtime_error{"no key"};
  ::X509_set_version(made.get(), X509_VERSION_3);
  ::ASN1_INTEGER_set(::X509_get_serialNumber(made.get()), 1);
  ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), 0);
  ::X509_gmtime_adj(::X509_getm_notAfter(made.get()), valid_seconds);
  X509_NAME* const name = ::X509_get_subject_name(made.get());
  ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>("tocsin test"), -1, -1, 0);
  ::X509_set_issuer_name(made.get(), name);
  ::X509_set_pubkey(made.get(), key.get());
  extend(made.get(), NID_basic_constraints, "critical,CA:TRUE");
  extend(made.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
  if (::X509_sign(made.get(), key.get(), ::EVP_sha256()) == 0) {
    throw std::runtime_error{"no signature"};
  }
  const std::unique_ptr<BIO, decltype(&::BIO_free)> pem{::BIO_new(::BIO_s_mem()), &::BIO_free};
  ::PEM_write_bio_X509(pem.get(), made.get());
  test_certificate both{text_of(pem.get()), ""};
  (void)BIO_reset(pem.get());
  ::PEM_write_bio_PrivateKey(pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  both.key = text_of(pem.get());
  return both;
}

}  // namespace tocsin::testing
