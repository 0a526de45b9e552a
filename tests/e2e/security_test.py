"""Who may ask a server for what, over which connections, and what goes on record of it."""
import http.client
import json
import pathlib
import socket
import ssl
import subprocess
import sys

import terminal
from terminal import Terminal

KINDS = ("client", "worker", "admin", "read-only")


class Secured(Terminal):
    """A server that is started by each test, with or without tokens and certificates."""

    def serve(self, options: str = "") -> subprocess.Popen:
        self.server = self.start("tidemill server --store tasks.db --port 0 " + options)
        self.url = self.server.stdout.readline().strip()
        self.assertTrue(self.url, "the server did not start")
        self.port = int(self.url.rsplit(":", 1)[1])
        self.environment["TIDEMILL_SERVER"] = self.url
        return self.server

    def token(self, name: str, kind: str, more: str = "--store tasks.db") -> str:
        """A new token, from the command line."""
        secret = self.type(f"tidemill token add {name} --kind {kind} {more}").out.strip()
        self.assertRegex(secret, r"^tm_[0-9a-f]{64}$")
        return secret

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=terminal.SECONDS)

    def ask(self, method: str, target: str, body=None, token: str = ""):
        """Status, body (parsed when it is JSON) and headers."""
        connection = self.connect()
        self.addCleanup(connection.close)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection.request(method, target, None if body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        is_json = answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(text) if is_json else text, answer.headers

    def status(self, *request, **more) -> int:
        return self.ask(*request, **more)[0]

    def audit(self, name: str = "tasks.db.audit.jsonl") -> list:
        """The lines of the audit log; the server has ended."""
        return [json.loads(line) for line in (self.folder / name).read_text().splitlines()]

    def stop(self) -> terminal.Said:
        self.server.terminate()
        return self.end_of(self.server)

    # ---- certificates ----

    def make_certificates(self) -> None:
        """An authority, and of it a server's and a client's certificate."""
        self.certificate("ca", "/CN=authority")
        signed = "-CA ca.pem -CAkey ca.key "
        self.certificate("server", "/CN=server", signed + "-addext subjectAltName=IP:127.0.0.1")
        self.certificate("gpu", "/CN=gpu-1", signed)

    def certificate(self, name: str, subject: str, more: str = "") -> None:
        command = ("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes "
                   f"-days 2 -keyout {name}.key -out {name}.pem -subj {subject} {more}")
        subprocess.run(command.split(), cwd=self.folder, check=True, capture_output=True)

    def trust(self, certificate: str = "") -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "ca.pem")
        if certificate:
            context.load_cert_chain(self.folder / f"{certificate}.pem",
                                    self.folder / f"{certificate}.key")
        return context


class Tokens(Secured):
    def test_the_first_is_made_before_the_server_listens(self) -> None:
        secret = self.token("ops", "admin")
        self.serve()
        self.assertEqual(self.status("GET", "/v1/tasks", token=secret), 200)
        for file in self.folder.glob("tasks.db*"):
            if file.is_file():
                self.assertNotIn(secret[3:].encode(), file.read_bytes(), file)

    def test_with_none_nobody_is_asked_and_with_one_everybody_is(self) -> None:
        self.serve()
        self.type("tidemill spawn noop")
        status, made, _ = self.ask("POST", "/v1/tokens", {"name": "ops", "kind": "admin"})
        self.assertEqual((status, made["kind"]), (200, "admin"))
        status, told, headers = self.ask("GET", "/v1/tasks")
        self.assertEqual(status, 401, told)
        self.assertIn("--token", told["error"]["message"])
        self.assertEqual(headers["WWW-Authenticate"], 'Bearer realm="tidemill"')
        for path in ("/healthz", "/readyz"):
            self.assertEqual(self.status("GET", path), 200)
        for path in ("/metrics", "/v1/nothing", "/v1/exchange"):
            self.assertEqual(self.status("GET", path), 401)
        said = self.type("tidemill spawn noop", 3)
        self.assertIn("asks for a token", said.err)
        self.environment["TIDEMILL_TOKEN"] = made["token"]
        self.type("tidemill spawn noop")
        self.type("tidemill token revoke ops")
        self.assertEqual(self.status("GET", "/v1/tasks"), 200)

    def test_what_each_kind_may_ask(self) -> None:
        self.serve()
        secrets = {kind: self.token(kind, kind) for kind in KINDS}
        task = {"tasks": [{"kind": "noop"}]}
        for method, target, body, may in [
            ("POST", "/v1/tasks", task, "client admin"),
            ("GET", "/v1/tasks", None, "client admin read-only"),
            ("POST", "/v1/tasks/wait", {"ids": ["1"], "timeout_ms": 1}, "client admin read-only"),
            ("POST", "/v1/tasks/999999/cancel", None, "client admin"),
            ("GET", "/v1/tasks/999999/result", None, "client worker admin read-only"),
            ("GET", "/v1/executions", None, "client admin read-only"),
            ("POST", "/v1/executions", {"playbook": ""}, "client admin"),
            ("PUT", "/v1/queues/q", {"concurrency": 1}, "admin"),
            ("POST", "/v1/queues/q/pause", None, "admin"),
            ("POST", "/v1/exchange", {"number": 1, "kinds": ["k"]}, "worker admin"),
            ("POST", "/v1/blobs", "x", "worker admin"),
            ("GET", "/metrics", None, "client admin read-only"),
            ("GET", "/v1/tokens", None, "admin"),
            ("POST", "/v1/tokens", {"kind": "root"}, "admin"),
            ("DELETE", "/v1/tokens/nobody", None, "admin"),
        ]:
            for kind in KINDS:
                with self.subTest(target=target, kind=kind):
                    status, told, _ = self.ask(method, target, body, token=secrets[kind])
                    if kind in may.split():
                        self.assertNotIn(status, (401, 403), told)
                    else:
                        self.assertEqual(status, 403, told)
                        self.assertIn(f"of kind {kind} may not", told["error"]["message"])

    def test_wrong_expired_and_revoked_ones(self) -> None:
        admin = self.token("ops", "admin")
        self.serve()
        for wrong in ("tm_" + "0" * 64, admin[:-1], admin + "0", admin[3:], admin.upper()):
            status, told, headers = self.ask("GET", "/v1/tasks", token=wrong)
            self.assertEqual(status, 401)
            self.assertIn("invalid_token", headers["WWW-Authenticate"])
            self.assertNotIn(wrong, json.dumps(told))
        _, short, _ = self.ask("POST", "/v1/tokens", {"name": "short", "kind": "read-only",
                                                      "expires_in_ms": 400}, token=admin)
        while self.status("GET", "/v1/tasks", token=short["token"]) == 200:
            pass
        status, told, _ = self.ask("GET", "/v1/tasks", token=short["token"])
        self.assertEqual(status, 401)
        self.assertIn("has expired", told["error"]["message"])
        other = self.token("other", "client")
        self.assertEqual(self.status("GET", "/v1/tasks", token=other), 200)
        self.type("tidemill token revoke other --store tasks.db")
        self.assertEqual(self.status("GET", "/v1/tasks", token=other), 401)
        self.environment["TIDEMILL_TOKEN"] = admin
        listed = [json.loads(line) for line in
                  self.type("tidemill token list --json").out.splitlines()]
        self.assertEqual([(t["name"], t["kind"]) for t in listed],
                         [("ops", "admin"), ("short", "read-only")])
        self.assertIn("expired", self.type("tidemill token list --store tasks.db").out)
        self.assertIn("requests_without_token_total", self.ask("GET", "/metrics", token=admin)[1])

    def test_they_are_there_after_a_kill(self) -> None:
        self.serve()
        admin = self.token("ops", "admin", "")
        self.server.kill()
        self.server.communicate()
        self.serve()
        self.assertEqual(self.status("GET", "/v1/tasks"), 401)
        self.assertEqual(self.status("GET", "/v1/tasks", token=admin), 200)

    def test_mistakes_are_said(self) -> None:
        for command, code, words in [
            ("add a --kind root --store t.db", 2, "expected client, worker"),
            ("add a/b --kind admin --store t.db", 2, "may have letters"),
            ("add a --kind client --queue q --store t.db", 2, "kind worker"),
            ("add a --kind client --expires soon --store t.db", 2, "90d"),
            ("revoke nobody --store t.db", 4, "none named"),
        ]:
            with self.subTest(command=command):
                self.assertIn(words, self.type("tidemill token " + command, code).err)
        self.token("a", "admin", "--store t.db")
        self.assertIn("already", self.type("tidemill token add a --kind admin --store t.db", 3).err)


class Workers(Secured):
    def exchange(self, token: str, session: dict, number: int, **more):
        return self.ask("POST", "/v1/exchange", session | {
            "number": number, "last_reply": number - 1, "free_slots": 9, "free_places": 9,
            "wait": False} | more, token=token)

    def test_one_bound_to_a_queue_gets_and_reports_only_of_it(self) -> None:
        admin = self.token("ops", "admin")
        bound = self.token("gpu", "worker", "--queue imaging --store tasks.db")
        free = self.token("any", "worker")
        self.serve()
        tasks = [{"kind": "k", "queue": q} for q in ("imaging", "default", "imaging")]
        _, spawned, _ = self.ask("POST", "/v1/tasks", {"tasks": tasks}, token=admin)
        ids = [task["id"] for task in spawned["tasks"]]
        _, opened, _ = self.exchange(bound, {}, 1, kinds=["k"])
        mine = {"session": opened["session"]}
        _, handed, _ = self.exchange(bound, mine, 2)
        self.assertEqual([a["task"] for a in handed["assignments"]], [ids[0], ids[2]])
        status, told, _ = self.exchange(free, mine, 3)
        self.assertEqual(status, 403)
        self.assertIn("another token", told["error"]["message"])
        _, opened, _ = self.exchange(free, {}, 1, kinds=["k"])
        _, others, _ = self.exchange(free, {"session": opened["session"]}, 2)
        [other] = others["assignments"]
        self.assertEqual(other["task"], ids[1])
        reports = [{"kind": "done", "task": a["task"], "epoch": a["epoch"], "result": 1}
                   for a in (other, handed["assignments"][0])]
        _, told, _ = self.exchange(bound, mine, 3, reports=reports)
        self.assertEqual(told["answers"], ["lease_lost", "recorded"])

    def test_one_that_is_not_let_in_ends_and_says_why(self) -> None:
        admin = self.token("ops", "admin")
        self.serve()
        said = self.type("tidemill worker", 3)
        self.assertIn("asks for a token", said.err)
        said = self.type(f"tidemill worker --token {self.token('ci', 'client')}", 3)
        self.assertIn("of kind client may not", said.err)
        self.make_pipe("begun")
        worker = self.start(f"tidemill worker --token {self.token('gpu', 'worker')}")
        command = "if [ -p begun ]; then echo yes > begun; sleep 1000; fi; echo elsewhere"
        _, spawned, _ = self.ask("POST", "/v1/tasks", {"tasks": [
            {"kind": "shell", "input": {"cmd": command}}]}, token=admin)
        self.wait_for_line("begun")
        (self.folder / "begun").unlink()
        self.type("tidemill token revoke gpu --store tasks.db")
        said = self.end_of(worker)
        self.assertEqual(said.code, 3, said.err)
        self.assertIn("was revoked", said.err)
        self.start(f"tidemill worker --token {admin}")
        _, told, _ = self.ask("POST", "/v1/tasks/wait", {
            "ids": [spawned["tasks"][0]["id"]], "timeout_ms": 60000}, token=admin)
        self.assertEqual(told["outcomes"][0]["result"]["stdout"], "elsewhere\n")


class Encrypted(Secured):
    def connect(self):
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=terminal.SECONDS,
                                           context=self.trust(self.mine))

    mine = ""  # the certificate that ask() shows

    def test_commands_and_workers_speak_it(self) -> None:
        self.make_certificates()
        admin = self.token("ops", "admin")
        self.serve("--tls-cert server.pem --tls-key server.key")
        self.assertTrue(self.url.startswith("https://"))
        self.environment |= {"TIDEMILL_TOKEN": admin, "TIDEMILL_TLS_CA": "ca.pem"}
        worker = self.start("tidemill worker")
        self.assertRegex(self.type("tidemill spawn noop --wait").out, r"^\d+ done null\n$")
        self.assertEqual(self.status("GET", "/v1/tasks", token=admin), 200)
        worker.terminate()
        self.assertEqual(self.end_of(worker).code, 0)
        self.certificate("other", "/CN=other")
        for command in ("spawn noop", "worker"):
            said = self.type(f"tidemill {command} --tls-ca other.pem", 3)
            self.assertIn("--tls-ca", said.err)
        said = self.type(f"tidemill spawn noop --server http://127.0.0.1:{self.port}", 2)
        self.assertIn("this port is encrypted", said.err)

    def test_versions_before_1_2_are_refused(self) -> None:
        self.make_certificates()
        self.serve("--tls-cert server.pem --tls-key server.key")
        for version, good in [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True),
                              (ssl.TLSVersion.TLSv1_3, True)]:
            context = self.trust()
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.maximum_version = version
            with socket.create_connection(("127.0.0.1", self.port)) as raw:
                with self.subTest(version=version):
                    if good:
                        context.wrap_socket(raw, server_hostname="127.0.0.1").close()
                    else:
                        with self.assertRaises(ssl.SSLError):
                            context.wrap_socket(raw, server_hostname="127.0.0.1")

    def test_who_is_asked_for_a_certificate_shows_one(self) -> None:
        self.make_certificates()
        self.serve("--tls-cert server.pem --tls-key server.key --tls-client-ca ca.pem")
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.HTTPException)):
            self.ask("GET", "/healthz")
        self.assertNotEqual(
            self.end_of(self.start("tidemill spawn noop --tls-ca ca.pem")).code, 0)
        files = "--tls-ca ca.pem --tls-cert gpu.pem --tls-key gpu.key"
        self.type("tidemill spawn noop " + files)
        self.mine = "gpu"
        self.assertEqual(self.status("GET", "/healthz"), 200)
        self.stop()
        [line] = self.audit()
        self.assertEqual((line["certificate"], line["path"]), ("gpu-1", "/v1/tasks"))

    def raw(self, data: bytes) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port)) as plain:
            plain.settimeout(terminal.SECONDS)
            with self.trust().wrap_socket(plain, server_hostname="127.0.0.1") as bytes_:
                bytes_.sendall(data)
                out = b""
                try:
                    while piece := bytes_.recv(65536):
                        out += piece
                except (ssl.SSLError, ConnectionError):
                    pass  # the server does not say goodbye
                return out

    def test_requests_keep_their_limits_and_order(self) -> None:
        self.make_certificates()
        self.serve("--tls-cert server.pem --tls-key server.key")
        get = b"GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n"
        two = self.raw(get % (b"/healthz", b"") + get % (b"/v1/nothing", b"Connection: close\r\n"))
        self.assertLess(two.find(b"HTTP/1.1 200 "), two.find(b"HTTP/1.1 404 "))
        self.assertIn(b"HTTP/1.1 431 ", self.raw(get % (b"/healthz", b"A: " + b"x" * 17000)))
        self.assertIn(b"HTTP/1.1 413 ", self.raw(
            b"POST /v1/tasks HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n"))
        self.assertIn(b"HTTP/1.1 400 ", self.raw(b"nonsense\r\n\r\n"))
        self.assertIn(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400 ", self.raw(
            b"POST /v1/tasks HTTP/1.1\r\nExpect: 100-continue\r\nConnection: close\r\n"
            b"Content-Length: 2\r\n\r\n[]"))

    def test_many_half_open_connections_stop_nobody(self) -> None:
        self.make_certificates()
        self.serve("--tls-cert server.pem --tls-key server.key")
        for n in range(300):
            half = socket.create_connection(("127.0.0.1", self.port))
            self.addCleanup(half.close)
            if n % 3 == 0:
                half.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a hello
        self.assertEqual(self.status("GET", "/healthz"), 200)

    def test_files_that_cannot_be_used_are_said(self) -> None:
        self.make_certificates()
        for options, words in [
            ("--tls-cert server.pem", "give both files"),
            ("--tls-cert server.pem --tls-key gpu.key", "another certificate"),
            ("--tls-cert none.pem --tls-key gpu.key", "none.pem"),
            ("--tls-client-ca ca.pem", "--tls-cert"),
        ]:
            with self.subTest(options=options):
                said = self.type("tidemill server --store t.db --port 0 " + options, 2)
                self.assertIn(words, said.err)

    def test_others_are_let_in_with_both_or_by_word(self) -> None:
        self.make_certificates()
        tls = "--tls-cert server.pem --tls-key server.key"
        command = "tidemill server --store tasks.db --port 0 --listen 0.0.0.0 "
        said = self.type(command, 2)
        for words in ("no certificate", "no token", "tidemill token add", "--insecure"):
            self.assertIn(words, said.err)
        self.assertFalse((self.folder / "tasks.db").exists())
        said = self.type(command + tls, 2)
        self.assertNotIn("no certificate", said.err)
        admin = self.token("ops", "admin")
        self.assertIn("no certificate", self.type(command, 2).err)
        self.serve("--listen 0.0.0.0 " + tls)
        self.assertEqual(self.status("GET", "/v1/tasks", token=admin), 200)
        # It has no token any more, and is not open for that.
        self.type("tidemill token revoke ops --store tasks.db")
        self.assertEqual(self.status("GET", "/v1/tasks"), 401)
        self.stop()
        self.serve("--listen 0.0.0.0 --insecure " + tls)
        self.assertEqual(self.status("GET", "/v1/tasks"), 200)


class Audit(Secured):
    def test_who_changed_what_is_on_record(self) -> None:
        ops, ci = self.token("ops", "admin"), self.token("ci", "client")
        self.serve()
        secret = "hush-7719"
        _, spawned, _ = self.ask("POST", "/v1/tasks", {"tasks": [
            {"kind": "noop", "input": {"password": secret}}] * 20}, token=ci)
        ids = [task["id"] for task in spawned["tasks"]]
        self.status("GET", "/v1/tasks?secret=" + secret, token=ci)
        self.status("POST", f"/v1/tasks/{ids[0]}/cancel?why=" + secret, token=ci)
        self.status("PUT", "/v1/queues/a%20b", {}, token=ci)  # refused
        self.status("PUT", "/v1/queues/a%20b", {}, token=ops)
        self.status("POST", "/v1/tasks", {}, token="tm_wrong")  # nobody's
        self.status("POST", "/v1/exchange", {"number": 1, "kinds": ["k"]}, token=ops)
        made = self.ask("POST", "/v1/tokens", {"name": "x", "kind": "client"}, token=ops)[1]
        self.type("tidemill token revoke x --store tasks.db")
        said = self.stop()
        lines = self.audit()
        told = [(line.get("token"), line["method"], line["path"], line["status"])
                for line in lines]
        self.assertEqual(told, [
            ("ci", "POST", "/v1/tasks", 200),
            ("ci", "POST", f"/v1/tasks/{ids[0]}/cancel", 200),
            ("ci", "PUT", "/v1/queues/a%20b", 403),
            ("ops", "PUT", "/v1/queues/a%20b", 200),
            ("ops", "POST", "/v1/exchange", 200),
            ("ops", "POST", "/v1/tokens", 200),
            (None, "LINE", "token-revoke", 200)])
        self.assertEqual(lines[0]["affected"], [f"task {id}" for id in ids[:16]])
        self.assertEqual(lines[0]["affected_more"], 4)
        self.assertEqual((lines[0]["kind"], lines[0]["peer"]), ("client", "127.0.0.1"))
        self.assertEqual(lines[3]["affected"], ["queue a b"])
        self.assertEqual(lines[6]["affected"], ["x"])
        text = (self.folder / "tasks.db.audit.jsonl").read_text() + said.err
        for hidden in (secret, ops, ci, made["token"], "tm_"):
            self.assertNotIn(hidden, text)
        mode = (self.folder / "tasks.db.audit.jsonl").stat().st_mode
        self.assertEqual(mode & 0o777, 0o600)

    def test_sessions_of_workers_open_and_close(self) -> None:
        self.serve("--audit log.jsonl")
        worker = self.start("tidemill worker")
        self.type("tidemill spawn noop --wait")
        worker.terminate()
        self.end_of(worker)
        self.stop()
        lines = [line for line in self.audit("log.jsonl") if line["path"] == "/v1/exchange"]
        self.assertEqual([line["method"] for line in lines], ["POST", "CLOSE"])
        self.assertEqual(lines[0]["affected"], lines[1]["affected"])
        self.assertFalse((self.folder / "tasks.db.audit.jsonl").exists())

    def test_none_is_none(self) -> None:
        self.serve("--audit none")
        self.type("tidemill spawn noop")
        self.stop()
        self.assertEqual(list(self.folder.glob("*audit*")), [])
        self.assertIn("--audit", self.type(
            "tidemill server --store tasks.db --port 0 --audit nowhere/log", 4).err)

    def test_a_full_disk_is_said_and_stops_nobody(self) -> None:
        self.serve("--audit /dev/full")
        self.type("tidemill spawn noop")
        while "tidemill_audit_failing 1" not in self.ask("GET", "/metrics")[1]:
            pass
        self.type("tidemill spawn noop")
        self.assertIn("the audit log: ", self.stop().err)


if __name__ == "__main__":
    sys.exit(terminal.run(pathlib.Path(sys.argv.pop(1)).resolve()))
