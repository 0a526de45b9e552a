#!/usr/bin/env python3
"""demo_totals.py DATABASE FACILITIES: count what the main job saved and compare it with what is right.

The API is a function of the patient, so the totals of all ten facilities are known beforehand."""
import sqlite3
import sys

EXACT = {"assessments": 29_898, "conditions": 19_907, "medications": 25_024,
         "vital_signs": 10_000, "demographics": 10_000, "mds": 10_000}


def main(database: str, facilities: int) -> int:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    saved = dict(connection.execute("SELECT type, count(*) FROM pages GROUP BY type"))
    saved["mds"] = connection.execute("SELECT count(*) FROM mds").fetchone()[0]
    left = connection.execute("SELECT count(*) FROM work WHERE status <> 'done'").fetchone()[0]
    wrong = left
    for name, exact in EXACT.items():
        verdict = ""
        if facilities == 10:
            verdict = "exact" if saved.get(name, 0) == exact else f"WRONG, should be {exact:,}"
            wrong += saved.get(name, 0) != exact
        print(f"  {name:<14}{saved.get(name, 0):>10,}  {verdict}")
    print(f"  {'all':<14}{sum(saved.values()):>10,}  saved; {left} left in the work table")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
