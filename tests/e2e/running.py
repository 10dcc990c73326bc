# SPDX-License-Identifier: Apache-2.0
"""Starts tocsind and its clients for a test, and waits for what they do."""
import http.client
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import unittest

import msgpack
import zmq

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("TOCSIN_BIN_DIR", SOURCE / "build" / "release" / "bin"))
EXAMPLES = SOURCE / "scripts" / "examples"
# Only a broken program takes this long; a test ends as soon as what it waits for is there.
PATIENCE = 60

THREE_ERRORS = """
rules:
- name: errors
  where: level <= 1
  group_by: [resource_id, item]
  window: {fixed: 1000d}
  select: {failures: count()}
  having: failures >= 3
  severity: critical
  title: "${resource_id}: ${failures} errors"
"""


class Program:
    """A child process whose output is read line by line while it runs."""

    def __init__(self, *arguments, stdin=None, env=None):
        self.process = subprocess.Popen(
            [str(each) for each in arguments], stdin=stdin, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env=env)
        self.lines = {"stdout": [], "stderr": []}
        self._fresh = queue.Queue()
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True)
                         for name in self.lines]
        for reader in self._readers:
            reader.start()

    def _read(self, name):
        for line in getattr(self.process, name):
            self.lines[name].append(line.rstrip("\n"))
            self._fresh.put(None)
        self._fresh.put(None)

    def wait_for(self, name, pattern):
        """The first match of `pattern` in a line of stdout or stderr."""
        until = time.monotonic() + PATIENCE
        while True:
            for line in list(self.lines[name]):
                if found := re.search(pattern, line):
                    return found
            if not any(reader.is_alive() for reader in self._readers):
                raise AssertionError(f"ended without {pattern!r}: {self.lines}")
            try:
                self._fresh.get(timeout=max(0.01, until - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} in {PATIENCE} s: {self.lines}") from None

    def finish(self):
        """Waits for the end; gives the exit code."""
        code = self.process.wait(timeout=PATIENCE)
        for reader in self._readers:
            reader.join(PATIENCE)
        self.process.stdout.close()
        self.process.stderr.close()
        return code

    def stop(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.finish()


def tocsin(*arguments, input=None):
    """Runs one command to its end."""
    return subprocess.run([str(BIN / "tocsin"), *map(str, arguments)], input=input,
                          capture_output=True, text=not isinstance(input, bytes), timeout=600)


class Stream:
    """A subscriber to the alert stream, subscribed once it is made."""

    def __init__(self, endpoint, prefix=b"alert."):
        self.socket = zmq.Context.instance().socket(zmq.SUB)
        self.socket.setsockopt(zmq.RCVHWM, 0)
        self.socket.setsockopt(zmq.LINGER, 0)
        # Who gets a heartbeat has the subscription made before in effect too.
        self.socket.subscribe(prefix)
        self.socket.subscribe(b"heartbeat")
        self.socket.connect(endpoint)
        self.first = self.next_message(kind="heartbeat")[0]

    def next_message(self, kind=None):
        """(header, alert or None) of the next message, or of the next one of that kind."""
        until = time.monotonic() + PATIENCE
        while True:
            if not self.socket.poll(max(1, 1000 * (until - time.monotonic()))):
                raise AssertionError(f"no {kind or 'message'} in {PATIENCE} s")
            frames = self.socket.recv_multipart()
            header = msgpack.unpackb(frames[1])
            if kind in (None, header["kind"]):
                return header, msgpack.unpackb(frames[2]) if len(frames) == 3 else None

    def next_alert(self):
        return self.next_message(kind="transition")[1]

    def close(self):
        self.socket.close()


class Case(unittest.TestCase):
    """A test with a folder of its own and daemons that end with it."""

    shards = 2

    def setUp(self):
        # Unix sockets have short names: not below a deep build folder.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="tocsin-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.push_endpoint = f"ipc://{self.folder}/push"
        self.stream_endpoint = f"ipc://{self.folder}/stream"

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def config(self, rules=THREE_ERRORS, extra=""):
        self.write("rules.yaml", rules)
        return self.write("tocsin.yaml", f"""
ingest: {{push: "{self.push_endpoint}", acked: ""}}
alerts: {{stream: "{self.stream_endpoint}", replay: ""}}
http: {{listen: ""}}
rules: [rules.yaml]
shards: {self.shards}
{extra}
""")

    def start(self, rules=THREE_ERRORS, extra=""):
        daemon = Program(BIN / "tocsind", "--config", self.config(rules, extra))
        self.addCleanup(self.end, daemon)
        daemon.wait_for("stderr", r"\bready$")
        return daemon

    @staticmethod
    def end(program):
        if program.process.poll() is None:
            program.process.kill()
            program.finish()

    def run_beside(self, *arguments, **options):
        """A tocsin command that runs while the test goes on."""
        program = Program(BIN / "tocsin", *arguments, **options)
        self.addCleanup(self.end, program)
        return program

    def subscribe(self):
        stream = Stream(self.stream_endpoint)
        self.addCleanup(stream.close)
        return stream

    def pusher(self):
        socket = zmq.Context.instance().socket(zmq.PUSH)
        socket.setsockopt(zmq.LINGER, PATIENCE * 1000)
        socket.connect(self.push_endpoint)
        self.addCleanup(socket.close)
        return socket

    def counts_at_stop(self, daemon):
        """Stops a daemon; gives what it says it has counted: (counts, rejected by code)."""
        self.assertEqual(daemon.stop(), 0, daemon.lines)
        found = re.fullmatch(
            r"received (\d+) = accepted (\d+) \+ duplicate (\d+) \+ rejected (\d+) \+ shed (\d+); "
            r"transitions (\d+)", daemon.lines["stdout"][0])
        self.assertTrue(found, daemon.lines)
        names = ("received", "accepted", "duplicate", "rejected", "shed", "transitions")
        codes = {}
        if len(daemon.lines["stdout"]) > 1:
            for part in daemon.lines["stdout"][1].removeprefix("rejected: ").split(", "):
                code, count = part.split(" ")
                codes[code] = int(count)
        return dict(zip(names, map(int, found.groups()))), codes


def samples(page):
    """{series: value} of a metrics page."""
    found = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            series, value = line.rsplit(" ", 1)
            assert series not in found, f"{series} stands there twice"
            found[series] = float(value)
    return found


class Served(Case):
    """A test whose daemons serve HTTP, at self.address."""

    def config(self, rules=THREE_ERRORS, extra="", listen="127.0.0.1:0"):
        file = super().config(rules, extra)
        file.write_text(file.read_text().replace('listen: ""', f'listen: "{listen}"'))
        return file

    def start(self, rules=THREE_ERRORS, extra=""):
        daemon = super().start(rules, extra)
        self.address = daemon.wait_for("stderr", r"serving on http://(\S+)")[1]
        return daemon

    def ask(self, path, method="GET"):
        """(status, headers, body)."""
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def metrics(self):
        status, headers, page = self.ask("/metrics")
        self.assertEqual(status, 200)
        self.assertEqual(headers["Content-Type"], "text/plain; version=0.0.4; charset=utf-8")
        return samples(page)

    def active_alerts(self):
        return json.loads(self.ask("/api/tocsin/v1/alerts")[2])

    def poll(self, look, enough):
        """What `look()` gives as soon as `enough` holds of it."""
        until = time.monotonic() + PATIENCE
        while not enough(seen := look()):
            if time.monotonic() > until:
                raise AssertionError(f"still not so after {PATIENCE} s: {seen}")
            time.sleep(0.02)
        return seen


def memory_kib(program, field="VmRSS"):
    """A running program's memory, by its field in /proc (VmHWM: the most it ever had)."""
    status = pathlib.Path(f"/proc/{program.process.pid}/status").read_text()
    return int(re.search(rf"{field}:\s+(\d+) kB", status)[1])


def error_event(number, resource="host1", **more):
    """The `number`th event that THREE_ERRORS counts."""
    return {"event_id": f"e{number}", "source_id": "test", "resource_id": resource,
            "item": "disk", "level": 1, **more}
