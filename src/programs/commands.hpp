// SPDX-License-Identifier: Apache-2.0
// The commands of tocsin. Each one adds itself to the command line; its callback sets the exit
// code.
#pragma once

#include <CLI/CLI.hpp>

namespace tocsin {

void add_send(CLI::App& tocsin, int& exit_code);
void add_watch(CLI::App& tocsin, int& exit_code);
void add_check(CLI::App& tocsin, int& exit_code);
void add_test(CLI::App& tocsin, int& exit_code);
void add_replay(CLI::App& tocsin, int& exit_code);
void add_alerts(CLI::App& tocsin, int& exit_code);
/// ack, unack, close, note, assign
void add_operations(CLI::App& tocsin, int& exit_code);
void add_silence(CLI::App& tocsin, int& exit_code);
void add_history(CLI::App& tocsin, int& exit_code);
void add_stats(CLI::App& tocsin, int& exit_code);
void add_explain(CLI::App& tocsin, int& exit_code);
/// incidents, rules
void add_overview(CLI::App& tocsin, int& exit_code);
void add_routes(CLI::App& tocsin, int& exit_code);
void add_advise(CLI::App& tocsin, int& exit_code);
/// log verify, repair, export
void add_event_log(CLI::App& tocsin, int& exit_code);
void add_agent_host(CLI::App& agent, int& exit_code);
void add_agent_tail(CLI::App& agent, int& exit_code);

}  // namespace tocsin
