"""Calls of functions as tasks: how an Executor sends them and a worker runs them.

By name the input is {"call": "module:function", "batch": [[args, kwargs], …]}, all JSON, and the
result a list; pickled it is {"pickle": TEXT} of (function, batch), and so is the result.
"""
from __future__ import annotations

import base64
import importlib
import math
import pickle
import sys
from typing import Any, Callable, Dict, List, Sequence, Tuple

from ._results import to_json  # also for others, who want JSON that the server takes
from .errors import Failure, NotSendable

KIND = "tidemill.call"
Batch = Sequence[Tuple[Sequence[Any], Dict[str, Any]]]
WIDEST = 1 << 63
__all__ = ["KIND", "by_name", "name_of", "pickled", "result_of", "run_call", "to_json"]


# ---- where the call is made ----


def by_name(function: Callable[..., Any], batch: Batch) -> Dict[str, Any]:
    """Raises NotSendable, naming the place."""
    name = name_of(function)
    for args, kwargs in batch:
        for n, value in enumerate(args):
            _check_plain(value, f"argument {n + 1} of {name}")
        for key, value in kwargs.items():
            _check_plain(value, f"argument {key!r} of {name}")
    return {"call": name, "batch": [[list(args), kwargs] for args, kwargs in batch]}


def pickled(function: Callable[..., Any], batch: Batch) -> Dict[str, Any]:
    """Raises NotSendable."""
    _check_module(function)
    try:
        return {"pickle": _text(pickle.dumps((function, list(batch))))}
    except Exception as error:
        raise NotSendable(f"the call of {function!r} cannot be pickled: {error}") from error


def name_of(function: Callable[..., Any]) -> str:
    """module:qualname, from which a worker finds the function again."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        raise NotSendable(f"{function!r} has no name by which a worker could find it")
    _check_module(function)
    if "<" in name:  # <lambda>, <locals>
        raise NotSendable(f"{module}:{name} has no name of its own; a worker finds functions at "
                          "the top of a module")
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if found is not function and found != function:
        raise NotSendable(f"{module}:{name} names something else than {function!r}")
    return f"{module}:{name}"


def _check_module(function: Callable[..., Any]) -> None:
    if getattr(function, "__module__", None) == "__main__":
        raise NotSendable(f"{getattr(function, '__qualname__', function)} is defined in the script "
                          "itself, which a worker cannot import; put it into a module")


def _check_plain(value: Any, place: str) -> None:
    """What would come back from JSON as something else is not sent."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotSendable(f"{place}: the key {key!r} is no text")
            _check_plain(item, f"{place}[{key!r}]")
    elif isinstance(value, (list, tuple)):
        for n, item in enumerate(value):
            _check_plain(item, f"{place}[{n}]")
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise NotSendable(f"{place}: {value} has no JSON; Executor(pickle=True) takes it")
    elif isinstance(value, int):
        if not -WIDEST <= value < WIDEST:
            raise NotSendable(f"{place}: {value} has more than 64 bits; Executor(pickle=True) "
                              "takes it")
    elif value is not None and not isinstance(value, (str, bool)):
        raise NotSendable(f"{place}: a value of type {type(value).__name__} has no JSON; "
                          "Executor(pickle=True) takes it")


def result_of(value: Any) -> List[Any]:
    """The results of a batch."""
    if isinstance(value, dict) and "pickle" in value:
        value = pickle.loads(base64.b64decode(value["pickle"]))
    if not isinstance(value, list):
        raise ValueError(f"no result of a call: {value!r:.100}")
    return value


# ---- where it is run ----


def run_call(modules: Sequence[str], may_pickle: bool, given: Any) -> Any:
    """The handler of a worker that allows calls."""
    if not isinstance(given, dict):
        raise Failure("config", "the input of a call is an object", retryable=False)
    if "pickle" in given:
        if not may_pickle:
            raise Failure("denied", "this worker takes no pickled calls; see "
                          "Worker.allow_calls(…, pickle=True)", retryable=False)
        function, batch = pickle.loads(base64.b64decode(given["pickle"]))
        results = [function(*args, **kwargs) for args, kwargs in batch]
        return {"pickle": _text(pickle.dumps(results))}
    function = _found(modules, str(given.get("call")))
    return [function(*args, **kwargs) for args, kwargs in given.get("batch", [])]


def _found(modules: Sequence[str], name: str) -> Callable[..., Any]:
    module, _, path = name.partition(":")
    if not any(module == one or module.startswith(one + ".") for one in modules):
        raise Failure("denied", f"this worker does not call functions of {module!r}; see "
                      "Worker.allow_calls()", retryable=False)
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise Failure("config", f"there is no {name} here: {error}", retryable=False) from error
    # A name may lead out of its module, by what that has imported.
    if getattr(found, "__module__", None) != module or not callable(found):
        raise Failure("denied", f"{name} is no function of that module", retryable=False)
    function: Callable[..., Any] = found
    return function


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
