// SPDX-License-Identifier: Apache-2.0
// tocsin routes: the routing tree of a settings file, and where it sends an alert.
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "io/json_line.hpp"
#include "io/settings_file.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/daemon_api.hpp"
#include "tocsin/notify_policy.hpp"

namespace tocsin {
namespace {

using label_set = std::vector<std::pair<std::string, std::string>>;

struct routes_options {
  std::string config;
  std::vector<std::string> labels;
  std::vector<std::string> expect;
  bool json = false;
};

/// What a routing tree is looked at for; null when there is none (said on stderr).
std::shared_ptr<const notify_policy> load_notify(const std::string& config) {
  diagnostics found;
  const auto from = load_settings(config, found);
  print_diagnostics(found);
  if (has_errors(found)) return nullptr;
  if (!from.policy->notify->routed) {
    say(fmt::format("error: {}: notify.route is not there: nobody is notified", config));
    return nullptr;
  }
  return from.policy->notify;
}

/// Nothing when a text is not NAME=VALUE, or a name stands there twice (said on stderr).
std::optional<label_set> read_labels(const std::vector<std::string>& texts) {
  label_set labels;
  for (const std::string& each : texts) {
    const auto equals = each.find('=');
    if (equals == std::string::npos || equals == 0) {
      say(fmt::format("error: '{}' is not LABEL=VALUE", each));
      return std::nullopt;
    }
    labels.emplace_back(each.substr(0, equals), each.substr(equals + 1));
  }
  std::sort(labels.begin(), labels.end());
  const auto twice =
      std::adjacent_find(labels.begin(), labels.end(),
                         [](const auto& one, const auto& next) { return one.first == next.first; });
  if (twice == labels.end()) return labels;
  say(fmt::format("error: the label {} stands there twice", twice->first));
  return std::nullopt;
}

/// The labels of an alert by which a route groups it.
label_set group_of(const notify_route& route, const label_set& labels) {
  label_set group;
  for (const auto& label : labels) {
    const auto& by = route.group_by;
    const bool groups =
        route.group_by_all || std::find(by.begin(), by.end(), label.first) != by.end();
    if (groups && !label.second.empty()) group.push_back(label);
  }
  return group;
}

std::string matchers_text(const notify_route& route) {
  std::string text;
  for (const label_matcher& each : route.matchers) text += (text.empty() ? "" : ", ") + each.text();
  return text;
}

std::string words_text(const std::vector<std::string>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

void write_words(json_line& to, std::string_view name, const std::vector<std::string>& words) {
  to.key(name).begin_list();
  for (const std::string& each : words) to.text(each);
  to.end_list();
}

void write_route(json_line& to, const notify_route& route) {
  to.key("route").text(route.key).key("receiver").text(route.receiver);
  to.key("group_wait").text(format_duration(route.group_wait));
  to.key("group_interval").text(format_duration(route.group_interval));
  to.key("repeat_interval").text(format_duration(route.repeat_interval));
  write_words(to, "mute_time_intervals", route.mute_time_intervals);
  write_words(to, "active_time_intervals", route.active_time_intervals);
}

bool print_taken_json(const std::vector<const notify_route*>& taken, const label_set& labels) {
  json_line line;
  line.begin_list();
  for (const notify_route* route : taken) {
    line.begin_object();
    write_route(line, *route);
    line.key("group").begin_object();
    for (const auto& [name, value] : group_of(*route, labels)) line.key(name).text(value);
    line.end_object().end_object();
  }
  return print_line(line.end_list().line());
}

bool print_taken(const std::vector<const notify_route*>& taken, const label_set& labels) {
  text_table table({"RECEIVER", "GROUP", "WAIT", "INTERVAL", "REPEAT", "ROUTE"});
  for (const notify_route* route : taken) {
    std::string group;
    for (const auto& [name, value] : group_of(*route, labels)) {
      group += fmt::format("{}{}={}", group.empty() ? "" : ", ", name, value);
    }
    table.add({route->receiver, "{" + group + "}", format_duration(route->group_wait),
               format_duration(route->group_interval), format_duration(route->repeat_interval),
               route->key});
  }
  return table.print(colour_on_stdout());
}

int run_test_routes(const routes_options& chosen) {
  const auto labels = read_labels(chosen.labels);
  if (!labels) return exit_usage;
  const auto notify = load_notify(chosen.config);
  if (!notify) return exit_check_failed;
  const auto taken = routes_of(notify->root, *labels);
  if (!(chosen.json ? print_taken_json(taken, *labels) : print_taken(taken, *labels))) {
    return exit_check_failed;
  }
  if (chosen.expect.empty()) return exit_ok;
  std::vector<std::string> receivers;
  for (const notify_route* route : taken) receivers.push_back(route->receiver);
  if (receivers == chosen.expect) return exit_ok;
  say(fmt::format("error: seen {}, wanted {}", words_text(receivers), words_text(chosen.expect)));
  return exit_check_failed;
}

void write_tree(json_line& to, const notify_route& route) {
  to.begin_object();
  write_route(to, route);
  to.key("matchers").begin_list();
  for (const label_matcher& each : route.matchers) to.text(each.text());
  to.end_list();
  write_words(to, "group_by",
              route.group_by_all ? std::vector<std::string>{"..."} : route.group_by);
  to.key("continue").flag(route.continue_matching).key("routes").begin_list();
  for (const notify_route& each : route.routes) write_tree(to, each);
  to.end_list().end_object();
}

/// A node of the tree on one line, with what it inherits.
std::string node_line(const notify_route& route, std::size_t depth) {
  auto text =
      fmt::format("{}{} -> {}", std::string(2 * depth, ' '),
                  depth == 0 ? "every alert" : "{" + matchers_text(route) + "}", route.receiver);
  if (route.continue_matching) text += ", continue";
  text += fmt::format("  (by {}; wait {}, interval {}, repeat {})",
                      route.group_by_all       ? "all labels"
                      : route.group_by.empty() ? "nothing"
                                               : words_text(route.group_by),
                      format_duration(route.group_wait), format_duration(route.group_interval),
                      format_duration(route.repeat_interval));
  if (!route.mute_time_intervals.empty()) {
    text += "  muted in " + words_text(route.mute_time_intervals);
  }
  if (!route.active_time_intervals.empty()) {
    text += "  active in " + words_text(route.active_time_intervals);
  }
  return text;
}

bool print_tree(const notify_route& route, std::size_t depth) {
  return print_line(node_line(route, depth)) &&
         std::all_of(route.routes.begin(), route.routes.end(),
                     [depth](const notify_route& each) { return print_tree(each, depth + 1); });
}

int run_show_routes(const routes_options& chosen) {
  const auto notify = load_notify(chosen.config);
  if (!notify) return exit_check_failed;
  if (!chosen.json) return print_tree(notify->root, 0) ? exit_ok : exit_check_failed;
  json_line line;
  write_tree(line, notify->root);
  return print_line(line.line()) ? exit_ok : exit_check_failed;
}

}  // namespace

void add_routes(CLI::App& tocsin, int& exit_code) {
  auto* const routes =
      tocsin.add_subcommand("routes", "Show who is told of which alerts, by a settings file");
  routes->require_subcommand(1);
  const auto chosen = std::make_shared<routes_options>();
  const auto add_config = [&](CLI::App& command) {
    command.add_option("--config", chosen->config, "The settings file")
        ->required()
        ->type_name("FILE");
    command.add_flag("--json", chosen->json, "Print JSON");
  };
  auto* const show = routes->add_subcommand("show", "Print the routing tree");
  add_config(*show);
  show->footer("Example:\n  tocsin routes show --config /etc/tocsin/tocsin.yaml");
  show->callback([chosen, &exit_code] { exit_code = run_show_routes(*chosen); });

  auto* const test =
      routes->add_subcommand("test", "Print the routes that an alert with these labels takes");
  test->add_option("label", chosen->labels, "LABEL=VALUE")->required();
  test->add_option("--expect", chosen->expect,
                   "Exit code 1 unless the receivers are these, in this order");
  add_config(*test);
  test->footer(
      "Examples:\n"
      "  tocsin routes test --config tocsin.yaml alertname=disk-full severity=critical\n"
      "  tocsin routes test --config tocsin.yaml team=web --expect web-chat\n"
      "Labels of alerts: see docs/configuration.md.");
  test->callback([chosen, &exit_code] { exit_code = run_test_routes(*chosen); });
}

}  // namespace tocsin
