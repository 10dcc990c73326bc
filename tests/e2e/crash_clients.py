# SPDX-License-Identifier: Apache-2.0
"""Those around a daemon that is killed again and again: agents that send until they are answered, a subscriber to its
stream, and a webhook."""
import collections
import hashlib
import http.server
import json
import random
import threading
import time

import msgpack
import zmq

from crash_records import EVENTS_OF_KEY, Notice

# Alerts of so many keys that follow each other are a group: a label of their events says which.
KEYS_OF_LOT = 200
PULSES_OF_LOT = 50
# So many keys of an agent get events quickly, and are full before the next snapshot; and so many get one event in so
# many: their windows have to outlast kills.
FAST_KEYS, SLOW_KEYS, EVENTS_OF_SLOW = 3, 10, 20
# One request in so many brings a pulse.
REQUESTS_OF_PULSE = 10
# One notice in so many is refused when it comes first, and so waits in the outbox for a second.
NOTICES_OF_REFUSAL = 5


def now_ms():
    return int(time.time() * 1000)


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
        self.pulses = {}  # key -> [its event's time, when it was answered ok]
        self.refused = []
        self.resent = 0
        self.enough = threading.Event()
        self.dead = threading.Event()
        self.failure = None
        self._fast = {}  # key -> events made
        self._slow = {}  # the same
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
            if finishing and not self._fast and not self._slow and not self._under_way:
                break
            while len(self._under_way) < self.WINDOW and (self._fast or self._slow or not finishing):
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
        for pool, size in ((self._fast, FAST_KEYS), (self._slow, SLOW_KEYS)):
            while len(pool) < size and not finishing:
                pool[f"{self.name}-{self._next_key}"] = 0
                self._next_key += 1
        keys, events = [], []
        for _ in range(self.random.randint(1, 20)):
            slowly = not self._fast or (self._slow and self.random.randrange(EVENTS_OF_SLOW) == 0)
            pool = self._slow if slowly else self._fast
            if not pool:
                break
            key = self.random.choice(list(pool))
            number = pool[key]
            events.append({"event_id": f"{key}-{number}", "source_id": self.name, "resource_id": key,
                           "item": "chaos", "time": now_ms(),
                           "labels": {"lot": f"{self.name}-{int(key.rsplit('-', 1)[1]) // KEYS_OF_LOT}"}})
            keys.append(key)
            pool[key] += 1
            if pool[key] == EVENTS_OF_KEY:
                del pool[key]
        if not finishing and self.random.randrange(REQUESTS_OF_PULSE) == 0:
            key = f"{self.name}-pulse-{len(self.pulses)}"
            self.pulses[key] = [now_ms(), None]
            events.append({"event_id": key, "source_id": self.name, "resource_id": key, "item": "pulse",
                           "time": self.pulses[key][0],
                           "labels": {"lot": f"{self.name}-{len(self.pulses) // PULSES_OF_LOT}"}})
            keys.append(key)
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
            for key in request[2]:
                if key in self.pulses:
                    self.pulses[key][1] = now_ms()
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


class Webhook:
    """Takes notices, refuses some of them at first, and remembers all."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.notices = []
        self.told = set()  # the alert_ids of those that were taken
        self._seen = set()
        self._lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                status = outer.take(self.headers["webhook-id"], self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

            def handle_one_request(self):
                try:
                    super().handle_one_request()
                except ConnectionError:  # the daemon was killed
                    self.close_connection = True

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def take(self, notice, body):
        """The status of the answer. A body that was cut off by a kill is no notice."""
        try:
            alerts = tuple(sorted(each["alertID"] for each in json.loads(body)["alerts"]))
        except json.JSONDecodeError:
            return 400
        with self._lock:
            taken = notice in self._seen or self.random.randrange(NOTICES_OF_REFUSAL) > 0
            self._seen.add(notice)
            self.notices.append(Notice(notice, alerts, hashlib.sha256(body).hexdigest(), taken))
            if taken:
                self.told.update(alerts)
        return 200 if taken else 503

    def close(self):
        self.server.shutdown()
        self.server.server_close()
