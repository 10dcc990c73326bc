# SPDX-License-Identifier: Apache-2.0
"""What operators do to alerts, through the command line and the API, and what of it lasts."""
import concurrent.futures
import http.client
import json
import time
import unittest

import msgpack

from running import PATIENCE, THREE_ERRORS, Served, error_event, tocsin


class Operated(Served):
    def setUp(self):
        super().setUp()
        self.data = self.folder / "data"

    def start(self, rules=THREE_ERRORS, extra=""):
        return super().start(rules, f'data: "{self.data}"\n{extra}')

    def command(self, *arguments, code=0):
        done = tocsin(*arguments, "--http", self.address)
        self.assertEqual(done.returncode, code, done)
        return done

    def post(self, path, body, method="POST"):
        """(status, answer)."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None,
                               {"Content-Type": "application/json"})
            answer = connection.getresponse()
            text = answer.read().decode()
            return answer.status, json.loads(text) if text else None
        finally:
            connection.close()

    def get(self, path):
        status, _, body = self.ask(path)
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def fire(self, resource="host1", stream=None):
        """Three errors of a resource, and the alert they raise, later than all before."""
        # The log's clock counts milliseconds, and never runs slower than at half speed.
        time.sleep(0.005)
        pusher = self.pusher()
        for number in range(3):
            pusher.send(msgpack.packb(error_event(f"{resource}-{number}", resource)))
        if stream:
            return stream.next_alert()
        found = self.poll(
            self.active_alerts,
            lambda now: [each for each in now if each["resource_id"] == resource])
        alert = next(each for each in found if each["resource_id"] == resource)
        # What is active is there before log and store have it; history and statistics ask the store.
        self.poll(lambda: self.get("/api/tocsin/v1/history?limit=1000")["alerts"],
                  lambda stored: any(each["alert_id"] == alert["alert_id"] for each in stored))
        return alert


class Acknowledging(Operated):
    def test_an_alert_is_acknowledged_once_and_taken_over_only_on_demand(self):
        self.start()
        stream = self.subscribe()
        alert = self.fire(stream=stream)["alert_id"]
        self.command("ack", alert, "--by", "ann", "--note", "looking")
        seen = stream.next_alert()
        self.assertEqual((seen["state"], seen["acknowledged_by"], seen["actor"], seen["note"]),
                         ("acknowledged", "ann", "ann", "looking"))
        refused = self.command("ack", alert, "--by", "bob", code=1)
        self.assertIn("ann", refused.stderr)
        self.command("ack", alert, "--by", "bob", "--replace")
        self.assertEqual(stream.next_alert()["acknowledged_by"], "bob")
        self.command("unack", alert, "--by", "bob")
        self.assertEqual(stream.next_alert()["state"], "firing")
        self.command("assign", alert, "--to", "cid", "--by", "ann")
        self.assertEqual(stream.next_alert()["assignee"], "cid")
        self.command("note", alert, "--note", "swapped the disk", "--by", "ann")
        self.assertEqual(stream.next_alert()["note"], "swapped the disk")
        self.command("close", alert, "--by", "ann")
        self.assertEqual(stream.next_alert()["state"], "closed")
        gone = self.command("ack", alert, "--by", "ann", code=1)
        self.assertIn("no active alert", gone.stderr)

    def test_of_many_operators_at_once_one_gets_the_alert_and_the_others_hear_who(self):
        self.start()
        alert = self.fire()["alert_id"]
        path = f"/api/tocsin/v1/alerts/{alert}/acknowledge"
        with concurrent.futures.ThreadPoolExecutor(16) as operators:
            answers = list(operators.map(lambda who: self.post(path, {"by": f"operator {who}"}),
                                         range(16)))
        won = [answer for status, answer in answers if status == 200]
        lost = [answer for status, answer in answers if status == 409]
        self.assertEqual((len(won), len(lost)), (1, 15), answers)
        for answer in lost:
            self.assertEqual(answer["code"], "already_acknowledged")
            self.assertIn(won[0]["acknowledged_by"], answer["message"])
        self.assertEqual(self.active_alerts()[0]["acknowledged_by"], won[0]["acknowledged_by"])

    def test_alerts_are_acknowledged_by_matchers(self):
        self.start()
        for resource in ("web1", "web2", "db1"):
            self.fire(resource)
        done = self.command("ack", 'resource_id=~"web.*"', "--by", "ann")
        self.assertIn("2 alerts acknowledged", done.stderr)
        listed = self.command("alerts", "--state", "firing").stdout
        self.assertIn("db1", listed)
        self.assertNotIn("web1", listed)


class Silencing(Operated):
    def test_a_silenced_alert_is_recorded_and_says_by_what(self):
        self.start()
        stream = self.subscribe()
        self.fire("db1", stream)
        preview = self.command("silence", "preview", 'resource_id="db1"')
        self.assertIn("1 active alerts match", preview.stderr)
        made = self.command("silence", "add", 'resource_id="db1"', "-c", "known", "-d", "1h",
                            "--by", "ann").stdout.strip()
        self.assertEqual(stream.next_alert()["silenced_by"], [made])
        self.assertIn(made, self.command("silence", "list").stdout)
        self.command("silence", "expire", made)
        self.assertEqual(stream.next_alert()["silenced_by"], [])

    def test_a_silence_of_events_keeps_them_out_of_the_rules_and_counts_them(self):
        self.start()
        self.command("silence", "add", 'resource_id="lab1"', "-c", "load test", "--scope",
                     "events")
        pusher = self.pusher()
        for number in range(5):
            pusher.send(msgpack.packb(error_event(number, "lab1")))
        self.fire("host1")
        self.assertEqual([each["resource_id"] for each in self.active_alerts()], ["host1"])
        now = self.poll(self.metrics, lambda now: now["tocsin_events_accepted_total"] == 8)
        self.assertEqual(now["tocsin_events_shielded_total"], 5)


class Restarting(Operated):
    def test_after_kill_9_all_is_as_it_was(self):
        daemon = self.start()
        stream = self.subscribe()
        first = self.fire("db1", stream)
        other = self.fire("db2", stream)
        self.command("ack", first["alert_id"], "--by", "ann", "--note", "mine")
        self.command("assign", other["alert_id"], "--to", "bob", "--by", "ann")
        silence = self.command("silence", "add", 'resource_id="db2"', "-c", "known", "-d", "1h",
                               "--by", "ann").stdout.strip()
        before = {each["alert_id"]: each for each in self.active_alerts()}
        last = self.get("/api/tocsin/v1/history")
        daemon.process.kill()
        daemon.finish()
        stream.close()

        self.start()
        after = {each["alert_id"]: each for each in self.active_alerts()}
        self.assertEqual(after, before)
        self.assertEqual(after[first["alert_id"]]["acknowledged_by"], "ann")
        self.assertEqual(after[other["alert_id"]]["silenced_by"], [silence])
        self.assertEqual(self.get("/api/tocsin/v1/history"), last)
        refused = self.command("ack", first["alert_id"], "--by", "bob", code=1)
        self.assertIn("ann", refused.stderr)

        stream = self.subscribe()
        seq = stream.first["seq"]
        self.assertGreater(seq, 0)
        self.command("close", first["alert_id"], "--by", "ann")
        header, closed = stream.next_message(kind="transition")
        self.assertEqual(header["seq"], seq + 1)
        self.assertEqual(closed["number"], before[first["alert_id"]]["number"] + 1)

    def test_an_alert_whose_rule_is_gone_is_closed(self):
        daemon = self.start()
        alert = self.fire()["alert_id"]
        daemon.stop()
        self.start(rules=THREE_ERRORS.replace("name: errors", "name: other"))
        self.assertEqual(self.active_alerts(), [])
        ended = self.poll(lambda: self.get(f"/api/tocsin/v1/alerts/{alert}"),
                          lambda now: now["state"] != "firing")
        self.assertEqual((ended["state"], ended["cause"]), ("closed", "rule removed"))

    def test_an_alert_whose_rule_has_changed_goes_on_under_it(self):
        daemon = self.start()
        alert = self.fire()
        daemon.stop()
        self.start(rules=THREE_ERRORS.replace("failures >= 3", "failures >= 2"))
        now = self.active_alerts()[0]
        self.assertEqual((now["alert_id"], now["cause"]), (alert["alert_id"], "rule changed"))
        self.assertNotEqual(now["revision"], alert["revision"])

    def test_a_second_daemon_on_the_same_data_is_refused(self):
        self.start()
        done = tocsin_daemon(self)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("data", done.stderr)


def tocsin_daemon(case):
    """A second daemon with its own sockets and the same data: its end."""
    import subprocess

    from running import BIN
    file = case.write("second.yaml", f"""
ingest: {{push: "ipc://{case.folder}/push2", acked: ""}}
alerts: {{stream: "", replay: ""}}
http: {{listen: ""}}
data: "{case.data}"
""")
    return subprocess.run([str(BIN / "tocsind"), "--config", str(file)], capture_output=True,
                          text=True, timeout=PATIENCE)


class History(Operated):
    def test_what_was_is_found_by_rule_state_label_and_words(self):
        self.start()
        stream = self.subscribe()
        ended = self.fire("db1", stream)["alert_id"]
        self.command("close", ended, "--by", "ann", "--note", "replaced the controller")
        self.assertEqual(stream.next_alert()["state"], "closed")
        self.fire("web1", stream)
        every = self.get("/api/tocsin/v1/history")["alerts"]
        self.assertEqual([each["resource_id"] for each in every], ["web1", "db1"])

        def found(query):
            return [each["resource_id"]
                    for each in self.get("/api/tocsin/v1/history?" + query)["alerts"]]

        self.assertEqual(found("state=closed"), ["db1"])
        self.assertEqual(found("filter=resource_id%3D%22web1%22"), ["web1"])
        self.assertEqual(found("text=controller"), ["db1"])
        self.assertEqual(found("rule=other"), [])
        page = self.get("/api/tocsin/v1/history?limit=1")
        rest = self.get(f"/api/tocsin/v1/history?limit=1&after={page['next']}")
        self.assertEqual([each["resource_id"] for each in page["alerts"] + rest["alerts"]],
                         ["web1", "db1"])

    def test_an_alert_is_explained_with_its_numbers(self):
        self.start()
        alert = self.fire()["alert_id"]
        self.command("ack", alert, "--by", "ann")
        explained = self.get(f"/api/tocsin/v1/alerts/{alert}/explain")
        self.assertEqual(explained["condition_with_values"], "3 >= 3")
        self.assertEqual(explained["events"]["count"], 3)
        self.assertEqual([each["state"] for each in explained["transitions"]],
                         ["firing", "acknowledged"])

    def test_statistics_count_by_rule_and_day(self):
        self.start()
        self.command("ack", self.fire("db1")["alert_id"], "--by", "ann")
        self.fire("db2")
        now = self.get("/api/tocsin/v1/stats?days=7")
        self.assertEqual((now["total"], now["active"], now["acknowledged"]), (2, 2, 1))
        self.assertEqual(now["rules"][0]["rule"], "errors")
        self.assertEqual(len(now["days"]), 7)
        self.assertEqual(sum(each["critical"] for each in now["days"]), 2)
        self.assertEqual(sum(each["info"] for each in now["days"]), 0)


if __name__ == "__main__":
    unittest.main()
