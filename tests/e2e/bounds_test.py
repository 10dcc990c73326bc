# SPDX-License-Identifier: Apache-2.0
"""Bounds on state: a flood of keys is seen, costs bounded memory, and harms no known key."""
import time
import unittest

import msgpack
from running import Served, error_event

FOLLOWED = """
rules:
- name: errors
  where: level <= 1
  group_by: [resource_id]
  window: {fixed: 1000d}
  having: event_count >= 3
  severity: critical
"""
LIMITED = FOLLOWED + """
  limits: {keys: 2}
"""
BRIEF = """
rules:
- name: brief
  where: level <= 1
  group_by: [resource_id]
  window: {session: 1s}
  clock: arrival
  having: event_count >= 1000
  limits: {keys: 1}
"""
OVERFLOWED = "__overflow__"


def of_rule(metrics, name, rule="errors"):
    return metrics[f'{name}{{rule="{rule}"}}']


class Limits(Served):
    shards = 1  # they share a bound: only of one shard is it exact

    def overflow(self, rules, extra=""):
        """Two keys find room and three do not; then the known ones go on."""
        self.start(rules, extra)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([error_event(1, "known1"), error_event(2, "known2"),
                                 error_event(3, "known1")]))
        push.send(msgpack.packb([error_event(number, f"new{number}") for number in range(4, 7)]))
        alerts = [stream.next_alert(), stream.next_alert()]
        full, flood = sorted(alerts, key=lambda each: each["rule"], reverse=True)
        self.assertEqual((full["rule"], full["state"], full["severity"], full["group"]),
                         ("tocsin-overflow", "firing", "warning", {"rule": "errors", "shard": "0"}))
        self.assertEqual((flood["rule"], flood["group"], flood["event_count"]),
                         ("errors", {"resource_id": OVERFLOWED}, 3))
        self.assertEqual(flood["event_ids"], ["e4", "e5", "e6"])
        push.send(msgpack.packb([error_event(7, "known1")]))
        known = stream.next_alert()
        self.assertEqual((known["rule"], known["group"], known["event_count"], known["event_ids"]),
                         ("errors", {"resource_id": "known1"}, 3, ["e1", "e3", "e7"]))
        push.send(msgpack.packb([error_event(8, "known2"), error_event(9, "new9"),
                                 error_event(10, "known2")]))
        known = stream.next_alert()
        self.assertEqual((known["group"], known["event_ids"]),
                         ({"resource_id": "known2"}, ["e2", "e8", "e10"]))
        metrics = self.metrics()
        self.assertEqual(metrics["tocsin_events_accepted_total"], 10)
        self.assertEqual(of_rule(metrics, "tocsin_rule_overflow_events_total"), 4)
        self.assertEqual(of_rule(metrics, "tocsin_rule_keys"), 3)

    def test_a_rule_with_its_own_limit_overflows_and_known_keys_stay_exact(self):
        self.overflow(LIMITED)

    def test_the_settings_limit_overflows_and_known_keys_stay_exact(self):
        self.overflow(FOLLOWED, "state: {keys: 2}")

    def test_room_for_new_keys_ends_the_overflow(self):
        self.start(BRIEF)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([error_event(1, "first"), error_event(2, "second")]))
        full, room = stream.next_alert(), stream.next_alert()
        self.assertEqual((full["rule"], full["state"], full["cause"]),
                         ("tocsin-overflow", "firing", "no room for keys"))
        self.assertEqual((room["alert_id"], room["state"], room["cause"]),
                         (full["alert_id"], "resolved", "room for new keys"))
        self.poll(lambda: of_rule(self.metrics(), "tocsin_rule_keys", "brief"), lambda keys: keys == 0)


class Flood(Served):
    KEYS = 1_000_000
    STATE_MIB = 16

    def test_a_flood_of_keys_takes_bounded_memory_and_a_known_key_stays_exact(self):
        self.start(FOLLOWED, f"state: {{bytes: {self.STATE_MIB}MiB}}")
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([error_event(1, "known")]))
        # Positional: event_id, source_id, time, resource_id, type, name, item, level.
        now = int(time.time() * 1000)
        batch = 1000
        for start in range(0, self.KEYS, batch):
            push.send(msgpack.packb([[f"f{number}", "flood", now, f"host-{number}", None, None,
                                      "disk", 1] for number in range(start, start + batch)]))
        push.send(msgpack.packb([error_event(2, "known"), error_event(3, "known")]))
        seen = []
        while not seen or seen[-1]["group"] != {"resource_id": "known"}:
            seen.append(stream.next_alert())
        self.assertEqual((seen[-1]["event_count"], seen[-1]["event_ids"]), (3, ["e1", "e2", "e3"]))
        self.assertEqual({each["group"]["shard"] for each in seen
                          if each["rule"] == "tocsin-overflow"}, {"0", "1"})
        self.assertIn(OVERFLOWED, [each["group"].get("resource_id") for each in seen])
        # The other shard may still be at it.
        metrics = self.poll(self.metrics, lambda now: now["tocsin_window_updates_total"] == self.KEYS + 3)
        self.check_counts(metrics)
        self.check_memory(metrics)

    def check_counts(self, metrics):
        self.assertEqual(metrics["tocsin_events_received_total"], self.KEYS + 3)
        self.assertEqual(metrics["tocsin_events_accepted_total"], self.KEYS + 3)
        # Each event of the flood has a key of its own or went to __overflow__, of which each shard
        # has one.
        keys = of_rule(metrics, "tocsin_rule_keys")
        elsewhere = of_rule(metrics, "tocsin_rule_overflow_events_total")
        self.assertEqual(keys - 1 - self.shards + elsewhere, self.KEYS)
        self.assertGreater(keys, 1000)
        self.assertGreater(elsewhere, 1000)

    def check_memory(self, metrics):
        mib = 1024 * 1024
        # A key more is let in until the bound is reached, and the known one may grow beyond it.
        self.assertLess(metrics["tocsin_window_state_bytes"], (self.STATE_MIB + 1) * mib)
        # Twice the state for tables that double and what the allocator keeps, 64 MiB for events
        # under way, 32 MiB for the process itself. Without a bound it takes more than 300 MiB.
        self.assertLess(metrics["process_resident_memory_bytes"],
                        (2 * self.STATE_MIB + 64 + 32) * mib)


if __name__ == "__main__":
    unittest.main()
