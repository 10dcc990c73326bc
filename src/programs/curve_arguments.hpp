// SPDX-License-Identifier: Apache-2.0
// The options with which a command proves who it is to a daemon that asks for keys.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "io/curve_client.hpp"
#include "tocsin/result.hpp"

namespace tocsin {

/// --server-key, --server-key-file and --key-file.
class curve_arguments {
 public:
  void add_to(CLI::App& command);
  /// What was chosen; no identity without any of the options. Errors: usage (one of the two keys is
  /// missing or is none), and those of reading a key's file.
  [[nodiscard]] result<optional_identity> read() const;

 private:
  std::string server_key_;
  std::string server_key_file_;
  std::string key_file_;
};

/// Says why the keys cannot be had; the exit code.
[[nodiscard]] int report_key_failure(const error& failure);

}  // namespace tocsin
