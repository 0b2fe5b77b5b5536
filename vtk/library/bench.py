"""Time a library, or kill its writers: ``python -m vtk.library.bench [--rows N …] [--kills N]``.

Makes a library of random vectors in clusters (ten rows about each centre, cosine 0.5 to one another, about), as its
users' are, in a temporary folder of up to 4 GB at a million rows, and prints one JSON object a size:

    add_per_s          rows added a second, in commits of --batch, one after another
    open_s             opening it in a process that has LanceDB loaded; import_s is what loading that takes
    first_s            the first exact search, which reads all vectors into memory
    exact_ms           exact search, a query: one alone, and each of a batch of 64
    index_s            building the index; index_ms and recall as exact_ms, and how many of the exact ten it
                       finds, at each of --probes
    peak_mb            the most memory that the process held, before the index is built and in all
    disk_mb            of the folder after adding; with the index after building it

With --kills: so many writers are killed in the middle of their changes, two at a time; prints what was acknowledged
and what of that is lost, and fails where anything is.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from vtk.library import Columns, Library, Space
from vtk.library.hits import Hits
from vtk.library.kills import run

QUERIES = 64
DISTINCT = 10  # rows about a centre


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.library.bench", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--rows", type=int, nargs="*", default=[100_000, 1_000_000], help="sizes of the libraries")
    parser.add_argument("--dim", type=int, default=256, help="components of a vector")
    parser.add_argument("--dtype", default="float16", choices=("float16", "float32"), help="of what is stored")
    parser.add_argument("--batch", type=int, default=50_000, help="rows of one commit")
    parser.add_argument("--index", default="sq", choices=("sq", "rq", "pq", "hnsw", "none"), help="kind of index")
    parser.add_argument("--probes", type=int, nargs="*", default=[None], help="partitions that a search looks at")
    parser.add_argument("--kills", type=int, default=0, help="kill so many writers, and time nothing")
    parser.add_argument("--seed", type=int, default=0, help="of the kills")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.kills:
            return _kills(folder, given.kills, given.seed)
        for rows in given.rows:
            print(json.dumps(measure(f"{folder}/{rows}.lance", rows, given)), flush=True)
    return 0


def measure(uri: str, rows: int, given: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of a library of ``rows`` entries."""
    space = Space("bench", "0" * 64, given.dim)
    import_s = _timed(lambda: __import__("lancedb"))[0]
    library = Library.open(uri, space, dtype=given.dtype)
    row: dict[str, Any] = {"rows": rows, "dim": given.dim, "dtype": given.dtype, "cpus": os.cpu_count(),
                           "import_s": round(import_s, 2), "add_per_s": round(_filled(library, rows, given))}
    row["disk_mb"] = _megabytes(uri)
    open_s, library = _timed(lambda: Library.open(uri, space))
    queries = clustered(rows, given.dim, -1, QUERIES)
    library_first, _ = _timed(lambda: library.search(queries[:1], 10, method="exact"))
    row |= {"open_s": round(open_s, 3), "first_s": round(library_first, 2)}
    row["exact_ms"], exact = _search_ms(lambda some: library.search(some, 10, method="exact"), queries)
    row["peak_mb"] = [_peak()]
    if given.index != "none":
        row["index"], row["index_s"] = given.index, round(_timed(lambda: library.index(given.index))[0], 1)
        for probes in given.probes:
            end = f"_{probes}" if probes else ""
            row["index_ms" + end], near = _search_ms(
                lambda some, probes=probes: library.search(some, 10, method="index", probes=probes), queries)
            row["recall" + end] = round(float(np.mean([len(set(a.ids) & set(b.ids)) / 10
                                                       for a, b in zip(exact, near, strict=True)])), 3)
        row["peak_mb"].append(_peak())
        row["disk_with_index_mb"] = _megabytes(uri)
    return row


def clustered(rows: int, dim: int, part: int, count: int) -> np.ndarray:
    """Return ``count`` vectors (count, ``dim``) float32 of a set of ``rows``, each near one of rows / 10 centres."""
    chance = np.random.default_rng([7, part + 1])
    centres = chance.integers(0, max(1, rows // DISTINCT), count)
    known, inverse = np.unique(centres, return_inverse=True)
    near = np.stack([np.random.default_rng([3, int(centre)]).standard_normal(dim, np.float32) for centre in known])
    return near[inverse] + chance.standard_normal((count, dim), np.float32)


def _filled(library: Library, rows: int, given: argparse.Namespace) -> float:
    spent = 0.0
    for first in range(0, rows, given.batch):
        count = min(given.batch, rows - first)
        numbers = range(first, first + count)
        part = Columns([f"entry-{number:08d}" for number in numbers], clustered(rows, given.dim, first, count),
                       [f"group-{number // 20}" for number in numbers], t=np.arange(first, first + count) / 25)
        spent += _timed(lambda part=part, count=count: library.add(part, batch=count))[0]
    return rows / spent


def _search_ms(search: Callable[[np.ndarray], list[Hits]], queries: np.ndarray) -> tuple[list[float], list[Hits]]:
    search(queries[:1])
    alone = statistics.median(_timed(lambda one=one: search(queries[one : one + 1]))[0] for one in range(9))
    times, found = zip(*(_timed(lambda: search(queries)) for _ in range(3)), strict=True)
    return [round(1e3 * alone, 2), round(1e3 * statistics.median(times) / len(queries), 2)], found[0]


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def _megabytes(uri: str) -> int:
    return sum(path.stat().st_size for path in Path(uri).rglob("*") if path.is_file()) // 2**20


def _peak() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // (2**20 if sys.platform == "darwin" else 2**10)


def _kills(folder: str, kills: int, seed: int) -> int:
    start = time.perf_counter()
    found = run(f"{folder}/killed.lance", kills, seed)
    print(json.dumps({"kills": kills, "acknowledged": found.changes, "entries": len(found.groups),
                      "committed_unacknowledged": found.kept, "lost": found.lost[:20],
                      "seconds": round(time.perf_counter() - start)}))
    return 1 if found.lost else 0


if __name__ == "__main__":
    sys.exit(main())
