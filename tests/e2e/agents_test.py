# SPDX-License-Identifier: Apache-2.0
"""The agents that come with tocsin."""
import os
import signal
import unittest

from running import Case, tocsin

LOGINS = """
rules:
- name: guessing
  where: item == "failed_login" && labels.user == "root"
  group_by: [resource_id, labels.user]
  window: {fixed: 1000d}
  having: count() >= 3
  severity: worst_level
  title: "${labels.user} on ${resource_id}"
- name: slow
  where: item == "slow" && value > 1000
  group_by: [resource_id]
  window: {fixed: 1000d}
"""
HOST = """
rules:
- {name: memory, where: 'item == "memory_percent" && value >= 0 && resource_type == "host"', group_by: [item], window: {fixed: 1000d}}
- {name: load, where: 'item == "load1" && value >= 0', group_by: [item], window: {fixed: 1000d}}
- {name: cpu, where: 'item == "cpu_percent" && value >= 0', group_by: [item], window: {fixed: 1000d}}
"""


class Agents(Case):
    def tail(self, file, *more):
        agent = self.run_beside(
            "agent", "tail", file, "--push", self.push_endpoint, "--resource", "web1",
            "--match", r"failed_login=Failed password for (?P<user>\S+)",
            "--match", r"slow=took (?P<value>[0-9.]+) ms", "--level", "failed_login=error", *more)
        agent.wait_for("stderr", "following|waiting for it")
        return agent

    def test_tail_turns_lines_into_alerts_through_a_rotation(self):
        daemon = self.start(LOGINS)
        stream = self.subscribe()
        log = self.write("auth.log", "Failed password for root (before the agent)\n" * 5)
        agent = self.tail(log)
        with log.open("a") as out:
            out.write("Failed password for root from 10.0.0.1\nAccepted password for root\n")
            out.write("Failed password for alice\nFailed password for ro")
        with log.open("a") as out:
            out.write("ot from 10.0.0.2\n")
        os.rename(log, self.folder / "auth.log.1")
        log.write_text("GET / took 2500.5 ms\nFailed password for root from 10.0.0.3\n")
        alerts = sorted((stream.next_alert() for _ in range(2)), key=lambda each: each["rule"])
        self.assertEqual((alerts[0]["rule"], alerts[0]["severity"], alerts[0]["title"]),
                         ("guessing", "error", "root on web1"))
        self.assertEqual(alerts[1]["rule"], "slow")
        agent.wait_for("stderr", "rotated")
        self.assertEqual(agent.stop(signal.SIGINT), 0)
        agent.wait_for("stderr", "sent 5 events, dropped 0")
        self.assertEqual(self.counts_at_stop(daemon)[0]["accepted"], 5)

    def test_tail_waits_for_its_file_and_for_the_daemon(self):
        log = self.folder / "late.log"
        agent = self.tail(log)
        agent.wait_for("stderr", "trying again")
        self.start(LOGINS)
        stream = self.subscribe()
        log.write_text("Failed password for root\n" * 3)
        self.assertEqual(stream.next_alert()["rule"], "guessing")
        self.assertEqual(agent.stop(), 0)

    def test_host_once_sends_measurements(self):
        daemon = self.start(HOST)
        stream = self.subscribe()
        done = tocsin("agent", "host", "--once", "--push", self.push_endpoint)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"sent \d+ measurements, dropped 0")
        self.assertEqual({stream.next_alert()["rule"] for _ in range(3)}, {"memory", "load", "cpu"})
        counts, codes = self.counts_at_stop(daemon)
        self.assertEqual(codes, {})
        self.assertGreater(counts["accepted"], 3)


if __name__ == "__main__":
    unittest.main()
