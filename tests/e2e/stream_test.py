# SPDX-License-Identifier: Apache-2.0
"""The alert stream: numbers without gaps, heartbeats, topics."""
import signal
import unittest

import msgpack
from running import Case, Stream, error_event


class AlertStream(Case):
    def test_seq_has_no_gap_and_heartbeats_bear_the_last_one(self):
        self.start()
        stream = self.subscribe()
        push = self.pusher()
        hosts = 200
        for number in range(3 * hosts):
            push.send(msgpack.packb(error_event(number, f"host{number % hosts}")))
        seen = []
        last = stream.first["seq"]
        beat = None
        while len(seen) < hosts or beat is None:
            header, alert = stream.next_message()
            self.assertEqual((header["stream"], header["epoch"]),
                             (stream.first["stream"], stream.first["epoch"]))
            if header["kind"] == "heartbeat":
                self.assertEqual(header["seq"], last)
                beat = header if len(seen) == hosts else None
                continue
            self.assertEqual(header["seq"], last + 1)
            last = header["seq"]
            seen.append(alert["resource_id"])
        self.assertEqual(sorted(seen), sorted(f"host{number}" for number in range(hosts)))

    def test_a_prefix_chooses_by_severity(self):
        self.start("""
rules:
- {name: bad, where: level == 0, group_by: [resource_id], window: {fixed: 1000d}, severity: critical}
- {name: odd, where: level == 2, group_by: [resource_id], window: {fixed: 1000d}, severity: warning}
""")
        warnings = Stream(self.stream_endpoint, b"alert.warning.")
        self.addCleanup(warnings.close)
        push = self.pusher()
        push.send(msgpack.packb([error_event(1, level=0), error_event(2, level=2),
                                 error_event(3, "host2", level=0)]))
        self.assertEqual(warnings.next_alert()["rule"], "odd")
        self.assertEqual(warnings.next_message(kind="heartbeat")[0]["seq"], 3)

    def test_watch_says_that_the_daemon_is_silent_and_heard_again(self):
        daemon = self.start()
        watch = self.run_beside("watch", "--stream", self.stream_endpoint)
        watch.wait_for("stderr", "connected to")
        daemon.process.send_signal(signal.SIGSTOP)
        watch.wait_for("stderr", "the daemon is silent: no heartbeat for 5 s")
        daemon.process.send_signal(signal.SIGCONT)
        watch.wait_for("stderr", "the daemon is heard again")
        self.assertEqual(watch.stop(), 0)

    def test_watch_says_that_the_daemon_started_anew(self):
        first = self.start()
        watch = self.run_beside("watch", "--stream", self.stream_endpoint)
        watch.wait_for("stderr", "connected to")
        first.stop()
        self.start()
        watch.wait_for("stderr", "the daemon started anew")
        self.assertEqual(watch.stop(), 0)


if __name__ == "__main__":
    unittest.main()
