#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Sends events to tocsind: python3-zmq and python3-msgpack are all it takes.

usage: push_events.py [ENDPOINT] [COUNT]
"""
import socket
import sys
import time
import uuid

import msgpack
import zmq

endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5555"
count = int(sys.argv[2]) if len(sys.argv) > 2 else 3

push = zmq.Context.instance().socket(zmq.PUSH)
push.setsockopt(zmq.LINGER, 10_000)  # closing waits up to 10 s for what is unsent
push.connect(endpoint)

events = [
    {
        "event_id": str(uuid.uuid4()),  # unique within the source
        "source_id": f"push_events/{socket.gethostname()}",
        "time": int(time.time() * 1000),  # Unix milliseconds
        "resource_id": "host1",
        "item": "http_status",
        "level": "error",
        "value": 503,
        "labels": {"env": "prod"},
    }
    for _ in range(count)
]
for begin in range(0, count, 64):  # a message is one event or an array of them
    push.send(msgpack.packb(events[begin : begin + 64]))
push.close()
zmq.Context.instance().term()  # without it Python may end before the events have left
print(f"sent {count} events to {endpoint}")
