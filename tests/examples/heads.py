"""What the comment head of a playbook says: commands, and what each of them prints.

Lines indented by three spaces are one or the other. A block that begins with `{` or `[` is what the
command before it prints, as JSON; any other block is a command for the shell.
"""
import json
from dataclasses import dataclass


@dataclass
class Shown:
    command: str
    prints: object = None


def shown(text: str) -> list[Shown]:
    found: list[Shown] = []
    for block in blocks(text):
        if block[0][0] not in "{[":
            found.append(Shown("\n".join(block)))
        elif found and found[-1].prints is None:
            found[-1].prints = json.loads("\n".join(block))
        else:
            raise ValueError(f"nothing that prints comes before {block[0]}")
    return found


def blocks(text: str) -> list[list[str]]:
    found, open_block = [], False
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        indented = line.startswith("#   ")
        if indented and open_block:
            found[-1].append(line[4:])
        elif indented:
            found.append([line[4:]])
        open_block = indented
    return found
