# SPDX-License-Identifier: Apache-2.0
"""Replay: recorded events give the same alerts on any number of shards."""
import json
import random
import unittest

import msgpack
from running import Case, tocsin

RULES = """
rules:
- name: burst
  where: item == "http" && value >= 500
  group_by: [resource_id]
  window: {sliding: 5m, every: 1m}
  select: {failures: count()}
  having: failures >= 4
  severity: critical
  title: "${resource_id}: ${failures}"
- name: mean
  where: item == "cpu"
  group_by: [resource_id]
  window: {fixed: 1m}
  having: avg(value) > 60
  for: 1m
  keep_firing_for: 2m
  severity: warning
- name: quiet-end
  where: item == "build"
  group_by: [resource_id]
  window: {session: 3m}
  having: count() >= 2
"""
BEGIN = 1_760_000_000_000


class Replay(Case):
    def events(self, count=20_000):
        draw = random.Random(7)
        at = BEGIN
        made = []
        for number in range(count):
            at += draw.randrange(400)
            item = draw.choice(("http", "cpu", "build"))
            made.append({"event_id": str(number), "source_id": "s",
                         "time": at - draw.randrange(8000),  # some are late
                         "arrived_at": at, "resource_id": f"h{draw.randrange(150)}", "item": item,
                         "value": draw.randrange(100) if item == "cpu" else draw.randrange(400, 600)})
        return made

    def replay(self, *arguments):
        done = tocsin("replay", "--rules", self.write("rules.yaml", RULES), *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_the_output_is_the_same_byte_for_byte_on_1_2_and_5_shards(self):
        file = self.write("events.jsonl", "".join(json.dumps(each) + "\n" for each in self.events()))
        outputs = {self.replay("--events", file, "--json", "--shards", shards).stdout
                   for shards in (1, 2, 5)}
        self.assertEqual(len(outputs), 1)
        alerts = [json.loads(line) for line in outputs.pop().splitlines()]
        self.assertEqual({each["rule"] for each in alerts}, {"burst", "mean", "quiet-end"})
        self.assertIn("resolved", {each["state"] for each in alerts})
        times = [each["at"] for each in alerts]
        self.assertEqual(times, sorted(times))

    def test_msgpack_gives_the_same_as_json(self):
        events = self.events(3000)
        as_json = self.write("events.jsonl", "".join(json.dumps(each) + "\n" for each in events))
        as_msgpack = self.folder / "events.msgpack"
        as_msgpack.write_bytes(b"".join(map(msgpack.packb, events)))
        first = self.replay("--events", as_json, "--json").stdout
        self.assertEqual(first, self.replay("--events", as_msgpack, "--json").stdout)
        self.assertNotEqual(first, "")

    def test_time_runs_on_until_everything_has_ended(self):
        file = self.write("events.jsonl", "".join(
            json.dumps({"item": "http", "value": 500, "resource_id": "h", "time": BEGIN + n}) + "\n"
            for n in range(4)))
        drained = [json.loads(line) for line in
                   self.replay("--events", file, "--json").stdout.splitlines()]
        self.assertEqual([each["state"] for each in drained], ["firing", "resolved"])
        open_end = self.replay("--events", file, "--json", "--no-drain").stdout.splitlines()
        self.assertEqual([json.loads(line)["state"] for line in open_end], ["firing"])
        readable = self.replay("--events", file)
        self.assertRegex(readable.stdout, r"Z  firing +critical +burst  h: 4  \(4 events, h; ")
        self.assertRegex(readable.stderr, r"4 events, 0 rejected, 0 late, 2 transitions; \d+ events/s")

    def test_rejected_lines_are_named_and_do_not_fail(self):
        file = self.write("events.jsonl", '{"item":"a","time":1}\n{broken\n[{"item":7}]\n')
        done = self.replay("--events", file)
        self.assertIn("events.jsonl: line 2: rejected: malformed: ", done.stderr)
        self.assertIn("events.jsonl: line 3: rejected: bad_type: ", done.stderr)
        self.assertIn("3 events, 2 rejected, ", done.stderr)

    def test_two_sets_of_rules_are_compared_over_the_same_events(self):
        file = self.write("events.jsonl", "".join(
            json.dumps({"item": "http", "value": 500, "resource_id": host, "time": BEGIN + 1000 * n}) + "\n"
            for n in range(5) for host in ("a", "b")[:2 if n < 4 else 1]))
        new = self.write("new.yaml", RULES.replace("failures >= 4", "failures >= 5")
                         .replace("quiet-end", "other-end"))
        old = self.write("old.yaml", RULES)
        arguments = ("replay", "--rules", new, "--against", old, "--events", file)
        done = tocsin(*arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        for words in (": 1 alert, 2 before: 1 later, 1 vanished", "mean: 0 alerts, 0 before\n",
                      "other-end: 0 alerts, 0 before (a new rule)", "(no longer a rule)",
                      "later     critical  burst {resource_id=a}", "fired 1s later: ",
                      "vanished  critical  burst {resource_id=b}", "event_count: 4 -> 5",
                      "values.failures: 4 -> 5"):
            self.assertIn(words, done.stdout)
        told = json.loads(tocsin(*arguments, "--json").stdout)
        moved, gone = told["differences"] if told["differences"][0]["kind"] == "later" \
            else reversed(told["differences"])
        self.assertEqual((moved["kind"], moved["moved_ms"], moved["group"]), ("later", 1000, {"resource_id": "a"}))
        self.assertEqual((gone["kind"], gone["after"], gone["before"]["fired_at"]), ("vanished", None, BEGIN + 3000))
        self.assertEqual({each["rule"]: each["same"] for each in told["rules"]},
                         {"burst": 0, "mean": 0, "other-end": 0, "quiet-end": 0})

    def test_the_same_rules_differ_in_nothing(self):
        file = self.write("events.jsonl", "".join(json.dumps(each) + "\n" for each in self.events(3000)))
        rules = self.write("same.yaml", RULES)
        told = json.loads(self.replay("--against", rules, "--events", file, "--json").stdout)
        self.assertEqual(told["differences"], [])
        self.assertTrue(all(each["before"] == each["after"] == each["same"] for each in told["rules"]))
        self.assertGreater(sum(each["same"] for each in told["rules"]), 0)

    def test_wrong_rules_or_files_fail(self):
        events = self.write("events.jsonl", "{}\n")
        bad = self.write("bad.yaml", "rules:\n- name: x\n  where: nope ==\n")
        self.assertEqual(tocsin("replay", "--rules", bad, "--events", events).returncode, 1)
        good = self.write("rules.yaml", RULES)
        missing = tocsin("replay", "--rules", good, "--events", self.folder / "nowhere")
        self.assertEqual(missing.returncode, 1)
        self.assertIn("nowhere", missing.stderr)


if __name__ == "__main__":
    unittest.main()
