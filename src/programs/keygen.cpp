// SPDX-License-Identifier: Apache-2.0
// tocsin keygen: makes a CURVE key, and tells the public part of one.
#include <fmt/format.h>

#include <memory>

#include "io/curve_access.hpp"
#include "io/curve_keys.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"

namespace tocsin {
namespace {

struct keygen_options {
  std::string output = "tocsin.key";
  std::string name = host_name();
  std::string public_of;
};

int run_keygen(const keygen_options& chosen) {
  if (!is_curve_name(chosen.name)) {
    say(fmt::format("--name: seen \"{}\", wanted 1 to {} of A-Z a-z 0-9 _ . : @ / -", chosen.name,
                    curve_name_bytes_max));
    return exit_usage;
  }
  if (!chosen.public_of.empty()) {
    const auto pair = read_secret_file(chosen.public_of);
    if (!pair) {
      say("error: " + pair.failure().message);
      return exit_check_failed;
    }
    print_line(fmt::format("{} {}", pair->public_key, chosen.name));
    return exit_ok;
  }
  const auto pair = make_curve_pair();
  if (const auto failure = write_secret_file(chosen.output, pair)) {
    say("error: " + failure->message);
    return exit_check_failed;
  }
  say(fmt::format("{}: the secret key, readable for you alone; the line for an allow list is:",
                  chosen.output));
  print_line(fmt::format("{} {}", pair.public_key, chosen.name));
  return exit_ok;
}

}  // namespace

void add_keygen(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("keygen", "Make a key for encrypted sockets (CURVE)");
  const auto chosen = std::make_shared<keygen_options>();
  auto* const output = command->add_option("-o,--output", chosen->output,
                                           "The secret key's file; one that exists is not touched");
  output->type_name("FILE")->capture_default_str();
  command->add_option("--name", chosen->name, "Whose key it is, for the list; default: the host");
  command
      ->add_option("--public-of", chosen->public_of,
                   "Make none: print the public key of this secret key's file")
      ->type_name("FILE")
      ->excludes(output);
  command->footer(
      "Examples:\n"
      "  tocsin keygen -o /etc/tocsin/server.key\n"
      "  tocsin keygen -o agent.key --name web-1 >> agents.allow\n"
      "  tocsin keygen --public-of /etc/tocsin/server.key\n"
      "Stdout has the public key and the name, as allow lists want them (docs/security.md).");
  command->callback([chosen, &exit_code] { exit_code = run_keygen(*chosen); });
}

}  // namespace tocsin
