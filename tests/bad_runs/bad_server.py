#!/usr/bin/env python3
"""bad_server.py COMMAND…: an HTTP server that answers badly, while the command runs.

The command gets `--set api=http://127.0.0.1:PORT`. /status/N answers with that status, /html with
a page, /broken with a page that it calls JSON, /cut promises more than it sends. With
TLS=self_signed.pem in the environment it speaks TLS with that certificate; the address is https.
"""
import os
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Bad(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.startswith("/status/"):
            self.answer(int(self.path.rsplit("/", 1)[1]), "application/json",
                        b'{"error": "the disk of the database is on fire"}')
        elif self.path == "/cut":
            self.answer(200, "application/json", b'{"items": [1, 2', promised=1000)
        else:
            kind = "application/json" if self.path == "/broken" else "text/html"
            self.answer(200, kind, b"<html><body>Please sign in</body></html>")

    def answer(self, status, kind, body, promised=None):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(promised or len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *args):
        pass


class Quiet(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # A client that refuses the certificate is what is tested.


def main():
    server, scheme = Quiet(("127.0.0.1", 0), Bad), "http"
    if "TLS" in os.environ:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.environ["TLS"])
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
        scheme = "https"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"api={scheme}://127.0.0.1:{server.server_port}"
    sys.exit(subprocess.call([*sys.argv[1:], "--set", address]))


if __name__ == "__main__":
    main()
