# SPDX-License-Identifier: Apache-2.0
"""From nothing to the first alert, by every way that events come in."""
import os
import signal
import subprocess
import sys
import unittest

from running import BIN, EXAMPLES, Case, Program, tocsin

THREE_STATUS = """
rules:
- name: bad-status
  where: item == "http_status" && value >= 500
  group_by: [resource_id]
  window: {sliding: 5m, every: 1m}
  having: count() >= 3
  severity: error
  title: "${resource_id} fails"
"""
DISK_SEEN = """
rules:
- name: disk-seen
  where: item == "disk_percent" && value >= 0
  group_by: [source_id]
  window: {sliding: 5m, every: 1m}
  having: count() >= 3
  severity: info
"""


class FirstAlert(Case):
    def test_a_python_agent_raises_an_alert(self):
        self.start(THREE_STATUS)
        stream = self.subscribe()
        subprocess.run([sys.executable, EXAMPLES / "push_events.py", self.push_endpoint],
                       check=True, timeout=60, capture_output=True)
        alert = stream.next_alert()
        self.assertEqual((alert["rule"], alert["state"], alert["severity"], alert["title"]),
                         ("bad-status", "firing", "error", "host1 fails"))
        self.assertEqual(alert["event_count"], 3)

    def test_a_shell_agent_raises_an_alert(self):
        self.start(DISK_SEEN)
        stream = self.subscribe()
        subprocess.run([EXAMPLES / "push_json.sh", self.push_endpoint, "3", "0"], check=True,
                       timeout=60, capture_output=True,
                       env={**os.environ, "TOCSIN": str(BIN / "tocsin")})
        self.assertEqual(stream.next_alert()["rule"], "disk-seen")

    def test_send_with_arguments_raises_and_ends_an_alert(self):
        self.start()
        stream = self.subscribe()
        event = ("--item", "disk", "--resource", "host1", "--push", self.push_endpoint)
        for _ in range(3):
            sent = tocsin("send", *event, "--level", "error", "--label", "env=prod")
            self.assertEqual(sent.returncode, 0, sent.stderr)
        firing = stream.next_alert()
        self.assertEqual((firing["state"], firing["number"]), ("firing", 1))
        self.assertEqual(firing["group"], {"resource_id": "host1", "item": "disk"})
        self.assertEqual(tocsin("send", *event, "--action", "resolved").returncode, 0)
        resolved = stream.next_alert()
        self.assertEqual((resolved["state"], resolved["number"]), ("resolved", 2))
        self.assertEqual(resolved["alert_id"], firing["alert_id"])

    def test_watch_prints_alerts(self):
        self.start()
        readable = self.run_beside("watch", "--stream", self.stream_endpoint, "--count", "1")
        as_json = self.run_beside("watch", "--stream", self.stream_endpoint, "--json")
        for each in (readable, as_json):
            each.wait_for("stderr", "connected to")
        line = '{"item": "disk", "resource_id": "h", "level": 0}\n'
        self.assertEqual(tocsin("send", "-", "--push", self.push_endpoint, input=line * 3).returncode, 0)
        readable.wait_for("stdout", r"Z  firing +critical +errors  h: 3 errors  \(3 events, h; ")
        self.assertEqual(readable.finish(), 0)
        as_json.wait_for("stdout", r'^\{"alert_id":"[0-9a-f]{32}",.*"state":"firing"')
        self.assertEqual(as_json.stop(signal.SIGINT), 0)

    def test_the_watch_example_prints_alerts(self):
        self.start()
        watch = Program(sys.executable, EXAMPLES / "watch_alerts.py", self.stream_endpoint)
        self.addCleanup(self.end, watch)
        # The example says nothing until an alert comes: raise new ones until it has subscribed.
        for number in range(1000):
            line = f'{{"item": "disk", "resource_id": "h{number}", "level": 0}}\n'
            tocsin("send", "-", "--push", self.push_endpoint, input=line * 3)
            if watch.lines["stdout"]:
                break
        watch.wait_for("stdout", r"^critical errors firing h\d+: 3 errors$")

    def test_an_absent_daemon_is_exit_code_3_and_says_what_to_do(self):
        # Each waits a while for an answer: all at once.
        for program in [self.run_beside(*command, f"ipc://{self.folder}/nobody")
                        for command in (("send", "--item", "x", "--push"), ("watch", "--stream"),
                                        ("agent", "host", "--once", "--push"))]:
            self.assertEqual(program.finish(), 3, program.lines)
            said = "\n".join(program.lines["stderr"])
            self.assertIn(f"ipc://{self.folder}/nobody", said)
            self.assertIn("Is tocsind running", said)

    def test_wrong_usage_is_exit_code_2(self):
        for command in ((), ("nonsense",), ("send",), ("send", "--level", "loud"),
                        ("send", "--item", "x", "--time", "noon"), ("check",), ("replay",),
                        ("send", "-", "--item", "x"), ("agent", "host", "--interval", "soon"),
                        ("agent", "tail", "f", "--match", "x=(")):
            done = tocsin(*command)
            self.assertEqual(done.returncode, 2, (command, done.stderr))
        for command in (("--help",), ("send", "--help"), ("agent", "tail", "--help"), ("--version",)):
            self.assertEqual(tocsin(*command).returncode, 0)


if __name__ == "__main__":
    unittest.main()
