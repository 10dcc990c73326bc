# SPDX-License-Identifier: Apache-2.0
"""Acknowledged events through the daemon: what is answered, what tocsin send --acked and the agents make of it."""
import json
import signal
import subprocess
import unittest

import msgpack
import zmq

from running import PATIENCE, Case, error_event, tocsin


class Acked(Case):
    def setUp(self):
        super().setUp()
        self.acked_endpoint = f"ipc://{self.folder}/acked"

    def config(self, *arguments, **options):
        file = super().config(*arguments, **options)
        file.write_text(file.read_text().replace('acked: ""', f'acked: "{self.acked_endpoint}"'))
        return file

    def lasting(self):
        return f'data: "{self.folder}/data"'

    def socket(self, kind):
        socket = zmq.Context.instance().socket(kind)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVTIMEO, PATIENCE * 1000)
        socket.connect(self.acked_endpoint)
        self.addCleanup(socket.close)
        return socket

    def ask(self, events):
        """One request over REQ; the reply."""
        socket = self.socket(zmq.REQ)
        socket.send_multipart([b"1", msgpack.packb(events)])
        number, reply = socket.recv_multipart()
        self.assertEqual(number, b"1")
        return msgpack.unpackb(reply)

    def send(self, *arguments, input=None):
        return tocsin("send", "--acked", "--acked-endpoint", self.acked_endpoint, *arguments, input=input)


class Replies(Acked):
    def test_without_data_ok_means_accepted_and_the_daemon_says_so(self):
        daemon = self.start()
        daemon.wait_for("stderr", "ingest.acked: data is not set, so ok means accepted, and nothing is durable")
        self.assertEqual(self.ask([error_event(1), error_event(2)]),
                         {"status": "ok", "accepted": 2, "duplicate": 0, "rejected": [], "retry_after_ms": 0})
        self.assertEqual(self.counts_at_stop(daemon)[0]["accepted"], 2)

    def test_what_is_sent_again_has_no_effect_and_what_contradicts_is_rejected(self):
        daemon = self.start(extra=self.lasting())
        stream = self.subscribe()
        for _ in range(3):
            reply = self.ask([error_event(1), error_event(2)])
        self.assertEqual((reply["status"], reply["accepted"], reply["duplicate"]), ("ok", 0, 2))
        reply = self.ask([error_event(1, level=0), error_event(3)])
        self.assertEqual((reply["status"], reply["accepted"]), ("ok", 1))
        self.assertEqual([(each["index"], each["code"]) for each in reply["rejected"]], [(0, "id_conflict")])
        self.assertEqual(stream.next_alert()["event_count"], 3)
        reply = self.ask([error_event(1, level=0)])
        self.assertEqual((reply["status"], reply["rejected"][0]["code"]), ("reject", "id_conflict"))
        counts, codes = self.counts_at_stop(daemon)
        self.assertEqual((counts["accepted"], counts["duplicate"], counts["rejected"]), (3, 4, 2))
        self.assertEqual(codes, {"id_conflict": 2})

    def test_what_was_acknowledged_is_known_again_after_kill_9(self):
        daemon = self.start(extra=self.lasting())
        self.assertEqual(self.ask([error_event(1), error_event(2)])["accepted"], 2)
        self.end(daemon)
        self.start(extra=self.lasting())
        stream = self.subscribe()
        reply = self.ask([error_event(1), error_event(2), error_event(3)])
        self.assertEqual((reply["accepted"], reply["duplicate"]), (1, 2))
        self.assertEqual(stream.next_alert()["event_count"], 3)

    def test_requests_of_a_dealer_are_answered_each_under_its_id(self):
        self.start()
        socket = self.socket(zmq.DEALER)
        for number in range(100):
            socket.send_multipart([f"id-{number}".encode(), msgpack.packb(error_event(number))])
        waiting = {f"id-{number}".encode(): number for number in range(100)}
        while waiting:
            name, map_ = socket.recv_multipart()
            number = waiting.pop(name)
            if msgpack.unpackb(map_)["status"] == "retry":
                socket.send_multipart([name, msgpack.packb(error_event(number))])
                waiting[name] = number

    def test_what_is_no_request_is_a_bad_request(self):
        self.start()
        socket = self.socket(zmq.DEALER)
        socket.send(b"a message without an id")
        self.assertEqual(msgpack.unpackb(socket.recv_multipart()[-1])["rejected"][0]["code"], "bad_request")
        socket.send_multipart([b"1", b"\xc1"])
        reply = msgpack.unpackb(socket.recv_multipart()[-1])
        self.assertEqual((reply["status"], reply["rejected"][0]["code"]), ("reject", "malformed"))


class Send(Acked):
    def test_it_tells_what_was_accepted_duplicate_and_rejected_with_lines(self):
        daemon = self.start()
        lines = [json.dumps(error_event(number)) for number in range(70)]
        lines += [json.dumps(error_event(3)), json.dumps(error_event(4, level=2))]
        done = self.send("--file", self.write("events.jsonl", "\n".join(lines)))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("accepted 70, duplicate 1, rejected 1 (id_conflict 1)", done.stderr)
        self.assertIn("line 72: error: rejected: id_conflict: ", done.stderr)
        self.assertEqual(self.counts_at_stop(daemon)[0]["accepted"], 70)

    def test_events_without_an_id_get_one_each(self):
        daemon = self.start()
        done = self.send("-", input='{"item": "x"}\n' * 5)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("accepted 5, duplicate 0, rejected 0", done.stderr)
        self.assertEqual(self.send("--item", "x", "--value", "1").returncode, 0)
        self.assertEqual(self.counts_at_stop(daemon)[0]["accepted"], 6)

    def test_a_daemon_that_is_not_there_is_exit_code_3(self):
        done = self.send("--item", "x")
        self.assertEqual(done.returncode, 3, done.stderr)
        self.assertIn("ingest.acked", done.stderr)

    def test_a_daemon_that_falls_silent_is_exit_code_3_after_the_timeout(self):
        daemon = self.start()
        stream = self.subscribe()
        sender = self.run_beside("send", "--acked", "--acked-endpoint", self.acked_endpoint, "--timeout", "1s",
                                 "--batch", "1", "-", stdin=subprocess.PIPE)
        for number in range(3):
            sender.process.stdin.write(json.dumps(error_event(number)) + "\n")
        sender.process.stdin.flush()
        stream.next_alert()
        daemon.process.send_signal(signal.SIGSTOP)
        sender.process.stdin.write(json.dumps(error_event(3)) + "\n")
        sender.process.stdin.close()
        self.assertEqual(sender.finish(), 3, sender.lines)
        sender.wait_for("stderr", r"has not answered for 1s: \d+ events are not acknowledged")
        daemon.process.send_signal(signal.SIGCONT)

    def test_it_goes_on_over_a_restart_and_nothing_counts_twice(self):
        daemon = self.start(extra=self.lasting())
        stream = self.subscribe()
        sender = self.run_beside("send", "--acked", "--acked-endpoint", self.acked_endpoint, "--batch", "1", "-",
                                 stdin=subprocess.PIPE)
        for number in range(300):
            sender.process.stdin.write(json.dumps(error_event(number, "other" if number > 2 else "host1")) + "\n")
            if number == 2:
                # It must have found the daemon before that goes away.
                sender.process.stdin.flush()
                stream.next_alert()
            if number == 150:
                sender.process.stdin.flush()
                self.end(daemon)
                daemon = self.start(extra=self.lasting())
        sender.process.stdin.close()
        self.assertEqual(sender.finish(), 0, sender.lines)
        told = sender.wait_for("stderr", r"accepted (\d+), duplicate (\d+), rejected 0")
        self.assertEqual(int(told[1]) + int(told[2]), 300)
        reply = self.ask([error_event(number, "other" if number > 2 else "host1") for number in range(300)])
        self.assertEqual((reply["accepted"], reply["duplicate"]), (0, 300))


class Agents(Acked):
    def test_tail_holds_its_events_until_the_daemon_has_them(self):
        log = self.write("app.log", "")
        agent = self.run_beside("agent", "tail", log, "--acked", "--acked-endpoint", self.acked_endpoint,
                                "--resource", "web1", "--match", "failed=failed (?P<user>.*)", "--level", "failed=error")
        agent.wait_for("stderr", "trying again")
        with log.open("a") as out:
            out.write("failed a\nfailed b\nfailed c\n")
        self.start()
        self.assertEqual(self.subscribe().next_alert()["resource_id"], "web1")
        self.assertEqual(agent.stop(signal.SIGINT), 0, agent.lines)
        agent.wait_for("stderr", "sent 3 events, dropped 0, rejected 0")

    def test_host_once_ends_when_all_is_acknowledged(self):
        daemon = self.start()
        done = tocsin("agent", "host", "--once", "--acked", "--acked-endpoint", self.acked_endpoint)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"sent \d+ measurements, dropped 0, rejected 0")
        self.assertGreater(self.counts_at_stop(daemon)[0]["accepted"], 3)


if __name__ == "__main__":
    unittest.main()
