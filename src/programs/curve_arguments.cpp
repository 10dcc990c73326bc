// SPDX-License-Identifier: Apache-2.0
// Reads the keys that a command line names.
#include "programs/curve_arguments.hpp"

#include "programs/console.hpp"

namespace tocsin {

void curve_arguments::add_to(CLI::App& command) {
  auto* const key = command.add_option("--server-key", server_key_,
                                       "The daemon's public key, when it asks for keys (CURVE)");
  command.add_option("--server-key-file", server_key_file_, "The same from a file")
      ->type_name("FILE")
      ->excludes(key);
  command.add_option("--key-file", key_file_, "One's own secret key, made with tocsin keygen")
      ->type_name("FILE");
}

result<optional_identity> curve_arguments::read() const {
  const bool server_given = !server_key_.empty() || !server_key_file_.empty();
  if (!server_given && key_file_.empty()) return optional_identity{};
  if (!server_given) {
    return error{"usage",
                 "--key-file: wanted --server-key or --server-key-file with it: a daemon "
                 "whose key is not known could be anybody"};
  }
  if (key_file_.empty()) {
    return error{"usage", "--server-key: wanted --key-file with it (tocsin keygen makes one)"};
  }
  curve_identity identity{server_key_, {}};
  if (!server_key_file_.empty()) {
    auto read = read_public_file(server_key_file_);
    if (!read) return read.failure();
    identity.server_key = std::move(*read);
  } else if (!is_curve_key(server_key_)) {
    return error{"usage", "--server-key: seen \"" + server_key_ +
                              "\", wanted a public key, 40 characters of Z85"};
  }
  auto own = read_secret_file(key_file_);
  if (!own) return own.failure();
  identity.own = std::move(*own);
  return optional_identity{std::move(identity)};
}

int report_key_failure(const error& failure) {
  say("error: " + failure.message);
  return failure.code == "usage" ? exit_usage : exit_check_failed;
}

}  // namespace tocsin
