// SPDX-License-Identifier: Apache-2.0
// tocsin, the command line: one command a file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <exception>

#include "programs/commands.hpp"
#include "programs/console.hpp"

int main(int argc, char** argv) {
  CLI::App app{
      "Sends events, watches and operates alerts, checks, tests, replays and advises rules.",
      "tocsin"};
  app.set_version_flag("--version", "tocsin " TOCSIN_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit codes: 0 ok, 1 a check failed or data was wrong, 2 usage, 3 daemon unreachable, "
      "70 failure.\nEach command has its own --help with examples.");
  int code = tocsin::exit_ok;
  tocsin::add_send(app, code);
  tocsin::add_watch(app, code);
  tocsin::add_check(app, code);
  tocsin::add_test(app, code);
  tocsin::add_replay(app, code);
  tocsin::add_alerts(app, code);
  tocsin::add_operations(app, code);
  tocsin::add_silence(app, code);
  tocsin::add_history(app, code);
  tocsin::add_stats(app, code);
  tocsin::add_explain(app, code);
  tocsin::add_overview(app, code);
  tocsin::add_routes(app, code);
  tocsin::add_advise(app, code);
  tocsin::add_event_log(app, code);
  auto* const agent = app.add_subcommand("agent", "Observe this machine and send what is seen");
  agent->require_subcommand(1);
  tocsin::add_agent_host(*agent, code);
  tocsin::add_agent_tail(*agent, code);
  try {
    const int parsed = tocsin::parse_command_line(app, argc, argv);
    return parsed == tocsin::exit_ok ? code : parsed;
  } catch (const std::exception& failure) {
    tocsin::say(fmt::format("tocsin: {}", failure.what()));
    return tocsin::exit_failure;
  }
}
