"""python -m tidemill worker MODULE[:NAME]: a worker from the command line."""
from __future__ import annotations

import argparse
import importlib
import logging
import os
import sys
from typing import Any, List, Optional

from . import __version__
from .client import Client
from .errors import TidemillError
from .worker import Worker

EXAMPLES = """examples:
  python -m tidemill worker images            every function of images.py decorated with @task
  python -m tidemill worker images:worker     a Worker that images.py has made
  python -m tidemill worker --calls images --slots 8 --processes
                                              what an Executor submits of that module
"""


def main(arguments: Optional[List[str]] = None) -> int:
    """0 when it was stopped, 1 when it could not go on, 2 when it could not begin."""
    said = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="tidemill worker: %(message)s")
    sys.path.insert(0, os.getcwd())
    try:
        worker = _worker(said)
        client = worker.client
        assert client is not None
    except (ImportError, AttributeError, ValueError, TypeError) as error:
        print(f"tidemill worker: {error}", file=sys.stderr)
        return 2
    try:
        logging.getLogger("tidemill").info("%s at %s", ", ".join(worker.kinds), client.url)
        worker.run()
    except (TidemillError, RuntimeError, ValueError) as error:
        print(f"tidemill worker: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tidemill")
    parser.add_argument("--version", action="version", version=f"tidemill {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    worker = commands.add_parser(
        "worker", help="run tasks of a server with handlers of a module", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    worker.add_argument("app", nargs="?", metavar="MODULE[:NAME]",
                        help="decorated functions of a module, or a Worker in it")
    worker.add_argument("--slots", type=int, help="handlers at once (default: cores)")
    worker.add_argument("--processes", action="store_true",
                        help="run handlers in processes of their own")
    worker.add_argument("--server", metavar="URL", help="default: TIDEMILL_SERVER, or "
                        "http://127.0.0.1:7117")
    worker.add_argument("--token", help="default: TIDEMILL_TOKEN, which others cannot see")
    worker.add_argument("--ca", metavar="FILE", help="certificates to trust the server by "
                        "(default: TIDEMILL_TLS_CA, or the system's)")
    worker.add_argument("--patience", type=float, metavar="SECONDS",
                        help="give up after so long without an answer (default: never)")
    worker.add_argument("--calls", action="append", metavar="MODULE",
                        help="allow what an Executor submits of this module; may be repeated")
    worker.add_argument("--pickle", action="store_true",
                        help="allow pickled calls, too: producers can then run any code here")
    return parser


def _worker(said: argparse.Namespace) -> Worker:
    if said.app is None and not said.calls:
        raise ValueError("nothing to run: name a MODULE, or --calls MODULE")
    found = _found(said.app) if said.app is not None else None
    worker = found if isinstance(found, Worker) else Worker()
    if found is not None and found is not worker:
        worker.add(found)
    if said.calls:
        worker.allow_calls(*said.calls, pickle=said.pickle)
    if said.server or said.token or said.ca or worker.client is None:
        worker.client = Client(said.server, said.token, ca=said.ca)
    if said.slots is not None:
        if said.slots < 1:
            raise ValueError(f"--slots {said.slots}: 1 or more it can be")
        worker.slots = said.slots
    if said.processes and not worker.processes:
        worker.processes = True
    if said.patience is not None:
        worker.patience = said.patience
    return worker


def _found(app: str) -> Any:
    module, colon, name = app.partition(":")
    loaded = importlib.import_module(module)
    if not colon:
        return loaded
    found: Any = loaded
    for part in name.split("."):
        found = getattr(found, part)
    return found


if __name__ == "__main__":
    sys.exit(main())
