"""Client and AsyncClient, against a real server and one that lies: client_test.py TIDEMILL."""
import asyncio
import datetime
import os
import ssl
import subprocess
import threading
import unittest.mock

from sdk_case import SECONDS, FakeServer, SdkCase, http, main

from tidemill import (AsyncClient, Client, ServerError, TaskCancelled, TaskFailed,
                      Unavailable, Worker)
from tidemill._pauses import Budget, Pauses

SPAWNED = http('{"tasks": [{"id": "7"}]}')
BUSY = http('{"error": {"code": "unavailable", "message": "busy"}}', "503 Busy",
            "Retry-After: 0\r\n")


class ToARealServer(SdkCase):
    def test_refusals_and_nobody_there(self) -> None:
        with self.assertRaises(ServerError) as refused:
            self.client.spawn("")
        self.assertEqual((refused.exception.code, refused.exception.status), ("invalid", 400))
        with self.assertRaises(ServerError) as refused:
            self.client.wait("123456789", 1)
        self.assertEqual(refused.exception.code, "not_found")
        with self.assertRaises(TimeoutError):
            self.client.wait(self.client.spawn("unknown"), 0.05)
        self.end(self.server)
        with self.assertRaises(Unavailable):
            self.client.spawn("noop")

    def test_tasks_and_queues(self) -> None:
        worker = Worker(self.client, slots=1)
        worker.task("hex")(hex)
        self.client.configure_queue("mine", concurrency=1)
        self.client.pause_queue("mine")
        later = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)
        first = self.client.spawn("hex", 1, queue="mine", idempotency_key="one", priority=-1)
        self.assertEqual(self.client.spawn("hex", 1, queue="mine", idempotency_key="one"), first)
        ids = [first, self.client.spawn("hex", 2, after=[first]),
               self.client.spawn("hex", 3, run_at=later), self.client.spawn("hex", "x")]
        self.work(worker)
        self.client.resume_queue("mine")
        self.assertEqual([o.result for o in self.client.wait_all(ids[:2] + ids[:1], SECONDS)],
                         ["0x1", "0x2", "0x1"])
        self.assertTrue(self.client.cancel(ids[2]))
        with self.assertRaises(TaskCancelled):
            self.client.wait(ids[2], SECONDS).result
        self.assertEqual(self.client.task(ids[2])["outcome"], "cancelled")
        self.client.cancel(ids[3], now=True)
        self.assertEqual(self.client.retry(ids[2]), 2)

    def test_the_verbs_of_asyncio(self) -> None:
        worker = Worker(self.client, slots=2)
        worker.task("hex")(hex)
        self.work(worker)

        async def everything() -> None:
            async with AsyncClient(self.url) as client:
                await client.configure_queue("mine", concurrency=1)
                await client.pause_queue("mine")
                await client.resume_queue("mine")
                ids = await asyncio.gather(*(client.spawn("hex", n) for n in range(40)))
                ids += await client.spawn_many({"kind": "hex", "input": n} for n in range(40, 60))
                outcomes = await client.wait_all(ids, SECONDS)
                self.assertEqual([o.result for o in outcomes], [hex(n) for n in range(60)])
                self.assertEqual((await client.wait(ids[0], SECONDS)).result, "0x0")
                self.assertEqual((await client.task(ids[0]))["outcome"], "done")
                self.assertEqual(await client.retry(ids[0]), 2)
                await client.wait(ids[0], SECONDS)
                for error, verb in ((ServerError, client.spawn("")),
                                    (TimeoutError, client.wait(await client.spawn("no"), 0.05))):
                    with self.assertRaises(error):
                        await verb
                failed = await client.wait(await client.spawn(
                    "hex", "x", retry={"max_attempts": 1}), SECONDS)
                with self.assertRaises(TaskFailed):
                    failed.result
                delayed = await client.spawn("hex", 1, delay_ms=1e6)
                self.assertTrue(await client.cancel(delayed))
                waiting = asyncio.ensure_future(client.wait(await client.spawn("no")))
                await asyncio.wait({waiting}, timeout=0.05)
                waiting.cancel()  # its connection goes, the others stay
                self.assertEqual(await client.spawn("hex", 1, idempotency_key="k"),
                                 await client.spawn("hex", 1, idempotency_key="k"))

        asyncio.run(everything())

    def test_connections_that_the_server_has_closed_are_not_used_again(self) -> None:
        async def one(client: AsyncClient) -> None:
            await client.spawn("hex")
            self.end(self.server)
            self.serve(self.port)
            await asyncio.wait_for(client.spawn("hex"), SECONDS)
            self.end(self.server)
            with self.assertRaises(Unavailable):
                await client.spawn("hex")

        self.client.spawn("hex")
        self.end(self.server)
        self.serve(self.port)
        self.client.spawn("hex")  # neither has a key, so neither would be sent again

        async def both() -> None:
            async with AsyncClient(self.url) as client:
                await one(client)

        asyncio.run(both())


class ToOneThatLies(SdkCase):
    def serve(self, port: int) -> None:
        self.server = subprocess.Popen(["true"])
        self.url = "http://127.0.0.1:1"

    def fake(self, *answers: bytes, tls=None) -> FakeServer:
        """Gives these in turn, the last for ever."""
        left = list(answers)
        server = FakeServer(lambda *_: left.pop(0) if len(left) > 1 else left[0], tls)
        self.addCleanup(server.close)
        return server

    def ask(self, url: str, **more):
        """What a spawn gives with both clients; an exception as its type and text."""
        async def asynchronous():
            async with AsyncClient(url, **more) as client:
                return await client.spawn("x", idempotency_key="k")

        def synchronous():
            with Client(url, **more) as client:
                return client.spawn("x", idempotency_key="k")

        given = []
        for ask in (synchronous, lambda: asyncio.run(asynchronous())):
            try:
                given.append(ask())
            except Exception as error:  # looked at by the test
                given.append((type(error).__name__, getattr(error, "code", "")))
        self.assertEqual(given[0], given[1])
        return given[0]

    def test_answers_that_are_none(self) -> None:
        malformed, unavailable = ("Malformed", "malformed"), ("Unavailable", "unavailable")
        for answer, expected in (
                (http("<html>"), malformed), (http("[]"), malformed), (http("{}"), malformed),
                (http('{"tasks": []}'), malformed), (http('{"tasks": [{}]}'), malformed),
                (http("no such page", "404 Not Found"), malformed),
                (http('"x"', "500 Oops"), malformed),
                (http("", "502 Bad Gateway"), unavailable),
                (http('{"error": "no"}', "502 Bad Gateway"), unavailable),
                (None, unavailable), ([SPAWNED[:-5]], unavailable), ([b""], unavailable)):
            with self.subTest(answer=answer):
                self.assertEqual(self.ask(self.fake(answer).url, patience=0), expected)

    def test_frames_that_are_none(self) -> None:
        head = b"HTTP/1.1 200 OK\r\n"
        for answer in (b"SSH-2.0-OpenSSH_9\r\n\r\n", head + b"Content-Length: x\r\n\r\n",
                       head + b"no field\r\n\r\n", head + b"X: " + b"x" * 70_000 + b"\r\n\r\n",
                       head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
                       head + b"Transfer-Encoding: chunked\r\n\r\n1\r\nxxx\r\n"):
            with self.subTest(answer=answer[:60]), self.assertRaises(Unavailable):
                fake = self.fake([answer])

                async def ask() -> None:
                    async with AsyncClient(fake.url, patience=0) as client:
                        await client.spawn("x")

                asyncio.run(ask())

    def test_frames_of_all_kinds(self) -> None:
        body = b'{"tasks": [{"id": "7"}]}'
        head = b"HTTP/1.1 200 OK\r\n"
        for answer in (
                b"HTTP/1.1 100 Continue\r\n\r\n" + SPAWNED, [head + b"\r\n" + body],
                head + b"Transfer-Encoding: chunked\r\n\r\n3;x=y\r\n" + body[:3]
                + b"\r\n%x\r\n" % len(body[3:]) + body[3:] + b"\r\n0\r\nTrailer: x\r\n\r\n",
                [head + b"Connection: close\r\nContent-Length: 24\r\n\r\n" + body]):
            with self.subTest(answer=answer):
                self.assertEqual(self.ask(self.fake(answer).url), "7")

    def test_who_is_busy_is_asked_again(self) -> None:
        fake = self.fake(BUSY, BUSY, SPAWNED)
        self.assertEqual(self.ask(fake.url), "7")
        self.assertEqual(self.ask(self.fake(BUSY).url, patience=0.1),
                         ("Unavailable", "unavailable"))
        fake = self.fake(BUSY, SPAWNED)
        with self.assertRaises(Unavailable):  # without a key it might be spawned twice
            Client(fake.url).spawn("x")

    def test_pauses_grow_and_keep_to_a_budget(self) -> None:
        pauses = Pauses(Budget(rate=1e9))
        for most in (0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.0, 2.0):
            self.assertTrue(most / 2 <= pauses.next() <= most)
        self.assertEqual(Pauses(Budget()).next(at_least=7), 7)
        budget = Budget(rate=10, burst=3)
        self.assertEqual([round(budget.take(100.0), 6) for _ in range(5)], [0, 0, 0, 0.1, 0.2])
        self.assertEqual(budget.take(101.0), 0)

    def test_address_and_token(self) -> None:
        fake = self.fake(SPAWNED)
        with unittest.mock.patch.dict(os.environ, TIDEMILL_SERVER=fake.url, TIDEMILL_TOKEN="env"):
            self.ask("")
            self.ask("", token="given")
        said = [headers.get("authorization") for _, _, headers, _ in fake.asked]
        self.assertEqual(said, ["Bearer env"] * 2 + ["Bearer given"] * 2)
        self.assertEqual(Client("http://example").address.port, 7117)
        for url in ("ftp://x", "example:7117", "http://", "http://x:y", "http://x/path",
                    "http://a:b@x:1"):
            with self.subTest(url=url), self.assertRaises(ValueError):
                Client(url)
        for token in ("a b", "a\nb", "é"):
            with self.assertRaises(ValueError):
                Client(token=token)

    def test_tls(self) -> None:
        key, certificate = self.folder / "key.pem", self.folder / "certificate.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key, "-out",
                        certificate, "-days", "2", "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        fake = self.fake(SPAWNED, tls=tls)
        self.assertEqual(self.ask(fake.url, ca=str(certificate)), "7")
        with unittest.mock.patch.dict(os.environ, TIDEMILL_TLS_CA=str(certificate)):
            with Client(fake.url) as client:
                before = threading.active_count()
                for _ in range(3):
                    client.spawn("x")  # on one connection
                self.assertLessEqual(threading.active_count(), before + 1)
        self.assertEqual(self.ask(fake.url, patience=0), ("ServerError", "denied"))
        with self.assertRaises(ValueError):
            Client(fake.url, ca=str(self.folder / "none.pem"))


if __name__ == "__main__":
    main()
