# SPDX-License-Identifier: Apache-2.0
"""The replay socket: what was missed is asked for, and comes."""
import re
import unittest

import msgpack
import zmq
from running import PATIENCE, Case, error_event, tocsin

FIRST_ERROR = """
rules:
- {name: errors, where: level <= 1, group_by: [resource_id], window: {fixed: 1000d}, severity: critical}
"""


class ReplaySocket(Case):
    def setUp(self):
        super().setUp()
        self.replay_endpoint = f"ipc://{self.folder}/replay"

    def config(self, rules=FIRST_ERROR, extra=""):
        path = super().config(rules, extra)
        path.write_text(path.read_text().replace('replay: ""', f'replay: "{self.replay_endpoint}"'))
        return path

    def start(self, rules=FIRST_ERROR, extra=""):
        return super().start(rules, extra)

    def dealer(self):
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, PATIENCE * 1000)
        socket.connect(self.replay_endpoint)
        self.addCleanup(socket.close)
        return socket

    def ask(self, **request):
        """All messages of the answer, the last one's map unpacked."""
        socket = self.dealer()
        socket.send(msgpack.packb(request))
        messages = []
        while not messages or messages[-1][0] not in (b"end", b"error"):
            messages.append(socket.recv_multipart())
        return messages[:-1], messages[-1][0], msgpack.unpackb(messages[-1][1])

    def raise_alerts(self, numbers):
        push = self.pusher()
        for number in numbers:
            push.send(msgpack.packb(error_event(number, f"host{number}")))

    def record(self, stream, count):
        """The frames of the next transitions."""
        frames = []
        while len(frames) < count:
            self.assertTrue(stream.socket.poll(1000 * PATIENCE))
            message = stream.socket.recv_multipart()
            if message[0] != b"heartbeat":
                frames.append(message)
        return frames

    def watch(self, *arguments):
        return self.run_beside("watch", "--stream", self.stream_endpoint, "--replay",
                               self.replay_endpoint, "--json", *arguments)

    def test_exactly_what_was_missed_comes_in_the_streams_own_frames(self):
        self.start()
        stream = self.subscribe()
        self.raise_alerts(range(10))
        sent = self.record(stream, 10)
        epoch = stream.first["epoch"]
        missed, last, place = self.ask(since=4, prefix="alert.", epoch=epoch)
        self.assertEqual(missed, sent[4:])
        self.assertEqual((last, place), (b"end", {"stream": stream.first["stream"], "epoch": epoch,
                                                  "seq": 10}))
        self.assertEqual(self.ask(since=10)[0], [])
        self.assertEqual(self.ask(since=0, prefix="alert.warning.")[0], [])

    def test_another_epoch_gets_the_active_alerts(self):
        self.start()
        stream = self.subscribe()
        self.raise_alerts(range(3))
        sent = self.record(stream, 3)
        push = self.pusher()
        push.send(msgpack.packb(error_event(9, "host1", action="resolved")))
        self.record(stream, 1)
        messages, last, place = self.ask(since=2, epoch=stream.first["epoch"] - 1)
        self.assertEqual(messages[0][0], b"snapshot")
        self.assertEqual(msgpack.unpackb(messages[0][1]), place)
        self.assertEqual((last, place["seq"]), (b"end", 4))
        active = [each for each in sent if msgpack.unpackb(each[2])["resource_id"] != "host1"]
        self.assertEqual(messages[1:], active)

    def test_a_malformed_request_is_told_so(self):
        self.start()
        _, last, refusal = self.ask(sinse=1)
        self.assertEqual((last, refusal["code"]), (b"error", "malformed"))
        self.assertIn("sinse", refusal["message"])

    def test_watch_prints_history_and_goes_on_with_the_stream(self):
        self.start()
        stream = self.subscribe()
        self.raise_alerts(range(3))
        self.record(stream, 3)
        watch = self.watch("--since", 1, "--count", 4)
        watch.wait_for("stdout", "host")
        watch.wait_for("stderr", "connected to")
        self.raise_alerts((3, 4))
        self.assertEqual(watch.finish(), 0)
        self.assertEqual(self.hosts(watch), ["host1", "host2", "host3", "host4"])

    def test_watch_repairs_its_gaps_in_order_and_without_duplicates(self):
        """A publisher that leaves out what the daemon sent stands between the two."""
        self.start()
        stream = self.subscribe()
        front = zmq.Context.instance().socket(zmq.XPUB)
        front.setsockopt(zmq.LINGER, 0)
        endpoint = f"ipc://{self.folder}/front"
        front.bind(endpoint)
        self.addCleanup(front.close)
        watch = self.run_beside("watch", "--stream", endpoint, "--replay", self.replay_endpoint,
                                "--json", "--count", 6)
        for _ in range(2):
            self.assertTrue(front.poll(1000 * PATIENCE))
            front.recv()
        self.raise_alerts(range(5))
        sent = self.record(stream, 5)
        for position in (0, 3, 4):
            front.send_multipart(sent[position])
        self.assertTrue(watch.wait_for("stderr", "gap: 2 transitions before seq 4"))
        self.raise_alerts([5])
        front.send_multipart(self.record(stream, 1)[0])
        self.assertEqual(watch.finish(), 0)
        self.assertEqual(self.hosts(watch), [f"host{number}" for number in range(6)])

    def test_watch_gets_what_happened_while_the_daemon_was_away(self):
        first = self.start()
        watch = self.watch("--count", 3)
        watch.wait_for("stderr", "connected to")
        self.raise_alerts([0])
        watch.wait_for("stdout", "host0")
        first.stop()
        self.start()
        self.raise_alerts((1, 2))
        self.assertEqual(watch.finish(), 0)
        self.assertEqual(self.hosts(watch), ["host0", "host1", "host2"])

    def test_history_reaches_back_behind_a_kill(self):
        extra = f'data: "{self.folder}/data"\n'
        first = self.start(extra=extra)
        stream = self.subscribe()
        self.raise_alerts(range(4))
        frames = self.record(stream, 4)
        first.process.kill()
        first.process.wait()
        self.start(extra=extra)
        messages, kind, _ = self.ask(since=1, prefix="alert.")
        self.assertEqual(kind, b"end")
        self.assertEqual(messages[:3], frames[1:], "the same frames, without a snapshot")

    def test_watch_since_says_when_nobody_answers(self):
        self.start()
        watched = tocsin("watch", "--stream", self.stream_endpoint, "--replay",
                         f"ipc://{self.folder}/nobody", "--since", 0)
        self.assertEqual(watched.returncode, 3)
        self.assertIn("alerts.replay", watched.stderr)

    @staticmethod
    def hosts(watch):
        return [re.search(r'"resource_id":"(\w+)"', line)[1] for line in watch.lines["stdout"]]


if __name__ == "__main__":
    unittest.main()
