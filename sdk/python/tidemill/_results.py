"""Results as JSON: what code may return, and which part of it is no JSON.

The SDK's workers and the interpreters that run python steps both use this file: the second have it
in front of src/worker/tools/python_runner.py, so it imports nothing but json and starts fast.
"""
import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TOO_DEEP = "result: it contains itself, or is nested too deeply for JSON"


class Unrepresentable(Exception):
    """A result that has no JSON; the text names the place."""


def to_json(value: "Any") -> bytes:
    """The JSON text of a result. NaN and infinities become null. Raises Unrepresentable."""
    try:
        text = ENCODER.encode(value)
    except ValueError:
        # NaN and infinities have no JSON: they become null. (A value that contains itself also
        # ends here.)
        try:
            text = ENCODER.encode(without_nan(value, "result"))
        except RecursionError:
            raise Unrepresentable(TOO_DEEP) from None
        except (ValueError, TypeError, Unrepresentable) as e:
            raise Unrepresentable(where_not_json(value) or str(e)) from None
    except RecursionError:
        raise Unrepresentable(TOO_DEEP) from None
    except (TypeError, Unrepresentable) as e:
        raise Unrepresentable(where_not_json(value) or str(e)) from None
    return text.encode("utf-8", "replace")


def plain(value: "Any") -> "Any":
    """What is nearly JSON: numpy arrays and numbers, dates, decimals."""
    if hasattr(value, "tolist"):
        plainer = value.tolist()
        return plainer if type(plainer) is not type(value) else str(plainer)
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if type(value).__name__ == "Decimal":
        return int(value) if value == value.to_integral_value() else float(value)
    raise Unrepresentable(f"a value of type {type(value).__name__} is not JSON")


# Made once: json.dumps makes one for each call that asks for something unusual.
ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"),
                           default=plain)


def without_nan(value: "Any", path: str) -> "Any":
    if isinstance(value, float):
        return value if value - value == 0 else None
    if isinstance(value, dict):
        return {k: without_nan(v, path) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(v, path) for v in value]
    if hasattr(value, "tolist"):
        return without_nan(value.tolist(), path)
    return value


def where_not_json(value: "Any", path: str = "result", depth: int = 0) -> str:
    """Names the place that is not JSON, e.g. result['rows'][3]."""
    if depth > 500:
        return f"{path[:200]}…: nested too deeply for JSON"
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int, float, bool, type(None))):
                return f"{path}: a key of type {type(key).__name__} is not JSON; use text"
            found = where_not_json(item, f"{path}[{key!r}]", depth + 1)
            if found:
                return found
    elif isinstance(value, (list, tuple)):
        for i, item in enumerate(value):
            found = where_not_json(item, f"{path}[{i}]", depth + 1)
            if found:
                return found
    elif not isinstance(value, (str, int, float, bool, type(None))):
        try:
            plain(value)
        except Unrepresentable:
            hint = "; use a list" if isinstance(value, (set, frozenset)) else ""
            return f"{path}: a value of type {type(value).__name__} is not JSON{hint}"
    return ""
