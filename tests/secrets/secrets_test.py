#!/usr/bin/env python3
"""secrets_test.py TIDEMILL: no credential is found after a run, wherever one looks.

secrets.yaml uses a keychain whose value comes from the environment, in an HTTP header that the
server sends back, in a python tool that prints it and returns it, in a shell command and in an
error; failing.yaml has a DSN with a password and no server behind it. Afterwards the secret is
looked for in every file below the folder, and in what `run`, `show`, `logs` and `task` print.
"""
import base64
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import threading

SECONDS = 60  # for one command; only a command that hangs takes so long
HERE = pathlib.Path(__file__).resolve().parent
TOKEN, PASSWORD, PLAIN = "s3cr3t-t0ken-4711", "p4ssw0rd-0815", "pl41n-t0ken-2342"
BASIC = base64.b64encode(f"ada:{PASSWORD}".encode()).decode()


class Echo(http.server.BaseHTTPRequestHandler):
    """Sends back the headers it got."""
    seen: list[str] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization", ""))
        body = json.dumps(dict(self.headers)).encode()
        self.send_response(418 if self.path == "/fail" else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_) -> None:
        pass


def main() -> int:
    tidemill = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory(prefix="tidemill-secrets-") as name:
        folder = pathlib.Path(name)
        problems = [p for run in (whole_run, failing_run, child_run)
                    for p in run(Folder(tidemill, folder / run.__name__))]
    print("\n".join(problems) or "ok")
    return 1 if problems else 0


class Folder:
    """A folder with the playbooks, in which commands run."""

    def __init__(self, tidemill: pathlib.Path, path: pathlib.Path):
        self.tidemill, self.path = tidemill, path
        path.mkdir()
        for playbook in HERE.glob("*.yaml"):
            shutil.copy(playbook, path)
        self.said = ""

    def run(self, *arguments: str) -> int:
        ran = subprocess.run([self.tidemill, *arguments], cwd=self.path, capture_output=True,
                             text=True, timeout=SECONDS,
                             env=os.environ | {
                                 "API": json.dumps({"token": TOKEN, "password": PASSWORD}),
                                 "PLAIN": PLAIN,
                                 "BASIC": json.dumps({"type": "basic", "username": "ada",
                                                      "password": PASSWORD})})
        self.said += f"$ tidemill {' '.join(arguments)}\n{ran.stdout}{ran.stderr}"
        return ran.returncode

    def look(self) -> list[str]:
        """Says where a secret is. Everything there is to print is printed for it."""
        for command in (["list", "--json"], ["show", "latest"], ["show", "latest", "--json"],
                        ["logs", "latest"], ["task", "list", "latest", "--json"]):
            self.run(*command)
        found = []
        for secret in (TOKEN, PASSWORD, BASIC, PLAIN):
            found += [f"{secret} is printed: {line}" for line in self.said.splitlines()
                      if secret in line]
            found += [f"{secret} is in {path.name}" for path in self.path.rglob("*")
                      if path.is_file() and secret.encode() in path.read_bytes()]
        return found


def whole_run(folder: Folder) -> list[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    code = folder.run("run", "secrets.yaml", "--connect", "api=env:API",
                      "--connect", "basic=env:BASIC", "--connect", "plain=env:PLAIN", "--set",
                      f"url=http://127.0.0.1:{server.server_port}")
    server.shutdown()
    problems = [] if code == 0 else [f"secrets.yaml ends with {code}:\n{folder.said}"]
    for wanted in (f"Bearer {TOKEN}", f"Basic {BASIC}", f"Bearer {PLAIN}"):
        if wanted not in Echo.seen:
            problems.append(f"the server never got {wanted}: {Echo.seen}")
    if '"lengths":[17,13]' not in folder.said:
        problems.append(f"the tools did not get the secrets:\n{folder.said}")
    return problems + folder.look()


def failing_run(folder: Folder) -> list[str]:
    code = folder.run("run", "failing.yaml", "--connect",
                      f"db=postgres://ada:{PASSWORD}@127.0.0.1:1/shop", "--connect", "api=env:API")
    folder.said = folder.said.replace(folder.said.splitlines()[0], "")  # what was typed
    problems = [] if code == 1 else [f"failing.yaml ends with {code}:\n{folder.said}"]
    if "127.0.0.1" not in folder.said:
        problems.append(f"the error does not name the host:\n{folder.said}")
    return problems + folder.look()


def child_run(folder: Folder) -> list[str]:
    """A child's input is a row: a secret is refused there."""
    code = folder.run("run", "parent.yaml", "--connect", "api=env:API")
    problems = [] if code == 1 else [f"parent.yaml ends with {code}:\n{folder.said}"]
    if "a keychain of its own" not in folder.said:
        problems.append(f"the error does not say what to do:\n{folder.said}")
    return problems + folder.look()


if __name__ == "__main__":
    sys.exit(main())
