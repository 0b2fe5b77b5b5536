"""Writers that are killed in the middle of their work, and what must be there afterwards.

Two processes write one library at once: they add, rename, remove and compact, and say when they begin and when the
library has acknowledged. At a random moment both get SIGKILL. Then every change that was acknowledged must be there,
none twice, and the one that was under way wholly or not at all.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vtk.library.entries import Entry
from vtk.library.library import Library
from vtk.library.space import Space

SPACE = Space("kills", "0" * 64, 32)
LONGEST = 0.4  # seconds from a writer's first acknowledged change to its end
MOST = 24  # entries of one commit


@dataclass
class Expected:
    """What a library must hold.

    Attributes:
        groups: the group of each id that was acknowledged.
        changes: how many were acknowledged.
        kept: how many that were under way at a kill had been committed.
        lost: what was found wrong, a line each.
    """

    groups: dict[str, str] = field(default_factory=dict)
    changes: int = 0
    kept: int = 0
    lost: list[str] = field(default_factory=list)


def vector_of(name: str) -> np.ndarray:
    """Return the vector (D,) float32 of length 1 that belongs to an id."""
    vector = np.random.default_rng(list(name.encode())).standard_normal(SPACE.dim).astype(np.float32)
    return vector / np.linalg.norm(vector)


def write(uri: str, name: str) -> None:
    """Change a library until killed; state each change on stdout before it begins and after it is acknowledged."""
    chance = random.Random(name)
    library = Library.open(uri, SPACE)
    mine: dict[str, list[str]] = {}
    for number in range(1_000_000):
        kind = chance.choices(("add", "rename", "remove", "compact"), (12, 3, 2, 1))[0]
        group = chance.choice(sorted(mine)) if mine else ""
        change: dict[str, Any] = {"kind": "add" if not group else kind, "group": group}
        if change["kind"] == "add":
            change["group"] = f"{name}-{number}"
            change["ids"] = [f"{name}-{number}-{row}" for row in range(chance.randint(1, MOST))]
        _say({"begin": change})
        apply(library, change)
        _say({"done": change})
        follow(mine, change)


def apply(library: Library, change: dict[str, Any]) -> None:
    """Make a change to a library."""
    if change["kind"] == "add":
        library.add([Entry(name, vector_of(name), change["group"]) for name in change["ids"]])
    elif change["kind"] == "rename":
        library.rename(change["group"], change["group"] + "r")
    elif change["kind"] == "remove":
        library.remove(group=change["group"])
    else:
        library.compact()


def follow(groups: dict[str, list[str]], change: dict[str, Any]) -> None:
    """Make the same change to what is known of groups and their ids."""
    if change["kind"] == "add":
        groups[change["group"]] = change["ids"]
    elif change["kind"] == "rename":
        groups[change["group"] + "r"] = groups.pop(change["group"])
    elif change["kind"] == "remove":
        del groups[change["group"]]


def run(uri: str, kills: int, seed: int = 0) -> Expected:
    """Kill ``kills`` writers of the library at ``uri``, two at a time, and return what was found."""
    chance = random.Random(seed)
    expected = Expected()
    Library.open(uri, SPACE)
    for start in range(0, kills, 2):
        writers = [_started(uri, f"{seed}.{start + place}") for place in range(min(2, kills - start))]
        for writer in writers:
            writer.first = writer.process.stdout.readline()  # it runs now
        told = [_killed(writer, chance) for writer in sorted(writers, key=lambda _: chance.random())]
        _check(uri, told, expected)
    return expected


@dataclass
class _Writer:
    process: subprocess.Popen[bytes]
    first: bytes = b""


def _started(uri: str, name: str) -> _Writer:
    command = [sys.executable, "-c", "import sys; from vtk.library.kills import write; write(*sys.argv[1:])", uri, name]
    return _Writer(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    bufsize=0))


def _killed(writer: _Writer, chance: random.Random) -> list[dict[str, Any]]:
    time.sleep(chance.uniform(0, LONGEST))
    died = writer.process.poll()
    writer.process.kill()
    out, err = writer.process.communicate()
    if died is not None:
        raise RuntimeError(f"a writer ended by itself: {err.decode()[-2000:]}")
    # A line that the kill cut short was not acknowledged.
    return [json.loads(line) for line in (writer.first + out).split(b"\n")[:-1]]


def _check(uri: str, told: list[list[dict[str, Any]]], expected: Expected) -> None:
    with Library.open(uri, create=False) as library:
        entries = list(library.read())
    found = {entry.id: entry.group for entry in entries}
    if len(found) != len(entries):
        expected.lost.append(f"{len(entries) - len(found)} entries twice")
    for lines in told:
        groups: dict[str, list[str]] = {}
        for line in lines:
            if "done" in line:
                follow(groups, line["done"])
                expected.changes += 1
        if lines and "begin" in lines[-1]:
            after = {name: list(ids) for name, ids in groups.items()}
            follow(after, lines[-1]["begin"])
            if after != groups and all(item in found.items() for item in _flat(after)) and not any(
                    name in found for name in dict(_flat(groups)) if name not in dict(_flat(after))):
                groups = after
                expected.kept += 1
        expected.groups.update(_flat(groups))
    expected.lost += [f"{name}: {found.get(name)} instead of {group}" for name, group in expected.groups.items()
                      if found.get(name) != group]
    expected.lost += [f"{name} was removed, or added in part" for name in found if name not in expected.groups]
    expected.lost += [f"{entry.id} has another vector" for entry in entries
                      if np.abs(entry.vector.astype(np.float32) - vector_of(entry.id)).max() > 2**-11]


def _flat(groups: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, group) for group, ids in groups.items() for name in ids]


def _say(line: dict[str, Any]) -> None:
    os.write(1, json.dumps(line).encode() + b"\n")
