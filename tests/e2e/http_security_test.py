# SPDX-License-Identifier: Apache-2.0
"""HTTP with tokens and TLS, as operators, amtool and Prometheus use it; and what strangers get."""
import http.client
import json
import os
import resource
import shutil
import socket
import ssl
import subprocess
import unittest

import msgpack
from running import BIN, PATIENCE, Case, Program, Served, error_event, samples, tocsin


class Secured(Case):
    """A daemon that asks for tokens, over TLS; self.tokens has one of each role."""

    listen = "127.0.0.1:0"
    hosts = ""

    def setUp(self):
        super().setUp()
        self.make_certificate()
        self.tokens = {role: self.new_token(role, name) for role, name in
                       (("viewer", "wall"), ("operator", "ops"), ("sender", "prometheus"))}

    def make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", "/CN=tocsin test",
             "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost",
             "-keyout", self.folder / "key.pem", "-out", self.folder / "cert.pem"],
            check=True, capture_output=True, timeout=PATIENCE)

    def new_token(self, role, name):
        made = tocsin("token", "new", "--role", role, "--name", name, "-o", self.folder / "tokens")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        self.write(f"{role}.token", made.stdout)
        return made.stdout.strip()

    def config(self, *arguments, **options):
        file = super().config(*arguments, **options)
        file.write_text(file.read_text().replace('http: {listen: ""}', f"""
http:
  listen: "{self.listen}"
  tokens: tokens
  tls: {{cert_file: cert.pem, key_file: key.pem}}
  hosts: [{self.hosts}]
"""))
        return file

    def start(self, *arguments, **options):
        daemon = super().start(*arguments, **options)
        bound = daemon.wait_for("stderr", r"serving on https://\S+:(\d+)")[1]
        self.address = f"127.0.0.1:{bound}"
        return daemon

    def ask(self, path, role=None, method="GET", body=None, host=None, token=None):
        """(status, headers, body)."""
        trust = ssl.create_default_context(cafile=self.folder / "cert.pem")
        connection = http.client.HTTPSConnection(self.address, timeout=PATIENCE, context=trust)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        if role or token:
            headers["Authorization"] = f"Bearer {token or self.tokens[role]}"
        if host:
            headers["Host"] = host
        try:
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read().decode()
        finally:
            connection.close()

    def outcome(self, *arguments, **options):
        """The status, with the code of a refusal."""
        status, _, body = self.ask(*arguments, **options)
        return f"{status} {json.loads(body)['code']}" if status >= 400 else str(status)

    def command(self, *arguments, role="operator", env=None):
        trust = ["--http", f"https://{self.address}", "--ca-file", self.folder / "cert.pem"]
        if role:
            trust += ["--token-file", self.folder / f"{role}.token"]
        return tocsin(*arguments, *trust)

    def fire(self, daemon):
        push, stream = self.pusher(), self.subscribe()
        push.send(msgpack.packb([error_event(number) for number in range(3)]))
        return stream.next_alert()["alert_id"]


POSTED = json.dumps([{"labels": {"alertname": "posted", "severity": "error"}}])


class Roles(Secured):
    def test_strangers_get_nothing_and_each_role_what_is_its_own(self):
        self.start()
        for path in ("/metrics", "/api/v2/status", "/api/tocsin/v1/alerts", "/nowhere"):
            self.assertEqual(self.outcome(path), "401 unauthorized")
            self.assertEqual(self.outcome(path, token="x" * 50), "401 unauthorized")
            self.assertEqual(self.outcome(path, role="sender"),
                             "404 not_found" if path == "/nowhere" else "403 forbidden")
        self.assertEqual(self.ask("/metrics")[1]["WWW-Authenticate"], 'Bearer realm="tocsin"')
        self.assertEqual((self.outcome("/-/healthy"), self.outcome("/-/ready")), ("200", "200"))
        self.assertEqual(self.outcome("/metrics", role="viewer"), "200")
        self.assertEqual(self.outcome("/api/v2/alerts", "viewer", "POST", POSTED), "403 forbidden")
        self.assertIn("wanted sender or operator",
                      self.ask("/api/v2/alerts", "viewer", "POST", POSTED)[2])
        self.assertEqual(self.outcome("/-/ready", host="evil.example.org"), "421 unknown_host")
        counted = samples(self.ask("/metrics", "viewer")[2])
        self.assertEqual(counted['tocsin_http_refused_total{reason="unauthorized"}'], 9)
        self.assertEqual(counted['tocsin_http_refused_total{reason="forbidden"}'], 5)
        self.assertEqual(counted['tocsin_http_refused_total{reason="unknown_host"}'], 1)

    def test_a_sender_posts_alerts_as_prometheus_does(self):
        self.start()
        self.assertEqual(self.outcome("/api/v2/alerts", "sender", "POST", POSTED), "200")
        listed = json.loads(self.ask("/api/v2/alerts", "viewer")[2])
        self.assertEqual([each["labels"]["alertname"] for each in listed], ["posted"])

    def test_a_token_that_is_taken_out_is_refused_at_the_next_request(self):
        daemon = self.start()
        self.assertEqual(self.outcome("/metrics", role="viewer"), "200")
        file = self.folder / "tokens"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if not line.startswith("viewer")))
        self.assertEqual(self.outcome("/metrics", role="viewer"), "401 unauthorized")
        daemon.wait_for("stderr", "tokens was read anew: 2 tokens")
        file.write_text("viewer wall\n")
        self.assertEqual(self.outcome("/metrics", role="operator"), "200")
        self.assertIn("tokens:1: error: 2 words",
                      daemon.wait_for("stderr", "is not used, the 2 tokens of before.*").string)


class Commands(Secured):
    def test_commands_show_their_token_and_check_the_certificate(self):
        alert = self.fire(self.start())
        self.assertIn(alert, self.command("alerts", role="viewer").stdout)
        refused = self.command("ack", alert, role="viewer")
        self.assertEqual(refused.returncode, 1)
        self.assertIn("the token of wall has the role viewer, wanted operator", refused.stderr)
        nobody = self.command("alerts", role=None)
        self.assertEqual(nobody.returncode, 1)
        self.assertIn("a token is needed", nobody.stderr)
        self.assertIn("--token-file", nobody.stderr)
        untrusted = tocsin("alerts", "--http", f"https://{self.address}", "--token-file",
                           self.folder / "viewer.token")
        self.assertEqual(untrusted.returncode, 3)
        self.assertIn("certificate", untrusted.stderr)

    def test_the_environment_says_it_too(self):
        self.start()
        done = subprocess.run(
            [BIN / "tocsin", "alerts", "--json"], capture_output=True, text=True, timeout=PATIENCE,
            env={"TOCSIN_HTTP": f"https://{self.address}",
                 "TOCSIN_CA_FILE": str(self.folder / "cert.pem"),
                 "TOCSIN_TOKEN_FILE": str(self.folder / "viewer.token")})
        self.assertEqual((done.returncode, done.stdout), (0, "[]\n"), done)

    def test_the_history_says_who_it_was_with_the_name_that_was_proved(self):
        alert = self.fire(self.start())
        self.assertEqual(self.command("ack", alert, "--by", "ann").returncode, 0)
        self.assertEqual(self.outcome(f"/api/tocsin/v1/alerts/{alert}/close", "operator", "POST",
                                      "{}"), "200")
        explained = json.loads(self.ask(f"/api/tocsin/v1/alerts/{alert}/explain", "viewer")[2])
        self.assertEqual([each["actor"] for each in explained["transitions"]][-2:],
                         ["ann (via ops)", "ops"])

    def test_a_token_is_read_from_a_file_and_not_sent_in_the_clear(self):
        for text, told in (("short", "has 32 to 256 characters"), ("a b" * 20, "has others")):
            file = self.write("bad.token", text)
            done = tocsin("alerts", "--token-file", file)
            self.assertEqual(done.returncode, 2)
            self.assertIn(told, done.stderr)
            self.assertNotIn(text, done.stderr)
        done = tocsin("alerts", "--http", "192.0.2.1:9093", "--token-file",
                      self.folder / "viewer.token")
        self.assertEqual(done.returncode, 2)
        self.assertIn("wanted https:// or a loopback address", done.stderr)

    def test_tokens_are_made_and_hashed(self):
        made = tocsin("token", "new", "--role", "viewer", "--name", "ann")
        token = made.stdout.strip()
        hashed = tocsin("token", "hash", input=made.stdout)
        self.assertEqual(made.stderr, f"viewer ann {hashed.stdout}")
        self.assertRegex(token, r"\Atocsin_[A-Za-z0-9_-]{43}\Z")
        self.assertNotIn(token, made.stderr + hashed.stdout)
        self.assertEqual(tocsin("token", "hash", input="short\n").returncode, 1)
        self.assertEqual(tocsin("token", "new", "--role", "admin", "--name", "a").returncode, 2)
        self.assertEqual(tocsin("token", "new", "--role", "viewer", "--name", "a b").returncode, 2)
        self.assertEqual(tocsin("token", "new", "--role", "viewer", "--name", "a", "-o",
                                self.folder / "no" / "file").returncode, 1)

    @unittest.skipUnless(shutil.which("amtool"), "amtool is not installed (scripts/setup does it)")
    def test_amtool_shows_a_bearer_token(self):
        self.start()
        config = self.write("amtool-http.yml", f"""
authorization: {{credentials_file: "{self.folder}/operator.secret"}}
tls_config: {{ca_file: "{self.folder}/cert.pem"}}
""")
        self.write("operator.secret", self.tokens["operator"])

        def amtool(*arguments):
            return subprocess.run(
                ["amtool", f"--alertmanager.url=https://{self.address}",
                 f"--http.config.file={config}", *arguments],
                capture_output=True, text=True, timeout=PATIENCE, env={"HOME": str(self.folder)})

        made = amtool("silence", "add", "team=web", "--comment=works", "--author=ann")
        self.assertEqual(made.returncode, 0, made)
        listed = json.loads(amtool("-o", "json", "silence", "query").stdout)
        self.assertEqual([each["createdBy"] for each in listed], ["ann (via ops)"])
        self.write("operator.secret", "x" * 50)
        self.assertNotEqual(amtool("silence", "query").returncode, 0)


class Secrets(Secured):
    def test_no_secret_is_in_any_log_answer_or_metric(self):
        daemon = self.start()
        said = [self.ask(path, role)[2] for path in
                ("/api/v2/status", "/metrics", "/api/tocsin/v1/rules", "/nowhere", "/-/ready")
                for role in ("operator", "sender", None)]
        said.append(self.ask("/metrics", token=self.tokens["viewer"][:-1] + "!")[2])
        file = self.folder / "tokens"
        lines = file.read_text()
        file.write_text(lines + self.tokens["viewer"] + "\nviewer ann " + self.tokens["sender"])
        said.append(self.ask("/metrics", "viewer")[2])
        daemon.wait_for("stderr", "is not used")
        self.assertEqual(daemon.stop(), 0)
        said += daemon.lines["stderr"] + daemon.lines["stdout"]
        said += tocsin("alerts", "--http", self.address, "--token-file",
                       self.folder / "viewer.token").stderr.splitlines()
        secrets = [each.removeprefix("tocsin_")[:16] for each in self.tokens.values()]
        secrets += [line.split(":")[1][:16] for line in lines.splitlines()]
        secrets += (self.folder / "key.pem").read_text().splitlines()[1:-1]
        for text in said:
            for secret in secrets:
                self.assertNotIn(secret, text)


class Everywhere(Secured):
    """On all addresses of the host, which tokens and TLS allow."""

    listen = "0.0.0.0:0"
    hosts = "alerts.example.org"

    def test_it_answers_to_its_own_names_only(self):
        self.start()
        for host in ("127.0.0.1", "localhost:80", "Alerts.Example.org:443"):
            self.assertEqual(self.outcome("/-/ready", host=host), "200")
        for host in ("evil.example.org", "alerts.example.org.evil.org", "10.9.8.7"):
            self.assertEqual(self.outcome("/-/ready", host=host), "421 unknown_host")


class Plain(Served):
    def check(self, http_section):
        """What the daemon says of a section `http` that it refuses."""
        file = self.config()
        file.write_text(file.read_text().replace('http: {listen: "127.0.0.1:0"}', http_section))
        daemon = Program(BIN / "tocsind", "--config", file)
        self.addCleanup(self.end, daemon)
        self.assertEqual(daemon.finish(), 78, daemon.lines)
        return "\n".join(daemon.lines["stderr"])

    def test_what_would_let_strangers_in_ends_the_start(self):
        said = self.check('http: {listen: "0.0.0.0:9093", tls: {cert_file: c}}')
        self.assertIn("so it needs 'tokens' and 'tls'; not set: 'tokens'", said)
        self.assertIn("'key_file' is missing", said)
        self.write("tokens", "# people\n\nviewer\n")
        said = self.check('http: {tokens: tokens, tls: {cert_file: c.pem, key_file: k.pem}}')
        self.assertIn("tokens:3: error: 1 words", said)
        self.assertIn("c.pem: error: the certificate cannot be used: cannot read", said)
        self.assertIn("k.pem: error: the key cannot be used: cannot read", said)

    def test_a_page_whose_name_leads_here_gets_nothing(self):
        self.start()
        connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
        self.addCleanup(connection.close)
        connection.request("GET", "/api/tocsin/v1/alerts", headers={"Host": "evil.example.org"})
        answer = connection.getresponse()
        self.assertEqual((answer.status, json.loads(answer.read())["code"]), (421, "unknown_host"))

    def test_many_idle_connections_do_not_exhaust_the_process(self):
        served, more = 256, 1500
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        daemon = self.start()
        host, port = self.address.split(":")
        idle = []
        try:
            for _ in range(served + more):
                idle.append(socket.create_connection((host, int(port)), PATIENCE))
            # Those that are not served are closed at once.
            for each in idle[served:]:
                each.settimeout(PATIENCE)
                self.assertEqual(each.recv(1), b"")
            open_files = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
            self.assertLess(open_files, served + 100)
        finally:
            for each in idle:
                each.close()

        def refused():
            try:
                return self.metrics()['tocsin_http_refused_total{reason="connections"}']
            except OSError:  # while those inside are not gone yet, this is one connection too many
                return 0
        self.poll(refused, lambda count: count >= more)


if __name__ == "__main__":
    unittest.main()
