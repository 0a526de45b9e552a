"""Finds the functions of a C++ file and their lengths, without a compiler.

Comments and literals are blanked first; then every `{` is named by the text before it. Only bodies
that stand in a namespace or class count; lambdas and local classes are part of theirs."""
import re

NOT_A_FUNCTION = re.compile(
    r"\b(namespace|class|struct|union|enum|extern)\b(?!.*\))|=\s*$|,\s*$|^\s*$")
BLANKED = re.compile(
    r'R"(?P<tag>[^(\s]*)\(.*?\)(?P=tag)"|"(?:\\.|[^"\\\n])*"'  # strings, raw and not
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'"  # characters, but not 1'000
    r"|//[^\n]*|/\*.*?\*/", re.S)


def blank(text: str) -> str:
    """The text with comments and literals replaced by spaces, so that lines and columns stay."""
    return BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), text)


def functions(text: str) -> list[tuple[int, int]]:
    """(first line, number of lines) of each function body with its signature."""
    code = re.sub(r"^[ \t]*#(?:\\\n|[^\n])*", lambda m: re.sub(r"[^\n]", " ", m[0]), blank(text),
                  flags=re.M)
    found, opened, start = [], [], 0
    for match in re.finditer(r"[{};]|\b(?:public|private|protected)\s*:", code):
        at, mark = match.start(), match[0]
        inside = any(kind == "function" for kind, _ in opened)
        if mark == "{":
            before = code[start:at]
            opened.append((kind_of(before, inside), first_line(code, start)))
            if opened[-1][0] != "initialiser":
                start = match.end()
        elif mark == "}":
            kind, line = opened.pop() if opened else ("other", 0)
            if kind == "function":
                found.append((line, code.count("\n", 0, at) + 1 - line + 1))
            # After an initialiser's `}` the same declaration goes on.
            if kind != "initialiser":
                start = match.end()
        elif not any(kind == "initialiser" for kind, _ in opened):
            start = match.end()
    return found


def kind_of(before: str, inside: bool) -> str:
    if inside:
        return "nested"
    if ")" in before and not NOT_A_FUNCTION.search(before):
        tail = before[before.rindex(")") + 1:]
        # `class CAPABILITY("mutex") Mutex {` is a class; after a function's `)` stand only these.
        if re.match(r"\s*(?!const|noexcept|override|final|mutable|try|volatile)\w", tail):
            return "other"
        # `Thing(int x) : member_{x}` opens an initialiser of a member before the body.
        member = re.search(r"[:,]\s*\w+\s*$", tail) and "::" not in tail
        return "initialiser" if member else "function"
    return "other"


def first_line(code: str, start: int) -> int:
    while start < len(code) and code[start].isspace():
        start += 1
    return code.count("\n", 0, start) + 1
