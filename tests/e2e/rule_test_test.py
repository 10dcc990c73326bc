# SPDX-License-Identifier: Apache-2.0
"""tocsin test: tests of rules pass, fail readably, and are refused with places when they are broken."""
import json
import unittest

from running import SOURCE, Case, tocsin

RULES = """
rules:
- name: burst
  where: item == "http" && value >= 500
  group_by: [resource_id]
  window: {sliding: 5m, every: 1m}
  select: {failures: count()}
  having: failures >= 3
  severity: critical
  title: "${resource_id}: ${failures}"
- name: held
  where: item == "load"
  group_by: [resource_id]
  window: {sliding: 1m, every: 10s}
  having: min(value) > 5
  for: 1m
  severity: warning
"""

PASSING = """
rules: [rules.yaml]
tests:
- name: three failures fire
  rules: [burst]
  events:
  - {at: 0s, repeat: {every: 10s, count: 3}, item: http, resource_id: h, value: 500}
  expect:
  - {at: 19s, alerts: []}
  - {at: 20s, alerts: [{rule: burst, group: {resource_id: h}, state: firing, event_count: 3}]}
- name: a condition that is held is pending first
  events:
  - {at: 1s, repeat: {every: 10s}, values: '6x20', item: load, resource_id: h}
  expect:
  - {at: 15s, alerts: [{rule: held, state: pending}]}
  - {at: 1m14s, alerts: [{rule: held, state: pending}]}
  - {at: 1m15s, alerts: [{rule: held, state: firing}]}
  transitions:
  - {at: 15s, rule: held, state: pending}
  - {at: 1m15s, rule: held, state: firing, cause: condition held for 1m}
"""

FAILING = """
rules: [rules.yaml]
tests:
- name: too soon
  events:
  - {at: 0s, repeat: {every: 10s, count: 3}, item: http, resource_id: h, value: 500}
  expect:
  - {at: 10s, alerts: [{rule: burst}]}
  - {at: 20s, alerts: [{rule: burst, severity: warning, values: {failures: 4}}]}
  transitions: []
- name: right
  transitions: []
"""


class RuleTest(Case):
    def run_tests(self, text, *arguments):
        self.write("rules.yaml", RULES)
        return tocsin("test", self.write("tests.yaml", text), *arguments)

    def test_tests_that_pass_are_counted(self):
        done = self.run_tests(PASSING)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "2 tests passed\n", ""))
        named = self.run_tests(PASSING, "--verbose", "--run", "^three")
        self.assertIn("ok  three failures fire", named.stdout)
        self.assertTrue(named.stdout.endswith("1 test passed\n"))

    def test_a_failing_test_says_what_was_wanted_and_what_was_seen(self):
        done = self.run_tests(FAILING)
        self.assertEqual(done.returncode, 1)
        for words in ("tests.yaml:4: FAILED  too soon", "at 10s: the active alerts differ (line 8)",
                      "    - rule: burst\n", "    - rule: burst, severity: warning, values.failures: 4\n"
                      "    + rule: burst, severity: critical, values.failures: 3\n",
                      "        severity: wanted warning, seen critical\n",
                      "        values.failures: wanted 4, seen 3\n",
                      "until 20s: the transitions differ (line 10)", "1 of 2 tests failed"):
            self.assertIn(words, done.stdout)
        self.assertEqual(done.stderr, "")

    def test_json_tells_the_same(self):
        done = self.run_tests(FAILING, "--json")
        self.assertEqual(done.returncode, 1)
        told = json.loads(done.stdout)
        self.assertFalse(told["ok"])
        self.assertEqual((told["passed"], told["failed"]), (1, 1))
        wrong, right = told["tests"]
        self.assertTrue(right["ok"])
        self.assertEqual([each["line"] for each in wrong["failures"]], [8, 9, 10])
        self.assertEqual(wrong["failures"][1]["diff"][1]["differences"][0],
                         {"field": "severity", "wanted": "warning", "seen": "critical"})

    def test_broken_tests_and_rules_are_told_with_places_and_nothing_runs(self):
        done = self.run_tests(PASSING.replace("events:", "evnts:").replace("rule: held", "rule: hled"))
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"tests\.yaml:6:3: error: unknown field 'evnts' \(did you mean 'events'\?\)")
        named = self.run_tests(PASSING.replace("rule: held", "rule: hled"))
        self.assertEqual(named.returncode, 2)
        self.assertRegex(named.stderr, r"tests\.yaml:\d+:\d+: error: no rule is called 'hled' \(did you mean 'held'\?\)")
        told = json.loads(self.run_tests("rules: []\n", "--json").stdout)
        self.assertFalse(told["ok"])
        self.write("bad.yaml", "rules:\n- name: x\n  where: nope ==\n  window: {fixed: 1m}\n")
        bad = self.run_tests(PASSING.replace("rules.yaml", "bad.yaml"))
        self.assertEqual(bad.returncode, 2)
        self.assertRegex(bad.stderr, r"bad\.yaml:3:\d+: error: ")

    def test_nothing_to_run_is_no_success(self):
        done = self.run_tests(PASSING, "--run", "no such name")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--run matches no test's name", done.stderr)
        self.assertEqual(self.run_tests(PASSING, "--run", "(").returncode, 2)

    def test_the_tests_of_the_shipped_rules_pass(self):
        files = sorted((SOURCE / "config" / "rules" / "tests").glob("*.yaml"))
        self.assertEqual({each.name for each in files},
                         {each.name for each in (SOURCE / "config" / "rules").glob("*.yaml")})
        done = tocsin("test", *files)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
