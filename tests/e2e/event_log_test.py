# SPDX-License-Identifier: Apache-2.0
"""tocsin log: verifies, repairs and exports the event log that a daemon has written."""
import json
import unittest

import msgpack

from running import Case, error_event, tocsin


class EventLog(Case):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"
        self.data.mkdir()

    def written_by_a_daemon(self, stop=True):
        """Ten events, each of which raises or counts for an alert, in the log."""
        daemon = self.start(extra=f'data: "{self.data}"')
        stream = self.subscribe()
        pusher = self.pusher()
        # An alert goes out when what led to it is synced: so what comes behind it says that it was.
        for host, numbers in (("host1", range(5)), ("host2", range(5, 10))):
            for number in numbers:
                pusher.send(msgpack.packb(error_event(number, host, value=number,
                                                      labels={"env": "prod"})))
            stream.next_alert()
        if stop:
            counts, _ = self.counts_at_stop(daemon)
            self.assertEqual(counts["accepted"], 10)
        return daemon

    def segments(self):
        return sorted((self.data / "log").glob("*.log"))

    def damage(self):
        """Hits the first record of the first segment that has one; gives that file."""
        hit = next(each for each in self.segments() if each.stat().st_size > 80)
        held = bytearray(hit.read_bytes())
        held[80 + 48] ^= 1
        hit.write_bytes(held)
        return hit

    def test_a_log_is_verified_exported_and_its_export_replayed(self):
        self.written_by_a_daemon()
        verified = tocsin("log", "verify", self.data, "--json")
        self.assertEqual(verified.returncode, 0, verified)
        found = json.loads(verified.stdout)
        self.assertTrue(found["ok"])
        self.assertEqual(found["damage"], [])
        self.assertGreater(found["records"], 0)

        exported = tocsin("log", "export", self.data)
        self.assertEqual(exported.returncode, 0, exported)
        events = [json.loads(line) for line in exported.stdout.splitlines()]
        self.assertEqual([each["event_id"] for each in events], [f"e{i}" for i in range(10)])
        self.assertEqual(events[3]["value"], 3)
        self.assertEqual(events[3]["level"], "error")
        self.assertEqual(events[3]["labels"], {"env": "prod"})

        recording = self.write("recording.jsonl", exported.stdout)
        replayed = tocsin("replay", "--rules", self.folder / "rules.yaml", "--events", recording,
                          "--json")
        self.assertEqual(replayed.returncode, 0, replayed)
        self.assertIn("10 events, 0 rejected", replayed.stderr)
        self.assertIn('"firing"', replayed.stdout)

    def test_an_export_takes_the_events_that_arrived_in_a_range(self):
        self.written_by_a_daemon()
        everything = [json.loads(line)
                      for line in tocsin("log", "export", self.data).stdout.splitlines()]
        begin = everything[0]["arrived_at"]
        self.assertEqual(tocsin("log", "export", self.data, "--until", begin).stdout, "")
        self.assertEqual(
            len(tocsin("log", "export", self.data, "--from", begin).stdout.splitlines()), 10)
        self.assertEqual(tocsin("log", "export", self.data, "--from", "9000-01-01T00:00:00Z").stdout,
                         "")
        self.assertEqual(tocsin("log", "export", self.data, "--from", "soon").returncode, 2)

    def test_damage_is_named_and_repaired_only_when_asked_to(self):
        self.written_by_a_daemon()
        hit = self.damage()
        verified = tocsin("log", "verify", self.data)
        self.assertEqual(verified.returncode, 1, verified)
        self.assertIn(f"{hit}: byte 80: seen bytes of step 1 with the checksum", verified.stdout)

        before = hit.read_bytes()
        told = tocsin("log", "repair", self.data)
        self.assertEqual(told.returncode, 1, told)
        self.assertIn(f"{hit}: byte 80", told.stdout)
        self.assertEqual(hit.read_bytes(), before)

        done = tocsin("log", "repair", self.data, "--yes")
        self.assertEqual(done.returncode, 0, done)
        self.assertTrue(list((self.data / "log" / "quarantine").iterdir()))
        verified = tocsin("log", "verify", self.data, "--json")
        self.assertEqual(verified.returncode, 0, verified)
        self.assertEqual(json.loads(verified.stdout)["gaps"], 1)

    def test_a_log_that_a_daemon_holds_is_not_repaired(self):
        self.written_by_a_daemon(stop=False)
        self.damage()
        done = tocsin("log", "repair", self.data, "--yes")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn("in use by another process", done.stderr)

    def test_a_folder_without_a_log_is_a_usage_error(self):
        for command in ("verify", "repair", "export"):
            self.assertEqual(tocsin("log", command, self.folder / "nowhere").returncode, 2)


if __name__ == "__main__":
    unittest.main()
