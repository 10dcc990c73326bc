# SPDX-License-Identifier: Apache-2.0
"""Notices reach webhooks: in groups, again until they are taken, across restarts."""
import http.server
import json
import queue
import threading
import unittest

from operators_test import Operated
from running import PATIENCE


class Webhook:
    """A receiver: what it is sent, and what it is to answer."""

    def __init__(self):
        self.bodies = queue.Queue()
        self.answers = []  # statuses of the next requests; then 200
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = outer.answers.pop(0) if outer.answers else 200
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                outer.bodies.put((self.headers["webhook-id"], status, body))

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def next(self):
        """(id, the status it was given, body) of the next request."""
        return self.bodies.get(timeout=PATIENCE)

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Notices(Operated):
    def setUp(self):
        super().setUp()
        self.hook = Webhook()
        self.addCleanup(self.hook.close)

    def notify(self, wait="1s", interval="1s", more=""):
        return f"""
notify:
  route: {{receiver: hook, group_by: [alertname], group_wait: {wait}, group_interval: {interval}}}
  receivers:
  - name: hook
    webhook_configs: [{{url: "{self.hook.url}"}}]
{more}
"""

    def test_alerts_of_a_group_come_together_and_their_resolution_is_told(self):
        self.start(extra=self.notify())
        for resource in ("db1", "db2"):
            self.fire(resource)
        _, _, body = self.hook.next()
        while len(body["alerts"]) < 2:  # the second may have come after the first flush
            _, _, body = self.hook.next()
        self.assertEqual((body["version"], body["status"], body["receiver"]),
                         ("4", "firing", "hook"))
        self.assertEqual(body["groupLabels"], {"alertname": "errors"})
        self.assertEqual(body["commonLabels"]["severity"], "critical")
        self.assertEqual(sorted(each["labels"]["resource_id"] for each in body["alerts"]),
                         ["db1", "db2"])
        self.command("close", 'alertname="errors"', "--by", "ann")
        _, _, body = self.hook.next()
        self.assertEqual(body["status"], "resolved")
        self.assertEqual([each["status"] for each in body["alerts"]], ["resolved", "resolved"])

    def test_a_silenced_alert_is_told_when_the_silence_ends(self):
        self.start(extra=self.notify())
        silence = self.command("silence", "add", 'resource_id="db1"', "-c", "known", "--by",
                               "ann").stdout.strip()
        self.fire("db1")
        self.fire("db2")
        _, _, body = self.hook.next()
        self.assertEqual([each["labels"]["resource_id"] for each in body["alerts"]], ["db2"])
        self.command("silence", "expire", silence)
        _, _, body = self.hook.next()
        self.assertIn("db1", [each["labels"]["resource_id"] for each in body["alerts"]])

    def test_what_is_refused_for_the_moment_is_sent_again_with_the_same_id(self):
        self.start(extra=self.notify())
        self.hook.answers = [503, 429]
        self.fire()
        tries = [self.hook.next() for _ in range(3)]
        self.assertEqual([status for _, status, _ in tries], [503, 429, 200])
        self.assertEqual(len({id for id, _, _ in tries}), 1)
        now = self.poll(self.metrics,
                        lambda now: now['tocsin_notice_tries_total{outcome="delivered"}'] == 1)
        self.assertEqual(now['tocsin_notice_tries_total{outcome="retried"}'], 2)

    def test_a_group_that_waited_at_kill_9_is_told_once_after_it(self):
        daemon = self.start(extra=self.notify(wait="3s"))
        self.fire("db1")
        # What a query of the past finds is stored.
        self.poll(lambda: self.get("/api/tocsin/v1/history")["alerts"], len)
        daemon.process.kill()
        daemon.finish()
        self.assertTrue(self.hook.bodies.empty())
        self.start(extra=self.notify(wait="3s"))
        _, _, body = self.hook.next()
        self.assertEqual([each["labels"]["resource_id"] for each in body["alerts"]], ["db1"])
        self.poll(self.metrics,
                  lambda now: now['tocsin_notice_tries_total{outcome="delivered"}'] == 1)
        self.assertTrue(self.hook.bodies.empty())

    def test_a_notice_that_nobody_took_before_kill_9_is_taken_after_it(self):
        self.hook.answers = [503] * 1000
        daemon = self.start(extra=self.notify())
        self.fire("db1")
        first, _, _ = self.hook.next()
        daemon.process.kill()
        daemon.finish()
        while not self.hook.bodies.empty():
            self.hook.bodies.get()
        self.hook.answers = []
        self.start(extra=self.notify())
        again, status, _ = self.hook.next()
        self.assertEqual((again, status), (first, 200))

    def test_who_does_not_acknowledge_in_time_is_escalated(self):
        self.start(extra=self.notify(wait="1h") + """
escalation:
- name: all
  matchers: []
  levels: [{after: 1s, receivers: [hook], repeat: 1, every: 1m}]
""")
        self.fire("db1")
        _, _, body = self.hook.next()
        self.assertEqual(body["escalationLevel"], 1)


if __name__ == "__main__":
    unittest.main()
