// SPDX-License-Identifier: Apache-2.0
// What all commands share towards the person who calls them: exit codes, notices, colour.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <string_view>

#include "tocsin/result.hpp"

namespace tocsin {

/// docs/commands.md, "Exit codes".
inline constexpr int exit_ok = 0;
inline constexpr int exit_check_failed = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_unreachable = 3;
inline constexpr int exit_failure = 70;       ///< EX_SOFTWARE
inline constexpr int exit_bad_settings = 78;  ///< EX_CONFIG

/// Parses the command line and runs the chosen command's callback. Returns 0, or 2 when the command
/// line is wrong (said on stderr).
[[nodiscard]] int parse_command_line(CLI::App& app, int argc, char** argv);

/// One line on stderr: notices never mix with data.
void say(std::string_view line);
/// One line on stdout. False when stdout takes no more (a closed pipe, a full disk).
bool print_line(std::string_view line);
/// Prints all findings of a load on stderr.
void print_diagnostics(const diagnostics& found);

/// True when the stream is a terminal and NO_COLOR is not set.
[[nodiscard]] bool colour_on_stdout();
[[nodiscard]] bool is_terminal_stderr();

enum class colour { plain, red, yellow, green, grey, bold };
/// `text` in a colour when `on`.
[[nodiscard]] std::string painted(std::string_view text, colour as, bool on);

[[nodiscard]] std::string host_name();

/// Tells an unreachable daemon from a wrong endpoint: says what to do and gives the exit code.
[[nodiscard]] int report_connect_failure(const error& failure, std::string_view setting);

}  // namespace tocsin
