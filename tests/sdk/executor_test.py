"""The Executor of the Python SDK against a real server: executor_test.py TIDEMILL."""
import concurrent.futures
import fractions
import functools
import math
import operator
import threading
import unittest.mock

from sdk_case import SECONDS, SdkCase, main

import handlers_for_tests as handlers
from tidemill import Client, Executor, NotSendable, TaskFailed, Unavailable, Worker


def of_the_script(a):
    return a


class Calls(SdkCase):
    def setUp(self) -> None:
        super().setUp()
        self.executor = Executor(self.client, retry={"max_attempts": 1})
        self.addCleanup(self.executor.shutdown, False)

    def calls(self, *modules: str, pickle: bool = False, **more) -> Worker:
        worker = Worker(self.client, slots=2, **more)
        worker.allow_calls(*(modules or ("handlers_for_tests", "math")), pickle=pickle)
        self.work(worker)
        return worker

    def test_submit_and_map(self) -> None:
        self.calls()
        add, map_ = handlers.add, self.executor.map
        self.assertEqual(self.executor.submit(add, 1, b=2).result(SECONDS), 3)
        self.assertEqual(self.executor.submit(add, [1], [2, {"x": None}]).result(SECONDS),
                         [1, 2, {"x": None}])
        futures = [self.executor.submit(math.sqrt, n) for n in range(30)]
        done, left = concurrent.futures.wait(futures, SECONDS)
        self.assertEqual((len(done), len(left)), (30, 0))
        self.assertEqual([f.result() for f in futures], [math.sqrt(n) for n in range(30)])
        for chunk in (1, 7, 1000):
            self.assertEqual(list(map_(add, range(50), range(50), timeout=SECONDS,
                                       chunksize=chunk)), [2 * n for n in range(50)])
        self.assertEqual(list(map_(add, [], timeout=SECONDS)), [])
        with self.assertRaises(ValueError):
            map_(add, [1], chunksize=0)

    def test_functions_in_processes_and_handlers(self) -> None:
        worker = self.calls("handlers_for_tests", processes=True)
        self.assertEqual(self.executor.submit(handlers.add, 1, 2).result(SECONDS), 3)
        worker.stop()
        self.work(Worker(self.client, slots=1).add(handlers))
        self.assertEqual(self.executor.submit(handlers.square, 12).result(SECONDS), 144)
        with self.assertRaises(TypeError):
            self.executor.submit(handlers.square, 1, 2)

    def test_failures_are_told(self) -> None:
        self.calls()
        future = self.executor.submit(math.sqrt, -1)
        with self.assertRaisesRegex(TaskFailed, "math domain error"):
            future.result(SECONDS)
        self.assertEqual(future.exception().outcome.id, future.task)
        for function, said in ((operator.add, "does not call functions of '_operator'"),):
            with self.assertRaisesRegex(TaskFailed, said) as refused:
                self.executor.submit(function, 1, 2).result(SECONDS)
            self.assertEqual(refused.exception.code, "denied")
        # A name must not lead out of its module.
        for name, code in (("math:nothing", "config"), ("handlers_for_tests:os.getpid", "denied"),
                           ("handlers_for_tests:KEPT", "denied"), ("mathematics:x", "denied")):
            id = self.client.spawn("tidemill.call", {"call": name, "batch": [[[], {}]]})
            self.assertEqual(self.client.wait(id, SECONDS).kind, code)
        id = self.client.spawn("tidemill.call", {"pickle": "gASVCQAAAAAAAACMBXBvc2l4lC4="})
        self.assertEqual(self.client.wait(id, SECONDS).kind, "denied")

    def test_what_cannot_be_sent(self) -> None:
        add, submit = handlers.add, self.executor.submit
        for call, said in (
                (lambda: submit(handlers.local()), "has no name of its own"),
                (lambda: submit(functools.partial(add, 1)), "has no name"),
                (lambda: submit(of_the_script, 1), "cannot import; put it into a module"),
                (lambda: submit(add, object()), "argument 1 of handlers_for_tests:add: .*object"),
                (lambda: submit(add, 1, b={"x": [{1}]}), r"argument 'b'.*\['x'\]\[0\].*set"),
                (lambda: submit(add, {1: 2}), "the key 1 is no text"),
                (lambda: submit(add, math.inf), "inf has no JSON"),
                (lambda: submit(add, 1 << 63), "64 bits"),
                (lambda: Executor(self.client, pickle=True).submit(add, threading.Lock()),
                 "cannot be pickled")):
            with self.subTest(said=said), self.assertRaisesRegex(NotSendable, said) as refused:
                call()
            self.assertEqual(refused.exception.code, "not_sendable")
        self.assertTrue(submit(add, -(1 << 63), 1.5).cancel())  # at the bound

    def test_pickled_where_it_is_allowed(self) -> None:
        self.calls("handlers_for_tests", pickle=True)
        with Executor(self.client, pickle=True) as executor:
            half = fractions.Fraction(1, 2)
            self.assertEqual(executor.submit(handlers.add, half, half).result(SECONDS), 1)
            self.assertEqual(executor.submit(functools.partial(handlers.add, b=half),
                                             half).result(SECONDS), 1)
            self.assertEqual(list(executor.map(handlers.add, [half] * 9, chunksize=4)), [half] * 9)

    def test_cancel(self) -> None:
        waiting = self.executor.submit(handlers.add, 1)
        self.assertTrue(waiting.cancel())
        self.assertTrue(waiting.cancelled())
        with self.assertRaises(concurrent.futures.CancelledError):
            waiting.result(SECONDS)
        from_outside = self.executor.submit(handlers.add, 1)
        self.client.cancel(from_outside.task)
        with self.assertRaises(concurrent.futures.CancelledError):
            from_outside.result(SECONDS)
        begun = self.folder / "begun"
        self.work(Worker(self.client, slots=1, processes=True, grace=0.01).add(handlers))
        running = self.executor.submit(handlers.polite, str(begun))
        self.until(begun.exists)
        self.assertFalse(running.cancel())  # it is asked to stop, and does
        with self.assertRaises(concurrent.futures.CancelledError):
            running.result(SECONDS)
        done = self.executor.submit(handlers.square, 2)
        self.assertEqual(done.result(SECONDS), 4)
        self.assertFalse(done.cancel())

    def test_shutdown(self) -> None:
        futures = [self.executor.submit(handlers.add, n) for n in range(3)]
        self.executor.shutdown(wait=True, cancel_futures=True)
        self.assertTrue(all(future.cancelled() for future in futures))
        with self.assertRaises(RuntimeError):
            self.executor.submit(handlers.add, 1)
        self.calls()
        with Executor(self.client) as executor:
            later = executor.submit(handlers.add, 1)
        self.assertTrue(later.done())  # the end of `with` waits
        Executor(self.client).shutdown()

    def test_results_survive_a_server_that_is_killed(self) -> None:
        futures = [self.executor.submit(handlers.add, n) for n in range(20)]
        self.end(self.server)
        self.serve(self.port)
        self.calls()
        self.assertEqual([future.result(SECONDS) for future in futures], list(range(20)))

    def test_more_than_one_question_can_ask_for(self) -> None:
        with unittest.mock.patch("tidemill._verbs.BATCH", 2):
            stuck = [self.executor.submit(handlers.pid, None) for _ in range(4)]  # nobody runs it
            later = [self.executor.submit(handlers.add, n) for n in range(5)]
            self.calls()
            self.assertEqual([future.result(SECONDS) for future in later], list(range(5)))
            self.assertFalse(any(future.done() for future in stuck))
            self.executor.shutdown(wait=True, cancel_futures=True)

    def test_a_server_that_stays_away_is_told(self) -> None:
        executor = Executor(Client(self.url, patience=0.1))
        future = executor.submit(handlers.add, 1)
        self.end(self.server)
        with self.assertRaises(Unavailable):
            future.result(SECONDS)
        with self.assertRaises(Unavailable):
            executor.submit(handlers.add, 1)
        executor.shutdown()

    def test_a_result_that_is_none_is_an_error(self) -> None:
        worker = Worker(self.client, slots=1)
        worker.task("tidemill.call")(lambda input: "no list")
        self.work(worker)
        with self.assertRaises(ValueError):
            self.executor.submit(handlers.add, 1).result(SECONDS)


if __name__ == "__main__":
    main()
