#!/usr/bin/env python3
"""make_dump.py TIDEMILL: writes schema_N.sql, a store as this version leaves it, as text.

It has a finished, a failed and an interrupted (kill -9) execution of work.yaml. Run it when the
schema, or the encoding of a record, has changed, before that is released; never over a dump that
was released.
"""
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
PRAGMAS = ("application_id", "user_version")


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="tidemill-compat-") as name:
        folder = pathlib.Path(name)
        make_store([pathlib.Path(sys.argv[1]).resolve(), "run", "work.yaml", "--store", "run.db"],
                   folder)
        text, schema = dump(folder / "run.db")
    path = HERE / f"schema_{schema}.sql"
    path.write_text(text)
    print(f"{path}: {len(text)} bytes")


def make_store(run: list, folder: pathlib.Path) -> None:
    for playbook in HERE.glob("*.yaml"):
        shutil.copy(playbook, folder)
    subprocess.run(run, cwd=folder, check=True)
    assert subprocess.run([*run, "--set", "hold=fails"], cwd=folder).returncode == 1
    os.mkfifo(folder / "up")
    process = subprocess.Popen([*run, "--set", "hold=waits"], cwd=folder)
    (folder / "up").read_text()  # the sixth of eight is held, and those before it are recorded
    # One result more is committed with or after those of the others: the last is what is awaited.
    with sqlite3.connect(folder / "run.db", isolation_level=None) as db:
        query = ("SELECT sum(done) FROM array_outcomes WHERE array = "
                 "(SELECT max(id) FROM array_records)")
        while db.execute(query).fetchone()[0] != 7:
            pass
    db.close()
    process.kill()
    process.wait()


def dump(path: pathlib.Path) -> tuple[str, int]:
    db = sqlite3.connect(path)
    values = {name: db.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS}
    head = "".join(f"PRAGMA {name}={value};\n" for name, value in values.items())
    text = head + "PRAGMA auto_vacuum=INCREMENTAL;\n" + "\n".join(db.iterdump()) + "\n"
    db.close()
    return text, values["user_version"]


if __name__ == "__main__":
    main()
