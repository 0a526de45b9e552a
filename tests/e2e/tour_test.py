#!/usr/bin/env python3
"""tour_test.py TIDEMILL: what README.md and docs/cli.md say, typed in a fresh folder."""
import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import sys
import unittest

import terminal
from terminal import SOURCE, Terminal


class Readme(Terminal):
    def test_its_commands_do_what_it_says(self) -> None:
        text = (SOURCE / "README.md").read_text()
        block = re.search(r"^```\n(tidemill validate .*?)^```", text, re.M | re.S).group(1)
        commands = [line.split("  #")[0].strip().replace(" ID", " latest")
                    for line in block.splitlines()]
        self.assertEqual(len(commands), 5)
        said = [self.type(command) for command in commands[:-1]]
        self.assertIn("examples/hello.yaml: valid", said[0].out)
        self.assertEqual(json.loads(said[1].out)["greeting"], "Hello, Ada!")
        self.assertRegex(said[2].out, r"hello +done")
        self.assertRegex(said[3].out, r"(?s)QUEUE WAIT +DISPATCH +RUN.*start +1 .*end +1 ")
        # There is nothing to go on with, and that is said.
        nothing = self.type(commands[-1], 4)
        self.assertIn("nothing of examples/hello.yaml is unfinished", nothing.err)


class Finished(Terminal):
    """After a run that went well."""

    def setUp(self) -> None:
        super().setUp()
        self.run = self.type("tidemill run examples/hello.yaml --set name=Ada --json").json()
        self.id = self.run["id"]

    def test_list_is_newest_first(self) -> None:
        ids = [self.id] + [self.type("tidemill run examples/hello.yaml --json").json()["id"]
                           for _ in range(4)]
        self.assertEqual([e["id"] for e in self.type("tidemill list --json").json()], ids[::-1])
        self.assertEqual(self.type("tidemill show latest --json").json()["id"], ids[-1])
        self.assertEqual(len(list((self.folder / ".tidemill").glob("*.db"))), 5)

    def test_show(self) -> None:
        shown = self.type("tidemill show latest --json").json()
        self.assertEqual((shown["id"], shown["state"]), (self.id, "done"))
        self.assertEqual([(s["step"], s["state"]) for s in shown["steps"]],
                         [("start", "done"), ("end", "done")])
        self.assertEqual(shown["result"], self.run["result"])
        self.assertEqual(shown["workload"], {"name": "Ada"})
        self.assertIn("Hello, Ada!", self.type(f"tidemill show {self.id[-6:]}").out)
        timed = self.type("tidemill show latest --timing --json").json()
        self.assertIn("start", json.dumps(timed["timing"]))
        output = self.type("tidemill show latest --output start").json()
        self.assertEqual(output, {"stdout": "Hello, Ada!", "stderr": "", "exit_code": 0})

    def test_logs(self) -> None:
        self.assertIn("Hello, Ada!", self.type("tidemill logs latest").out)
        self.assertIn("Hello, Ada!", self.type("tidemill logs latest start").out)
        self.type("tidemill logs latest nothing", 4)

    def test_tasks(self) -> None:
        tasks = self.type("tidemill task list --json").json()
        self.assertEqual([(t["step"], t["outcome"]) for t in tasks],
                         [("start", "done"), ("end", "done")])
        self.assertRegex(self.type("tidemill task list").out, r"start +done")
        self.assertEqual(self.type("tidemill task list --outcome buried --json").json(), [])
        one = self.type(f"tidemill task show {tasks[0]['id']} --json").json()
        self.assertEqual((one["step"], one["result"]["stdout"]), ("start", "Hello, Ada!"))
        # Its outcome stays: nothing would wait for another one.
        refused = self.type(f"tidemill task retry {tasks[0]['id']}", 2)
        self.assertIn("belongs to a step that has ended", refused.err)
        again = self.type(f"tidemill task show {tasks[0]['id']} --json").json()
        self.assertEqual(again["result"]["stdout"], "Hello, Ada!")
        self.type("tidemill task show 1", 4)

    def test_an_index_names_its_step(self) -> None:
        self.type("tidemill run examples/loop_and_aggregate.yaml --quiet")
        tasks = self.type("tidemill task list --json").json()
        for task in tasks:
            words = f"{task['id']} {task['index']}" if "index" in task else task["id"]
            shown = self.type(f"tidemill task show {words} --json").json()
            self.assertEqual(shown["step"], task["step"])
        self.assertTrue(any("index" in task for task in tasks))

    def test_cancel_of_what_has_ended(self) -> None:
        self.assertIn("not running", self.type("tidemill cancel latest", 4).err)

    def test_the_store_is_readable_by_sqlite(self) -> None:
        with sqlite3.connect(self.folder / self.run["store"]) as db:
            self.assertEqual(db.execute("SELECT name, state FROM executions").fetchall(),
                             [("hello", "done")])


class Failed(Terminal):
    def test_it_is_tried_again_from_where_it_failed(self) -> None:
        run = self.type("tidemill run gate.yaml --json", 1).json()
        self.assertEqual(run["state"], "failed")
        self.assertIn("the gate is shut", run["error"]["message"])
        shown = self.type("tidemill show latest --json").json()
        self.assertEqual([(s["step"], s["state"]) for s in shown["steps"]],
                         [("start", "done"), ("gate", "failed")])
        buried = self.type("tidemill task list --outcome buried --json").json()
        self.assertEqual([(t["step"], t["attempts"]) for t in buried], [("gate", 1)])
        self.assertIn("the gate is shut", self.type("tidemill logs latest gate").out)
        (self.folder / "open").touch()
        said = self.type(f"tidemill run gate.yaml --resume {run['id']} --json --set a=1")
        self.assertIn("goes on with the input it was started with", said.err)
        self.assertIn("tidemill run gate.yaml --set a=1", said.err)
        again = said.json()
        self.assertEqual((again["id"], again["result"]), (run["id"], {"passed": True}))
        self.assertEqual((self.folder / "started").read_text(), "once\n")


class Running(Terminal):
    """While a run waits in its first step; this is the other terminal."""

    def setUp(self) -> None:
        super().setUp()
        self.make_pipe("up")
        self.make_pipe("go")

    def begin(self, options: str = ""):
        process = self.start(f"tidemill run waits.yaml {options}")
        self.assertEqual(self.wait_for_line("up"), "up")
        return process

    def let_go(self) -> None:
        with (self.folder / "go").open("w"):
            pass

    def test_others_can_look(self) -> None:
        process = self.begin("--json")
        listed, = self.type("tidemill list --json").json()
        self.assertEqual(listed["state"], "running")
        self.assertRegex(self.type("tidemill show latest").out, r"start +1 +running")
        self.let_go()
        said = self.end_of(process)
        self.assertEqual((said.code, said.json()["result"]["said"]), (0, ["Hello, Ada!"]))

    def test_cancel(self) -> None:
        process = self.begin("--json")
        self.type("tidemill cancel latest")
        said = self.end_of(process)
        self.assertEqual((said.code, said.json()["state"]), (1, "cancelled"), said.err)
        self.assertRegex(self.type("tidemill list").out, r"waits +cancelled")

    def test_cancel_of_a_stopped_process_says_who_does_not_answer(self) -> None:
        process = self.begin("--json")
        process.send_signal(signal.SIGSTOP)
        cancel = self.start("tidemill cancel latest")
        note = cancel.stderr.readline()
        process.send_signal(signal.SIGCONT)
        self.assertIn(f"process {process.pid} on host", note)
        self.assertIn(f"kill -CONT {process.pid}", note)
        self.assertEqual(self.end_of(cancel).code, 0)
        self.assertEqual(self.end_of(process).json()["state"], "cancelled")

    def test_interrupt_and_resume(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(signal=number.name):
                process = self.begin("--set people='[\"Bob\"]'")
                process.send_signal(number)
                while "stopping" not in process.stderr.readline():
                    pass
                self.let_go()  # what runs is let finish
                said = self.end_of(process)
                self.assertEqual(said.code, 130, said.err)
                hint = re.search(r"tidemill run waits.yaml .*--resume \d+", said.err).group()
                self.assertRegex(self.type("tidemill list").out,
                                 r"waits +interrupted +[-0-9]+ [:0-9]+ +[\d.]+ m?s")
                result = self.type(f"{hint} --json").json()["result"]
                self.assertEqual(result["said"], ["Hello, Bob!"])

    def test_resume_takes_the_newest_and_its_own_text(self) -> None:
        for name in ("old", "new"):
            process = self.begin(f"--set people='[\"{name}\"]'")
            process.kill()
            process.wait()
            self.make_pipe("go")
        (self.folder / "waits.yaml").write_text(
            (self.folder / "waits.yaml").read_text().replace("Hello", "Bye"))
        process = self.start("tidemill run waits.yaml --resume --json")
        self.assertEqual(self.wait_for_line("up"), "up")
        self.let_go()
        said = self.end_of(process)
        self.assertEqual(said.json()["result"]["said"], ["Hello, new!"])
        self.assertIn("waits.yaml has changed since", said.err)

    def test_input_set_and_store(self) -> None:
        (self.folder / "in.json").write_text(
            json.dumps({"people": ["file"], "deep": {"b": 20, "c": 30}}))
        process = self.begin("--input in.json --set deep.c=300 --store run.db --json")
        refused = self.type("tidemill run examples/hello.yaml --store run.db", 3)
        self.assertIn(f"{process.pid}", refused.err)
        self.let_go()
        result = self.end_of(process).json()["result"]
        self.assertEqual(result, {"said": ["Hello, file!"], "deep": {"a": 1, "b": 20, "c": 300}})
        self.type("tidemill run examples/hello.yaml --store run.db")
        listed = self.type("tidemill list --store run.db --json").json()
        self.assertEqual([e["playbook"] for e in listed], ["hello", "waits"])
        self.assertFalse((self.folder / ".tidemill").exists())


class WorkTable(Terminal):
    def test_what_was_claimed_by_a_run_that_was_given_up_comes_back(self) -> None:
        with sqlite3.connect(self.folder / "work.db") as db:
            db.execute("CREATE TABLE jobs (id INTEGER PRIMARY KEY, claimed_by TEXT,"
                       " claimed_at INTEGER, result INTEGER)")
            db.execute("INSERT INTO jobs VALUES (1, 'gone', unixepoch() - 4000, NULL),"
                       " (2, 'at work', unixepoch(), NULL)")
        said = self.type("tidemill run examples/queue_table_cursor.yaml --connect work=work.db"
                         " --set jobs=4 --json")
        self.assertEqual(said.json()["result"], {"done": 3, "left": 1, "sum_of_squares": 26})


class Wrong(Terminal):
    """Exit codes of docs/cli.md, and that nothing was started."""

    def test_usage(self) -> None:
        for command in ("tidemill", "tidemill bogus", "tidemill run", "tidemill run --bogus x.yaml",
                        "tidemill run none.yaml", "tidemill validate none.yaml",
                        "tidemill run examples/hello.yaml --set name"):
            with self.subTest(command=command):
                self.assertNotEqual(self.type(command, 2).err, "")
        for command, word in (("tidemill bogus", "bogus"), ("tidemill task bogus", "bogus"),
                              ("tidemill bench bogus", "bogus"), ("tidemill list 17", "17"),
                              ("tidemill rum x.yaml", "did you mean 'run'?"),
                              ("tidemill task shwo 17", "did you mean 'show'?"),
                              ("tidemill bench nopo", "did you mean 'noop'?"),
                              ("tidemill list --jsno", "did you mean '--json'?")):
            with self.subTest(command=command):
                self.assertIn(word, self.type(command, 2).err)
        (self.folder / "bad.yaml").write_text((self.folder / "gate.yaml").read_text()
                                              .replace("next: gate", "next: gaet"))
        for command in ("tidemill validate bad.yaml", "tidemill run bad.yaml"):
            said = self.type(command, 2)
            self.assertRegex(said.out + said.err, r"bad.yaml:\d+:\d+: error: .*gaet")
        self.assertFalse((self.folder / ".tidemill").exists())

    def test_bench_says_where_it_looked_for_its_playbooks(self) -> None:
        shutil.rmtree(self.folder / "examples")
        said = self.type("tidemill bench pft --quick", 2)
        self.assertIn(f"{self.folder}/examples/pft/pft.yaml", said.err)
        self.assertIn("--playbooks", said.err)
        self.assertEqual(said.out, "")
        self.assertIn("none/postgres/pft.yaml",
                      self.type("tidemill bench pft --sink postgres --playbooks none", 2).err)

    def test_store(self) -> None:
        (self.folder / "foreign.db").write_text("this is not a database, but long enough " * 100)
        before = (self.folder / "foreign.db").read_bytes()
        self.type("tidemill run examples/hello.yaml --store foreign.db", 3)
        self.type("tidemill list --store foreign.db", 3)
        self.assertEqual((self.folder / "foreign.db").read_bytes(), before)

    def test_not_found(self) -> None:
        for command in ("show latest", "show 17", "logs 17", "cancel 17", "task show 17",
                        "run examples/hello.yaml --resume 17"):
            with self.subTest(command=command):
                self.assertIn("17" if "17" in command else "latest",
                              self.type(f"tidemill {command}", 4).err)

    def test_output_that_cannot_be_written(self) -> None:
        for lost in ("2>/dev/full", "2>&-"):
            said = self.type(f"tidemill run examples/hello.yaml {lost}")
            self.assertIn("Hello, world!", said.out)
        said = self.type("tidemill run examples/hello.yaml >/dev/full", 1)
        self.assertIn("is the disk full?", said.err)
        self.assertEqual(len(self.type("tidemill list --json").json()), 3)

    def test_version_and_help(self) -> None:
        self.assertRegex(self.type("tidemill version").out, r"^tidemill \d+\.\d+\.\d+ ")
        self.assertRegex(self.type("tidemill version --json").json()["version"], r"^\d+\.\d+\.\d+$")
        text = (SOURCE / "docs/cli.md").read_text()
        for command in re.findall(r"^\| `((?:task )?[a-z]+)", text, re.M):
            if command != "bench":
                self.assertIn("Usage: tidemill", self.type(f"tidemill {command} --help").out)

    def test_a_slip_in_set_is_said(self) -> None:
        said = self.type("tidemill run examples/hello.yaml --quiet --set nam=Ada")
        self.assertIn("has no 'nam'; did you mean 'name'?", said.err)

    def test_latest_is_of_the_playbook_that_is_named(self) -> None:
        self.type("tidemill run examples/hello.yaml --quiet")
        self.type("tidemill run examples/loop_and_aggregate.yaml --quiet")
        said = self.type("tidemill run examples/hello.yaml --quiet --resume latest")
        self.assertIn("Hello, world!", said.out)

    def test_valid_examples(self) -> None:
        said = self.type("tidemill validate examples/*.yaml --json").json()
        self.assertEqual({v["errors"] for v in said}, {0})
        self.assertEqual(len(said), len(list((self.folder / "examples").glob("*.yaml"))))


if __name__ == "__main__":
    sys.exit(terminal.run(pathlib.Path(sys.argv.pop(1)).resolve()))
