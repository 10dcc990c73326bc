// SPDX-License-Identifier: Apache-2.0
// What the commands that ask the daemon over HTTP have in common.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "io/json_tree.hpp"

namespace tocsin {

struct daemon_address {
  std::string http = "127.0.0.1:9093";  ///< HOST:PORT, or with http:// or https:// before it
  std::string token_file;               ///< holds the token to show; "": none is shown
  std::string ca_file;                  ///< trusted instead of the system's certificates
  bool json = false;
};

/// Adds --http, --token-file, --ca-file (environment: TOCSIN_HTTP, TOCSIN_TOKEN_FILE,
/// TOCSIN_CA_FILE) and --json to a command.
void add_daemon_options(CLI::App& command, daemon_address& into);

/// What the daemon answered, or the exit code, its reason said on stderr.
struct daemon_answer {
  std::optional<json_tree> body;
  /// Of a failure: 3 unreachable, 2 the token cannot be read or sent, 1 refused, 70 an answer that
  /// is not JSON.
  int exit_code = 0;
};

/// `target` is below /api/tocsin/v1/ when it does not begin with a slash. An empty answer is null.
[[nodiscard]] daemon_answer ask_daemon(const daemon_address& of, std::string_view method,
                                       std::string_view target, std::string_view body = "");

/// Columns as wide as they need to be, two spaces apart; control characters made visible.
class text_table {
 public:
  explicit text_table(std::vector<std::string> head);
  void add(std::vector<std::string> row);
  /// The last column is not padded. False when stdout takes no more.
  [[nodiscard]] bool print(bool coloured) const;
  [[nodiscard]] std::size_t size() const noexcept { return rows_.size(); }

 private:
  std::vector<std::string> head_;
  std::vector<std::vector<std::string>> rows_;
};

/// "2026-03-01 10:00:00" (UTC) of Unix milliseconds or RFC 3339; "-" of null.
[[nodiscard]] std::string time_cell(const json_tree& at);
/// "5m", "2h30m" of milliseconds, in whole seconds from one second on; "-" of null.
[[nodiscard]] std::string length_cell(const json_tree& milliseconds);
/// How long an alert map's alert lasted, from its start to its end; "active" while it lasts.
[[nodiscard]] std::string lasted_cell(const json_tree& alert);
/// Who calls: USER of the environment, else the system's name of the user.
[[nodiscard]] std::string operator_name();

}  // namespace tocsin
