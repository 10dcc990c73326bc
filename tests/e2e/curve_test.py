# SPDX-License-Identifier: Apache-2.0
"""Encrypted sockets: keys made, allowed, refused and revoked, through the programs alone."""
import json
import os
import re
import stat
import unittest

import msgpack
import zmq
from running import BIN, Program, Served, error_event, tocsin


class Curve(Served):
    def setUp(self):
        super().setUp()
        self.public = {}
        for name in ("server", "agent", "other", "subscriber"):
            made = tocsin("keygen", "-o", self.folder / f"{name}.key", "--name", name)
            self.assertEqual(made.returncode, 0, made.stderr)
            self.public[name] = made.stdout.split()[0]
        self.allow("agents", "agent", "other")
        self.allow("subscribers", "subscriber")

    def allow(self, role, *names):
        fresh = self.write(f"{role}.new", "".join(f"{self.public[name]} {name}\n" for name in names))
        os.replace(fresh, self.folder / f"{role}.allow")

    def config(self, rules=None, extra="", listen="127.0.0.1:0"):
        file = super().config(*([rules] if rules else []), extra=extra + """
security:
  curve: {server_key_file: server.key}
  allow: {agents: agents.allow, subscribers: subscribers.allow}
""", listen=listen)
        file.write_text(file.read_text()
                        .replace(self.push_endpoint, "tcp://127.0.0.1:*")
                        .replace(self.stream_endpoint, "tcp://127.0.0.1:*")
                        .replace('replay: ""', 'replay: "tcp://127.0.0.1:*"'))
        return file

    def start(self, rules=None, extra=""):
        daemon = Program(BIN / "tocsind", "--config", self.config(rules, extra))
        self.addCleanup(self.end, daemon)
        daemon.wait_for("stderr", r"\bready$")
        self.address = daemon.wait_for("stderr", r"serving on http://(\S+)")[1]
        self.push = daemon.wait_for("stderr", r"ingest.push: listening on (\S+)")[1]
        self.stream = daemon.wait_for("stderr", r"alerts.stream: publishing on (\S+)")[1]
        self.replay = daemon.wait_for("stderr", r"alerts.replay: listening on (\S+)")[1]
        return daemon

    def keys(self, name):
        return ("--server-key", self.public["server"], "--key-file", self.folder / f"{name}.key")

    def send(self, name, number):
        return tocsin("send", "--push", self.push, *self.keys(name), "--item", "disk",
                      "--resource", "host1", "--level", "error", "--event-id", f"e{number}")

    def refusals(self, surface, reason):
        return self.metrics()[
            f'tocsin_refused_connections_total{{surface="{surface}",reason="{reason}"}}']

    def test_events_go_in_and_alerts_come_out_with_keys(self):
        self.start()
        watch = self.run_beside("watch", "--stream", self.stream, "--replay", self.replay,
                                *self.keys("subscriber"), "--json", "--since", "0")
        watch.wait_for("stderr", "connected to")
        for number in range(3):
            sent = self.send("agent", number)
            self.assertEqual(sent.returncode, 0, sent.stderr)
        alert = json.loads(watch.wait_for("stdout", r"^\{.*\}$")[0])
        self.assertEqual(alert["resource_id"], "host1")
        self.assertEqual(watch.stop(), 0)

    def test_agents_measure_and_tail_with_keys(self):
        self.start()
        measured = tocsin("agent", "host", "--once", "--push", self.push, *self.keys("agent"))
        self.assertEqual(measured.returncode, 0, measured.stderr)
        accepted = lambda: self.metrics()["tocsin_events_accepted_total"]  # noqa: E731
        count = int(re.search(r"sent (\d+) measurements", measured.stderr)[1])
        before = self.poll(accepted, lambda n: n == count)
        log = self.write("app.log", "boom\n")
        tail = self.run_beside("agent", "tail", log, "--match", "boom=boom", "--from-start",
                               "--push", self.push, *self.keys("agent"))
        tail.wait_for("stderr", "following")
        self.poll(accepted, lambda n: n == before + 1)
        self.assertEqual(tail.stop(), 0)

    def test_whoever_has_no_key_or_the_wrong_one_is_refused_and_told(self):
        self.start()
        stranger = self.folder / "stranger.key"
        tocsin("keygen", "-o", stranger)
        for arguments in (
                ("send", "--push", self.push, "--item", "x"),
                ("send", "--push", self.push, "--item", "x", "--server-key",
                 self.public["server"], "--key-file", stranger),
                ("send", "--push", self.push, "--item", "x", *self.keys("subscriber")),
                ("send", "--push", self.push, "--item", "x", "--server-key",
                 self.public["other"], "--key-file", self.folder / "agent.key"),
                ("watch", "--stream", self.stream, "--count", "1"),
                ("watch", "--stream", self.stream, "--count", "1", *self.keys("agent"))):
            done = tocsin(*arguments)
            self.assertEqual(done.returncode, 3, (arguments, done.stderr))
        self.assertEqual(self.refusals("push", "unknown_key"), 1)
        self.assertEqual(self.refusals("push", "wrong_role"), 1)
        self.assertEqual(self.refusals("stream", "wrong_role"), 1)
        self.assertEqual(self.metrics()["tocsin_events_received_total"], 0)

    def client(self, kind, endpoint, name):
        lines = (self.folder / f"{name}.key").read_text().splitlines()
        socket = zmq.Context.instance().socket(kind)
        self.addCleanup(socket.close, 0)
        socket.curve_serverkey = self.public["server"].encode()
        socket.curve_publickey = self.public[name].encode()
        socket.curve_secretkey = lines[-1].encode()
        return socket

    def test_a_key_taken_off_the_list_loses_its_live_session(self):
        daemon = self.start()
        push = {name: self.client(zmq.PUSH, self.push, name) for name in ("agent", "other")}
        for number, socket in enumerate(push.values()):
            socket.connect(self.push)
            socket.send(msgpack.packb(error_event(number)))
        accepted = lambda: self.metrics()["tocsin_events_accepted_total"]  # noqa: E731
        self.poll(accepted, lambda n: n == 2)
        monitor = push["agent"].get_monitor_socket(zmq.EVENT_DISCONNECTED)
        self.addCleanup(push["agent"].disable_monitor)
        self.addCleanup(monitor.close, 0)
        self.allow("agents", "other")
        daemon.wait_for("stderr", r"agents.allow was loaded anew: 1 keys, 1 of before removed")
        self.assertTrue(monitor.poll(60_000), "its session lives on")
        self.poll(lambda: self.refusals("push", "unknown_key"), lambda n: n > 0)
        push["other"].send(msgpack.packb(error_event(7)))
        self.poll(accepted, lambda n: n == 3)
        self.assertEqual(self.send("agent", 8).returncode, 3)

    def test_a_subscriber_taken_off_the_list_hears_nothing_more(self):
        daemon = self.start()
        stream = self.client(zmq.SUB, self.stream, "subscriber")
        stream.subscribe(b"")
        stream.connect(self.stream)
        self.assertTrue(stream.poll(60_000))
        monitor = stream.get_monitor_socket(zmq.EVENT_HANDSHAKE_FAILED_AUTH)
        self.addCleanup(stream.disable_monitor)
        self.addCleanup(monitor.close, 0)
        self.allow("subscribers")
        daemon.wait_for("stderr", r"subscribers.allow was loaded anew")
        self.assertTrue(monitor.poll(60_000), "it came back in, or was never sent away")
        # It tries again and again: between two tries there is no connection.
        self.poll(lambda: self.metrics()['tocsin_connections{surface="stream"}'], lambda n: n == 0)

    def test_a_list_that_turns_bad_is_not_used_and_that_is_said(self):
        daemon = self.start()
        self.write("agents.allow", "nonsense\n")
        daemon.wait_for("stderr", r"agents.allow is not used, the list of before with 2 keys.*"
                                  r"agents.allow:1: error")
        self.assertEqual(self.send("agent", 1).returncode, 0)

    def test_with_keys_it_listens_to_all_addresses(self):
        path = self.config()
        for every in ("*", "0.0.0.0", "[::]"):
            path.write_text(path.read_text().replace("127.0.0.1:*", f"{every}:*"))
            daemon = Program(BIN / "tocsind", "--config", path)
            self.addCleanup(self.end, daemon)
            daemon.wait_for("stderr", r"\bready$")
            port = daemon.wait_for("stderr", r"ingest.push: listening on \S+:(\d+)$")[1]
            self.push = f"tcp://127.0.0.1:{port}"
            self.assertEqual(self.send("agent", 1).returncode, 0)
            self.assertEqual(daemon.stop(), 0)
            path = self.config()

    def test_no_secret_is_told(self):
        daemon = self.start()
        secret = (self.folder / "server.key").read_text().splitlines()[-1]
        pages = "".join(self.ask(path)[2] for path in
                        ("/api/v2/status", "/metrics", "/api/tocsin/v1/stats"))
        self.assertEqual(daemon.stop(), 0)
        said = pages + "\n".join(daemon.lines["stderr"] + daemon.lines["stdout"])
        self.assertNotIn(secret, said)
        self.assertIn(self.public["server"], said)

    def test_keygen_writes_for_the_owner_alone_and_overwrites_nothing(self):
        path = self.folder / "agent.key"
        before = path.read_bytes()
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        again = tocsin("keygen", "-o", path)
        self.assertEqual(again.returncode, 1)
        self.assertIn("is not overwritten", again.stderr)
        self.assertEqual(path.read_bytes(), before)
        told = tocsin("keygen", "--public-of", path, "--name", "agent")
        self.assertEqual(told.stdout, f"{self.public['agent']} agent\n")

    def test_wrong_keys_are_found_before_anything_starts(self):
        os.chmod(self.folder / "server.key", 0o644)
        self.write("agents.allow", "nonsense\n")
        path = self.config()
        for more in ((), ("--check",)):
            daemon = Program(BIN / "tocsind", "--config", path, *more)
            self.assertEqual(daemon.finish(), 78)
            said = "\n".join(daemon.lines["stderr"])
            self.assertIn("mode 0644", said)
            self.assertIn("agents.allow:1: error", said)

    def test_a_command_wants_both_keys(self):
        for more in (("--server-key", self.public["server"]),
                     ("--key-file", self.folder / "agent.key"),
                     ("--server-key", "short", "--key-file", self.folder / "agent.key")):
            done = tocsin("send", "--item", "x", *more)
            self.assertEqual(done.returncode, 2, done.stderr)


if __name__ == "__main__":
    unittest.main()
