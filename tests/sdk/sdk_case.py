"""What the tests of the Python SDK share: a real server, workers that are stopped at the end, a
server that answers what a test says, and a wire that can be cut."""
import logging
import os
import pathlib
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
SDK = SOURCE / "sdk/python"
sys.path.insert(0, str(SDK))

from tidemill import Client, Worker  # noqa: E402

logging.getLogger("tidemill").setLevel(logging.CRITICAL)
SECONDS = 60  # only what hangs takes so long


class SdkCase(unittest.TestCase):
    """A server in a folder of its own for each test."""
    tidemill: pathlib.Path  # set by main

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="tidemill-sdk-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(lambda: self.end(self.server))  # after the workers, who still report
        self.serve(0)
        self.client = Client(self.url)
        self.addCleanup(self.client.close)

    def serve(self, port: int) -> None:
        self.server = subprocess.Popen(
            [self.tidemill, "server", "--store", self.folder / "tasks.db", "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.server.stdout.readline().strip()

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    @staticmethod
    def end(process: subprocess.Popen) -> None:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()

    def work(self, worker: Worker) -> threading.Thread:
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()

        def stop() -> None:
            if thread.is_alive():
                worker.stop()
            thread.join(SECONDS)
            self.assertFalse(thread.is_alive())

        self.addCleanup(stop)
        return thread

    def script(self, text: str, **more) -> subprocess.Popen:
        """A Python program that finds the SDK; its url is in `url`."""
        path = self.folder / f"script{len(list(self.folder.glob('script*')))}.py"
        path.write_text(f"import sys\nsys.path.insert(0, {str(SDK)!r})\nurl = {self.url!r}\n{text}")
        process = subprocess.Popen([sys.executable, path], stdout=subprocess.PIPE, text=True,
                                   cwd=self.folder, env={**os.environ, "PYTHONPATH": str(SDK)},
                                   **more)
        self.addCleanup(self.end, process)
        return process

    def until(self, holds, what: str = "it") -> None:
        """Asks until it holds."""
        for _ in range(SECONDS * 100):
            if holds():
                return
            threading.Event().wait(0.01)
        self.fail(f"{what} did not come about")


class FakeServer:
    """Answers requests with the bytes that `answer(method, path, body)` gives; hangs up after a
    list of them, and without an answer when it is None."""

    def __init__(self, answer, tls=None) -> None:
        self.asked = []
        fake = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while True:
                    line = self.rfile.readline().decode().split()
                    if not line:
                        return
                    headers = {}
                    while (field := self.rfile.readline().decode().strip()):
                        name, _, value = field.partition(":")
                        headers[name.lower()] = value.strip()
                    body = self.rfile.read(int(headers.get("content-length", 0)))
                    fake.asked.append((line[0], line[1], headers, body))
                    given = answer(line[0], line[1], body)
                    if given is None:
                        return
                    self.wfile.write(given[0] if isinstance(given, list) else given)
                    if isinstance(given, list):
                        return

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

            def get_request(self):
                connection, address = self.socket.accept()
                return (tls.wrap_socket(connection, server_side=True) if tls else connection,
                        address)

            def handle_error(self, request, client_address) -> None:
                pass  # a client that went away

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def http(text: str, status: str = "200 OK", fields: str = "") -> bytes:
    body = text.encode()
    return (f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{fields}"
            f"Content-Length: {len(body)}\r\n\r\n").encode() + body


class Wire:
    """A port that leads to another one, until it is cut."""

    def __init__(self, port: int) -> None:
        self._to, self._open, self._is_cut = port, [], False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self._is_cut = True
        for one in self._open:
            self._shut(one)
        self._open.clear()

    def mend(self) -> None:
        self._is_cut = False

    def close(self) -> None:
        self._shut(self._listener)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            if self._is_cut:
                near.close()
                continue
            # Each is closed by the thread that reads from it.
            far = socket.create_connection(("127.0.0.1", self._to))
            self._open += [near, far]
            for a, b in ((near, far), (far, near)):
                threading.Thread(target=self._pass_on, args=(a, b), daemon=True).start()

    def _pass_on(self, a: socket.socket, b: socket.socket) -> None:
        try:
            while (data := a.recv(1 << 16)):
                b.sendall(data)
        except OSError:
            pass
        self._shut(b)
        a.close()

    @staticmethod
    def _shut(one: socket.socket) -> None:
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main() -> None:
    """Runs the tests of the calling file: FILE TIDEMILL [TEST...]."""
    SdkCase.tidemill = pathlib.Path(sys.argv.pop(1)).resolve()
    ended = unittest.main(exit=False, verbosity=1, module="__main__").result
    bad = len({str(test) for test, _ in ended.failures + ended.errors})
    print(f"{ended.testsRun - bad} passed, {bad} failed")
    sys.exit(0 if ended.wasSuccessful() else 1)
