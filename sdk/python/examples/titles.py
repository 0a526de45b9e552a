"""Much that waits: a hundred pages at once on one event loop, and a client that does not block.

    tidemill server &
    python titles.py
"""
import asyncio
import http.server
import threading

from tidemill import AsyncClient, Failure, Worker, task


@task("title")
async def title(input):
    """The title of a page, with nothing but asyncio."""
    reader, writer = await asyncio.open_connection("127.0.0.1", input["port"])
    try:
        writer.write(f"GET {input['path']} HTTP/1.0\r\n\r\n".encode())
        page = (await reader.read(-1)).decode()
    finally:
        writer.close()
    if "<title>" not in page:
        raise Failure("no_title", page[:100], retryable=False)
    return page.split("<title>")[1].split("</title>")[0]


class Pages(http.server.BaseHTTPRequestHandler):
    """Something to ask for."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"<title>page {self.path[1:]}</title>".encode())

    def log_message(self, *_: object) -> None:
        pass


class Site(http.server.ThreadingHTTPServer):
    request_queue_size = 128  # connections that may wait at once


async def main(port: int) -> None:
    working = asyncio.ensure_future(Worker(slots=100).add(title).run_async())
    async with AsyncClient() as client:
        ids = await client.spawn_many({"kind": "title", "input": {"port": port, "path": f"/{n}"}}
                                      for n in range(100))
        titles = [outcome.result for outcome in await client.wait_all(ids)]
    print(titles[0], "to", titles[-1])  # page 0 to page 99
    working.cancel()
    await asyncio.wait({working})


if __name__ == "__main__":
    with Site(("127.0.0.1", 0), Pages) as pages:
        threading.Thread(target=pages.serve_forever, daemon=True).start()
        asyncio.run(main(pages.server_address[1]))
        pages.shutdown()
