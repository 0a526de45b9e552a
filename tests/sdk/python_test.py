"""The Python SDK against a real server: python_test.py TIDEMILL."""
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(SOURCE / "sdk/python"))

from tidemill import Client, Failure, ServerError, TaskFailed, Unavailable, Worker  # noqa: E402

SECONDS = 60  # only what hangs takes so long


class Sdk(unittest.TestCase):
    tidemill: pathlib.Path  # set by main

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="tidemill-sdk-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.addCleanup(lambda: self.end(self.server))  # after the workers, who still report
        self.serve(0)
        self.client = Client(self.url)

    def serve(self, port: int) -> None:
        self.server = subprocess.Popen(
            [self.tidemill, "server", "--store", self.folder / "tasks.db", "--port", str(port)],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = self.server.stdout.readline().strip()

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
            worker.stop()
            thread.join(SECONDS)
            self.assertFalse(thread.is_alive())

        self.addCleanup(stop)
        return thread

    def test_results_failures_and_retries(self) -> None:
        worker = Worker(self.client, slots=2)
        tries = []

        @worker.task("square")
        def square(input):
            return input["n"] ** 2

        @worker.task("flaky")
        def flaky(input, attempt):
            tries.append(attempt.number)
            if attempt.number < 3:
                raise ValueError("not yet")
            return {"number": attempt.number, "input": input}

        @worker.task("hopeless")
        def hopeless(input):
            raise Failure("config", "no such field", retryable=False)

        self.work(worker)
        ids = self.client.spawn_many({"kind": "square", "input": {"n": n}} for n in range(300))
        results = [o.result for o in self.client.wait_all(ids, SECONDS)]
        self.assertEqual(results, [n * n for n in range(300)])
        id = self.client.spawn("flaky", "x", retry={"delay_ms": 1})
        self.assertEqual(self.client.wait(id, SECONDS).result, {"number": 3, "input": "x"})
        self.assertEqual(tries, [1, 2, 3])
        outcome = self.client.wait(self.client.spawn("hopeless"), SECONDS)
        self.assertEqual((outcome.outcome, outcome.kind), ("failed", "config"))
        with self.assertRaises(TaskFailed):
            outcome.result
        self.assertIn("no such field", self.client.task(outcome.id)["error"]["message"])

    def test_large_results_and_odd_ones(self) -> None:
        worker = Worker(self.client, slots=1)

        @worker.task("large")
        def large(input):
            return "é" * 200_000

        @worker.task("odd")
        def odd(input):
            return object()

        self.work(worker)
        self.assertEqual(self.client.wait(self.client.spawn("large"), SECONDS).result,
                         "é" * 200_000)
        id = self.client.spawn("odd", retry={"max_attempts": 1})
        self.assertIn("not JSON serializable", self.client.wait(id, SECONDS).message)

    def test_handlers_in_processes(self) -> None:
        worker = Worker(self.client, slots=2, processes=True)
        worker.task("hex")(hex)
        self.work(worker)
        ids = self.client.spawn_many({"kind": "hex", "input": n} for n in range(50))
        self.assertEqual([o.result for o in self.client.wait_all(ids, SECONDS)],
                         [hex(n) for n in range(50)])

    def test_a_process_that_ends_costs_its_own_task_only(self) -> None:
        worker = Worker(self.client, slots=1, processes=True)
        worker.task("exit")(os._exit)
        worker.task("hex")(hex)
        self.work(worker)
        id = self.client.spawn("exit", 3, retry={"max_attempts": 1})
        self.assertEqual(self.client.wait(id, SECONDS).kind, "crash")
        self.assertEqual(self.client.wait(self.client.spawn("hex", 10), SECONDS).result, "0xa")

    def test_a_cancel_reaches_what_runs(self) -> None:
        worker = Worker(self.client, slots=1)
        begun = threading.Event()

        @worker.task("long")
        def long(input, attempt):
            begun.set()
            if attempt.cancelled.wait(SECONDS):
                raise Failure("cancelled", "as asked", retryable=False)

        self.work(worker)
        id = self.client.spawn("long")
        begun.wait(SECONDS)
        self.assertFalse(self.client.cancel(id))
        self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")

    def test_a_server_that_is_killed_loses_nothing(self) -> None:
        worker = Worker(self.client, slots=2)
        ran = []

        @worker.task("slow")
        def slow(input):
            ran.append(input)
            threading.Event().wait(0.005)
            return input

        self.work(worker)
        ids = self.client.spawn_many({"kind": "slow", "input": n, "idempotency_key": str(n)}
                                     for n in range(200))
        while len(ran) < 20:
            os.sched_yield()
        self.end(self.server)
        # What was handed out and did not arrive stays reserved for a lease time.
        self.serve(int(self.url.rsplit(":", 1)[1]))
        self.assertEqual([o.result for o in self.client.wait_all(ids, SECONDS)], list(range(200)))

    def test_what_is_not_begun_goes_back_when_it_stops(self) -> None:
        script = self.folder / "worker.py"
        script.write_text(f"""
import sys, threading
sys.path.insert(0, {str(SOURCE / "sdk/python")!r})
from tidemill import Client, Worker
worker = Worker(Client({self.url!r}), slots=1)
@worker.task("pause")
def pause(input):
    print("begun", flush=True)
    threading.Event().wait(input)
    return "finished"
worker.run()
""")
        process = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
        self.addCleanup(self.end, process)
        ids = self.client.spawn_many([{"kind": "pause", "input": 0.3}] * 3)
        self.assertEqual(process.stdout.readline(), "begun\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS), 0)
        outcomes = [self.client.task(id)["outcome"] for id in ids]
        self.assertEqual(outcomes, ["done", "open", "open"])

    def test_refusals_and_nobody_there(self) -> None:
        with self.assertRaises(ServerError) as refused:
            self.client.spawn("")
        self.assertEqual(refused.exception.code, "invalid")
        with self.assertRaises(TimeoutError):
            self.client.wait(self.client.spawn("unknown"), 0.05)
        with self.assertRaises(ValueError):
            Client("ftp://x")
        self.end(self.server)
        with self.assertRaises(Unavailable):
            self.client.spawn("noop")


if __name__ == "__main__":
    Sdk.tidemill = pathlib.Path(sys.argv.pop(1)).resolve()
    ended = unittest.main(exit=False, verbosity=1).result
    bad = len({str(test) for test, _ in ended.failures + ended.errors})
    print(f"{ended.testsRun - bad} passed, {bad} failed")
    sys.exit(0 if ended.wasSuccessful() else 1)
