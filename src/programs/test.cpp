// SPDX-License-Identifier: Apache-2.0
// tocsin test: do rules make the alerts of given events that their tests want?
#include <fmt/format.h>
#include <re2/re2.h>

#include <map>
#include <memory>
#include <vector>

#include "io/rule_test_file.hpp"
#include "programs/commands.hpp"
#include "programs/console.hpp"
#include "programs/test_report.hpp"
#include "programs/test_run.hpp"
#include "tocsin/rule_file.hpp"

namespace tocsin {
namespace {

struct test_options {
  std::vector<std::string> files;
  std::string run;
  bool json = false;
  bool verbose = false;
};

/// A test file with its rules; without rules it cannot run.
struct loaded_tests {
  rule_test_file file;
  std::shared_ptr<const rule_set> rules;
};

/// Reports the names of rules in a test that are no rules: each would fail, and not say why.
class rule_name_check {
 public:
  rule_name_check(const loaded_tests& of, diagnostics& found) : path_(of.file.path), found_(found) {
    for (const rule& each : of.rules->rules()) names_.push_back(each.name);
  }

  void check(const rule_test& test) {
    for (const std::string& name : test.rules) check(name, test.line, 0);
    for (const wanted_moment& moment : test.expect) {
      for (const std::string& name : moment.rules) check(name, moment.line, 0);
      for (const wanted_alert& each : moment.alerts) check(each);
    }
    if (!test.transitions) return;
    for (const wanted_alert& each : *test.transitions) check(each);
  }

 private:
  void check(const wanted_alert& alert) {
    for (const wanted_field& field : alert.fields) {
      if (field.name == "rule" && field.text) check(*field.text, field.line, field.column);
    }
  }

  void check(const std::string& name, int line, int column) {
    // The engine's own rules, which say that a rule has met a limit.
    if (name.starts_with("tocsin-")) return;
    for (const std::string& known : names_) {
      if (known == name) return;
    }
    const auto near = nearest_word(name, names_);
    found_.push_back(
        {diagnostic::grade::error, path_, line, column,
         near.empty() ? fmt::format("no rule is called '{}'", name)
                      : fmt::format("no rule is called '{}' (did you mean '{}'?)", name, near)});
  }

  const std::string& path_;
  diagnostics& found_;
  std::vector<std::string> names_;
};

loaded_tests load(const std::string& path, diagnostics& found) {
  loaded_tests loaded;
  loaded.file = load_rule_tests(path, found);
  if (loaded.file.rules.empty()) return loaded;
  diagnostics of_rules;
  auto specs = load_rules(loaded.file.rules, of_rules);
  loaded.rules = rule_set::compile(std::move(specs), of_rules);
  if (loaded.rules && loaded.rules->rules().empty() && !has_errors(of_rules)) {
    of_rules.push_back({diagnostic::grade::error, path, loaded.file.rules_line, 0,
                        "'rules' names no rule: nothing to test"});
  }
  found.insert(found.end(), of_rules.begin(), of_rules.end());
  if (has_errors(of_rules)) loaded.rules.reset();
  if (!loaded.rules) return loaded;
  rule_name_check names(loaded, found);
  for (const rule_test& each : loaded.file.tests) names.check(each);
  return loaded;
}

/// Runs the tests whose name `chosen_by` finds, and prints each that is to be told. Errors: a
/// pipeline failed.
result<std::vector<test_outcome>> run_all(const std::vector<loaded_tests>& files,
                                          const re2::RE2& chosen_by, const test_options& chosen) {
  std::vector<test_outcome> all;
  for (const loaded_tests& each : files) {
    for (const rule_test& test : each.file.tests) {
      if (!re2::RE2::PartialMatch(test.name, chosen_by)) continue;
      auto failures = run_test(test, each.rules);
      if (!failures) return failures.failure();
      all.push_back({each.file.path, test.line, test.name, std::move(*failures)});
      if (chosen.json || (all.back().passed() && !chosen.verbose)) continue;
      const auto text = describe_outcome(all.back(), colour_on_stdout());
      std::fwrite(text.data(), 1, text.size(), stdout);
    }
  }
  return all;
}

int run_tests(const test_options& chosen) {
  const re2::RE2 chosen_by(chosen.run, re2::RE2::Quiet);
  if (!chosen_by.ok()) {
    say(fmt::format("error: --run: \"{}\" is no regular expression: {}", chosen.run,
                    chosen_by.error()));
    return exit_usage;
  }
  diagnostics found;
  std::vector<loaded_tests> files;
  for (const std::string& path : chosen.files) files.push_back(load(path, found));
  if (!chosen.json) print_diagnostics(found);
  if (has_errors(found)) {
    if (chosen.json) print_line(outcomes_as_json(found, {}));
    return exit_usage;
  }
  const auto outcomes = run_all(files, chosen_by, chosen);
  if (!outcomes) {
    say("error: " + outcomes.failure().message);
    return exit_failure;
  }
  if (outcomes->empty()) {
    say(fmt::format("error: no test to run{}",
                    chosen.run.empty() ? "" : ": --run matches no test's name"));
    return exit_usage;
  }
  print_line(chosen.json ? outcomes_as_json(found, *outcomes) : tally(*outcomes));
  for (const test_outcome& each : *outcomes) {
    if (!each.passed()) return exit_check_failed;
  }
  return exit_ok;
}

}  // namespace

void add_test(CLI::App& tocsin, int& exit_code) {
  auto* const command = tocsin.add_subcommand("test", "Run unit tests of rules");
  const auto chosen = std::make_shared<test_options>();
  command->add_option("files", chosen->files, "Test files")->required()->type_name("FILE...");
  command->add_option("--run", chosen->run, "Only tests whose name this expression finds")
      ->type_name("REGEX");
  command->add_flag("--json", chosen->json, "One line of JSON");
  command->add_flag("-v,--verbose", chosen->verbose, "Name the tests that pass too");
  command->footer(
      "Examples:\n"
      "  tocsin test config/rules/tests/*.yaml\n"
      "  tocsin test rules_test.yaml --run 'three errors'\n"
      "How tests are written: docs/testing-rules.md.\n"
      "Exit codes: 0 all pass, 1 one fails, 2 the tests or their rules cannot be read.");
  command->callback([chosen, &exit_code] { exit_code = run_tests(*chosen); });
}

}  // namespace tocsin
