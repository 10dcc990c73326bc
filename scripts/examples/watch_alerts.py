#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints tocsind's alert stream and says when something of it was missed.

usage: watch_alerts.py [ENDPOINT] [PREFIX]
"""
import sys

import msgpack
import zmq

endpoint = sys.argv[1] if len(sys.argv) > 1 else "tcp://127.0.0.1:5557"
prefix = sys.argv[2] if len(sys.argv) > 2 else "alert."

subscriber = zmq.Context.instance().socket(zmq.SUB)
subscriber.setsockopt_string(zmq.SUBSCRIBE, prefix)
subscriber.setsockopt_string(zmq.SUBSCRIBE, "heartbeat")
subscriber.connect(endpoint)

last = None  # (epoch, seq) of the message before
while True:
    if not subscriber.poll(5000):
        print("silent: no heartbeat for 5 s", file=sys.stderr, flush=True)
        continue
    topic, header, *rest = subscriber.recv_multipart()
    header = msgpack.unpackb(header)
    beat = header["kind"] == "heartbeat"
    before = header["seq"] if beat else header["seq"] - 1
    # A gap can be told from loss only where all alerts are subscribed to.
    if prefix == "alert." and last and last[0] == header["epoch"] and before > last[1]:
        print(f"gap: {before - last[1]} transitions were missed", file=sys.stderr, flush=True)
    last = (header["epoch"], header["seq"])
    if not beat:
        alert = msgpack.unpackb(rest[0])
        print(alert["severity"], alert["rule"], alert["state"], alert["title"], flush=True)
