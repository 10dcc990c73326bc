# SPDX-License-Identifier: Apache-2.0
"""Kills a daemon again and again under acknowledged load, while timers run that must survive it."""
import collections
import http.client
import json
import os
import pathlib
import random
import sqlite3
import subprocess
import time

from crash_clients import Agent, Subscriber, Webhook
from crash_records import EVENTS_OF_KEY, SILENCE_MS, Records
from running import BIN, PATIENCE, Program

RULES = f"""
rules:
- name: full
  where: item == "chaos"
  group_by: [resource_id, labels.lot]
  window: {{fixed: 1000d}}
  select: {{seen: count()}}
  having: seen >= {EVENTS_OF_KEY}
  severity: error
- name: over
  where: item == "chaos"
  group_by: [resource_id, labels.lot]
  window: {{fixed: 1000d}}
  select: {{seen: count()}}
  having: seen >= {EVENTS_OF_KEY + 1}
  severity: critical
- name: silent
  where: item == "pulse"
  group_by: [resource_id, labels.lot]
  window: {{absent: {SILENCE_MS}ms}}
  lateness: 0s
  severity: warning
"""
# The calls at which to die, and how many of them a life of a few seconds has at least.
CALLS = {"any": 400, "write": 200, "pwrite": 300, "fdatasync": 100, "fsync": 8, "rename": 3, "unlink": 2}
# Built beside the tests; without it (sanitizers cannot be preloaded over) daemons die at random moments only.
KILL_AT_CALL = os.environ.get("TOCSIN_KILL_AT_CALL_LIBRARY",
                              str(BIN.parent / "tests" / "e2e" / "libkill_at_call.so"))


class Ended(Exception):
    """A daemon that had begun to work ended by itself, or not in order."""


class Chaos:
    """A daemon with a log in `folder`, its agents, its subscriber and its webhook."""

    # Timers are seconds long: when nothing is told for so long, nothing will be. A busy disk can hold up all of it.
    QUIET_SECONDS = PATIENCE

    def __init__(self, folder, seed, agents=3, report=lambda number, text: None):
        self.folder = pathlib.Path(folder)
        self.random = random.Random(seed)
        self.report = report
        self.acked = f"ipc://{self.folder}/acked"
        self.stream = f"ipc://{self.folder}/stream"
        self.webhook = Webhook(seed)
        (self.folder / "rules.yaml").write_text(RULES)
        self.config = self.folder / "tocsin.yaml"
        self.config.write_text(f"""
ingest: {{push: "", acked: "{self.acked}"}}
alerts: {{stream: "{self.stream}", replay: ""}}
notify:
  route: {{receiver: hook, group_by: [alertname, lot], group_wait: 1s, group_interval: 1s}}
  receivers:
  - name: hook
    webhook_configs: [{{url: "{self.webhook.url}"}}]
http: {{listen: "127.0.0.1:0"}}
data: "{self.folder}/data"
snapshots: {{every: 1s}}
rules: [rules.yaml]
shards: 2
""")
        self.agents = [Agent(f"agent{number}", self.acked, seed * 1000 + number) for number in range(agents)]
        self.subscriber = Subscriber(self.stream)
        self.kills = collections.Counter()
        self.gaps = []

    def start(self, kill_at=None):
        environment = dict(os.environ)
        if kill_at:
            environment |= {"LD_PRELOAD": KILL_AT_CALL, "TOCSIN_KILL_AT": kill_at}
        return Program(BIN / "tocsind", "--config", self.config, env=environment)

    def kill_once(self):
        """One life of the daemon, ended by SIGKILL. Raises Ended when it ended by itself."""
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
        self.look_for_gaps(daemon)
        if code != -9:
            self.end(daemon, code)
        self.kills["moment" if kill_at is None else kill_at.split(":")[0]] += 1
        self.report(sum(self.kills.values()), f"killed at {kill_at or f'{lives:.2f} s'}")

    @staticmethod
    def end(daemon, code):
        said = daemon.lines["stderr"]
        if any(line.endswith(" ready") for line in said):
            raise Ended(f"the daemon ended with {code}: {said[-1]}")
        raise AssertionError(f"the daemon did not start, it ended with {code}: {daemon.lines}")

    def look_for_gaps(self, daemon):
        self.gaps += [line for line in daemon.lines["stderr"] if "windows are not as they were" in line]

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
            self.webhook.close()

    def finish(self):
        for agent in self.agents:
            agent.enough.set()
        daemon = self.start()
        try:
            daemon.wait_for("stderr", r"\bready$")
            until = time.monotonic() + 2 * PATIENCE
            for agent in self.agents:
                while agent.is_alive() and daemon.process.poll() is None and time.monotonic() < until:
                    agent.join(0.1)
                if agent.is_alive() and daemon.process.poll() is not None:
                    self.end(daemon, daemon.finish())
                if agent.is_alive() or agent.failure:
                    raise AssertionError(f"{agent.name} has not come to its end: {agent.failure} {daemon.lines}")
            self.wait_until_told()
            code = daemon.stop()  # with all that was acknowledged taken to its end
            self.look_for_gaps(daemon)
            if code != 0:
                self.end(daemon, code)
            daemon = self.start()
            address = daemon.wait_for("stderr", r"serving on http://(\S+)")[1]
            alerts = self.alerts(address)
            daemon.stop()
        finally:
            if daemon.process.poll() is None:
                daemon.process.kill()
                daemon.finish()
        records = Records(
            fired=[(alert["rule"], alert["resource_id"], alert["alert_id"]) for alert in alerts],
            silences={alert["resource_id"]: (alert["window"]["start"], alert["started_at"])
                      for alert in alerts if alert["rule"] == "silent"},
            told=list(self.subscriber.told), stored=self.transitions(), notices=list(self.webhook.notices),
            gaps=self.gaps)
        for agent in self.agents:
            records.sent |= agent.sent
            records.acknowledged |= agent.acknowledged
            records.pulses |= {key: tuple(times) for key, times in agent.pulses.items()}
            records.refused += agent.refused
        return records

    def wait_until_told(self):
        """Until timers have run and the webhook knows of each alert that there should be, or nothing comes any more."""
        wanted = sum(sum(1 for count in agent.acknowledged.values() if count >= EVENTS_OF_KEY) + len(agent.pulses)
                     for agent in self.agents)
        heard, until = 0, time.monotonic() + self.QUIET_SECONDS
        while len(self.webhook.told) < wanted and time.monotonic() < until:
            if len(self.webhook.notices) > heard:
                heard, until = len(self.webhook.notices), time.monotonic() + self.QUIET_SECONDS
            time.sleep(0.05)

    @staticmethod
    def alerts(address):
        connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        connection.request("GET", "/api/tocsin/v1/alerts")
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer["alerts"] if isinstance(answer, dict) else answer

    def transitions(self):
        with sqlite3.connect(f"file:{self.folder}/data/alerts.db?mode=ro", uri=True) as store:
            return store.execute("SELECT seq, alert_id, number FROM readable_transitions ORDER BY seq").fetchall()

    def summary(self, records):
        kinds = ", ".join(f"{kind} {count}" for kind, count in sorted(self.kills.items()))
        full = sum(1 for count in records.acknowledged.values() if count >= EVENTS_OF_KEY)
        return (f"{sum(self.kills.values())} kills ({kinds}); {sum(records.acknowledged.values())} events acknowledged, "
                f"{sum(agent.resent for agent in self.agents)} requests sent again, {full} keys full, "
                f"{len(records.pulses)} pulses, {len(records.fired)} alerts, {len(records.stored)} transitions stored, "
                f"{len(records.told)} heard, {len(records.notices)} requests to the webhook")
