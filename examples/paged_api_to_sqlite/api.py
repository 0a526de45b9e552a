#!/usr/bin/env python3
"""api.py [COMMAND …]: an API of 23 products, page by page, to try the playbook with.

With a command it serves on a free port while that runs, adds `--set api=http://127.0.0.1:PORT` to it
and ends with its exit code. Without one it serves on port 8080 until Ctrl-C.
"""
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PRODUCTS = [{"id": n, "name": f"product {n}", "price": 1.0 + (n * n) % 400} for n in range(1, 24)]


class Api(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    failed_once = threading.Event()

    def do_GET(self):
        url = urlsplit(self.path)
        query = {key: int(values[0]) for key, values in parse_qs(url.query).items()}
        page, size = query.get("page", 1), query.get("size", 10)
        if url.path != "/products":
            self.answer(404, {"error": f"there is no {url.path}"})
        elif page == 2 and not self.failed_once.is_set():
            self.failed_once.set()
            self.answer(503, {"error": "busy"})
        else:
            first = (page - 1) * size
            self.answer(200, {"items": PRODUCTS[first:first + size],
                              "more": first + size < len(PRODUCTS)})

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format, *args):
        pass


def main():
    command = sys.argv[1:]
    server = ThreadingHTTPServer(("127.0.0.1", 0 if command else 8080), Api)
    if not command:
        print("serving on http://127.0.0.1:8080/products?page=1&size=5", file=sys.stderr)
        server.serve_forever()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.exit(subprocess.call(command + ["--set", f"api=http://127.0.0.1:{server.server_port}"]))


if __name__ == "__main__":
    main()
