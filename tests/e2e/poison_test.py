# SPDX-License-Identifier: Apache-2.0
"""An event that crashes the daemon does so twice; then it is in quarantine and all else goes on."""
import base64
import json
import os
import signal
import unittest

import msgpack
import zmq

from running import BIN, PATIENCE, Program, Served, error_event

# Sanitizers cannot be preloaded over: there this library is not built.
LIBRARY = BIN.parent / "tests" / "e2e" / "libcrash_at_text.so"

# The expression is computed for each event by a shard, behind the log.
COUNTED = """
rules:
- name: failures
  where: true
  group_by: [resource_id]
  window: {fixed: 1000d}
  select: {failures: 'count_if(title.matches("fail|poison"))', seen: count()}
  having: failures >= 2 && seen >= 3
  severity: error
"""
# This one before the log, to see which rules want the event.
FILTERED = COUNTED.replace("where: true", "where: 'title.matches(\"fail|poison\")'")


def event(number, host="web", title="a failure"):
    return error_event(number, host, title=title)


@unittest.skipUnless(LIBRARY.exists(), "libcrash_at_text.so is not built here")
class Poison(Served):
    def setUp(self):
        super().setUp()
        self.acked_endpoint = f"ipc://{self.folder}/acked"
        self.armed = self.folder / "armed"
        self.data = self.folder / "data"

    def config(self, *arguments, **options):
        file = super().config(*arguments, **options)
        file.write_text(file.read_text().replace('acked: ""', f'acked: "{self.acked_endpoint}"'))
        return file

    def launch(self, rules, number=signal.SIGSEGV):
        """A daemon that crashes at poison; not waited for."""
        environment = {**os.environ, "LD_PRELOAD": str(LIBRARY), "TOCSIN_CRASH_AT": "poison",
                       "TOCSIN_CRASH_WHEN": str(self.armed), "TOCSIN_CRASH_SIGNAL": str(int(number))}
        daemon = Program(BIN / "tocsind", "--config", self.config(rules, f'data: "{self.data}"'),
                         env=environment)
        self.addCleanup(self.end, daemon)
        return daemon

    def ready(self, daemon):
        daemon.wait_for("stderr", r"\bready$")
        self.address = daemon.wait_for("stderr", r"serving on http://(\S+)")[1]

    def request(self, events):
        """Sends one request; the socket that gets the answer."""
        socket = zmq.Context.instance().socket(zmq.REQ)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, PATIENCE * 1000)
        socket.connect(self.acked_endpoint)
        self.addCleanup(socket.close)
        socket.send_multipart([b"1", msgpack.packb(events)])
        return socket

    def answered(self, events):
        return msgpack.unpackb(self.request(events).recv_multipart()[1])

    def dies(self, daemon, number=signal.SIGSEGV):
        self.assertEqual(daemon.finish(), -number, daemon.lines)

    def quarantine(self):
        file = self.data / "quarantine.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def fired(self):
        return {alert["resource_id"]: alert["values"] for alert in self.active_alerts()}

    def crash_twice_in_a_shard(self, number):
        """Events before the poison, the poison, events behind it, all acknowledged; then two crashes."""
        daemon = self.launch(COUNTED, number)
        self.ready(daemon)
        events = [event(1), event(2, "db"), event(3, title="poison"), event(4), event(5, "db")]
        self.assertEqual(self.answered(events[:2])["accepted"], 2)
        self.assertEqual(self.answered(events[2:])["accepted"], 3)
        self.armed.touch()
        self.dies(daemon, number)
        self.assertEqual(self.quarantine(), [])
        self.dies(self.launch(COUNTED, number), number)

    def test_an_event_that_crashes_a_shard_twice_is_kept_out_and_all_else_counts(self):
        self.crash_twice_in_a_shard(signal.SIGSEGV)
        daemon = self.launch(COUNTED)
        self.ready(daemon)
        daemon.wait_for("stderr", r"error.*the event at position 3 .* was at hand at 2 crashes")
        self.assertEqual(self.metrics()["tocsin_quarantined_events_total"], 1)
        self.assertEqual(self.fired(), {}, "web has two failures without it, and db two")
        self.assertEqual(self.answered([event(6), event(7, "db")])["accepted"], 2)
        self.poll(self.fired, lambda seen: len(seen) == 2)
        for values in self.fired().values():
            self.assertEqual(values["seen"], 3)
        [line] = self.quarantine()
        self.assertEqual((line["kind"], line["position"], len(line["crashed_at"])), ("event", 3, 2))
        self.assertEqual(line["event"]["title"], "poison")
        self.assertEqual(line["event"]["event_id"], "e3")
        self.assertEqual(self.answered([event(3, title="poison")])["duplicate"], 1, "it stays known")
        daemon.process.kill()
        daemon.finish()

        again = self.launch(COUNTED)
        self.ready(again)
        self.assertEqual({host: values["seen"] for host, values in self.fired().items()}, {"web": 3, "db": 3})
        self.assertEqual(self.metrics()["tocsin_quarantined_events_total"], 1)
        self.assertEqual(len(self.quarantine()), 1)
        self.assertEqual(again.stop(), 0, again.lines)

    def test_two_crashes_are_enough_whether_the_log_got_it_before_them_or_not(self):
        self.armed.touch()
        poison = event(2, title="poison")
        daemon = self.launch(COUNTED)
        self.ready(daemon)
        self.assertEqual(self.answered([event(1)])["accepted"], 1)
        self.request([poison])
        self.dies(daemon)
        daemon = self.launch(COUNTED)
        try:
            self.ready(daemon)
        except AssertionError:
            pass  # the log got it, and gives it back
        else:
            self.request([poison])
        self.dies(daemon)

        daemon = self.launch(COUNTED)
        self.ready(daemon)
        answer = self.answered([poison])
        if answer["status"] == "ok":
            self.assertEqual(answer["duplicate"], 1)
        else:
            self.assertEqual([each["code"] for each in answer["rejected"]], ["quarantined"])
        self.assertEqual(len(self.quarantine()), 1)
        self.assertEqual(self.answered([event(3), event(4)])["accepted"], 2)
        self.poll(self.fired, lambda seen: seen.get("web", {}).get("seen") == 3)
        self.assertEqual(daemon.stop(), 0, daemon.lines)

    def test_an_abort_counts_as_well(self):
        self.crash_twice_in_a_shard(signal.SIGABRT)
        daemon = self.launch(COUNTED, signal.SIGABRT)
        self.ready(daemon)
        self.assertEqual(self.metrics()["tocsin_quarantined_events_total"], 1)
        self.assertEqual(daemon.stop(), 0, daemon.lines)

    def test_who_takes_the_crashes_away_has_it_tried_again(self):
        self.crash_twice_in_a_shard(signal.SIGSEGV)
        (self.data / "crashes").unlink()
        self.dies(self.launch(COUNTED))

    def test_kills_accuse_nobody(self):
        daemon = self.launch(COUNTED)
        self.ready(daemon)
        self.assertEqual(self.answered([event(1, title="poison")])["accepted"], 1)
        for _ in range(3):
            # It holds still with the event at hand.
            daemon.process.kill()
            self.assertEqual(daemon.finish(), -signal.SIGKILL)
            daemon = self.launch(COUNTED)
            daemon.wait_for("stderr", "alerts.stream: publishing")
        daemon.process.kill()
        daemon.finish()
        self.assertEqual((self.data / "crashes").read_bytes(), b"")
        self.assertEqual(self.quarantine(), [])

    def test_a_message_that_crashes_the_daemon_before_it_is_logged_is_refused(self):
        self.armed.touch()
        poison = [event(2), event(3, title="poison")]
        daemon = self.launch(FILTERED)
        self.ready(daemon)
        self.assertEqual(self.answered([event(1)])["accepted"], 1)
        # Its agent gets no answer, so it sends again.
        self.request(poison)
        self.dies(daemon)
        daemon = self.launch(FILTERED)
        self.ready(daemon)
        self.request(poison)
        self.dies(daemon)

        daemon = self.launch(FILTERED)
        self.ready(daemon)
        for _ in range(2):
            answer = self.answered(poison)
            self.assertEqual((answer["status"], answer["accepted"]), ("reject", 0))
            self.assertEqual([each["code"] for each in answer["rejected"]], ["quarantined"])
        daemon.wait_for("stderr", r"error.*a message of \d+ bytes was at hand at 2 crashes")
        [line] = self.quarantine()
        self.assertEqual(line["kind"], "message")
        self.assertEqual(msgpack.unpackb(base64.b64decode(line["bytes"])), poison)
        page = self.metrics()
        self.assertEqual(page['tocsin_events_rejected_total{code="quarantined"}'], 2)
        self.assertEqual(page["tocsin_quarantined_events_total"], 0)
        self.assertEqual(self.answered([event(2), event(4)])["accepted"], 2, "what was sent beside it is good alone")
        self.poll(self.fired, lambda seen: seen.get("web", {}).get("seen") == 3)
        self.assertEqual(daemon.stop(), 0, daemon.lines)


if __name__ == "__main__":
    unittest.main()
