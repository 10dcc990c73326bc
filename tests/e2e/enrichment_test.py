# SPDX-License-Identifier: Apache-2.0
"""Enrichment as users see it: rules group by looked-up owners, tables follow their files, check and replay agree."""
import json
import os
import subprocess
import time
import unittest
import urllib.request

import msgpack
from running import BIN, PATIENCE, Case, error_event, samples, tocsin

BY_OWNER = """
rules:
- name: owned
  where: level <= 1 && has(labels.owner)
  group_by: [labels.owner]
  window: {fixed: 1000d}
  having: count() >= 1
  title: "${labels.owner}: ${labels.place}"
"""
STEPS = """
enrich:
- extract: {field: description, pattern: 'rack (?P<rack>\\d+)'}
- lookup: {file: hosts.csv, on: resource_id, key: host, labels: {person: owner}}
- set: {place: "${resource_id}/${labels.rack}"}
  where: has(labels.rack)
- drop: [rack]
"""
ANN = "person,host\nann,web-1\nann,web-2\n"
BOB = 'person,host\n"bob, the second",web-1\n'
BROKEN = "person,host\nbob\n"
LOADS = 'tocsin_lookup_loads_total{step="2-lookup",file="hosts.csv",outcome="%s"}'


class Steps(Case):
    """Settings with enrichment and its table."""

    def table(self, text):
        self.write("hosts.new", text)
        os.replace(self.folder / "hosts.new", self.folder / "hosts.csv")


class Daemon(Steps):
    def config(self, rules=BY_OWNER, extra=STEPS):
        file = super().config(rules, extra)
        file.write_text(file.read_text().replace('listen: ""', 'listen: "127.0.0.1:0"'))
        return file

    def start(self):
        self.table(ANN)
        daemon = super().start(BY_OWNER, STEPS)
        self.address = daemon.wait_for("stderr", r"serving on (http://\S+)")[1]
        return daemon

    def metrics(self):
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=PATIENCE) as answer:
            return samples(answer.read().decode())

    def wait_for_metric(self, name, value):
        """The metrics, as soon as one of them has that value."""
        until = time.monotonic() + PATIENCE
        while (now := self.metrics()).get(name) != value:
            self.assertLess(time.monotonic(), until, f"{name} is {now.get(name)}, not {value}")
        return now

    def test_alerts_are_grouped_by_the_owner_that_the_table_names(self):
        self.start()
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([error_event(1, "web-1", description="disk in rack 12"),
                                 error_event(2, "web-2"), error_event(3, "nobodys")]))
        fired = stream.next_alert()
        self.assertEqual(fired["title"], "ann: web-1/12")
        now = self.metrics()
        wanted = {
            'tocsin_enrich_events_total{step="1-extract",outcome="matched"}': 1,
            'tocsin_enrich_events_total{step="1-extract",outcome="unmatched"}': 2,
            'tocsin_enrich_events_total{step="2-lookup",outcome="matched"}': 2,
            'tocsin_enrich_events_total{step="2-lookup",outcome="unmatched"}': 1,
            'tocsin_enrich_events_total{step="3-set",outcome="skipped"}': 2,
            'tocsin_enrich_events_total{step="4-drop",outcome="matched"}': 1,
            'tocsin_enrich_labels_left_out_total{step="4-drop"}': 0,
            'tocsin_lookup_rows{step="2-lookup",file="hosts.csv"}': 2,
            'tocsin_lookup_stale{step="2-lookup",file="hosts.csv"}': 0,
            LOADS % "loaded": 1,
            LOADS % "failed": 0,
            "tocsin_events_unmatched_total": 1,
            "tocsin_alerts_active": 1,
        }
        self.assertEqual({name: now.get(name) for name in wanted}, wanted)

    def test_a_changed_table_serves_the_events_after_it(self):
        daemon = self.start()
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb(error_event(1, "web-1")))
        self.assertEqual(stream.next_alert()["title"], "ann: ")
        self.table(BOB)
        now = self.wait_for_metric(LOADS % "loaded", 2)
        self.assertEqual(now['tocsin_lookup_rows{step="2-lookup",file="hosts.csv"}'], 1)
        push.send(msgpack.packb(error_event(2, "web-1")))
        self.assertEqual(stream.next_alert()["title"], "bob, the second: ")
        daemon.wait_for("stderr", "2-lookup: hosts.csv was loaded anew: 1 rows")
        self.assertEqual(self.counts_at_stop(daemon)[0]["accepted"], 2)

    def test_a_broken_table_leaves_the_one_of_before(self):
        daemon = self.start()
        stream, push = self.subscribe(), self.pusher()
        self.table(BROKEN)
        now = self.wait_for_metric(LOADS % "failed", 1)
        self.assertEqual(now['tocsin_lookup_stale{step="2-lookup",file="hosts.csv"}'], 1)
        self.assertEqual(now[LOADS % "loaded"], 1)
        daemon.wait_for("stderr", r"the table of before with 2 rows is kept: .*hosts\.csv:2: error: "
                                  r"a row of 1 fields")
        push.send(msgpack.packb(error_event(1, "web-1")))
        self.assertEqual(stream.next_alert()["title"], "ann: ")
        self.table(BOB)
        now = self.wait_for_metric(LOADS % "loaded", 2)
        self.assertEqual(now['tocsin_lookup_stale{step="2-lookup",file="hosts.csv"}'], 0)
        self.assertEqual(now[LOADS % "failed"], 1)


class Commands(Steps):
    def test_a_broken_start_exits_78_with_all_errors(self):
        self.table(BROKEN)
        path = self.config(BY_OWNER, STEPS.replace("field: description", "field: descripton"))
        done = subprocess.run([str(BIN / "tocsind"), "--config", str(path), "--check"],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, r"tocsin\.yaml:\d+:\d+: error: extract: field: unknown field "
                                      r"'descripton' \(did you mean 'description'\?\)")
        path = self.config(BY_OWNER, STEPS)
        done = subprocess.run([str(BIN / "tocsind"), "--config", str(path), "--check"],
                              capture_output=True, text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 78)
        self.assertRegex(done.stderr, r"hosts\.csv:2: error: a row of 1 fields")
        self.assertEqual(tocsin("check", "--config", path).returncode, 1)

    def test_check_shows_the_labels_after_each_step(self):
        self.table(ANN)
        path = self.config(BY_OWNER, STEPS)
        event = json.dumps({"resource_id": "web-1", "level": 0, "description": "in rack 7",
                            "labels": {"owner": "old"}})
        shown = tocsin("check", "--config", path, "--event", event)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        self.assertIn("  1-extract  matched\n"
                      '    + rack = "7"\n'
                      "  2-lookup   matched\n"
                      '    ~ owner = "ann" (was "old")\n'
                      "  3-set      matched\n"
                      '    + place = "web-1/7"\n'
                      "  4-drop     matched\n"
                      '    - rack (was "7")\n', shown.stdout)
        self.assertIn('labels.owner="ann"', shown.stdout)
        tried = json.loads(tocsin("check", "--config", path, "--json", "--event", event).stdout)
        self.assertEqual(tried["enrich"][1], {
            "step": "2-lookup", "outcome": "matched", "labels_left_out": 0, "added": {},
            "changed": {"owner": "ann"}, "removed": {}, "labels": {"owner": "ann", "rack": "7"}})
        self.assertEqual(tried["rules"][0]["event"]["key"], {"labels.owner": "ann"})
        other = json.loads(tocsin("check", "--config", path, "--json", "--event", "{}").stdout)
        self.assertEqual([each["outcome"] for each in other["enrich"]],
                         ["unmatched", "unmatched", "skipped", "unmatched"])

    def test_replay_applies_the_same_steps(self):
        self.table(ANN)
        path = self.config(BY_OWNER, STEPS)
        events = self.write("events.jsonl", json.dumps(
            {"resource_id": "web-2", "level": 0, "description": "in rack 3",
             "time": "2026-03-01T10:00:00Z"}) + "\n")
        done = tocsin("replay", "--rules", self.folder / "rules.yaml", "--events", events,
                      "--enrich", path, "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout.splitlines()[0])["title"], "ann: web-2/3")
        bare = tocsin("replay", "--rules", self.folder / "rules.yaml", "--events", events)
        self.assertEqual(bare.stdout, "", "without the steps the rule wants none of it")
        (self.folder / "hosts.csv").unlink()
        done = tocsin("replay", "--rules", self.folder / "rules.yaml", "--events", events,
                      "--enrich", path)
        self.assertEqual(done.returncode, 1)
        self.assertIn("hosts.csv': No such file", done.stderr)


if __name__ == "__main__":
    unittest.main()
