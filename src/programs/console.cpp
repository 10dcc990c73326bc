// SPDX-License-Identifier: Apache-2.0
// Output to terminals and pipes.
#include "programs/console.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>

namespace tocsin {

int parse_command_line(CLI::App& app, int argc, char** argv) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& stop) {
    // CLI11 also throws for --help and --version, with code 0.
    return app.exit(stop) == 0 ? exit_ok : exit_usage;
  }
  return exit_ok;
}

void say(std::string_view line) {
  const auto text = fmt::format("{}\n", line);
  std::fwrite(text.data(), 1, text.size(), stderr);
}

bool print_line(std::string_view line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
  return std::ferror(stdout) == 0;
}

void print_diagnostics(const diagnostics& found) {
  for (const auto& each : found) say(each.text());
}

bool colour_on_stdout() {
  return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr;
}

bool is_terminal_stderr() {
  return ::isatty(STDERR_FILENO) == 1;
}

std::string painted(std::string_view text, colour as, bool on) {
  static constexpr std::array<std::string_view, 6> codes{"", "31", "33", "32", "90", "1"};
  if (!on || as == colour::plain) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", codes[static_cast<std::size_t>(as)], text);
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "localhost";
  return name.data();
}

int report_connect_failure(const error& failure, std::string_view setting) {
  say(fmt::format("error: {}", failure.message));
  if (failure.code == "bad_endpoint") return exit_usage;
  say(
      fmt::format("Is tocsind running, and is this its `{}` endpoint? Another one is given on "
                  "the command line (see --help).",
                  setting));
  return exit_unreachable;
}

}  // namespace tocsin
