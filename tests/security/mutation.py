"""Inputs made bad: structures and bytes changed at random, the same for a seed; and what a process grew meanwhile."""

import copy
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = 20_261_122

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, 2**70, -(2**63) - 1, 0.5, 1e308, "", " ", "0", "-1", "NaN", "1e999",
    "\x00", "a\x00b", "\ud800", "\u202e", "x" * 20_000, "👍" * 500, "한국어" * 300, "<@U0BOT>", "../../etc/passwd",
    "{{7*7}}", "%s%s%n", "' OR 1=1 --", "<script>alert(1)</script>", "9999999999999.9", "1700000100.000100", [], {},
    [None], [[]], {"": ""}, {"id": None}, [{}], ["x"] * 500,
)  # fmt: skip


def mutate(value: Any, source: random.Random) -> Any:
    """A structure of JSON with one to four changes: other values, names gone, copied, doubled or moved."""
    holder = {"root": copy.deepcopy(value)}
    for _ in range(source.choice((1, 1, 2, 4))):
        if places := list(_walk(holder)):
            _change(*source.choice(places), source)
    return holder.get("root")


def mutate_bytes(content: bytes, source: random.Random, *, most: int = 8) -> bytes:
    """Bytes flipped, cut out, doubled, spliced or cut off."""
    changed = bytearray(content)
    for _ in range(source.randint(1, most)):
        at = source.randrange(len(changed) + 1)
        length = source.choice((1, 2, 4, 16, 256, 4096))
        way = source.randrange(7)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << source.randrange(8)
        elif way == 1:
            del changed[at : at + length]
        elif way == 2:
            changed[at:at] = changed[at : at + length]
        elif way == 3:
            changed[at : at + length] = source.randbytes(length)
        elif way == 4:
            changed[at:at] = source.choice((b"\x00" * length, b"\xff" * length, b"(" * length, b"<a>" * length))
        elif way == 5 and source.random() < 0.3:
            del changed[at:]
        else:
            begin = source.randrange(len(changed) + 1)
            changed[at : at + length] = changed[begin : begin + length]
    return bytes(changed)


def dump(value: Any) -> bytes:
    """As JSON that holds unpaired surrogates and infinite numbers too, as hostile senders write it."""
    return json.dumps(value).encode()


def read_memory_mib(process_id: int | str = "self") -> float:
    """Resident memory of a process."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process_id}/status").read_text())
    assert found
    return int(found[1]) / 1024


def _walk(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a structure, as its holder and key."""
    waiting = [value]
    while waiting:
        holder = waiting.pop()
        entries = holder.items() if isinstance(holder, dict) else enumerate(holder) if isinstance(holder, list) else ()
        for key, inner in entries:
            yield holder, key
            waiting.append(inner)


def _change(parent: Any, key: Any, source: random.Random) -> None:
    way = source.randrange(8)
    if way < 4:
        parent[key] = copy.deepcopy(source.choice(_ODD))
    elif way == 4:
        del parent[key]
    elif way == 5:
        parent[key] = [parent[key]]
    elif way == 6:
        parent[key] = _nest(parent[key], source.choice((2, 60, 200)))
    elif isinstance(parent[key], str):
        at = source.randrange(len(parent[key]) + 1)
        parent[key] = (
            parent[key][:at] + source.choice(("\x00", "\ud800", ":", "|", "<", " ", "é", "{}")) + parent[key][at:]
        )
    else:
        parent[key] = str(parent[key])


def _nest(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = {"a": value} if depth % 2 else [value]
    return value
