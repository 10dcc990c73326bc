# SPDX-License-Identifier: Apache-2.0
"""HTTP as Prometheus, probes and scripts use it: exact counts, health, active alerts, errors."""
import http.client
import json
import re
import socket
import unittest

import msgpack
from running import BIN, PATIENCE, Program, Served, error_event


class Http(Served):
    def send_and_wait(self, stream, push):
        """Seven events, of which four are taken and raise one alert; all have had their effect."""
        bad_level = error_event(10, level=9)
        unwanted = {"source_id": "other \"one\"", "item": "disk", "level": 3}
        push.send(msgpack.packb([bad_level, unwanted, bad_level]))
        push.send(b"\xc1")
        push.send(msgpack.packb([error_event(number) for number in range(3)]))
        return stream.next_alert()

    def test_metrics_have_the_exact_counts(self):
        self.start()
        before = self.metrics()
        self.assertEqual(before["tocsin_events_received_total"], 0)
        self.assertEqual(before["tocsin_alerts_active"], 0)
        self.send_and_wait(self.subscribe(), self.pusher())
        now = self.metrics()
        wanted = {
            "tocsin_events_received_total": 7,
            "tocsin_events_accepted_total": 4,
            "tocsin_events_duplicate_total": 0,
            'tocsin_events_rejected_total{code="bad_level"}': 2,
            'tocsin_events_rejected_total{code="malformed"}': 1,
            "tocsin_events_shed_total": 0,
            "tocsin_events_unmatched_total": 1,
            'tocsin_source_events_total{source="test",outcome="accepted"}': 3,
            'tocsin_source_events_total{source="test",outcome="rejected"}': 2,
            'tocsin_source_events_total{source="other \\"one\\"",outcome="accepted"}': 1,
            'tocsin_source_events_total{source="",outcome="rejected"}': 1,
            "tocsin_window_updates_total": 3,
            'tocsin_late_events_total{rule="errors"}': 0,
            "tocsin_keys": 1,
            "tocsin_alert_transitions_total": 1,
            "tocsin_alerts_active": 1,
            "tocsin_rules": 1,
        }
        self.assertEqual({name: now.get(name) for name in wanted}, wanted)
        self.assertGreater(now["tocsin_window_judgements_total"], 0)
        self.assertGreater(now["tocsin_log_steps_total"], before["tocsin_log_steps_total"])
        self.assertGreater(now["process_resident_memory_bytes"], 1_000_000)
        self.assertEqual(now["process_start_time_seconds"], before["process_start_time_seconds"])
        self.assertEqual(len([name for name in now if re.fullmatch(
            r'tocsin_build_info\{version="\d+\.\d+\.\d+"\}', name)]), 1)

    def test_it_is_healthy_and_ready(self):
        self.start()
        for path, said in (("/-/healthy", "healthy\n"), ("/-/ready", "ready\n")):
            status, _, body = self.ask(path)
            self.assertEqual((status, body), (200, said))

    def test_active_alerts_are_listed_as_on_the_stream(self):
        self.start()
        self.assertEqual(self.ask("/api/tocsin/v1/alerts")[2], "[]")
        stream, push = self.subscribe(), self.pusher()
        fired = self.send_and_wait(stream, push)
        status, headers, body = self.ask("/api/tocsin/v1/alerts")
        self.assertEqual((status, headers["Content-Type"]), (200, "application/json"))
        self.assertEqual(json.loads(body), [fired])
        push.send(msgpack.packb([error_event(number, "host2") for number in range(3)]))
        stream.next_alert()
        listed = json.loads(self.ask("/api/tocsin/v1/alerts")[2])
        self.assertEqual(sorted(each["resource_id"] for each in listed), ["host1", "host2"])
        push.send(msgpack.packb(error_event(20, action="resolved")))
        self.assertEqual(stream.next_alert()["state"], "resolved")
        listed = json.loads(self.ask("/api/tocsin/v1/alerts")[2])
        self.assertEqual([each["resource_id"] for each in listed], ["host2"])

    def test_errors_are_json(self):
        self.start()
        status, _, body = self.ask("/api/v9/alerts")
        self.assertEqual((status, json.loads(body)["code"]), (404, "not_found"))
        status, headers, body = self.ask("/metrics", "POST")
        self.assertEqual((status, json.loads(body)["code"]), (405, "method_not_allowed"))
        self.assertEqual(headers["Allow"], "GET, HEAD")

    def test_a_taken_port_ends_the_start_with_its_name(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            daemon = Program(BIN / "tocsind", "--config", self.config(listen=address))
            self.addCleanup(self.end, daemon)
            self.assertEqual(daemon.finish(), 70)
        self.assertIn(f"http.listen: cannot serve HTTP on {address}: Address already in use",
                      "\n".join(daemon.lines["stderr"]))

    def test_an_open_connection_does_not_hold_up_the_stop(self):
        daemon = self.start()
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/-/ready")
        self.assertEqual(connection.getresponse().read(), b"ready\n")
        self.assertEqual(self.counts_at_stop(daemon)[0]["received"], 0)


if __name__ == "__main__":
    unittest.main()
