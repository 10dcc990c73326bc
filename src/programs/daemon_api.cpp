// SPDX-License-Identifier: Apache-2.0
// Asks, tells failures apart, lays out tables.
#include "programs/daemon_api.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "io/http_client.hpp"
#include "io/token_file.hpp"
#include "io/utf8.hpp"
#include "io/yaml_reader.hpp"
#include "programs/console.hpp"
#include "tocsin/time.hpp"

namespace tocsin {
namespace {

constexpr std::size_t cell_bytes_max = 200;
constexpr std::size_t shown_answer_bytes = 300;
constexpr duration answer_time_max = std::chrono::seconds{60};

/// An error's message in any of the forms the daemon gives: {code, message, field}, a JSON text.
std::string refusal_text(const http_answer& answer) {
  const auto body = json_tree::parse(answer.body);
  if (body) {
    auto message = body->at("message").text();
    if (!message.empty()) return message;
    if (!body->text().empty()) return printable(body->text(), shown_answer_bytes);
  }
  return printable(answer.body, shown_answer_bytes);
}

/// Characters, as a terminal counts them (but for wide ones).
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

/// The token in a file: its one word. Errors name the file, and never what is in it.
result<std::string> read_token(const std::string& file) {
  auto bytes = read_file(file);
  if (!bytes) return bytes.failure();
  constexpr std::string_view blanks = " \t\r\n";
  std::string token = *std::move(bytes);
  token.erase(0, std::min(token.find_first_not_of(blanks), token.size()));
  token.erase(token.find_last_not_of(blanks) + 1);
  if (const auto wrong = refuse_token(token); !wrong.empty()) {
    return error{"bad_token", fmt::format("{}: {}", file, wrong)};
  }
  return token;
}

/// What a refusal for lack of a token, or of rights, does not say: what to do here.
std::string_view advice_of(long status, const daemon_address& of) {
  if (status != 401 || !of.token_file.empty()) return "";
  return " (see --token-file)";
}

}  // namespace

void add_daemon_options(CLI::App& command, daemon_address& into) {
  command.add_option("--http", into.http, "The daemon's http.listen")
      ->envname("TOCSIN_HTTP")
      ->capture_default_str();
  command.add_option("--token-file", into.token_file, "The file with the token to show the daemon")
      ->envname("TOCSIN_TOKEN_FILE")
      ->type_name("FILE");
  command
      .add_option("--ca-file", into.ca_file,
                  "With https://: the certificates (PEM) that the daemon's must lead to")
      ->envname("TOCSIN_CA_FILE")
      ->type_name("FILE");
  command.add_flag("--json", into.json, "Print the daemon's answer as JSON");
}

daemon_answer ask_daemon(const daemon_address& of, std::string_view method, std::string_view target,
                         std::string_view body) {
  http_trust trust{"", of.ca_file};
  if (!of.token_file.empty()) {
    auto token = read_token(of.token_file);
    if (!token) {
      say(fmt::format("error: {}", token.failure().message));
      return {std::nullopt, exit_usage};
    }
    trust.token = *std::move(token);
  }
  http_client client{of.http, answer_time_max, std::move(trust)};
  const auto path =
      target.starts_with('/') ? std::string{target} : fmt::format("/api/tocsin/v1/{}", target);
  const auto answer = client.ask(method, path, body);
  if (!answer && answer.failure().code == "token_in_the_clear") {
    say(fmt::format("error: {}", answer.failure().message));
    return {std::nullopt, exit_usage};
  }
  if (!answer) return {std::nullopt, report_connect_failure(answer.failure(), "http.listen")};
  if (answer->status >= 400) {
    say(fmt::format("error: {}{}", refusal_text(*answer), advice_of(answer->status, of)));
    return {std::nullopt, exit_check_failed};
  }
  if (answer->body.empty()) return {json_tree{}, exit_ok};
  auto parsed = json_tree::parse(answer->body);
  if (!parsed) {
    say(fmt::format("error: {} gave {}", client.address(), parsed.failure().message));
    return {std::nullopt, exit_failure};
  }
  return {*std::move(parsed), exit_ok};
}

text_table::text_table(std::vector<std::string> head) : head_(std::move(head)) {}

void text_table::add(std::vector<std::string> row) {
  row.resize(head_.size());
  for (std::string& cell : row) cell = printable(cell, cell_bytes_max);
  rows_.push_back(std::move(row));
}

bool text_table::print(bool coloured) const {
  std::vector<std::size_t> widths;
  for (const std::string& name : head_) widths.push_back(width_of(name));
  for (const auto& row : rows_) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      widths[i] = std::max(widths[i], width_of(row[i]));
    }
  }
  const auto line_of = [&](const std::vector<std::string>& row) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      line += row[i];
      if (i + 1 < row.size()) line.append(widths[i] - width_of(row[i]) + 2, ' ');
    }
    while (line.ends_with(' ')) line.pop_back();
    return line;
  };
  if (!print_line(painted(line_of(head_), colour::bold, coloured))) return false;
  return std::all_of(rows_.begin(), rows_.end(),
                     [&](const auto& row) { return print_line(line_of(row)); });
}

std::string time_cell(const json_tree& at) {
  if (at.is_null()) return "-";
  std::string text = at.text();
  if (const auto unix_ms = at.number()) {
    text = format_rfc3339(from_unix_ms(static_cast<long long>(*unix_ms)));
  }
  constexpr std::size_t through_seconds = 19;
  if (text.size() < through_seconds) return text;
  text.resize(through_seconds);
  std::replace(text.begin(), text.end(), 'T', ' ');
  return text;
}

std::string length_cell(const json_tree& milliseconds) {
  const auto number = milliseconds.number();
  if (!number) return "-";
  duration length{static_cast<duration::rep>(*number)};
  if (length >= std::chrono::seconds{1}) length = std::chrono::floor<std::chrono::seconds>(length);
  return format_duration(length);
}

std::string lasted_cell(const json_tree& alert) {
  const json_tree end =
      alert.at("resolved_at").is_null() ? alert.at("closed_at") : alert.at("resolved_at");
  const auto from = alert.at("started_at").number();
  const auto until = end.number();
  if (!from || !until) return "active";
  const duration length{static_cast<duration::rep>(*until - *from)};
  return format_duration(length >= std::chrono::seconds{1}
                             ? std::chrono::floor<std::chrono::seconds>(length)
                             : length);
}

std::string operator_name() {
  if (const char* const user = std::getenv("USER"); user != nullptr && *user != '\0') return user;
  const passwd* const entry = ::getpwuid(::getuid());
  return entry != nullptr ? entry->pw_name : fmt::format("uid {}", ::getuid());
}

}  // namespace tocsin
