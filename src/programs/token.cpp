// SPDX-License-Identifier: Apache-2.0
// tocsin token: makes the tokens that HTTP asks for, and the lines that let them in.
#include "io/token_file.hpp"

#include <fmt/format.h>

#include <iostream>
#include <memory>
#include <string>

#include "programs/commands.hpp"
#include "programs/console.hpp"

namespace tocsin {
namespace {

struct token_options {
  std::string role;
  std::string name;
  std::string output;  ///< the token file to add the line to; "": stderr
};

int run_new(const token_options& chosen) {
  if (const auto wrong = refuse_token_name(chosen.name); !wrong.empty()) {
    say(fmt::format("error: --name: {}", wrong));
    return exit_usage;
  }
  const auto token = new_token();
  if (!token) {
    say(fmt::format("error: {}", token.failure().message));
    return exit_failure;
  }
  const std::string line =
      token_line({*parse_http_role(chosen.role), chosen.name, hash_of_token(*token)});
  // The line first: a token that nobody has seen yet is worth nothing to anybody.
  if (chosen.output.empty()) {
    say(line);
  } else if (const auto failed = append_token_line(chosen.output, line)) {
    say(fmt::format("error: {}", failed->message));
    return exit_check_failed;
  }
  const bool printed = print_line(*token) && std::fflush(stdout) == 0;
  return printed ? exit_ok : exit_check_failed;
}

int run_hash() {
  std::string token;
  std::getline(std::cin, token);
  while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (const auto wrong = refuse_token(token); !wrong.empty()) {
    say(fmt::format("error: {}", wrong));
    return exit_check_failed;
  }
  return print_line(to_text(hash_of_token(token))) ? exit_ok : exit_check_failed;
}

}  // namespace

void add_token(CLI::App& tocsin, int& exit_code) {
  auto* const token = tocsin.add_subcommand("token", "Make tokens for HTTP");
  token->require_subcommand(1);
  const auto chosen = std::make_shared<token_options>();

  auto* const made = token->add_subcommand(
      "new", "Make a token: on stdout, once; its line for http.tokens on stderr");
  made->add_option("--role", chosen->role, "What it may do")
      ->required()
      ->check(CLI::IsMember({"viewer", "operator", "sender"}));
  made->add_option("--name", chosen->name, "Who has it: stands in the history of what is done")
      ->required();
  made->add_option("-o,--output", chosen->output, "Add the line to this token file instead")
      ->type_name("FILE");
  made->footer(
      "Examples:\n"
      "  tocsin token new --role operator --name ann -o /etc/tocsin/tokens > ~/.tocsin-token\n"
      "  tocsin token new --role sender --name prometheus\n"
      "Exit codes: 0 made, 1 the file or stdout could not be written, 2 usage.");
  made->callback([chosen, &exit_code] { exit_code = run_new(*chosen); });

  auto* const hash =
      token->add_subcommand("hash", "Read a token from stdin; print its hash for a line");
  hash->footer("Example:\n  tocsin token hash < ~/.tocsin-token");
  hash->callback([&exit_code] { exit_code = run_hash(); });
}

}  // namespace tocsin
