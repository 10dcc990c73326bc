# SPDX-License-Identifier: Apache-2.0
"""Kills a daemon again and again under acknowledged load, and checks that nothing acknowledged was lost or counted
twice."""
import collections
import dataclasses
import http.client
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import threading
import time

import msgpack
import zmq

from running import BIN, PATIENCE, Program

# Every key gets exactly so many events. At the last one `full` fires, at one more `over` would.
EVENTS_OF_KEY = 25
RULES = f"""
rules:
- name: full
  where: item == "chaos"
  group_by: [resource_id]
  window: {{fixed: 1000d}}
  select: {{seen: count()}}
  having: seen >= {EVENTS_OF_KEY}
  severity: error
- name: over
  where: item == "chaos"
  group_by: [resource_id]
  window: {{fixed: 1000d}}
  select: {{seen: count()}}
  having: seen >= {EVENTS_OF_KEY + 1}
  severity: critical
"""
# The calls at which to die, and how many of them a life of a few seconds has at least.
CALLS = {"any": 400, "write": 200, "pwrite": 300, "fdatasync": 100, "fsync": 8, "rename": 3, "unlink": 2}
# Built beside the tests; without it (sanitizers cannot be preloaded over) daemons die at random moments only.
KILL_AT_CALL = os.environ.get("TOCSIN_KILL_AT_CALL_LIBRARY",
                              str(BIN.parent / "tests" / "e2e" / "libkill_at_call.so"))


@dataclasses.dataclass
class Records:
    """What agents, the subscriber and the store know after a run: all that check() looks at."""
    sent: dict = dataclasses.field(default_factory=dict)  # key -> events sent at least once
    acknowledged: dict = dataclasses.field(default_factory=dict)  # key -> events answered ok
    refused: list = dataclasses.field(default_factory=list)  # what agents were told beside ok and retry
    fired: list = dataclasses.field(default_factory=list)  # (rule, key, alert_id) of the alerts
    stored: list = dataclasses.field(default_factory=list)  # (seq, alert_id, number) of the store's transitions
    told: list = dataclasses.field(default_factory=list)  # the same, as the stream told them


def check(records):
    """The faults of a run, a sentence each; none when every promise was kept."""
    faults = [f"an agent was refused: {each}" for each in records.refused]
    times = collections.Counter((rule, key) for rule, key, _ in records.fired)
    for key, count in records.acknowledged.items():
        if count >= EVENTS_OF_KEY and not times["full", key]:
            faults.append(f"{key}: {count} events were acknowledged, and fewer were counted")
    for (rule, key), count in times.items():
        if rule == "over":
            faults.append(f"{key}: more events were counted than its {EVENTS_OF_KEY}")
        elif records.sent.get(key, 0) < EVENTS_OF_KEY:
            faults.append(f"{key}: {EVENTS_OF_KEY} events were counted, {records.sent.get(key, 0)} were sent")
        if count > 1:
            faults.append(f"{key}: {rule} has {count} alerts")
    for alert, count in collections.Counter(alert for _, _, alert in records.fired).items():
        if count > 1:
            faults.append(f"alert id {alert} is that of {count} alerts")
    return faults + check_numbers(records)


def check_numbers(records):
    faults = []
    stored = sorted(records.stored)
    for place, (seq, alert, number) in enumerate(stored, start=1):
        if seq != place:
            faults.append(f"the store's seq goes from {place - 1} to {seq}")
            break
    numbers = collections.defaultdict(list)
    for seq, alert, number in stored:
        numbers[alert].append(number)
    for alert, of_alert in numbers.items():
        if of_alert != list(range(1, len(of_alert) + 1)):
            faults.append(f"alert {alert}: its transitions are numbered {of_alert}")
    by_seq = {seq: (alert, number) for seq, alert, number in stored}
    for seq, alert, number in records.told:
        if by_seq.get(seq) != (alert, number):
            faults.append(f"the stream told {(alert, number)} as seq {seq}, the store has {by_seq.get(seq)}")
    return faults


class Agent(threading.Thread):
    """Sends batches of events of its own keys, several requests at a time, each until it is answered ok."""

    WINDOW = 4
    RESEND_SECONDS = 0.5

    def __init__(self, name, endpoint, seed):
        super().__init__(daemon=True)
        self.name = name
        self.endpoint = endpoint
        self.random = random.Random(seed)
        self.sent = collections.Counter()
        self.acknowledged = collections.Counter()
        self.refused = []
        self.resent = 0
        self.enough = threading.Event()
        self.dead = threading.Event()
        self.failure = None
        self._open = {}  # key -> events made
        self._next_key = 0
        self._next_request = 1
        self._under_way = {}  # id -> [due, payload, keys]

    def run(self):
        try:
            self._run()
        except Exception as failure:  # told by whoever joins: a thread's own exception would be lost
            self.failure = failure

    def _run(self):
        socket = zmq.Context.instance().socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RECONNECT_IVL, 20)
        socket.connect(self.endpoint)
        while not self.dead.is_set():
            finishing = self.enough.is_set()
            if finishing and not self._open and not self._under_way:
                break
            while len(self._under_way) < self.WINDOW and (self._open or not finishing):
                self._make_request(finishing)
            now = time.monotonic()
            for number, request in sorted(self._under_way.items()):
                if request[0] <= now and socket.poll(0, zmq.POLLOUT):
                    self.resent += request[0] > 0
                    request[0] = now + self.RESEND_SECONDS
                    for key in request[2]:
                        self.sent[key] += request[3]
                    request[3] = 0
                    socket.send_multipart([str(number).encode(), request[1]])
            if socket.poll(20):
                self._take(socket.recv_multipart())
        socket.close()

    def _make_request(self, finishing):
        while len(self._open) < 3 and not finishing:
            self._open[f"{self.name}-{self._next_key}"] = 0
            self._next_key += 1
        keys, events = [], []
        for _ in range(self.random.randint(1, 20)):
            if not self._open:
                break
            key = self.random.choice(list(self._open))
            number = self._open[key]
            events.append({"event_id": f"{key}-{number}", "source_id": self.name, "resource_id": key,
                           "item": "chaos", "time": int(time.time() * 1000)})
            keys.append(key)
            self._open[key] += 1
            if self._open[key] == EVENTS_OF_KEY:
                del self._open[key]
        self._under_way[self._next_request] = [0, msgpack.packb(events), keys, 1]
        self._next_request += 1

    def _take(self, frames):
        reply = msgpack.unpackb(frames[-1])
        request = self._under_way.get(int(frames[0]))
        if request is None:
            return  # the second answer to what was sent twice
        if reply["status"] == "retry":
            request[0] = time.monotonic() + reply["retry_after_ms"] / 1000
            return
        if reply["status"] != "ok" or reply["rejected"]:
            self.refused.append(reply)
        elif reply["accepted"] + reply["duplicate"] != len(request[2]):
            self.refused.append(f"{len(request[2])} events were answered by {reply}")
        else:
            self.acknowledged.update(request[2])
        del self._under_way[int(frames[0])]


class Subscriber(threading.Thread):
    """Remembers every transition that the stream tells, through all restarts."""

    def __init__(self, endpoint):
        super().__init__(daemon=True)
        self.endpoint = endpoint
        self.told = []
        self.enough = threading.Event()

    def run(self):
        socket = zmq.Context.instance().socket(zmq.SUB)
        socket.setsockopt(zmq.LINGER, 0)
        socket.setsockopt(zmq.RCVHWM, 0)
        socket.setsockopt(zmq.RECONNECT_IVL, 20)
        socket.subscribe(b"alert.")
        socket.connect(self.endpoint)
        while not self.enough.is_set():
            if socket.poll(50):
                _, header, alert = socket.recv_multipart()
                header, alert = msgpack.unpackb(header), msgpack.unpackb(alert)
                self.told.append((header["seq"], alert["alert_id"], alert["number"]))
        socket.close()


class Chaos:
    """A daemon with a log in `folder`, its agents and its subscriber."""

    def __init__(self, folder, seed, agents=3, report=lambda text: None):
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.report = report
        self.acked = f"ipc://{self.folder}/acked"
        self.stream = f"ipc://{self.folder}/stream"
        (self.folder / "rules.yaml").write_text(RULES)
        self.config = self.folder / "tocsin.yaml"
        self.config.write_text(f"""
ingest: {{push: "", acked: "{self.acked}"}}
alerts: {{stream: "{self.stream}", replay: ""}}
http: {{listen: "127.0.0.1:0"}}
data: "{self.folder}/data"
snapshots: {{every: 1s}}
rules: [rules.yaml]
shards: 2
""")
        self.agents = [Agent(f"agent{number}", self.acked, seed * 1000 + number) for number in range(agents)]
        self.subscriber = Subscriber(self.stream)
        self.kills = collections.Counter()

    def start(self, kill_at=None):
        environment = dict(os.environ)
        if kill_at:
            environment |= {"LD_PRELOAD": KILL_AT_CALL, "TOCSIN_KILL_AT": kill_at}
        return Program(BIN / "tocsind", "--config", self.config, env=environment)

    def kill_once(self):
        """One life of the daemon, ended by SIGKILL. Raises when it ended by itself."""
        kill_at = None
        if pathlib.Path(KILL_AT_CALL).exists() and self.random.random() < 0.5:
            call = self.random.choice(list(CALLS))
            number = int(CALLS[call] ** self.random.random())  # the calls of a start are few, and come first
            kill_at = f"{call}:{number}:{self.random.choice(('before', 'half', 'after'))}"
        daemon = self.start(kill_at)
        lives = self.random.uniform(0.05, 1.5) if kill_at is None else self.random.uniform(1, 3)
        try:
            daemon.process.wait(lives)
        except subprocess.TimeoutExpired:
            daemon.process.kill()
            kill_at = None if kill_at is None else f"{kill_at} (not reached)"
        code = daemon.finish()
        if code != -9:
            raise AssertionError(f"the daemon ended by itself with {code}: {daemon.lines}")
        self.kills["moment" if kill_at is None else kill_at.split(":")[0]] += 1
        self.report(f"killed at {kill_at or f'{lives:.2f} s'}")

    def run(self, kills):
        """Lets agents send through so many kills, then to their end; gives the Records."""
        for thread in (*self.agents, self.subscriber):
            thread.start()
        try:
            for _ in range(kills):
                self.kill_once()
            return self.finish()
        finally:
            for agent in self.agents:
                agent.dead.set()
            self.subscriber.enough.set()
            for thread in (*self.agents, self.subscriber):
                thread.join(PATIENCE)

    def finish(self):
        for agent in self.agents:
            agent.enough.set()
        daemon = self.start()
        try:
            daemon.wait_for("stderr", r"\bready$")
            until = time.monotonic() + 2 * PATIENCE
            for agent in self.agents:
                agent.join(max(0, until - time.monotonic()))
                if agent.is_alive() or agent.failure:
                    raise AssertionError(f"{agent.name} has not come to its end: {agent.failure} {daemon.lines}")
            code = daemon.stop()  # with all that was acknowledged taken to its end
            if code != 0:
                raise AssertionError(f"the last stop ended with {code}: {daemon.lines}")
            daemon = self.start()
            address = daemon.wait_for("stderr", r"serving on http://(\S+)")[1]
            fired = self.alerts(address)
            daemon.stop()
        finally:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.finish()
        records = Records(fired=fired, told=list(self.subscriber.told), stored=self.transitions())
        for agent in self.agents:
            records.sent |= agent.sent
            records.acknowledged |= agent.acknowledged
            records.refused += agent.refused
        return records

    @staticmethod
    def alerts(address):
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        connection.request("GET", "/api/tocsin/v1/alerts")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        alerts = answer["alerts"] if isinstance(answer, dict) else answer
        return [(alert["rule"], alert["resource_id"], alert["alert_id"]) for alert in alerts]

    def transitions(self):
        with sqlite3.connect(f"file:{self.folder}/data/alerts.db?mode=ro", uri=True) as store:
            return store.execute("SELECT seq, alert_id, number FROM readable_transitions ORDER BY seq").fetchall()

    def summary(self, records):
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kills.items()))
        full = sum(1 for count in records.acknowledged.values() if count >= EVENTS_OF_KEY)
        return (f"{sum(self.kills.values())} kills ({kinds}); {sum(records.acknowledged.values())} events acknowledged, "
                f"{sum(agent.resent for agent in self.agents)} requests sent again, {full} keys full, "
                f"{len(records.fired)} alerts, {len(records.stored)} transitions stored, {len(records.told)} heard")
