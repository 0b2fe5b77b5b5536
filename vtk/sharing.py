"""Records about many sources, shared out over as many lines as they need."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from vtk.records import Record, dump

# Bytes of a line, its newline among them, that parallel writers on one pipe do not tear. Source: PIPE_BUF of Linux.
LINE = 4096


def shared_out(record: Record, sources: Iterable[str]) -> list[Record]:
    """Return a record with ``sources``, or several that share these out where a line has no room for all.

    Each has all that the record has, and a part of the sources, in order, one at least.
    """
    found = [record | {"sources": []}]
    used = empty = len(dump(found[0])) + 1
    for name in sources:
        size = len(orjson.dumps(name)) + 1  # with its comma
        if used + size > LINE and found[-1]["sources"]:
            found.append(record | {"sources": []})
            used = empty
        found[-1]["sources"].append(name)
        used += size
    return found
