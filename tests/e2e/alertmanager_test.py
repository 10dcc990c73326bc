# SPDX-License-Identifier: Apache-2.0
"""What was made for Alertmanager works against tocsin: amtool, Prometheus, promtool."""
import http.server
import json
import shutil
import socket
import subprocess
import threading
import unittest

from running import PATIENCE, Program, Served, tocsin

NOTIFY = """
notify:
  route:
    receiver: everyone
    group_by: [alertname]
    routes:
    - receiver: database
      matchers: ['team="db"']
    - receiver: pager
      matchers: ['severity="critical"']
  receivers:
  - name: everyone
  - name: database
  - name: pager
  inhibit_rules:
  - source_matchers: ['alertname="site-down"']
    target_matchers: ['alertname="host-down"']
    equal: [site]
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@unittest.skipUnless(shutil.which("amtool"), "amtool is not installed (scripts/setup installs it)")
class Amtool(Served):
    def setUp(self):
        super().setUp()
        self.start(extra=NOTIFY)

    def amtool(self, *arguments, code=0):
        # HOME: it would read ~/.config/amtool.
        done = subprocess.run(
            ["amtool", f"--alertmanager.url=http://{self.address}", *arguments],
            capture_output=True, text=True, timeout=PATIENCE, env={"HOME": str(self.folder)})
        self.assertEqual(done.returncode, code, done)
        return done.stdout

    def queried(self, *matchers, flags=()):
        return json.loads(self.amtool("-o", "json", "alert", "query", *flags, *matchers))

    def test_an_alert_that_amtool_adds_is_found_again(self):
        self.amtool("alert", "add", "alertname=disk", "severity=critical", "instance=db1",
                    "--annotation=summary=disk is full", "--generator-url=http://example.org/g")
        found = self.queried("alertname=disk")
        self.assertEqual(len(found), 1)
        self.assertEqual(found[0]["labels"],
                         {"alertname": "disk", "severity": "critical", "instance": "db1"})
        self.assertEqual(found[0]["annotations"]["summary"], "disk is full")
        self.assertEqual(found[0]["generatorURL"], "http://example.org/g")
        self.assertEqual(found[0]["status"]["state"], "active")
        self.assertEqual([each["name"] for each in found[0]["receivers"]], ["pager"])
        self.assertEqual(self.queried("alertname=other"), [])
        self.assertEqual(len(self.queried("instance=~db.*")), 1)
        self.assertIn("disk", self.amtool("alert", "query"))

    def test_an_alert_that_amtool_ends_is_gone(self):
        self.amtool("alert", "add", "alertname=disk", "instance=db1")
        self.assertEqual(len(self.queried()), 1)
        self.amtool("alert", "add", "alertname=disk", "instance=db1",
                    "--start=2020-01-01T00:00:00Z", "--end=2020-01-01T01:00:00Z")
        self.assertEqual(self.queried(), [])

    def test_silences_are_added_queried_updated_and_expired(self):
        self.amtool("alert", "add", "alertname=disk", "instance=db1")
        made = self.amtool("silence", "add", "alertname=disk", "--comment=known",
                           "--author=ann", "--duration=1h").strip()
        self.assertRegex(made, r"^[0-9a-f-]{36}$")
        self.assertEqual(self.queried(), [])
        silenced = self.queried(flags=["--silenced"])
        self.assertEqual(silenced[0]["status"]["silencedBy"], [made])
        self.assertEqual(silenced[0]["status"]["state"], "suppressed")

        listed = json.loads(self.amtool("-o", "json", "silence", "query"))
        self.assertEqual([(each["id"], each["createdBy"], each["comment"],
                           each["status"]["state"]) for each in listed],
                         [(made, "ann", "known", "active")])
        self.assertEqual(listed[0]["matchers"], [{"name": "alertname", "value": "disk",
                                                  "isRegex": False, "isEqual": True}])
        self.assertEqual(json.loads(self.amtool("-o", "json", "silence", "query", "instance=x")),
                         [])

        updated = self.amtool("silence", "update", "--comment=still known", "--duration=2h",
                              made)
        self.assertIn("still known", updated)
        listed = json.loads(self.amtool("-o", "json", "silence", "query"))
        self.assertEqual([each["comment"] for each in listed], ["still known"])

        self.amtool("silence", "expire", listed[0]["id"])
        self.assertEqual(json.loads(self.amtool("-o", "json", "silence", "query")), [])
        expired = json.loads(self.amtool("-o", "json", "silence", "query", "--expired"))
        self.assertIn(listed[0]["id"], [each["id"] for each in expired])
        self.assertEqual(len(self.queried()), 1)

    def test_silences_travel_as_a_file(self):
        self.amtool("silence", "add", "alertname=disk", "--comment=known", "--author=ann")
        file = self.write("silences.json", self.amtool("-o", "json", "silence", "query"))
        self.amtool("silence", "import", "--force", file)
        self.assertEqual(len(json.loads(self.amtool("-o", "json", "silence", "query"))), 2)

    def test_an_inhibited_alert_is_told_so(self):
        self.amtool("alert", "add", "alertname=host-down", "site=a", "host=h1")
        self.amtool("alert", "add", "alertname=site-down", "site=a")
        found = self.queried(flags=["--inhibited"])
        self.assertEqual([each["labels"]["alertname"] for each in found], ["host-down"])
        self.assertEqual(len(found[0]["status"]["inhibitedBy"]), 1)

    def test_routes_are_shown_and_tested(self):
        self.assertEqual(self.amtool("config", "routes", "test", "team=db").strip(), "database")
        self.assertEqual(self.amtool("config", "routes", "test", "severity=critical").strip(),
                         "pager")
        self.assertEqual(self.amtool("config", "routes", "test", "a=b").strip(), "everyone")
        self.amtool("config", "routes", "test", "--verify.receivers=pager", "team=db", code=1)
        tree = self.amtool("config", "routes", "show")
        self.assertIn('{severity="critical"}', tree)
        self.assertIn("receiver: database", tree)
        self.assertIn("receiver: everyone", self.amtool("config", "show"))

    def test_the_configuration_it_shows_is_one_that_alertmanager_takes(self):
        shown = json.loads(self.ask("/api/v2/status")[2])["config"]["original"]
        file = self.write("shown.yaml", shown)
        done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual(done.returncode, 0, done)
        self.assertIn("3 receivers", done.stdout)


class Gauge(http.server.BaseHTTPRequestHandler):
    """A scrape target: one metric, whose value the test sets."""

    value = 0

    def do_GET(self):
        body = f"temperature {type(self).value}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@unittest.skipUnless(shutil.which("prometheus"),
                     "prometheus is not installed (scripts/setup installs it)")
class Prometheus(Served):
    def start_prometheus(self):
        target = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gauge)
        threading.Thread(target=target.serve_forever, daemon=True).start()
        self.addCleanup(target.server_close)
        self.addCleanup(target.shutdown)
        self.write("alerts.yml", """
groups:
- name: test
  rules:
  - alert: too-hot
    expr: temperature > 30
    labels: {severity: critical, team: boiler}
    annotations: {summary: "{{ $value }} degrees at {{ $labels.instance }}"}
""")
        config = self.write("prometheus.yml", f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [alerts.yml]
scrape_configs:
- job_name: boiler
  static_configs: [{{targets: ["127.0.0.1:{target.server_address[1]}"]}}]
alerting:
  alertmanagers:
  - api_version: v2
    static_configs: [{{targets: ["{self.address}"]}}]
""")
        prometheus = Program(
            "prometheus", f"--config.file={config}", f"--storage.tsdb.path={self.folder}/tsdb",
            f"--web.listen-address=127.0.0.1:{free_port()}", "--rules.alert.resend-delay=1s")
        self.addCleanup(self.end, prometheus)
        prometheus.wait_for("stderr", "Server is ready")
        return prometheus

    def test_its_alerts_fire_and_resolve(self):
        self.start()
        stream = self.subscribe()
        Gauge.value = 20
        self.start_prometheus()
        Gauge.value = 35
        fired = stream.next_alert()
        self.assertEqual((fired["rule"], fired["state"], fired["severity"], fired["origin"]),
                         ("too-hot", "firing", "critical", "posted"))
        self.assertEqual(fired["labels"]["team"], "boiler")
        self.assertRegex(fired["title"], r"^35 degrees at 127\.0\.0\.1:\d+$")
        self.assertEqual([each["alert_id"] for each in self.active_alerts()], [fired["alert_id"]])
        Gauge.value = 20
        resolved = stream.next_alert()
        self.assertEqual((resolved["alert_id"], resolved["state"]),
                         (fired["alert_id"], "resolved"))
        self.assertEqual(self.active_alerts(), [])

    def test_it_is_acknowledged_and_stays_so_while_prometheus_sends_it_again(self):
        self.start()
        stream = self.subscribe()
        Gauge.value = 35
        self.start_prometheus()
        fired = stream.next_alert()
        done = tocsin("ack", fired["alert_id"], "--by", "ann", "--http", self.address)
        self.assertEqual(done.returncode, 0, done)
        self.assertEqual(stream.next_alert()["acknowledged_by"], "ann")
        count = self.active_alerts()[0]["event_count"]
        again = self.poll(self.active_alerts, lambda now: now[0]["event_count"] > count + 1)
        self.assertEqual(again[0]["state"], "acknowledged")


@unittest.skipUnless(shutil.which("promtool"),
                     "promtool is not installed (scripts/setup installs it)")
class Promtool(Served):
    def test_the_metrics_page_is_as_prometheus_wants_it(self):
        self.start(extra=NOTIFY)
        page = self.ask("/metrics")[2]
        done = subprocess.run(["promtool", "check", "metrics"], input=page, capture_output=True,
                              text=True, timeout=PATIENCE)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))


if __name__ == "__main__":
    unittest.main()
