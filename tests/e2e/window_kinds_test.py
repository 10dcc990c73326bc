# SPDX-License-Identifier: Apache-2.0
"""Silence, sessions and sequences through the daemon, by its own clock."""
import unittest

import msgpack
from running import Case, Served

ABSENCE = """
rules:
- name: silent
  where: item == "heartbeat"
  group_by: [resource_id]
  window: {absent: 1s}
  lateness: 0s
  clock: arrival
  severity: error
  title: "${resource_id}: silent for ${idle}"
"""
EXPECT = ABSENCE + """
  expect: [{resource_id: never}]
"""
SESSION = """
rules:
- name: unrepaired
  where: item == "build" && labels.result == "failure"
  group_by: [resource_id]
  window: {session: 1s, close: 'item == "build" && labels.result == "success"'}
  clock: arrival
  select: {failures: 'count_if(labels.result == "failure")'}
  severity: error
  title: "${resource_id}: ${failures} failed builds"
"""
STARTED_NOT_FINISHED = """
rules:
- name: hangs
  group_by: [resource_id]
  clock: arrival
  then:
  - where: item == "started"
  - not: item == "finished"
    within: 1s
  severity: warning
"""
FAILED_THEN_IN = """
rules:
- name: got-in
  where: item == "login"
  group_by: [resource_id]
  clock: arrival
  then:
  - where: labels.result == "failure"
  - where: labels.result == "success"
    within: 1s
  severity: critical
"""


def heartbeat(resource, **more):
    return {"resource_id": resource, "item": "heartbeat", "level": 3, **more}


def build(resource, result):
    return {"resource_id": resource, "item": "build", "labels": {"result": result}}


def login(resource, result):
    return {"resource_id": resource, "item": "login", "labels": {"result": result}}


def summary(alert):
    return alert["resource_id"] or alert["group"]["resource_id"], alert["state"], alert["cause"]


class Absence(Served):
    def test_a_silent_key_fires_and_is_heard_again(self):
        self.start(ABSENCE)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([heartbeat("web-1", event_id="beat")]))
        fired = stream.next_alert()
        self.assertEqual(summary(fired), ("web-1", "firing", "silent"))
        self.assertEqual((fired["rule"], fired["severity"]), ("silent", "error"))
        self.assertEqual((fired["event_count"], fired["event_ids"]), (1, ["beat"]))
        window = fired["window"]
        self.assertEqual(window["kind"], "absence")
        self.assertEqual(window["start"], fired["last_event_time"])
        self.assertEqual(window["end"] - window["start"], 1000)
        self.assertGreaterEqual(fired["at"], window["end"])
        self.assertEqual(fired["title"], "web-1: silent for 1s")
        push.send(msgpack.packb([heartbeat("web-1")]))
        heard = stream.next_alert()
        self.assertEqual(summary(heard), ("web-1", "resolved", "heard again"))
        self.assertEqual(heard["alert_id"], fired["alert_id"])
        again = stream.next_alert()
        self.assertEqual(summary(again), ("web-1", "firing", "silent"))
        self.assertNotEqual(again["alert_id"], fired["alert_id"])

    def test_an_expected_key_that_never_came_fires(self):
        self.start(EXPECT)
        # It may have fired before anybody can have subscribed.
        [fired] = self.poll(self.active_alerts, len)
        self.assertEqual((fired["group"], fired["state"], fired["cause"], fired["event_count"]),
                         ({"resource_id": "never"}, "firing", "silent", 0))
        self.assertEqual(fired["title"], "never: silent for 1s")
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([heartbeat("never")]))
        heard = stream.next_alert()
        self.assertEqual((heard["state"], heard["alert_id"]), ("resolved", fired["alert_id"]))
        again = stream.next_alert()
        self.assertEqual((again["state"], again["event_count"]), ("firing", 1))

    def test_a_decommissioned_key_is_waited_for_no_more(self):
        self.start(ABSENCE)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([heartbeat("old")]))
        self.assertEqual(summary(stream.next_alert())[:2], ("old", "firing"))
        push.send(msgpack.packb([heartbeat("old"), heartbeat("old", action="closed"),
                                 heartbeat("gone"), heartbeat("gone", action="closed")]))
        self.assertEqual(summary(stream.next_alert())[:2], ("old", "resolved"))
        # Its silence ends after theirs would have: had they been waited for, they would come first.
        push.send(msgpack.packb([heartbeat("new")]))
        self.assertEqual(summary(stream.next_alert()), ("new", "firing", "silent"))
        self.assertEqual([each["resource_id"] for each in self.active_alerts()], ["new"])
        self.assertEqual(self.metrics()['tocsin_rule_keys{rule="silent"}'], 1)

    def test_closing_a_silent_key_ends_its_alert(self):
        self.start(ABSENCE)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([heartbeat("old")]))
        fired = stream.next_alert()
        push.send(msgpack.packb([heartbeat("old", action="closed")]))
        ended = stream.next_alert()
        self.assertEqual((ended["alert_id"], ended["state"], ended["actor"]),
                         (fired["alert_id"], "closed", "event"))
        push.send(msgpack.packb([heartbeat("new")]))
        self.assertEqual(summary(stream.next_alert()), ("new", "firing", "silent"))
        self.assertEqual([each["resource_id"] for each in self.active_alerts()], ["new"])


class Sessions(Case):
    def test_a_success_closes_a_session_of_failures_in_silence_and_without_one_it_fires(self):
        self.start(SESSION)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([build("repaired", "failure"), build("repaired", "failure"),
                                 build("repaired", "success")]))
        push.send(msgpack.packb([build("broken", "failure"), build("broken", "failure"),
                                 build("broken", "failure")]))
        fired = stream.next_alert()
        self.assertEqual(summary(fired), ("broken", "firing", "session timed out"))
        self.assertEqual((fired["event_count"], fired["values"], fired["title"]),
                         (3, {"failures": 3}, "broken: 3 failed builds"))
        self.assertEqual(fired["window"]["kind"], "session")
        self.assertEqual((fired["window"]["start"], fired["window"]["end"]),
                         (fired["first_event_time"], fired["last_event_time"]))
        push.send(msgpack.packb([build("repaired", "success"), build("broken", "success")]))
        resolved = stream.next_alert()
        self.assertEqual(summary(resolved), ("broken", "resolved", "closed by an event"))
        self.assertEqual(resolved["alert_id"], fired["alert_id"])


class Sequences(Case):
    def test_what_does_not_follow_fires_and_what_follows_is_silent(self):
        self.start(STARTED_NOT_FINISHED)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([{"resource_id": "good", "item": "started"},
                                 {"resource_id": "good", "item": "finished"}]))
        push.send(msgpack.packb([{"resource_id": "bad", "item": "started", "event_id": "begin"}]))
        fired = stream.next_alert()
        self.assertEqual(summary(fired), ("bad", "firing", "did not follow"))
        self.assertEqual((fired["event_count"], fired["event_ids"]), (1, ["begin"]))
        self.assertEqual(fired["window"]["kind"], "sequence")
        self.assertGreaterEqual(fired["at"], fired["first_event_time"] + 1000)
        over = stream.next_alert()
        self.assertEqual(summary(over), ("bad", "resolved", "sequence over"))

    def test_what_comes_after_all_resolves(self):
        # The alert lasts for the sum of all `within`: long enough for what comes after all.
        self.start(STARTED_NOT_FINISHED.replace("  - not:", "  - where: item == \"running\"\n"
                                                "    within: 10m\n  - not:"))
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([{"resource_id": "bad", "item": "started"},
                                 {"resource_id": "bad", "item": "running"}]))
        self.assertEqual(summary(stream.next_alert()), ("bad", "firing", "did not follow"))
        push.send(msgpack.packb([{"resource_id": "bad", "item": "finished"}]))
        self.assertEqual(summary(stream.next_alert()), ("bad", "resolved", "came after all"))

    def test_steps_in_order_fire_and_in_another_order_do_not(self):
        self.start(FAILED_THEN_IN)
        stream, push = self.subscribe(), self.pusher()
        push.send(msgpack.packb([login("other-order", "success"), login("other-order", "failure")]))
        push.send(msgpack.packb([login("guessed", "failure"), login("guessed", "success")]))
        fired = stream.next_alert()
        self.assertEqual(summary(fired), ("guessed", "firing", "sequence complete"))
        self.assertEqual((fired["severity"], fired["event_count"]), ("critical", 2))
        self.assertEqual(summary(stream.next_alert()), ("guessed", "resolved", "sequence over"))


if __name__ == "__main__":
    unittest.main()
