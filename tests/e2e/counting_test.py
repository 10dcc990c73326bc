# SPDX-License-Identifier: Apache-2.0
"""The books: everything that came in is accounted for, exactly."""
import collections
import json
import random
import signal
import subprocess
import time
import unittest

import msgpack
import zmq
from running import Case, error_event, memory_kib, tocsin

GOOD = {"item": "disk", "resource_id": "good", "level": 3}

# Events that are refused, with their codes; each is sent between two good ones.
REFUSED_EVENTS = [
    (42, "not_an_event"),
    ("text", "not_an_event"),
    ({"title": "x" * 5000}, "value_too_long"),
    ({"labels": {f"l{n}": "y" * 4000 for n in range(30)}}, "event_too_large"),
    ({"labels": {"a": {"b": {"c": {"d": 1}}}}}, "too_deep"),
    ({"item": 5}, "bad_type"),
    ({"value": "high"}, "bad_type"),
    ([None] * 14, "bad_type"),
    ({"event_id": ""}, "bad_event_id"),
    ({"event_id": "x" * 129}, "bad_event_id"),
    ({"time": -1}, "bad_time"),
    ({"time": int(time.time() * 1000) + 3_600_000}, "time_in_future"),
    ({"level": 9}, "bad_level"),
    ({"level": "loud"}, "bad_level"),
    ({"value": float("nan")}, "bad_value"),
    ({"value": float("inf")}, "bad_value"),
    ({"action": "explode"}, "bad_action"),
    ({"labels": {"": 1}}, "bad_label_name"),
    ({f"l{n}": 1 for n in range(65)}, "too_many_labels"),
]
PACKED_GOOD = msgpack.packb(GOOD)
# Refused events that no packer makes.
REFUSED_BYTES = [
    (b"\x82\xa4item\xa1a\xa4item\xa1b", "duplicate_key"),
    (b"\x81\xa4item\xa2\xc3\x28", "invalid_utf8"),
]
# Whole messages: bytes, good events in them, codes of what is refused.
REFUSED_MESSAGES = [
    (b"", 0, ["empty_message"]),
    (b"\xc1", 0, ["malformed"]),
    (b"\x93" + PACKED_GOOD + b"\xc1" + PACKED_GOOD, 1, ["malformed"]),
    (PACKED_GOOD + b"\x00", 1, ["trailing_bytes"]),
    (b"\x92" + PACKED_GOOD, 1, ["malformed"]),
    (b"x" * (1024 * 1024 + 1), 0, ["message_too_large"]),
    (b"{broken", 0, ["malformed"]),
    (b'[{"item":"a"},{"item":]', 1, ["malformed"]),
    (b'{"item":"a"} x', 1, ["trailing_bytes"]),
    (b'[{"item":"a"},{"item":7},{"item":"b","time":"2020-01-01T00:00:00Z"}]', 2, ["bad_type"]),
    (b'{"item":"a","time":"noon"}', 0, ["bad_time"]),
    (b"\xdc\x27\x11" + b"\x80" * 10_001, 10_000, ["too_many_events"]),
]


def malformed_messages():
    """One message of every kind that is refused: (bytes, good events, codes)."""
    yield from ((msgpack.packb([GOOD, event, GOOD]), 2, [code]) for event, code in REFUSED_EVENTS)
    yield from ((b"\x93" + PACKED_GOOD + packed + PACKED_GOOD, 2, [code])
                for packed, code in REFUSED_BYTES)
    yield from REFUSED_MESSAGES


class Counting(Case):
    def test_every_kind_of_malformed_message_is_counted_and_its_good_neighbours_are_taken(self):
        daemon = self.start(extra="log: {level: debug}")
        stream = self.subscribe()
        push = self.pusher()
        accepted = 0
        codes = collections.Counter()
        for message, good, refused in malformed_messages():
            push.send(message)
            accepted += good
            codes.update(refused)
        # One sender's messages are taken in order: when the last one has its effect, all have.
        push.send(msgpack.packb([error_event(number, "last") for number in range(3)]))
        accepted += 3
        self.assertEqual(stream.next_alert()["resource_id"], "last")
        daemon.wait_for("stderr", "rejected events: ")
        counts, by_code = self.counts_at_stop(daemon)
        self.assertEqual(by_code, dict(codes))
        self.assertEqual(counts["accepted"], accepted)
        self.assertEqual(counts["rejected"], sum(codes.values()))
        self.assertEqual(counts["received"], accepted + sum(codes.values()))
        self.assertEqual((counts["duplicate"], counts["shed"]), (0, 0))

    def test_a_huge_message_costs_its_sender_the_connection_and_nobody_else(self):
        daemon = self.start()
        stream = self.subscribe()
        rude = self.pusher()
        rude.setsockopt(zmq.LINGER, 0)
        rude.send(b"x" * (8 * 1024 * 1024))
        push = self.pusher()
        push.send(msgpack.packb([error_event(number) for number in range(3)]))
        self.assertEqual(stream.next_alert()["rule"], "errors")
        self.assertEqual(self.counts_at_stop(daemon)[0]["received"], 3)

    def test_sigterm_drains_what_was_sent_before(self):
        daemon = self.start()
        events = 50_000
        lines = "".join(f'{{"item":"disk","resource_id":"h{n % 100}","level":1}}\n'
                        for n in range(events))
        sent = tocsin("send", "-", "--push", self.push_endpoint, input=lines)
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.assertRegex(sent.stderr, rf"sent {events} events in \d+ messages")
        counts, _ = self.counts_at_stop(daemon)
        self.assertEqual((counts["received"], counts["accepted"], counts["transitions"]),
                         (events, events, 100))

    def test_send_names_wrong_lines_and_sends_the_others(self):
        daemon = self.start()
        good = '{"item":"disk","resource_id":"h","level":1}'
        lines = f'{good}\n{{broken\n[{good},{{"item":7}}]\n\n{good}\n'
        sent = tocsin("send", "-", "--push", self.push_endpoint, input=lines)
        self.assertEqual(sent.returncode, 1)
        self.assertRegex(sent.stderr, "(?m)^line 2: error: malformed: ")
        self.assertRegex(sent.stderr, "(?m)^line 3: error: bad_type: ")
        counts, _ = self.counts_at_stop(daemon)
        self.assertEqual((counts["received"], counts["accepted"], counts["transitions"]), (3, 3, 1))

    def test_send_takes_msgpack_and_raw_files(self):
        daemon = self.start()
        packed = msgpack.packb(GOOD) + msgpack.packb([GOOD, GOOD]) + msgpack.packb(GOOD)
        self.assertEqual(tocsin("send", "-", "--push", self.push_endpoint, input=packed).returncode, 0)
        file = self.write("raw.jsonl", json.dumps(GOOD) + "\n{broken\n")
        raw = tocsin("send", "--file", file, "--raw", "--push", self.push_endpoint)
        self.assertEqual(raw.returncode, 0, raw.stderr)
        counts, codes = self.counts_at_stop(daemon)
        self.assertEqual((counts["received"], counts["accepted"]), (6, 5))
        self.assertEqual(codes, {"malformed": 1})


BUSY = """
rules:
- name: often
  where: value >= 500
  group_by: [resource_id, item]
  window: {fixed: 1000d}
  having: count() >= 60
  severity: error
- name: extreme
  where: item == "a"
  group_by: [resource_id, item]
  window: {fixed: 1000d}
  having: max(value) >= 999
  severity: critical
"""


class MillionEvents(Case):
    def test_a_million_events_of_ten_thousand_keys_raise_exactly_the_counted_alerts(self):
        events, keys, batch = 1_000_000, 10_000, 64
        daemon = self.start(BUSY)
        stream = self.subscribe()
        push = self.pusher()
        draw = random.Random(20260301)
        now = int(time.time() * 1000)
        often = collections.Counter()
        extreme = set()
        message = []
        for number in range(events):
            key = draw.randrange(keys)
            value = draw.randrange(1000)
            # Positional: event_id, source_id, time, resource_id, type, name, item, level, value.
            resource, item = f"h{key >> 1}", "ab"[key & 1]
            message.append([None, "load", now, resource, None, None, item, None, value])
            often[resource, item] += value >= 500
            if item == "a" and value >= 999:
                extreme.add((resource, item))
            if len(message) == batch:
                push.send(msgpack.packb(message))
                message = []
        push.send(msgpack.packb(message))
        wanted = {("often", *key) for key, count in often.items() if count >= 60}
        wanted |= {("extreme", *key) for key in extreme}
        self.assertGreater(len(wanted), 400, "the draw makes the test worth while")
        seen = []
        for _ in wanted:
            alert = stream.next_alert()
            seen.append((alert["rule"], alert["resource_id"], alert["item"]))
        push.close()
        counts, _ = self.counts_at_stop(daemon)
        self.assertEqual(sorted(seen), sorted(wanted))
        self.assertEqual((counts["received"], counts["accepted"]), (events, events))
        self.assertEqual(counts["transitions"], len(wanted))


# Each rule has windows of its own, all on the one shard.
FIFTY_RULES = "rules:\n" + "".join(f"""
- name: rule{number}
  where: item != "never{number}"
  group_by: [{("resource_id", "item", "resource_id, item")[number % 3]}]
  window: {{sliding: {60 + number}s, every: 1s}}
  having: count() >= 1000000000
  severity: error
""" for number in range(50))


class Memory(Case):
    def test_floods_of_malformed_messages_leave_no_memory_behind(self):
        daemon = self.start()
        stream = self.subscribe()
        push = self.pusher()
        # The few large kinds come seldom: they are as many bytes as thousands of the others.
        kinds = list(malformed_messages())
        small = [kind for kind in kinds if len(kind[0]) < 10_000]
        messages = 200_000
        rounds = -(-messages // len(small))
        accepted = rejected = 0
        after = []
        for flood in range(2):
            for turn in range(rounds):
                for message, good, refused in small if turn % 500 else kinds:
                    push.send(message)
                    accepted += good
                    rejected += len(refused)
            # One sender's messages are taken in order: when the last one has its effect, all have.
            push.send(msgpack.packb([error_event(number, f"last{flood}") for number in range(3)]))
            accepted += 3
            self.assertEqual(stream.next_alert()["resource_id"], f"last{flood}")
            after.append(memory_kib(daemon))
        self.assertLess(after[1] - after[0], 32 * 1024, f"KiB after each flood: {after}")
        counts, _ = self.counts_at_stop(daemon)
        self.assertEqual((counts["accepted"], counts["rejected"]), (accepted, rejected))
        self.assertGreaterEqual(rejected, 2 * messages)

    def overload(self, message, messages):
        """Sends as fast as the daemon takes it; gives what it counted."""
        self.shards = 1
        daemon = self.start(FIFTY_RULES)
        push = self.pusher()
        push.setsockopt(zmq.SNDHWM, 10)
        for _ in range(messages):
            push.send(message)
        push.close()
        # The most it ever had covers the whole run; the last looks come while it drains.
        daemon.process.send_signal(signal.SIGTERM)
        most = 0
        while daemon.process.poll() is None:
            try:
                most = max(most, memory_kib(daemon, "VmHWM"))
            except (OSError, TypeError):
                break  # it has ended
            try:
                daemon.process.wait(timeout=0.01)
            except subprocess.TimeoutExpired:
                pass
        self.assertLess(most, 256 * 1024)
        counts, _ = self.counts_at_stop(daemon)
        self.assertEqual(counts["received"], counts["accepted"] + counts["rejected"])
        return counts

    def test_one_slow_shard_holds_senders_back_and_memory_stays_bounded(self):
        batch = msgpack.packb([[None, "load", None, f"h{n % 50}", None, None, f"i{n % 40}"]
                               for n in range(64)])
        counts = self.overload(batch, messages=20_000)
        self.assertEqual(counts["received"], counts["accepted"])

    def test_events_of_a_few_bytes_cannot_fill_the_memory(self):
        tiny = msgpack.packb([[None, None, None, "h", None, None, "i"]] * 10_000)
        self.overload(tiny, messages=150)
        # Far more than a batch may hold: what is beyond the bound is not even read.
        batch = b"\xdc\xea\x60" + b"\x80" * 60_000
        counts = self.overload(batch, messages=400)
        self.assertEqual(counts["accepted"], 10_000 * counts["rejected"])


if __name__ == "__main__":
    unittest.main()
