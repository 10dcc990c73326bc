# SPDX-License-Identifier: Apache-2.0
"""The commands about alerts, as an operator types them: tables, JSON, exit codes, advice."""
import json
import unittest

import msgpack
from operators_test import Operated
from running import THREE_ERRORS, Case, tocsin

NOBODY = "127.0.0.1:1"

NOTIFY = """
notify:
  route:
    receiver: everyone
    group_by: [alertname]
    routes:
      - matchers: ['severity="critical"']
        receiver: pager
        group_by: [resource_id]
        group_wait: 10s
        continue: true
        mute_time_intervals: [nights]
      - matchers: ['team=~"web|shop"']
        receiver: web
  receivers: [{name: everyone}, {name: pager}, {name: web}]
  time_intervals:
    - name: nights
      time_intervals: [{times: [{start_time: '22:00', end_time: '24:00'}]}]
"""

INCIDENTS = """
incidents:
  - {name: many-errors, matchers: ['alertname="errors"'], within: 10m, min_alerts: 2}
"""


class Looking(Operated):
    def test_history_goes_on_where_the_page_before_ended(self):
        self.start()
        stream = self.subscribe()
        ids = [self.fire(host, stream)["alert_id"] for host in ("db1", "web1", "web2")]
        self.command("close", ids[0], "--by", "ann", "--note", "swapped the controller")
        first = self.command("history", "--limit", "2")
        self.assertIn(ids[2], first.stdout)
        self.assertIn("web1: 3 errors", first.stdout)
        self.assertNotIn(ids[0], first.stdout)
        token = first.stderr.strip().split("--after ")[1].strip("'")
        rest = self.command("history", "--limit", "2", "--after", token)
        self.assertIn(ids[0], rest.stdout)
        self.assertIn("closed", rest.stdout)
        self.assertEqual(rest.stderr, "")

        def found(*arguments):
            page = json.loads(self.command("history", "--json", *arguments).stdout)
            return [each["resource_id"] for each in page["alerts"]]

        self.assertEqual(found(), ["web2", "web1", "db1"])
        self.assertEqual(found("--text", "controller"), ["db1"])
        self.assertEqual(found("--state", "firing", 'resource_id!="web2"'), ["web1"])
        self.assertEqual(found("--rule", "other"), [])
        self.assertEqual(found("--severity", "critical", "--unacknowledged", "--until",
                               "2020-01-01T00:00:00Z"), [])
        self.assertIn("no such alerts", self.command("history", "--severity", "info").stderr)

    def test_statistics_have_totals_rules_and_every_day(self):
        self.start()
        self.command("ack", self.fire("db1")["alert_id"], "--by", "ann")
        self.command("close", self.fire("db2")["alert_id"], "--by", "ann")
        shown = self.command("stats", "--days", "3").stdout
        self.assertRegex(shown, r"(?m)^alerts +2$")
        self.assertRegex(shown, r"(?m)^still active +1$")
        self.assertRegex(shown, r"(?m)^acknowledged +1 \(50%\)$")
        self.assertRegex(shown, r"(?m)^errors +2 +1 \(50%\) +0 \(0%\)")
        days = [line.split() for line in shown.splitlines() if line.startswith("20")][1:]
        self.assertEqual([each[1:] for each in days],
                         [["0", "0", "0", "0"], ["0", "0", "0", "0"], ["2", "0", "0", "0"]])
        told = json.loads(self.command("stats", "--json").stdout)
        self.assertEqual((told["total"], len(told["days"])), (2, 7))

    def test_an_alert_is_explained_on_one_page(self):
        self.start(extra=NOTIFY)
        alert = self.fire("db1")["alert_id"]
        self.command("ack", alert, "--by", "ann", "--note", "disk ordered")
        self.command("silence", "add", 'alertname="errors"', "-c", "known fault", "--by", "bob")
        shown = self.command("explain", alert).stdout
        for words in ("db1: 3 errors", "rule        errors, revision", "state       acknowledged by ann at ",
                      "condition   failures >= 3", "numbers     3 >= 3", "values      failures=3",
                      "window      fixed, ", "events      3, ", "edb1-0, edb1-1, edb1-2",
                      "silenced by ", "bob: known fault", "receivers   pager",
                      "group {resource_id=db1}, wait 10s", "disk ordered"):
            self.assertIn(words, shown)
        table = shown.split("What happened\n")[1].splitlines()
        self.assertEqual([line.split()[2] for line in table[1:]],
                         ["firing", "acknowledged", "acknowledged"])
        self.assertIn("condition met", table[1])
        self.assertIn("silenced", table[3])
        told = json.loads(self.command("explain", alert, "--json").stdout)
        self.assertEqual(told["alert"]["alert_id"], alert)
        self.assertIn("no alert has the id", self.command("explain", "0" * 32, code=1).stderr)

    def test_incidents_and_rules_are_listed(self):
        self.start(extra=INCIDENTS)
        self.assertIn("no open incidents", self.command("incidents").stderr)
        first, second = self.fire("db1")["alert_id"], self.fire("db2")["alert_id"]
        shown = self.command("incidents", "--members").stdout
        self.assertIn("many-errors", shown)
        self.assertIn("2 active, 0 ended", shown)
        for each in (first, second):
            self.assertIn("  " + each, shown)
        self.assertNotIn(first, self.command("incidents").stdout)
        told = json.loads(self.command("incidents", "--json").stdout)
        self.assertEqual({each["alert_id"] for each in told[0]["members"]}, {first, second})
        rules = self.command("rules").stdout
        self.assertRegex(rules, r"(?m)^errors +fixed 1000d +0s +critical +0 +2 +0 .*failures >= 3$")
        self.assertEqual(json.loads(self.command("rules", "--json").stdout)[0]["name"], "errors")

    def test_exit_codes_tell_refusals_misuse_and_absence_apart(self):
        self.start()
        self.command("history", "--after", "nonsense", code=1)
        self.command("history", "not a matcher", code=1)
        self.command("history", "--state", "lost", code=2)
        self.command("stats", "--days", "2", "--from", "2026-01-01T00:00:00Z", code=2)
        self.command("explain", "short", code=1)
        self.command("explain", code=2)
        for command in (["history"], ["stats"], ["explain", "0" * 32], ["incidents"], ["rules"],
                        ["advise"]):
            done = tocsin(*command, "--http", NOBODY)
            self.assertEqual(done.returncode, 3, (command, done))
            self.assertIn("Is tocsind running", done.stderr)


class Routes(Case):
    def settings(self, notify=NOTIFY):
        return self.config(THREE_ERRORS, notify)

    def routes(self, *arguments, code=0, notify=NOTIFY):
        done = tocsin("routes", *arguments, "--config", self.settings(notify))
        self.assertEqual(done.returncode, code, done)
        return done

    def test_the_tree_is_shown_with_what_it_inherits(self):
        lines = self.routes("show").stdout.splitlines()
        self.assertEqual(len(lines), 3)
        self.assertIn("every alert -> everyone  (by alertname; wait 30s", lines[0])
        self.assertIn('  {severity="critical"} -> pager, continue  (by resource_id; wait 10s, '
                      'interval 5m, repeat 4h)  muted in nights', lines[1])
        self.assertIn('{team=~"web|shop"} -> web  (by alertname', lines[2])
        told = json.loads(self.routes("show", "--json").stdout)
        self.assertEqual([each["receiver"] for each in told["routes"]], ["pager", "web"])
        self.assertTrue(told["routes"][0]["continue"])

    def test_labels_take_the_routes_that_an_alert_would(self):
        labels = ("severity=critical", "team=web", "alertname=disk", "resource_id=db1")
        taken = json.loads(self.routes("test", *labels, "--json").stdout)
        self.assertEqual([(each["receiver"], each["group"]) for each in taken],
                         [("pager", {"resource_id": "db1"}), ("web", {"alertname": "disk"})])
        shown = self.routes("test", *labels).stdout
        self.assertRegex(shown, r"pager +\{resource_id=db1\} +10s")
        self.routes("test", "team=none", "--expect", "everyone")
        wrong = self.routes("test", "team=web", "--expect", "pager", code=1)
        self.assertIn("seen web, wanted pager", wrong.stderr)

    def test_wrong_labels_and_settings_without_routes_are_told(self):
        self.assertIn("'web' is not LABEL=VALUE", self.routes("test", "web", code=2).stderr)
        self.assertIn("twice", self.routes("test", "a=1", "a=2", code=2).stderr)
        self.assertIn("notify.route", self.routes("show", code=1, notify="").stderr)
        self.assertEqual(tocsin("routes", "show").returncode, 2)


BEGIN = 1_760_000_000_000
SECOND, MINUTE = 1000, 60_000

CPU = """
rules:
- name: cpu-busy
  where: item == "cpu"
  group_by: [resource_id]
  window: {sliding: 1m, every: 10s}
  having: max(value) > 80
  severity: warning
- name: quiet
  where: item == "never"
  window: {sliding: 5m}
"""


def busy_hosts():
    """Four hours of CPU: 16 spikes to 84 and above, and 3 times half an hour at 97."""
    events = []
    for host in range(4):
        for tick in range(4 * 60 * 3):
            at = tick * 20 * SECOND
            value = 20
            if tick % 180 == 45 * host:
                value = 84 + tick // 180
            if host < 3 and 300 + 100 * host <= tick < 390 + 100 * host:
                value = 97
            events.append({"item": "cpu", "resource_id": f"h{host}", "value": value,
                           "time": BEGIN + at})
    return sorted(events, key=lambda each: each["time"])


class Advice(Operated):
    def recording(self, events):
        return self.write("events.jsonl", "".join(json.dumps(each) + "\n" for each in events))

    def advise(self, *arguments, code=0):
        done = tocsin("advise", *arguments)
        self.assertEqual(done.returncode, code, done)
        return done

    def test_a_threshold_that_is_too_low_is_found_in_recorded_events(self):
        rules, events = self.write("rules.yaml", CPU), self.recording(busy_hosts())
        arguments = ("--offline", "--rules", rules, "--events", events)
        told = json.loads(self.advise(*arguments, "--json").stdout)
        self.assertIsNone(told["statistics"])
        quiet = next(each for each in told["trials"] if each["rule"] == "quiet")
        self.assertIn("0 alerts", quiet["obstacle"])
        found = next(each for each in told["trials"] if each["rule"] == "cpu-busy")
        self.assertEqual(found["trouble"], 3)
        self.assertGreater(found["noise"], 9)
        proposed = [each for each in found["changes"] if each["proposed"]]
        self.assertEqual(len(proposed), 1, found)
        best = proposed[0]
        self.assertEqual((best["kind"], best["field"]), ("threshold", "having"))
        threshold = float(best["after"].removeprefix("max(value) > "))
        self.assertTrue(87 <= threshold < 97, best)
        self.assertEqual((best["alerts_before"], best["alerts_after"]), (found["alerts"], 3))
        self.assertEqual((best["noise_gone"], best["trouble_lost"], best["delay_max_ms"]),
                         (found["noise"], 0, 0))
        # `for` works as well, but is later; a threshold that nothing reaches loses all.
        by_after = {each["after"]: each for each in found["changes"]}
        self.assertEqual(by_after["5m"]["noise_gone"], found["noise"])
        self.assertGreater(by_after["5m"]["delay_max_ms"], 4 * MINUTE)
        self.assertEqual(by_after["max(value) > 100"]["trouble_lost"], 3)

        shown = self.advise(*arguments, "--rule", "cpu-busy").stdout
        self.assertIn(f"proposal: having: {best['after']}  (now max(value) > 80)", shown)
        self.assertRegex(shown, r"(?m)^\* +having: max\(value\) > \d+ ")
        self.assertNotIn("quiet", shown)
        self.assertEqual(rules.read_text(), CPU)

        # The proposal does what it says.
        new = self.write("new.yaml", CPU.replace("max(value) > 80", best["after"]))
        replayed = tocsin("replay", "--rules", new, "--events", events, "--json")
        states = [json.loads(line)["state"] for line in replayed.stdout.splitlines()]
        self.assertEqual(states.count("firing"), 3)

    def test_what_was_acknowledged_is_no_noise_and_the_daemon_counts_false_alarms(self):
        self.start()
        alert = self.fire("host1")
        self.command("ack", alert["alert_id"], "--by", "ann")
        events = []
        for number in range(6):
            host = {"source_id": "test", "resource_id": f"host{number}", "item": "disk"}
            at = alert["started_at"]
            events += [{**host, "level": 1, "time": at, "event_id": f"{number}-{n}"} for n in range(3)]
            events.append({**host, "level": 3, "action": "resolved", "event_id": f"{number}-end",
                           "time": at + (20 if number == 5 else 2) * SECOND})
        events.sort(key=lambda each: each["time"])
        arguments = ("--rules", self.folder / "rules.yaml", "--events", self.recording(events),
                     "--json")
        alone = json.loads(self.advise("--offline", *arguments).stdout)["trials"][0]
        self.assertEqual((alone["noise"], alone["trouble"], alone["noise_max_ms"]), (5, 1, 2000))
        told = json.loads(self.command("advise", *arguments).stdout)
        self.assertEqual((told["trials"][0]["noise"], told["trials"][0]["trouble"]), (4, 2))
        self.assertEqual([(each["rule"], each["alerts"], each["self_resolved"])
                          for each in told["statistics"]], [("errors", 1, 0)])
        all_noise = json.loads(self.advise("--offline", *arguments, "--noise", "1m").stdout)
        self.assertIn("nothing tells noise from trouble", all_noise["trials"][0]["obstacle"])

        pusher = self.pusher()
        self.fire("host2")
        pusher.send(msgpack.packb({"source_id": "test", "resource_id": "host2", "item": "disk",
                                   "level": 3, "action": "resolved", "event_id": "end"}))
        self.poll(lambda: self.get("/api/tocsin/v1/history?state=resolved")["alerts"], len)
        self.assertRegex(self.command("advise", "--days", "1").stdout,
                         r"(?m)^errors +2 +2\.0 +1 \(50%\)")
        self.assertIn("no alerts in 30 days", self.command("advise", "--rule", "other").stderr)

    def test_options_that_do_not_fit_are_usage_errors(self):
        rules, events = self.write("rules.yaml", CPU), self.recording([])
        for arguments, words in (
                (("--offline",), "--offline needs --events"),
                (("--rules", rules), "need --events"),
                (("--offline", "--events", events), "needs --config or --rules"),
                (("--offline", "--rules", rules, "--events", "-"), "read twice"),
                (("--offline", "--rules", rules, "--events", events, "--noise", "soon"), "'soon'")):
            self.assertIn(words, self.advise(*arguments, code=2).stderr)
        missing = self.advise("--offline", "--rules", rules, "--events", "/nowhere.jsonl", code=1)
        self.assertIn("nowhere", missing.stderr)
        none = self.advise("--offline", "--rules", rules, "--events", events, "--rule", "x", code=1)
        self.assertIn("no rule 'x'", none.stderr)


if __name__ == "__main__":
    unittest.main()
