"""Runs the code of python tools inside one warm interpreter process of a worker.

Descriptor 3 is a socket to the worker. Each request is a JSON object, each answer a line of JSON
and, when there is a result, its JSON text; both with a length of four bytes before. Output of the
code goes to descriptors 1 and 2, which the worker reads. The process ends when the socket does.

The build puts sdk/python/tidemill/_results.py in front of this file: to_json and Unrepresentable
are defined there, and a result is the same JSON from a step and from a handler of the SDK.
"""

import json
import os
import sys
import time

CHANNEL = 3
CODE_KEPT = 256  # compiled pieces of code; a playbook has a few


def serve():
    os.set_inheritable(CHANNEL, False)
    sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")
    compiled = {}
    statm = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
    page = os.sysconf("SC_PAGE_SIZE")
    own = os.getpid()
    while True:
        request = read_frame()
        if request is None:
            return
        before = time.process_time_ns()
        head, body = answer(json.loads(request), compiled)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except (OSError, ValueError, AttributeError):
                pass  # The code may have closed or replaced it.
        if os.getpid() != own:
            os._exit(0)  # A child that the code forked and let run on: only its parent answers.
        head["cpu"] = time.process_time_ns() - before
        head["memory"] = int(os.pread(statm, 100, 0).split()[1]) * page
        write_frame(json.dumps(head).encode() + b"\n" + body)


def answer(request, compiled):
    """The head of the answer and the result's JSON text."""
    name = request["name"]
    if "code" in request:
        if len(compiled) >= CODE_KEPT:
            compiled.pop(next(iter(compiled)))
        try:
            compiled[request["hash"]] = compile_user(request["code"], name)
        except (SyntaxError, ValueError, RecursionError, OverflowError, MemoryError) as e:
            return {"error": one_line(e), "trace": trace_of(e, name, request["code"])}, b""
    program = compiled.get(request["hash"])
    if program is None:
        return {"missing": True}, b""
    try:
        result = run(program, request["input"])
    except BaseException as e:  # also SystemExit: the code must not end the interpreter
        return {"error": one_line(e), "trace": trace_of(e, name, program[2])}, b""
    try:
        return {}, to_json(result)
    except Unrepresentable as e:
        return {"error": str(e), "trace": "", "kind": "result"}, b""


def compile_user(code, name):
    """The compiled code, whether it is the body of a function, and its text."""
    try:
        return compile(code, name, "exec", dont_inherit=True), False, code
    except SyntaxError as e:
        if "outside function" not in str(e.msg):
            raise
    return compile_function(code, name), True, code


def compile_function(code, name):
    """A top-level `return`: the code becomes the body of a function whose names are all global.
    Line numbers stay, for only the tree is changed."""
    import ast

    tree = ast.parse(code, name)
    names = sorted(bound_names(tree, ast))
    body = ([ast.Global(names=names)] if names else []) + tree.body
    function = ast.FunctionDef(
        name="__tidemill_body__",
        args=ast.arguments(posonlyargs=[], args=[], kwonlyargs=[], kw_defaults=[], defaults=[]),
        body=body, decorator_list=[], type_params=[])
    wrapped = ast.Module(body=[function], type_ignores=[])
    ast.fix_missing_locations(wrapped)
    return compile(wrapped, name, "exec", dont_inherit=True)


def bound_names(tree, ast):
    """Names that the top level of the code assigns, in whatever way."""
    found = set()
    # Patterns of `match`, where this Python has it.
    patterns = tuple(getattr(ast, n) for n in ("MatchAs", "MatchStar") if hasattr(ast, n))
    inner = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    pending = list(tree.body)
    while pending:
        node = pending.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found.add(node.name)
            pending.extend(node.decorator_list)
            continue
        if isinstance(node, inner):
            # Their own variables stay theirs; only `:=` reaches out.
            found.update(n.target.id for n in ast.walk(node) if isinstance(n, ast.NamedExpr))
            continue
        if isinstance(node, ast.Name) and isinstance(node.ctx, (ast.Store, ast.Del)):
            found.add(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            found.update((a.asname or a.name).split(".")[0] for a in node.names if a.name != "*")
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        elif isinstance(node, patterns) and node.name:
            found.add(node.name)
        elif getattr(node, "rest", None):
            found.add(node.rest)
        pending.extend(ast.iter_child_nodes(node))
    return found


UNSET = object()


def run(program, given):
    code, is_function, _ = program
    scope = {"__name__": "__main__", "__builtins__": __builtins__}
    scope.update(given)
    scope.setdefault("input_data", given)
    before = scope.get("result", UNSET)
    try:
        exec(code, scope)
        returned = scope["__tidemill_body__"]() if is_function else None
    except SystemExit as e:
        if e.code not in (None, 0):
            raise
        returned = None
    if returned is not None:
        return returned
    result = scope.get("result", UNSET)
    if result is not before:
        return result
    main = scope.get("main")
    if callable(main):
        return call_main(main, given)
    return None if result is UNSET else result


def call_main(main, given):
    """main(**input), without the inputs it has no parameter for."""
    code = getattr(main, "__code__", None)
    if code is None:
        return main(**given)
    named = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    takes_all = code.co_flags & 0x08  # CO_VARKEYWORDS
    wanted = {k: v for k, v in given.items() if takes_all or k in named}
    if "input_data" in named:
        wanted.setdefault("input_data", given)
    return main(**wanted)


# ---- errors ----


def one_line(e):
    try:
        text = str(e)
    except Exception:
        text = ""
    name = type(e).__name__
    if isinstance(e, SyntaxError) and e.lineno is not None:
        text = f"{e.msg} (line {e.lineno})"
    return f"{name}: {text}" if text else name


def trace_of(e, name, source):
    """The traceback from the user's code on; the runner's own frames are nobody's business."""
    import linecache
    import traceback

    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    frame = e.__traceback__
    while frame is not None and frame.tb_frame.f_code.co_filename != name:
        frame = frame.tb_next
    try:
        return "".join(traceback.format_exception(type(e), e, frame, limit=-50))
    except Exception:
        return one_line(e)


# ---- frames ----


def read_frame():
    size = read_exactly(4)
    return None if size is None else read_exactly(int.from_bytes(size, "little"))


def read_exactly(n):
    pieces = bytearray()
    while len(pieces) < n:
        piece = os.read(CHANNEL, min(n - len(pieces), 1 << 20))
        if not piece:
            return None
        pieces += piece
    return bytes(pieces)


def write_frame(payload):
    data = memoryview(len(payload).to_bytes(4, "little") + payload)
    while data:
        data = data[os.write(CHANNEL, data):]


serve()
