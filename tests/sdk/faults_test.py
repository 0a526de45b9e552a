"""What goes wrong around a worker: faults_test.py TIDEMILL."""
import asyncio
import contextlib
import json
import os
import pathlib
import signal
import subprocess
import threading

from sdk_case import SECONDS, FakeServer, SdkCase, Wire, http, main

import handlers_for_tests as handlers
from tidemill import Client, ServerError, Unavailable, Worker

HERE = pathlib.Path(__file__).resolve().parent
POOL = f"""
sys.path.insert(0, {str(HERE)!r})
import handlers_for_tests
from tidemill import Client, Worker
if __name__ == "__main__":
    Worker(Client(url), slots=1, processes=True).add(handlers_for_tests).run()
"""


def is_gone(pid: int) -> bool:
    """Ended, if perhaps not yet waited for."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except OSError:
        return True


class Kills(SdkCase):
    def test_a_server_that_is_killed_loses_nothing(self) -> None:
        worker = Worker(self.client, slots=2)
        ran = []

        @worker.task("slow")
        def slow(input):
            ran.append(input)
            threading.Event().wait(0.005)
            return input

        @worker.task("slow-async")
        async def slow_async(input):
            ran.append(input)
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(asyncio.Event().wait(), 0.005)
            return input

        self.work(worker)
        ids = self.client.spawn_many(
            {"kind": ("slow", "slow-async")[n % 2], "input": n, "idempotency_key": str(n)}
            for n in range(200))
        for count in (20, 60):
            self.until(lambda: len(ran) >= count)
            self.end(self.server)
            # What was handed out and did not arrive stays reserved for a lease time.
            self.serve(self.port)
        self.assertEqual([o.result for o in self.client.wait_all(ids, SECONDS)], list(range(200)))

    def test_a_process_pool_outlives_its_server(self) -> None:
        self.work(Worker(self.client, slots=1, processes=True).add(handlers))
        begun = self.folder / "begun"
        id = self.client.spawn("polite", str(begun))
        self.until(begun.exists)
        self.end(self.server)
        self.serve(self.port)
        # Whether or not the lease was on record, who has it is told to stop.
        self.client.cancel(id)
        self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")
        self.assertEqual(self.client.wait(self.client.spawn("square", 5), SECONDS).result, 25)

    def test_the_work_of_a_killed_worker_runs_elsewhere(self) -> None:
        first = self.script(POOL)
        begun = self.folder / "begun"
        id = self.client.spawn("polite", str(begun))
        self.until(lambda: begun.exists() and begun.read_text() != "")
        child = int(begun.read_text())
        begun.unlink()
        first.kill()
        self.until(lambda: is_gone(child), "the end of what it had started")
        second = self.script(POOL)
        self.until(begun.exists)
        self.client.cancel(id)
        self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")
        second.send_signal(signal.SIGTERM)
        self.assertEqual(second.wait(SECONDS), 0)


class LostLeases(SdkCase):
    def lose(self, worker: Worker, kind: str, input=None) -> None:
        """Cuts the wire of this worker, and mends it when the work has begun elsewhere."""
        elsewhere = Worker(self.client, slots=1)
        taken, go_on = threading.Event(), threading.Event()

        @elsewhere.task(kind)
        def again(input):
            taken.set()
            go_on.wait(SECONDS)
            return "elsewhere"

        wire = Wire(self.port)
        self.addCleanup(wire.close)
        worker.client = Client(wire.url)
        self.work(worker)
        id = self.client.spawn(kind, input)
        self.begun()
        wire.cut()
        self.work(elsewhere)
        self.assertTrue(taken.wait(SECONDS))
        wire.mend()
        self.stopped()
        go_on.set()
        self.assertEqual(self.client.wait(id, SECONDS).result, "elsewhere")

    def test_of_a_thread(self) -> None:
        worker = Worker(slots=1)
        begun, reasons = threading.Event(), []

        @worker.task("long")
        def long(input, ctx):
            begun.set()
            ctx.wait(SECONDS)
            reasons.append(ctx.reason)
            return "too late"

        self.begun = lambda: begun.wait(SECONDS)
        self.stopped = lambda: self.until(lambda: reasons)
        self.lose(worker, "long")
        self.assertEqual(reasons, ["lease_lost"])

    def test_of_a_coroutine(self) -> None:
        worker = Worker(slots=1)
        begun, reasons = threading.Event(), []

        @worker.task("long")
        async def long(input, ctx):
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                reasons.append(ctx.reason)
                raise

        self.begun = lambda: begun.wait(SECONDS)
        self.stopped = lambda: self.until(lambda: reasons)
        self.lose(worker, "long")
        self.assertEqual(reasons, ["lease_lost"])

    def test_of_a_process(self) -> None:
        begun = self.folder / "begun"
        self.begun = lambda: self.until(lambda: begun.exists() and begun.read_text() != "")
        self.stopped = lambda: self.until(lambda: is_gone(int(begun.read_text())))
        worker = Worker(slots=1, processes=True, grace=10 * SECONDS)
        worker.task("stubborn")(handlers.stubborn)
        self.lose(worker, "stubborn", str(begun))


class Exchanges(SdkCase):
    """Against a server that answers exchanges as a test says; the rest is the worker's."""

    def serve(self, port: int) -> None:
        self.server = subprocess.Popen(["true"])
        self.url = "http://127.0.0.1:1"

    def fake(self, answer) -> FakeServer:
        """`answer` gets each exchange and gives its reply as a dict, or bytes, or None."""
        lock = threading.Lock()
        self.asked = []

        def answers(method: str, path: str, body: bytes):
            message = json.loads(body)
            with lock:
                self.asked.append(message)
                given = answer(message)
            if given is None or isinstance(given, bytes):
                return given
            base = {"session": "5", "number": message["number"], "incarnation": 1,
                    "answers": ["recorded"] * len(message.get("reports", [])), "lease_ms": 30000}
            return http(json.dumps({**base, **given}))

        fake = FakeServer(answers)
        self.addCleanup(fake.close)
        return fake

    def worker(self, fake: FakeServer, **more) -> Worker:
        worker = Worker(Client(fake.url), slots=1, **more)
        worker.task("hex")(hex)
        return worker

    WORK = {"task": "9", "epoch": "1.7", "queue": "default", "kind": "hex", "input": 255}

    def reports(self):
        return [report for message in self.asked for report in message.get("reports", [])]

    def test_replies_that_are_none_are_asked_for_again(self) -> None:
        bad = [http("<html>"), http("{}"), http('{"session": "5", "assignments": [{}]}'),
               http('{"session": "5", "cancels": [7]}'), None, http("", "502 Bad Gateway"),
               http('{"session": "5", "incarnation": "x"}'),
               http(json.dumps({"session": "5", "assignments": [{**self.WORK, "task": '9"'}]}))]

        def answer(message):
            if message["number"] == 2 and bad:
                return bad.pop()
            return {"assignments": [self.WORK]} if message["number"] == 2 else {}

        self.work(self.worker(self.fake(answer)))
        self.until(lambda: any(report["kind"] == "done" for report in self.reports()))
        self.assertEqual(self.reports()[0]["result"], "0xff")
        numbers = [message["number"] for message in self.asked]
        self.assertEqual(numbers[:10], [1] + [2] * 9)

    def test_a_refusal_that_stays_ends_the_worker(self) -> None:
        for status, code in (("403 Forbidden", "denied"), ("400 Bad", "invalid")):
            refusal = http(json.dumps({"error": {"code": code, "message": "no"}}), status)
            with self.assertRaises(ServerError) as refused:
                self.worker(self.fake(lambda message: refusal)).run()
            self.assertEqual(refused.exception.code, code)
        with self.assertRaises(Unavailable):
            self.worker(self.fake(lambda message: None), patience=0.1).run()

    def test_a_number_that_has_passed_begins_a_new_session(self) -> None:
        conflict = http('{"error": {"code": "conflict", "message": "passed"}}', "409 Conflict")
        self.work(self.worker(self.fake(
            lambda message: conflict if message["number"] == 3 else {})))
        self.until(lambda: sum("session" not in message for message in self.asked) >= 2)

    def test_what_it_cannot_run_goes_back(self) -> None:
        odd = [{**self.WORK, "kind": "other", "epoch": "1.8"}]
        self.work(self.worker(self.fake(
            lambda message: {"assignments": odd} if message["number"] == 2 else {})))
        self.until(self.reports)
        self.assertEqual([report["kind"] for report in self.reports()], ["returned"])

    def test_a_recall_is_answered(self) -> None:
        running, go_on = threading.Event(), threading.Event()
        other = {**self.WORK, "epoch": "1.8", "kind": "long", "task": "10"}

        def answer(message):
            if message["number"] == 2:
                return {"assignments": [{**self.WORK, "kind": "long"}, other]}
            if message["number"] == 3:
                running.wait(SECONDS)
                return {"recalls": [{"task": "9", "epoch": "1.7"}, {"task": "10", "epoch": "1.8"}]}
            return {}

        worker = self.worker(self.fake(answer))

        @worker.task("long")
        def long(input):
            running.set()
            go_on.wait(SECONDS)

        self.work(worker)
        self.until(lambda: len(self.reports()) == 2)
        self.assertEqual({(report["task"], report["kind"]) for report in self.reports()},
                         {("9", "started"), ("10", "returned")})
        go_on.set()
        self.until(lambda: len(self.reports()) == 3)
        self.assertEqual(self.reports()[2]["kind"], "done")

    def test_leases_are_renewed_while_it_drains(self) -> None:
        go_on, running = threading.Event(), threading.Event()

        def answer(message):
            return {"assignments": [{**self.WORK, "kind": "long"}]} \
                if message["number"] == 2 else {}

        worker = self.worker(self.fake(answer))

        @worker.task("long")
        def long(input):
            running.set()
            go_on.wait(SECONDS)

        thread = self.work(worker)
        running.wait(SECONDS)
        worker.stop()
        self.until(lambda: sum(m["draining"] and m["wait"] for m in self.asked) > 5)
        self.assertTrue(thread.is_alive())
        self.assertTrue(all(m["free_slots"] == 0 for m in self.asked if m["draining"]))
        go_on.set()
        thread.join(SECONDS)
        self.assertFalse(thread.is_alive())
        self.assertEqual(self.reports()[-1]["kind"], "done")

    def test_reports_are_sent_until_they_are_answered(self) -> None:
        def answer(message):
            if message["number"] == 2:
                return {"assignments": [self.WORK]}
            return None if message.get("reports") and len(self.reports()) < 4 else {}

        self.work(self.worker(self.fake(answer)))
        self.until(lambda: len(self.reports()) == 4)
        sent = [m["number"] for m in self.asked if m.get("reports")]
        self.assertEqual(len(set(sent)), 1)

    def test_a_new_session_is_told_what_is_held(self) -> None:
        running, go_on, lost = threading.Event(), threading.Event(), []

        def answer(message):
            opens = "session" not in message
            if not opens and message["session"] == "5":
                if message["number"] == 2:
                    return {"assignments": [{**self.WORK, "kind": "long"},
                                            {**self.WORK, "epoch": "3.1", "task": "11"}]}
                running.wait(SECONDS)
                # Incarnation 1 has ended the session itself: what it gave is lost.
                return {"session_unknown": True}
            return {"session": "6"} if message["number"] > 1 or self.asked[1:] else {}

        worker = self.worker(self.fake(answer))

        @worker.task("long")
        def long(input, ctx):
            running.set()
            ctx.wait(SECONDS)
            lost.append(ctx.reason)

        self.work(worker)
        self.until(lambda: lost)
        self.assertEqual(lost, ["lease_lost"])
        self.until(lambda: any(report["task"] == "11" for report in self.reports()))
        opened = [message for message in self.asked if "session" not in message][1]
        self.assertEqual(opened["held"], [{"task": "11", "epoch": "3.1"}])
        self.assertFalse(any(report["task"] == "9" for report in self.reports()))


if __name__ == "__main__":
    main()
