# SPDX-License-Identifier: Apache-2.0
"""Settings and rules: all errors at once, before anything starts."""
import json
import os
import signal
import socket
import subprocess
import unittest

from running import BIN, PATIENCE, Case, Program, tocsin

BAD_RULES = """
rules:
- name: one
  whre: level == 0
  window: {sliding: 5x}
- name: two
  where: valeu > 5
  window: {fixed: 5m}
- name: two
  where: "true"
  window: {fixed: 5m}
"""


class Config(Case):
    def run_daemon(self, *arguments):
        return subprocess.run([str(BIN / "tocsind"), *map(str, arguments)], capture_output=True,
                              text=True, timeout=60)

    def test_a_bad_configuration_exits_78_with_all_errors(self):
        path = self.config(BAD_RULES, "shrads: 2\ntick: fast\n")
        for more in ((), ("--check",)):
            done = self.run_daemon("--config", path, *more)
            self.assertEqual(done.returncode, 78, done.stderr)
            for named in ("tocsin.yaml", "shrads", "shards", "tick", "rules.yaml:", "whre", "5x",
                          "valeu"):
                self.assertIn(named, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_missing_file_exits_78(self):
        done = self.run_daemon("--config", self.folder / "nowhere.yaml")
        self.assertEqual(done.returncode, 78)
        self.assertIn("nowhere.yaml", done.stderr)

    def test_a_good_configuration_passes_the_check_and_starts_nothing(self):
        done = self.run_daemon("--config", self.config(), "--check")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertFalse((self.folder / "push").exists())

    def test_the_daemon_says_what_it_does_and_that_nothing_is_durable(self):
        daemon = self.start()
        daemon.wait_for("stderr", f"listening on {self.push_endpoint}")
        daemon.wait_for("stderr", f"publishing on {self.stream_endpoint}")
        daemon.wait_for("stderr", "1 rules in 1 units; shards: 2")
        daemon.wait_for("stderr", "nothing is durable")

    def test_an_endpoint_in_use_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            endpoint = f"tcp://127.0.0.1:{taken.getsockname()[1]}"
            done = self.run_daemon("--config", self.write(
                "other.yaml", 'ingest: {push: "", acked: ""}\n'
                f'alerts: {{stream: "{endpoint}", replay: ""}}\nhttp: {{listen: ""}}\n'))
        self.assertEqual(done.returncode, 70, done.stderr)
        self.assertIn(endpoint, done.stderr)

    def test_systemd_is_told_of_readiness_and_of_the_stop(self):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
            told.bind(f"{self.folder}/notify")
            told.settimeout(PATIENCE)
            daemon = Program(BIN / "tocsind", "--config", self.config(),
                             env={**os.environ, "NOTIFY_SOCKET": f"{self.folder}/notify"})
            self.addCleanup(self.end, daemon)
            self.assertEqual(told.recv(1000), b"READY=1")
            self.assertEqual(daemon.stop(), 0)
            self.assertEqual(told.recv(1000), b"STOPPING=1")

    def test_sighup_stops_in_order_and_says_that_it_is_no_reload(self):
        daemon = self.start()
        self.assertEqual(daemon.stop(signal.SIGHUP), 0)
        self.assertTrue(daemon.lines["stdout"][0].startswith("received 0 = "))
        self.assertTrue(any("does not reload" in line for line in daemon.lines["stderr"]))

    def test_check_shows_what_rules_compile_to(self):
        rules = self.write("rules.yaml", """
rules:
- name: burst
  where: item == "http" && value >= 500
  group_by: [resource_id, labels.env]
  window: {sliding: 5m, every: 1m}
  having: count() >= 3
- name: mean
  where: item == "http" && value >= 500
  group_by: [resource_id, labels.env]
  window: {sliding: 5m, every: 1m}
  having: avg(value) > 510
""")
        shown = tocsin("check", rules)
        self.assertEqual(shown.returncode, 0, shown.stderr)
        for words in ("burst (", "sliding 5m every 1m", 'item == "http"', "early", "at the window's close",
                      "shared with: mean", "5 a window, 1m each", "bytes for a key"):
            self.assertIn(words, shown.stdout)
        event = '{"item":"http","value":502,"resource_id":"h1","labels":{"env":"prod"}}'
        tried = json.loads(tocsin("check", rules, "--json", "--event", event).stdout)
        self.assertTrue(tried["ok"])
        burst, mean = tried["rules"]
        self.assertTrue(burst["early"])
        self.assertFalse(mean["early"])
        self.assertEqual(burst["panes"], {"count": 5, "width_ms": 60000})
        memory = mean["memory"]
        self.assertEqual((memory["records"], memory["merged_records"], memory["grows"]), (7, 1, False))
        self.assertGreater(memory["bytes_per_key"], memory["records"] * memory["record_bytes"])
        self.assertTrue(burst["event"]["matches"])
        self.assertEqual(burst["event"]["key"], {"resource_id": "h1", "labels.env": "prod"})
        other = json.loads(tocsin("check", rules, "--json", "--event", '{"item":"x"}').stdout)
        self.assertFalse(other["rules"][0]["event"]["matches"])
        self.assertEqual(other["rules"][0]["event"]["key"], {"resource_id": None, "labels.env": None})

    def test_check_fails_with_places(self):
        rules = self.write("bad.yaml", BAD_RULES)
        done = tocsin("check", rules)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"bad\.yaml:4:\d+: error: .*whre")
        found = json.loads(tocsin("check", "--json", rules).stdout)
        self.assertFalse(found["ok"])
        self.assertGreaterEqual(len(found["diagnostics"]), 3)
        self.assertEqual(tocsin("check", self.folder / "nowhere.yaml").returncode, 1)
        self.assertEqual(tocsin("check", "--config", self.config()).returncode, 0)


if __name__ == "__main__":
    unittest.main()
