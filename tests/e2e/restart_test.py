# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of counting: a restart goes on as if nothing had happened."""
import json
import unittest

import running

SIX_ERRORS = """
rules:
- name: errors
  where: level <= 1
  group_by: [resource_id]
  window: {fixed: 1000d}
  select: {failures: count()}
  having: failures >= 6
  title: "${resource_id}: ${failures} errors"
"""


def event(number, resource="db-1"):
    return json.dumps({"event_id": f"e{number}", "source_id": "agent", "resource_id": resource,
                       "item": "disk", "level": 1})


class Restart(running.Served):
    def lasting(self, every="1s"):
        return f"data: {self.folder}/data\nsnapshots: {{every: {every}}}\ntick: 20ms"

    def push(self, numbers, resource="db-1"):
        socket = self.pusher()
        for number in numbers:
            socket.send_string(event(number, resource))

    def kill(self, daemon):
        daemon.process.kill()
        daemon.finish()

    def test_counts_go_on_from_the_log_after_kill_9(self):
        daemon = self.start(SIX_ERRORS, self.lasting(every="1d"))
        self.push(range(4))
        self.poll(self.metrics, lambda page: page["tocsin_events_accepted_total"] == 4)
        # A process that is killed loses nothing that is written.
        self.poll(self.metrics, lambda page: page["tocsin_event_log_syncs_total"] > 0
                  and page["tocsin_event_log_waiting"] == 0)
        self.kill(daemon)
        daemon = self.start(SIX_ERRORS, self.lasting(every="1d"))
        daemon.wait_for("stderr", r"went on without a snapshot and \d+ steps .* with 4 events")
        self.assertGreater(self.metrics()["tocsin_recovery_steps"], 0)
        stream = self.subscribe()
        self.push(range(4, 6))
        self.assertEqual(stream.next_alert()["title"], "db-1: 6 errors")
        self.assertEqual(self.metrics()["tocsin_alert_transitions_total"], 1)
        self.assertEqual(daemon.stop(), 0)

    def test_counts_go_on_from_a_snapshot_after_kill_9(self):
        daemon = self.start(SIX_ERRORS, self.lasting())
        self.push(range(4))
        self.poll(self.metrics, lambda page: page["tocsin_events_accepted_total"] == 4)
        self.poll(self.metrics, lambda page: page["tocsin_snapshots_total"] > 0)
        self.kill(daemon)
        daemon = self.start(SIX_ERRORS, self.lasting())
        daemon.wait_for("stderr", r"went on from the snapshot of step \d+ and \d+ steps")
        stream = self.subscribe()
        self.push(range(4, 6))
        self.assertEqual(stream.next_alert()["title"], "db-1: 6 errors")
        self.assertEqual(daemon.stop(), 0)

    def test_an_alert_an_acknowledge_and_a_silence_are_there_once_after_two_kills(self):
        daemon = self.start(SIX_ERRORS, self.lasting())
        stream = self.subscribe()
        self.push(range(6))
        fired = stream.next_alert()
        done = running.tocsin("ack", fired["alert_id"], "--by", "ann", "--http", self.address)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = running.tocsin("silence", "add", 'resource_id="db-2"', "--by", "ann", "-c",
                              "work", "-d", "1h", "--http", self.address)
        self.assertEqual(done.returncode, 0, done.stderr)
        for _ in range(2):
            self.kill(daemon)
            daemon = self.start(SIX_ERRORS, self.lasting())
            listed = json.dumps(self.active_alerts())
            self.assertEqual(listed.count(fired["alert_id"]), 1, listed)
            self.assertEqual(listed.count('"state": "acknowledged"'), 1, listed)
            silences = self.ask("/api/v2/silences")[2]
            self.assertEqual(silences.count('"work"'), 1, silences)
        self.assertEqual(daemon.stop(), 0)

    def test_memory_says_that_nothing_is_durable(self):
        daemon = self.start(SIX_ERRORS, "data: memory")
        daemon.wait_for("stderr", r"data: memory, so nothing is durable")
        self.assertEqual(daemon.stop(), 0)


if __name__ == "__main__":
    unittest.main()
