"""The service with real processes: a server, workers, producers, and what happens when they die."""
import http.client
import json
import os
import pathlib
import signal
import sys
import time

import terminal
from terminal import Terminal


class Service(Terminal):
    def setUp(self) -> None:
        super().setUp()
        self.serve()

    def serve(self, port: int = 0):
        self.server = self.start(f"tidemill server --store tasks.db --port {port}")
        self.url = self.server.stdout.readline().strip()
        self.port = int(self.url.rsplit(":", 1)[1])
        self.environment["TIDEMILL_SERVER"] = self.url

    def work(self, options: str = ""):
        return self.start("tidemill worker " + options)

    def ask(self, method: str, target: str, body=None):
        """Status and body, parsed when it is JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=terminal.SECONDS)
        self.addCleanup(connection.close)
        text = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
        connection.request(method, target, text)
        answer = connection.getresponse()
        content = answer.read()
        is_json = answer.getheader("Content-Type") == "application/json"
        return answer.status, json.loads(content) if is_json else content.decode()

    def spawn(self, *tasks) -> list:
        status, body = self.ask("POST", "/v1/tasks", {"tasks": list(tasks)})
        self.assertEqual(status, 200, body)
        return [task["id"] for task in body["tasks"]]

    def wait(self, ids: list, **more) -> list:
        status, body = self.ask("POST", "/v1/tasks/wait",
                                {"ids": ids, "timeout_ms": terminal.SECONDS * 1000} | more)
        self.assertEqual(status, 200, body)
        return body["outcomes"]


class Tasks(Service):
    def test_outcomes_are_told(self) -> None:
        self.work()
        self.assertRegex(self.type("tidemill spawn noop --wait").out, r"^\d+ done null\n$")
        said = self.type("""tidemill spawn shell '{"cmd": "echo hi"}' --wait --json""").json()
        self.assertEqual(said["result"]["stdout"], "hi\n")
        said = self.type("tidemill spawn shell '{\"cmd\": \"exit 3\"}' --max-attempts 1 --wait", 1)
        self.assertIn("buried", said.out)
        code = "def main(n): return n + 1"
        [id] = self.spawn({"kind": "python", "input": {"code": code, "args": {"n": 41}}})
        self.assertEqual(self.wait([id])[0]["result"], 42)

    def test_one_task_in_full(self) -> None:
        [id] = self.spawn({"kind": "noop", "priority": 7, "input": {"a": [1, 2.5]}})
        status, task = self.ask("GET", f"/v1/tasks/{id}")
        self.assertEqual((status, task["outcome"], task["state"], task["priority"], task["input"]),
                         (200, "open", "ready", 7, {"a": [1, 2.5]}))
        self.assertEqual(self.ask("POST", f"/v1/tasks/{id}/cancel"), (200, {"at_once": True}))
        self.assertEqual(self.wait([id])[0]["outcome"], "cancelled")
        self.assertEqual(self.ask("POST", f"/v1/tasks/{id}/retry")[1]["round"], 2)
        self.work()
        self.assertEqual(self.wait([id])[0]["outcome"], "done")
        _, listed = self.ask("GET", "/v1/tasks?outcome=done")
        self.assertEqual([t["id"] for t in listed["tasks"]], [id])

    def test_keys_delays_and_dependencies(self) -> None:
        task = {"kind": "noop", "idempotency_key": "k", "input": 1}
        [first] = self.spawn(task)
        self.assertEqual(self.spawn(task), [first])
        self.assertEqual(self.ask("POST", "/v1/tasks", {"tasks": [task | {"input": 2}]})[0], 409)
        [later] = self.spawn({"kind": "noop", "delay_ms": 200, "after": [first]})
        _, told = self.ask("GET", f"/v1/tasks/{later}")
        self.assertEqual(told["state"], "blocked")
        self.work()
        self.assertEqual([o["outcome"] for o in self.wait([first, later])], ["done", "done"])

    def test_waiting_has_an_end(self) -> None:
        [id] = self.spawn({"kind": "noop"})
        self.assertEqual(self.wait([id, "999999"], timeout_ms=50),
                         [{"id": id, "outcome": "open"},
                          {"id": "999999", "outcome": "open", "unknown": True}])

    def test_a_paused_queue_hands_out_nothing(self) -> None:
        self.work()
        self.type("tidemill queue configure slow --concurrency 3")
        self.type("tidemill queue pause slow")
        [id] = self.spawn({"kind": "noop", "queue": "slow"})
        self.assertEqual(self.wait([id], timeout_ms=200)[0]["outcome"], "open")
        self.type("tidemill queue resume slow")
        self.assertEqual(self.wait([id])[0]["outcome"], "done")

    def test_an_execution_runs_on_a_worker(self) -> None:
        self.work("--folder examples")
        text = (self.folder / "examples/loop_and_aggregate.yaml").read_text()
        status, body = self.ask("POST", "/v1/executions", {"playbook": text, "file": "loop.yaml"})
        self.assertEqual(status, 200, body)
        end = time.monotonic() + terminal.SECONDS
        state = {"state": "running"}
        while state["state"] == "running" and time.monotonic() < end:
            state = self.ask("GET", f"/v1/executions/{body['id']}")[1]
        self.assertEqual(state["state"], "done", state)


class Arrays(Service):
    def array(self, **spec) -> str:
        status, body = self.ask("POST", "/v1/arrays", spec)
        self.assertEqual(status, 200, body)
        return body["id"]

    def test_an_array_runs_to_its_end(self) -> None:
        self.work()
        id = self.array(kind="noop", count=500, input={"a": 1})
        status, told = self.ask("GET", f"/v1/arrays/{id}?wait_ms={terminal.SECONDS * 1000}")
        self.assertEqual((status, told["finished"], told["count"], told["done"], told["input"]),
                         (200, True, 500, 500, {"a": 1}))
        _, page = self.ask("GET", f"/v1/arrays/{id}/results?first=490&limit=4")
        self.assertEqual(page["results"], [{"index": i, "outcome": "done", "result": None}
                                           for i in range(490, 494)])
        self.assertEqual(self.ask("GET", f"/v1/arrays/{id}/result")[1], [None] * 500)
        none = self.array(kind="noop", items=[])
        self.assertTrue(self.ask("GET", f"/v1/arrays/{none}?wait_ms=1000")[1]["finished"])

    def test_ranges_are_reported_with_a_result_for_each_index(self) -> None:
        id = self.array(kind="k", items=["a", "b", "c", "d"], retry={"max_attempts": 1})
        _, opened = self.ask("POST", "/v1/exchange", {"number": 1, "kinds": ["k"],
                                                      "free_slots": 4, "free_places": 100})
        ask = {"session": opened["session"], "free_slots": 4, "free_places": 100}
        number, results = 1, {}
        while len(results) < 4:
            number += 1
            _, reply = self.ask("POST", "/v1/exchange", ask | {
                "number": number, "last_reply": number - 1, "reports": [], "wait": False})
            for got in reply["assignments"]:
                held = {"first": 0, "count": 1} | {key: value for key, value in got.items()
                                                   if key in ("array", "first", "count", "epoch")}
                told = [item.upper() for item in got["items"]]
                results |= dict(zip(range(held["first"], held["first"] + held["count"]), told))
                number += 1
                _, reply = self.ask("POST", "/v1/exchange", ask | {
                    "number": number, "last_reply": number - 1, "reports": [
                        held | {"kind": "done", "results": told,
                                "trace": {"finished_us": 1000 * held["count"]}}]})
                self.assertEqual(reply["answers"], ["recorded"])
        self.assertEqual(self.ask("GET", f"/v1/arrays/{id}")[1]["finished"], True)
        self.assertEqual(self.ask("GET", f"/v1/arrays/{id}/result")[1], ["A", "B", "C", "D"])

    def test_cancel_of_an_index_and_of_the_rest(self) -> None:
        id = self.array(kind="nobody", count=10)
        self.assertEqual(self.ask("POST", f"/v1/arrays/{id}/indexes/0/cancel"),
                         (200, {"at_once": True}))
        _, told = self.ask("GET", f"/v1/arrays/{id}?wait_ms=20")
        self.assertEqual((told["finished"], told["cancelled"]), (False, 1))
        self.assertEqual(self.ask("POST", f"/v1/arrays/{id}/indexes/5/retry")[0], 409)
        self.assertEqual(self.ask("POST", f"/v1/arrays/{id}/cancel"), (200, {"at_once": True}))
        _, told = self.ask("GET", f"/v1/arrays/{id}?wait_ms=1000")
        self.assertEqual((told["finished"], told["cancelled"]), (True, 10))


class Deaths(Service):
    def test_nothing_accepted_is_lost_with_the_server(self) -> None:
        done = self.folder / "done"
        done.touch()
        ids = self.spawn(*[{"kind": "shell", "input": {"cmd": f"echo {n} >> {done}"}}
                           for n in range(200)])
        self.work()
        while done.stat().st_size < 100:
            os.sched_yield()
        port = self.port
        self.server.kill()
        self.server.communicate()
        self.serve(port)
        outcomes = self.wait(ids)
        self.assertEqual([o["outcome"] for o in outcomes], ["done"] * 200)
        self.assertEqual(set(done.read_text().split()), {str(n) for n in range(200)})

    def test_the_work_of_a_dead_worker_runs_elsewhere(self) -> None:
        self.make_pipe("first")
        first = self.work()
        command = "if [ -p first ]; then echo $$ > first; sleep 1000; fi; echo second"
        [id] = self.spawn({"kind": "shell", "input": {"cmd": command}})
        self.wait_for_line("first")
        (self.folder / "first").unlink()
        first.kill()
        self.work()
        outcome = self.wait([id])[0]
        self.assertEqual((outcome["outcome"], outcome["result"]["stdout"]), ("done", "second\n"))
        _, task = self.ask("GET", f"/v1/tasks/{id}")
        self.assertEqual((task["crashes"], task["failures"]), (1, 0))

    def test_a_worker_that_is_asked_to_stop_finishes_what_runs(self) -> None:
        self.make_pipe("begun")
        self.make_pipe("go")
        worker = self.work("--slots 1")
        command = "echo yes > begun; cat go; echo finished"
        ids = self.spawn({"kind": "shell", "input": {"cmd": command}}, {"kind": "shell", "input":
                         {"cmd": "echo elsewhere"}})
        self.wait_for_line("begun")
        worker.send_signal(signal.SIGTERM)
        (self.folder / "go").write_text("")
        self.assertEqual(self.end_of(worker).code, 0)
        self.assertEqual(self.wait(ids[:1])[0]["result"]["stdout"], "finished\n")
        self.work()
        self.assertEqual(self.wait(ids[1:])[0]["result"]["stdout"], "elsewhere\n")

    def test_a_server_that_is_asked_to_stop_ends_well(self) -> None:
        worker = self.work()
        [id] = self.spawn({"kind": "noop"})
        self.wait([id])
        self.server.terminate()
        self.assertEqual(self.end_of(self.server).code, 0)
        worker.terminate()
        self.assertEqual(worker.wait(timeout=terminal.SECONDS), 0)


class Refusals(Service):
    def test_bad_requests_have_their_answers(self) -> None:
        for method, target, body, status, words in [
            ("GET", "/v1/nothing", None, 404, "docs/protocol.md"),
            ("DELETE", "/v1/tasks", None, 405, "takes POST, GET"),
            ("POST", "/v1/tasks", "{", 400, "no JSON"),
            ("POST", "/v1/tasks", b"{\"tasks\":[\"\xff\"]}", 400, "no JSON"),
            ("POST", "/v1/tasks", "[" * 5000, 400, "no JSON"),
            ("POST", "/v1/tasks", "[]", 400, "expected an object"),
            ("POST", "/v1/tasks", {"tasks": [{"kind": 1}]}, 400, "kind: expected a text"),
            ("POST", "/v1/tasks", {"tasks": [{"kind": ""}]}, 400, "kind"),
            ("POST", "/v1/tasks", {"tasks": [{"kind": "a", "after": ["9"]}]}, 404, "task 9"),
            ("POST", "/v1/tasks", {"tasks": [{"kind": "k" * 300}]}, 413, "kind"),
            ("GET", "/v1/tasks/x", None, 400, "no id"),
            ("GET", "/v1/tasks/7", None, 404, "there is no task 7"),
            ("POST", "/v1/arrays", {"kind": "k"}, 400, "expected one of"),
            ("POST", "/v1/arrays", {"kind": "k", "count": 10**9 + 1}, 413, "at most 1000000000"),
            ("GET", "/v1/arrays/7", None, 404, "there is no array 7"),
            ("GET", "/v1/arrays/7?wait_ms=x", None, 400, "wait_ms"),
            ("GET", "/v1/arrays/7/results?limit=10001", None, 400, "limit"),
            ("POST", "/v1/arrays/7/cancel", None, 404, "array 7"),
            ("POST", "/v1/arrays/7/indexes/x/retry", None, 400, "no number"),
            ("GET", "/v1/tasks?limit=0", None, 400, "limit"),
            ("GET", "/v1/tasks?outcome=lost", None, 400, "outcome"),
            ("POST", "/v1/tasks/7/cancel", None, 404, "task 7"),
            ("POST", "/v1/tasks/wait", {"ids": []}, 400, "ids"),
            ("POST", "/v1/exchange", {"number": -1}, 400, "number"),
            ("POST", "/v1/executions", {"playbook": ""}, 400, "playbook"),
            ("PUT", "/v1/queues/q", {"order": "any"}, 400, "order"),
            ("PUT", "/v1/playbooks/" + "0" * 64, "text", 400, "another SHA-256"),
        ]:
            with self.subTest(target=target, body=str(body)[:60]):
                got, told = self.ask(method, target, body)
                self.assertEqual(got, status, told)
                self.assertIn(words, told["error"]["message"])
        self.assertEqual(self.ask("GET", "/healthz"), (200, "ok\n"))

    def test_stale_and_unknown_reports_change_nothing(self) -> None:
        [id] = self.spawn({"kind": "other"})
        _, opened = self.ask("POST", "/v1/exchange", {"number": 1, "kinds": ["other"],
                                                      "free_slots": 1, "free_places": 1})
        session = {"session": opened["session"]}
        _, handed = self.ask("POST", "/v1/exchange", session | {
            "number": 2, "last_reply": 1, "free_slots": 1, "free_places": 1})
        [got] = handed["assignments"]
        self.assertEqual(got["task"], id)
        report = {"kind": "done", "task": id, "result": {"n": 1}}
        stale, unknown = report | {"epoch": "1.77"}, report | {"task": "77", "epoch": got["epoch"]}
        good = report | {"epoch": got["epoch"]}
        _, told = self.ask("POST", "/v1/exchange", session | {
            "number": 3, "last_reply": 2, "reports": [stale, unknown, good, good]})
        self.assertEqual(told["answers"], ["lease_lost", "lease_lost", "recorded", "recorded"])
        self.assertEqual(self.wait([id])[0]["result"], {"n": 1})
        again, _ = self.ask("POST", "/v1/exchange", session | {"number": 1})
        self.assertEqual(again, 409)
        _, lost = self.ask("POST", "/v1/exchange", {"session": "12345", "number": 9})
        self.assertTrue(lost["session_unknown"])

    def test_a_store_has_one_server(self) -> None:
        said = self.type("tidemill server --store tasks.db --port 0", 3)
        self.assertIn(str(self.server.pid), said.err)

    def test_others_cannot_reach_it_by_mistake(self) -> None:
        said = self.type("tidemill server --store other.db --port 0 --listen 0.0.0.0", 2)
        self.assertIn("--insecure", said.err)

    def test_a_port_has_one_server(self) -> None:
        said = self.type(f"tidemill server --store other.db --port {self.port}", 3)
        self.assertIn("another process listens", said.err)

    def test_nobody_there_is_said(self) -> None:
        self.server.kill()
        self.server.communicate()
        self.assertIn("refused", self.type("tidemill spawn noop", 3).err)
        self.assertIn("no address", self.type("tidemill spawn noop --server x", 2).err)


if __name__ == "__main__":
    sys.exit(terminal.run(pathlib.Path(sys.argv.pop(1)).resolve()))
