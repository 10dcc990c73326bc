# SPDX-License-Identifier: Apache-2.0
"""What rules compute and which events they choose, from the rule file to the alert map."""
import statistics
import subprocess
import time
import unittest

import msgpack
from running import BIN, Case, Served

MINUTE = 60_000
# The lateness lets the test choose its own times; `fire: early` lets it not wait for a close.
STATISTICS = """
rules:
- name: latency
  where: item == "latency_ms"
  group_by: [resource_id]
  window: {fixed: 1m}
  baseline: {length: 10m, min_samples: 10}
  lateness: 1h
  fire: early
  select:
    spread: stddev(value)
    median: quantile(value, 0.5)
    greatest: quantile(value, 1)
    users: distinct(labels.user)
    busiest: top(labels.user, 2)
    trend: slope(value)
    change: delta(value)
    score: zscore(value)
    robust: mad_score(value)
    ahead: predict(value, 1m)
    reach: time_to(value, 200)
  having: event_count == 4 && zscore(value) > 3
  severity: warning
  title: "${resource_id}: ${users} users, most from ${busiest}"
"""


class Aggregates(Case):
    def event(self, at, value, **labels):
        return {"resource_id": "api", "item": "latency_ms", "time": at, "value": value,
                "labels": labels}

    def test_one_rule_computes_all_of_them(self):
        self.start(STATISTICS)
        stream, push = self.subscribe(), self.pusher()
        begin = int(time.time() * 1000) // MINUTE * MINUTE - 5 * MINUTE
        past = [98, 99, 100, 101, 102] * 4
        points = [(0, 100), (10, 110), (20, 125), (30, 140)]
        users = ["ann", "bob", "ann", "eve"]
        # In the five minutes before the window: all in its baseline.
        before = [self.event(begin - (number + 1) * MINUTE // 4, value)
                  for number, value in enumerate(past)]
        window = [self.event(begin + 1000 * second, value, user=user)
                  for (second, value), user in zip(points, users)]
        push.send(msgpack.packb(before + window))
        alert = stream.next_alert()
        self.assertEqual((alert["window"]["kind"], alert["window"]["start"], alert["event_count"]),
                         ("fixed", begin, 4))
        # What is a text goes into texts only.
        self.assertEqual(alert["title"], "api: 3 users, most from ann (2), bob (1)")
        seconds, values = zip(*points)
        line = statistics.linear_regression(seconds, values)
        now = line.intercept + line.slope * 30
        centre = statistics.median(past)
        wanted = {
            "spread": statistics.stdev(values), "greatest": 140, "users": 3, "trend": line.slope,
            "change": 40, "score": (140 - statistics.mean(past)) / statistics.stdev(past),
            "robust": 0.6745 * (140 - centre) / statistics.median(abs(x - centre) for x in past),
            "ahead": now + line.slope * 60, "reach": (200 - now) / line.slope,
        }
        seen = dict(alert["values"])
        # The value at rank floor(0.5 * 3), to the sketch's one per cent.
        self.assertLessEqual(abs(seen.pop("median") - 110), 0.01 * 110)
        self.assertEqual(set(seen), set(wanted))
        # A duration counts whole milliseconds.
        for name, value in wanted.items():
            self.assertAlmostEqual(seen[name], value, delta=1e-3 if name == "reach" else 1e-9, msg=name)


MATCHED = """
rules:
- name: terms
  match:
  - [{field: item, op: eq, value: disk}, {field: value, op: gt, value: 95}]
  - [{field: labels.service, op: in, value: [postgres, mysql]}, {field: level, op: le, value: error}]
  group_by: [resource_id]
  window: {fixed: 1000d}
  severity: error
- name: matchers
  match: ['resource_type="jenkins"', 'item=~"cpu.*"', 'env!="test"', 'team!~"a|b"']
  group_by: [resource_id]
  window: {fixed: 1000d}
  severity: error
"""
JENKINS = {"resource_type": "jenkins", "item": "cpu_percent", "labels": {"env": "prod", "team": "c"}}


def labelled(**labels):
    return {**JENKINS, "labels": labels}


# An event and the rule it meets.
CHOICES = [
    ({"item": "disk", "value": 96}, "terms"),
    ({"item": "disk", "value": 95}, None),
    ({"item": "disk"}, None),
    ({"item": "query", "level": 1, "labels": {"service": "mysql"}}, "terms"),
    ({"item": "query", "level": 2, "labels": {"service": "mysql"}}, None),
    ({"item": "query", "level": 0, "labels": {"service": "redis"}}, None),
    (JENKINS, "matchers"),
    ({**JENKINS, "item": "my_cpu"}, None),  # =~ wants the whole text
    ({**JENKINS, "resource_type": "jenkins2"}, None),
    (labelled(env="test", team="c"), None),
    (labelled(team="c"), None),  # nothing is true of what is missing
    (labelled(env="prod", team="a"), None),
    (labelled(env="prod", team="ab"), "matchers"),
]
BROKEN_MATCH = """
rules:
- name: broken
  match:
  - {field: item, op: like, value: disk}
  - 'item=~"cpu("'
  - 'item~"cpu"'
  - {field: vlaue, op: gt, value: 5}
  window: {sliding: 5m}
"""


class Match(Served):
    def test_terms_and_matchers_choose_their_events(self):
        self.start(MATCHED)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([{**event, "resource_id": f"h{number}"}
                                 for number, (event, _) in enumerate(CHOICES)]))
        wanted = {(rule, f"h{number}") for number, (_, rule) in enumerate(CHOICES) if rule}
        seen = {(alert["rule"], alert["resource_id"])
                for alert in (stream.next_alert() for _ in wanted)}
        self.assertEqual(seen, wanted)
        metrics = self.metrics()
        self.assertEqual(metrics["tocsin_alert_transitions_total"], len(wanted))
        self.assertEqual(metrics["tocsin_events_unmatched_total"], len(CHOICES) - len(wanted))

    def test_a_broken_filter_is_refused_with_its_places(self):
        path = self.config(BROKEN_MATCH)
        for more in ((), ("--check",)):
            done = subprocess.run([BIN / "tocsind", "--config", path, *more], capture_output=True,
                                  text=True, timeout=60)
            self.assertEqual(done.returncode, 78, done.stderr)
            for place, named in (("5:23", "like"), ("6:13", "cpu"), ("7:10", '~"cpu"'),
                                ("8:13", "vlaue")):
                self.assertRegex(done.stderr, rf"rules\.yaml:{place}: error: .*{named}")


WATCHED = """
rules:
- name: brief
  where: item == "load"
  group_by: [resource_id]
  window: {fixed: 1s}
  lateness: 0s
  having: max(value) > 5
  severity: error
- name: quiet
  where: item == "nothing"
  window: {fixed: 1s}
"""
OF_A_RULE = {"late_events_total", "rule_keys", "rule_state_bytes", "rule_overflow_events_total",
             "rule_judgements_total", "rule_met_total", "rule_failures_total",
             "rule_budget_exhausted_total"}


class RuleMetrics(Served):
    def of_rule(self, rule):
        ending = f'{{rule="{rule}"}}'
        return {series.removesuffix(ending).removeprefix("tocsin_"): value
                for series, value in self.metrics().items() if series.endswith(ending)}

    def test_each_rule_has_each_series_and_only_its_own_counts(self):
        self.start(WATCHED)
        self.assertEqual(self.of_rule("brief"), dict.fromkeys(OF_A_RULE, 0))
        stream, push = self.subscribe(), self.pusher()
        # Of the future, so that the window is open for certain when it comes.
        now = int(time.time() * 1000)
        load = {"resource_id": "h", "item": "load", "value": 9}
        push.send(msgpack.packb([{**load, "time": now - 3_600_000}, {**load, "time": now + 10_000}]))
        self.assertEqual(stream.next_alert()["event_count"], 1)
        met = self.of_rule("brief")
        self.assertEqual({name: met[name] for name in
                          ("late_events_total", "rule_keys", "rule_met_total",
                           "rule_overflow_events_total", "rule_failures_total",
                           "rule_budget_exhausted_total")},
                         {"late_events_total": 1, "rule_keys": 1, "rule_met_total": 1,
                          "rule_overflow_events_total": 0, "rule_failures_total": 0,
                          "rule_budget_exhausted_total": 0})
        self.assertGreater(met["rule_judgements_total"], 0)
        self.assertGreater(met["rule_state_bytes"], 0)
        self.assertGreaterEqual(self.metrics()["tocsin_window_state_bytes"], met["rule_state_bytes"])
        self.assertEqual(self.of_rule("quiet"), dict.fromkeys(OF_A_RULE, 0))
        # The window closes by the daemon's own clock, and its state is given back.
        self.poll(lambda: self.of_rule("brief")["rule_keys"], lambda keys: keys == 0)


if __name__ == "__main__":
    unittest.main()
