"""Workers of the Python SDK against a real server: worker_test.py TIDEMILL."""
import asyncio
import os
import pathlib
import signal
import subprocess
import threading

from sdk_case import SECONDS, SdkCase, main

import handlers_for_tests as handlers
from tidemill import Failure, TaskFailed, Worker, task


class InThreads(SdkCase):
    def test_results_failures_and_retries(self) -> None:
        worker = Worker(self.client, slots=2)
        tries = []

        @worker.task("square")
        def square(input):
            return input["n"] ** 2

        @worker.task("flaky")
        def flaky(input, ctx):
            tries.append(ctx.attempt)
            if ctx.attempt < 3:
                raise ValueError("not yet")
            return {"number": ctx.attempt, "input": input}

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
        with self.assertRaises(TaskFailed) as failed:
            outcome.result
        self.assertEqual(failed.exception.code, "config")
        self.assertIn("no such field", self.client.task(outcome.id)["error"]["message"])

    def test_large_results_and_odd_ones(self) -> None:
        worker = Worker(self.client, slots=1)
        odd = {"object": object(), "set": {"rows": [1, {2}]}, "wide": 1 << 80, "exit": None}

        @worker.task("large")
        def large(input):
            return "é" * input

        @worker.task("odd")
        def strange(input):
            return odd[input] if input != "exit" else exit(3)

        @worker.task("nan")
        def nan(input):
            return [float("nan"), 1.5]

        self.work(worker)
        for count in (32 * 1024 - 1, 32 * 1024, 200_000):  # two bytes each, and the quotes
            self.assertEqual(self.client.wait(self.client.spawn("large", count), SECONDS).result,
                             "é" * count)
        self.assertEqual(self.client.wait(self.client.spawn("nan"), SECONDS).result, [None, 1.5])
        once = {"max_attempts": 1}
        said = {name: self.client.wait(self.client.spawn("odd", name, retry=once), SECONDS)
                for name in odd}
        self.assertIn("type object is not JSON", said["object"].message)
        self.assertIn("result['rows'][1]", said["set"].message)
        self.assertIn("SystemExit", said["exit"].message)
        # What only the server finds wrong costs the attempt, not the worker.
        self.assertEqual(said["wide"].kind, "result")
        self.assertEqual(self.client.wait(self.client.spawn("nan"), SECONDS).outcome, "done")

    def test_a_decorated_function_is_spawned_with_what_it_says(self) -> None:
        @task("careful", retry={"max_attempts": 5, "delay_ms": 1}, timeout=30, queue="slow")
        def careful(input, ctx):
            if ctx.attempt < 4:
                raise ValueError("not yet")
            return ctx.queue

        self.work(Worker(self.client, slots=1).add(careful))
        id = self.client.spawn(careful, None)
        self.assertEqual(self.client.wait(id, SECONDS).result, "slow")
        with self.assertRaises(ValueError):
            self.client.spawn(len, None)
        with self.assertRaises(ValueError):
            Worker().add(len)
        with self.assertRaises(ValueError):
            Worker().run()

    def test_a_cancel_reaches_what_runs(self) -> None:
        worker = Worker(self.client, slots=1)
        begun = threading.Event()
        reasons = []

        @worker.task("long")
        def long(input, ctx):
            ctx.check()
            begun.set()
            ctx.wait(SECONDS)
            reasons.append((ctx.cancelled, ctx.reason))
            ctx.check()

        self.work(worker)
        id = self.client.spawn("long")
        begun.wait(SECONDS)
        waiting = self.client.spawn("long")
        self.assertFalse(self.client.cancel(id))
        self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")
        self.assertEqual(reasons, [(True, "cancelled")])
        self.client.cancel(waiting)
        self.assertEqual(self.client.wait(waiting, SECONDS).outcome, "cancelled")

    def test_what_needs_no_slot_waits_beside_the_slots(self) -> None:
        worker = Worker(self.client, slots=1)
        together = threading.Barrier(8)

        @worker.task("meet")
        def meet(input):
            together.wait(SECONDS)

        self.work(worker)
        ids = self.client.spawn_many([{"kind": "meet", "needs_slot": False}] * 8)
        for outcome in self.client.wait_all(ids, SECONDS):
            self.assertEqual(outcome.outcome, "done")


class OnArrays(SdkCase):
    def test_each_index_gets_its_item(self) -> None:
        for processes in (False, True):
            worker = Worker(self.client, slots=2, processes=processes).add(handlers)
            thread = self.work(worker)
            id = self.client.spawn_array("square", range(500))
            self.assertEqual(self.client.wait_array(id, SECONDS)["done"], 500)
            self.assertEqual(self.client.array_results(id), [n * n for n in range(500)])
            worker.stop()
            thread.join(SECONDS)

    def test_or_its_number(self) -> None:
        worker = Worker(self.client, slots=2)

        @worker.task("number")
        async def number(input, ctx):
            if ctx.index == 7:
                raise Failure("seven", retryable=False)
            return [input, ctx.index]

        self.work(worker)
        id = self.client.spawn_array(number, count=20, input="x", max_failed=1)
        ended = self.client.wait_array(id, SECONDS)
        self.assertEqual((ended["done"], ended["failed"]), (19, 1))
        self.assertEqual(self.client.array_results(id),
                         [["x", n] if n != 7 else None for n in range(20)])
        with self.assertRaises(ValueError):
            self.client.spawn_array(number)
        with self.assertRaises(TimeoutError):
            self.client.wait_array(self.client.spawn_array("unknown", count=1), 0.05)

    def test_a_cancel_reaches_all_that_run(self) -> None:
        worker = Worker(self.client, slots=2)
        begun = threading.Event()

        @worker.task("long")
        def long(input, ctx):
            begun.set()
            ctx.wait(SECONDS)
            ctx.check()

        self.work(worker)
        id = self.client.spawn_array(long, count=100)
        begun.wait(SECONDS)
        self.client.request("POST", f"/v1/arrays/{id}/cancel")
        self.assertEqual(self.client.wait_array(id, SECONDS)["cancelled"], 100)


class InProcesses(SdkCase):
    def test_processes_are_used_again(self) -> None:
        self.work(Worker(self.client, slots=2, processes=True).add(handlers))
        ids = self.client.spawn_many({"kind": "square", "input": n} for n in range(50))
        self.assertEqual([o.result for o in self.client.wait_all(ids, SECONDS)],
                         [n * n for n in range(50)])
        ids = self.client.spawn_many([{"kind": "pid"}] * 50)
        pids = {o.result for o in self.client.wait_all(ids, SECONDS)}
        self.assertLessEqual(len(pids), 2)
        self.assertNotIn(os.getpid(), pids)

    def test_each_way_to_make_them(self) -> None:
        for method in ("spawn", "forkserver"):
            worker = Worker(self.client, slots=1, processes=method)
            worker.task(f"hex-{method}")(hex)
            thread = self.work(worker)
            id = self.client.spawn(f"hex-{method}", 255)
            self.assertEqual(self.client.wait(id, SECONDS).result, "0xff")
            worker.stop()
            thread.join(SECONDS)

    def test_a_process_that_ends_costs_its_own_attempt_only(self) -> None:
        self.work(Worker(self.client, slots=1, processes=True).add(handlers))
        once = {"max_attempts": 1}
        before = self.client.wait(self.client.spawn("pid"), SECONDS).result
        for how, said in ((3, "exit code 3"), (-signal.SIGSEGV, "SIGSEGV"), (0, "exit code 0")):
            outcome = self.client.wait(self.client.spawn("end", how, retry=once), SECONDS)
            self.assertEqual(outcome.kind, "crash")
            self.assertIn(said, outcome.message)
        self.assertEqual(self.client.wait(self.client.spawn("square", 3), SECONDS).result, 9)
        self.assertNotEqual(self.client.wait(self.client.spawn("pid"), SECONDS).result, before)

    def test_what_is_killed_while_it_does_nothing_costs_nothing(self) -> None:
        self.work(Worker(self.client, slots=1, processes=True).add(handlers))
        first = self.client.wait(self.client.spawn("pid"), SECONDS).result
        os.kill(first, signal.SIGKILL)

        def gone() -> bool:  # its files are closed, too
            try:
                stat = pathlib.Path(f"/proc/{first}/stat").read_text(encoding="utf-8")
            except (FileNotFoundError, ProcessLookupError):
                return True
            return stat.rsplit(")", 1)[1].split()[0] == "Z"

        self.until(gone, "its end")
        once = {"max_attempts": 1}
        self.assertEqual(self.client.wait(self.client.spawn("square", 4, retry=once),
                                          SECONDS).result, 16)

    def test_a_cancel_stops_it_one_way_or_the_other(self) -> None:
        self.work(Worker(self.client, slots=1, processes=True, grace=0.05).add(handlers))
        for kind in ("polite", "stubborn"):
            begun = self.folder / kind
            id = self.client.spawn(kind, str(begun))
            self.until(begun.exists)
            self.assertFalse(self.client.cancel(id))
            self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")
        self.assertEqual(self.client.wait(self.client.spawn("square", 5), SECONDS).result, 25)

    def test_what_takes_too_long_is_killed(self) -> None:
        self.work(Worker(self.client, slots=1, processes=True).add(handlers))
        id = self.client.spawn("stubborn", str(self.folder / "begun"), timeout_ms=50,
                               retry={"max_attempts": 1})
        self.assertEqual(self.client.wait(id, SECONDS).kind, "timeout")

    def test_processes_are_replaced(self) -> None:
        self.work(Worker(self.client, slots=1, processes=True, recycle_calls=3,
                         recycle_bytes=200 << 20).add(handlers))
        pids = [self.client.wait(self.client.spawn("pid"), SECONDS).result for _ in range(6)]
        self.assertEqual(len(set(pids[:3])), 1)
        self.assertEqual(len(set(pids)), 2)
        first = self.client.wait(self.client.spawn("hungry", 300 << 20), SECONDS).result
        self.assertNotEqual(self.client.wait(self.client.spawn("pid"), SECONDS).result, first)

    def test_what_cannot_be_sent_is_told_before_it_begins(self) -> None:
        worker = Worker(self.client, processes=True)
        worker.task("local")(lambda input: input)
        with self.assertRaisesRegex(ValueError, "'local'.*top of a module"):
            worker.run()
        with self.assertRaises(ValueError):
            Worker(processes="fork")

    def test_a_script_without_a_guard_is_told_so(self) -> None:
        process = self.script("""
from tidemill import Client, Worker
worker = Worker(Client(url), slots=1, processes=True)
worker.task("hex")(hex)
worker.run()
""", stderr=subprocess.STDOUT)
        said = process.communicate(timeout=SECONDS)[0]
        self.assertIn('belongs under if __name__ == "__main__":', said.splitlines()[-1])
        self.assertEqual(process.returncode, 1)

    def test_handlers_do_not_pass_on_ignored_signals(self) -> None:
        worker = Worker(self.client, slots=1, processes=True)
        worker.task("ignored")(handlers.ignore_signals)
        self.work(worker)
        self.assertFalse(self.client.wait(self.client.spawn("ignored"), SECONDS).result)


class OnALoop(SdkCase):
    def test_coroutines_run_at_once(self) -> None:
        worker = Worker(self.client, slots=16)
        met = []

        @worker.task("meet")
        async def meet(input, ctx):
            met.append(asyncio.Event())
            if len(met) == 16:
                for one in met:
                    one.set()
            await met[len(met) - 1 if len(met) < 16 else 0].wait()
            return input

        @worker.task("fail")
        async def fail(input):
            raise Failure("config", "no", retryable=False)

        @worker.task("exit")
        async def leave(input):
            raise SystemExit(1)

        self.work(worker)
        ids = self.client.spawn_many({"kind": "meet", "input": n} for n in range(16))
        self.assertEqual([o.result for o in self.client.wait_all(ids, SECONDS)], list(range(16)))
        self.assertEqual(self.client.wait(self.client.spawn("fail"), SECONDS).kind, "config")
        id = self.client.spawn("exit", retry={"max_attempts": 1})
        self.assertIn("SystemExit", self.client.wait(id, SECONDS).message)
        self.assertEqual(self.client.wait(self.client.spawn("meet", 9), SECONDS).result, 9)

    def test_cancel_and_timeout_reach_the_coroutine(self) -> None:
        worker = Worker(self.client, slots=2)
        begun, ended = threading.Event(), []

        @worker.task("long")
        async def long(input, ctx):
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ended.append(ctx.reason)
                raise

        self.work(worker)
        id = self.client.spawn("long")
        begun.wait(SECONDS)
        self.client.cancel(id)
        self.assertEqual(self.client.wait(id, SECONDS).outcome, "cancelled")
        id = self.client.spawn("long", timeout_ms=20, retry={"max_attempts": 1})
        self.assertEqual(self.client.wait(id, SECONDS).kind, "timeout")
        self.assertEqual(ended, ["cancelled", "timeout"])

    def test_beside_other_things_of_a_loop(self) -> None:
        async def everything() -> None:
            worker = Worker(self.client, slots=2)
            loop = asyncio.get_running_loop()

            @worker.task("where")
            async def where(input):
                return asyncio.get_running_loop() is loop

            @worker.task("beside")
            def beside(input):
                return threading.current_thread() is not threading.main_thread()

            working = asyncio.ensure_future(worker.run_async())
            for kind in ("where", "beside"):
                id = await asyncio.to_thread(self.client.spawn, kind)
                outcome = await asyncio.to_thread(self.client.wait, id, SECONDS)
                self.assertTrue(outcome.result)
            working.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await working

        asyncio.run(everything())


class Stopping(SdkCase):
    PAUSE = """
import threading
from tidemill import Client, Worker
worker = Worker(Client(url), slots=1)
@worker.task("pause")
def pause(input):
    print("begun", flush=True)
    threading.Event().wait(input)
    return "finished"
worker.run()
"""

    def test_what_is_not_begun_goes_back_when_it_stops(self) -> None:
        process = self.script(self.PAUSE)
        ids = self.client.spawn_many([{"kind": "pause", "input": 0.3}] * 3)
        self.assertEqual(process.stdout.readline(), "begun\n")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(SECONDS), 0)
        said = [self.client.task(id) for id in ids]
        self.assertEqual([task["outcome"] for task in said], ["done", "open", "open"])
        self.assertEqual([task.get("crashes", 0) for task in said], [0, 0, 0])

    def test_a_second_signal_ends_it_at_once(self) -> None:
        process = self.script(self.PAUSE)
        self.client.spawn("pause", 10 * SECONDS)
        self.assertEqual(process.stdout.readline(), "begun\n")
        process.send_signal(signal.SIGTERM)
        threading.Event().wait(0.1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(SECONDS), 0)

    def test_without_work_it_stops_at_once_and_can_run_again(self) -> None:
        worker = Worker(self.client, slots=1)
        worker.task("hex")(hex)
        for _ in range(3):
            thread = self.work(worker)
            self.assertEqual(self.client.wait(self.client.spawn("hex", 1), SECONDS).result, "0x1")
            worker.stop()
            thread.join(SECONDS)
            self.assertFalse(thread.is_alive())


if __name__ == "__main__":
    main()
