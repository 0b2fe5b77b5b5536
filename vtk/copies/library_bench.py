"""Time a library of references as it grows: ``python -m vtk.copies.library_bench [--frames N …]``.

References of --length frames of random vectors, of the default descriptor's dimensions, in clusters (ten frames about
each centre, cosine about 0.5 to one another), grow in one library in a temporary folder. Two JSON objects are printed
at each size, the second when the index is built, which takes longest:

    add_fps          frames added a second, one reference after another, each committed by itself; bulk_fps: those that
                     were written in commits of --bulk frames, so that the size is reached in time: 0 where none were
    bytes_per_frame  of the data files that are current; disk_mb of the folder, old versions and index included
    open_s           opening the library; list_s what `vtk library list` does then
    first_s          the first exact search, which reads all vectors into memory; footprint_ms a reference's vectors
                     after it, and footprint_cold_ms before it
    exact_ms         a search of 20 frames exactly, a query frame: one alone, and each of a batch of 60
    index_s          building the index; index_ms as exact_ms; recall, the share of the exact 20 that it finds; and
                     footprint_index_ms, a reference's vectors out of files, by it
    peak_mb          the most memory that the process held

At each size both ways of searching are tried, whichever a search of that size takes by itself.
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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import typer

from vtk.copies.calibration import PLAIN, Calibration
from vtk.copies.footprint import Footprint
from vtk.copies.reference_library import ReferenceLibrary
from vtk.copies.union import Union

QUERIES, NEAREST = 60, 20
DISTINCT = 10  # frames about a centre


class Random:
    """Stands in for a descriptor: its vectors are drawn."""

    calibration: Calibration = PLAIN

    def __init__(self, name: str, dimensions: int) -> None:
        self.name, self.dimensions, self.sha256 = name, dimensions, "0" * 64
        self.space = f"{name}@{self.sha256[:12]}"

    def describe(self, frames: Sequence[np.ndarray]) -> np.ndarray:
        """Raise ValueError: there is nothing to see."""
        raise ValueError(f"got {len(frames)} frames, expected none: {self.name} draws its vectors")

    def scores(self, queries: np.ndarray, references: np.ndarray) -> np.ndarray:
        """Return (Q, R) float32 in [0, 1]."""
        return self.calibration(queries @ references.T)


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.library_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--frames", type=int, nargs="+", default=[10_000, 100_000, 1_000_000], help="sizes, rising")
    parser.add_argument("--dims", type=int, nargs="+", default=[255, 1024], help="of the descriptor's parts")
    parser.add_argument("--length", type=int, default=360, help="frames of a reference")
    parser.add_argument("--singly", type=int, default=100, help="references of each size that are added one by one")
    parser.add_argument("--bulk", type=int, default=20_000, help="frames of a commit of the others")
    parser.add_argument("--index", default="sq", choices=("sq", "rq", "pq", "hnsw", "none"), help="kind of index")
    parser.add_argument("--probes", type=int, nargs="*", default=[], help="partitions to look at, besides the default")
    given = parser.parse_args()
    parts = [Random(f"part{number}", dim) for number, dim in enumerate(given.dims)]
    descriptor = Union(parts) if len(parts) > 1 else parts[0]
    with tempfile.TemporaryDirectory() as folder:
        uri, there = f"{folder}/films.lance", 0
        for frames in given.frames:
            row = grown(uri, descriptor, there, frames, given)
            there = row["references"]
            for figures in measured(uri, descriptor, given):
                typer.echo(json.dumps({**row, **figures}))
    return 0


def grown(uri: str, descriptor: Any, there: int, frames: int, given: argparse.Namespace) -> dict[str, Any]:
    """Add references after the first ``there`` until the library has ``frames`` frames; return how fast."""
    count = round(frames / given.length)
    singly = min(given.singly, count - there)
    lot = max(1, given.bulk // given.length)
    spent, bulk = 0.0, 0.0
    with ReferenceLibrary.open(uri, descriptor) as references:
        for first in range(there, count - singly, lot):
            numbers = range(first, min(first + lot, count - singly))
            some = [drawn(number, descriptor, given.length) for number in numbers]
            bulk += _timed(lambda some=some: references.add_all(some))[0]
        for number in range(count - singly, count):
            one = drawn(number, descriptor, given.length)
            spent += _timed(lambda one=one: references.add(one))[0]
    many = count - singly - there
    return {"frames": count * given.length, "references": count, "dims": list(given.dims), "cpus": os.cpu_count(),
            "add_fps": round(singly * given.length / spent),
            "bulk_fps": round(many * given.length / bulk) if many else 0}


def measured(uri: str, descriptor: Any, given: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the figures of the library as it is, and those with an index."""
    open_s, references = _timed(lambda: ReferenceLibrary.open(uri, descriptor))
    names = [each.source for each in references.list()]
    some = names[:: max(1, len(names) // 9)][:9]
    stats = references.stats()
    row = {"bytes_per_frame": round(stats.bytes / stats.frames), "disk_mb": _megabytes(uri), "open_s": round(open_s, 2),
           "list_s": round(_timed(lambda: ReferenceLibrary.open(uri).list())[0], 2),
           "footprint_cold_ms": _footprint_ms(references, some)}
    queries = near(some[0], descriptor, given.length)[:QUERIES]
    row["first_s"] = round(_timed(lambda: references.search(queries[:1], NEAREST))[0], 2)
    row["footprint_ms"] = _footprint_ms(references, some)
    row["exact_ms"], exact = _search_ms(references, queries, "exact", None)
    yield {**row, "peak_mb": _peak()}
    references.close()
    if given.index == "none":
        return
    row = {"index": given.index, "index_s": round(_timed(lambda: references.index(given.index))[0], 1)}
    for probes in (None, *given.probes):
        end = f"_{probes}" if probes else ""
        row["index_ms" + end], found = _search_ms(references, queries, "index", probes)
        row["recall" + end] = round(float(np.mean([len(set(a) & set(b)) / NEAREST
                                                   for a, b in zip(exact, found, strict=True)])), 3)
    yield {**row, "footprint_index_ms": _footprint_ms(references, some), "disk_mb": _megabytes(uri), "peak_mb": _peak()}


def drawn(number: int, descriptor: Any, length: int) -> Footprint:
    """Return the footprint of reference ``number``, ``length`` frames, a frame a second."""
    vectors = near(f"films/{number:06d}.mp4", descriptor, length, noise=number)
    return Footprint(f"films/{number:06d}.mp4", np.arange(length) * 25, np.arange(length) * 1.0, vectors,
                     np.ones(length, np.float32), float(length), 25.0, 1280, 720, descriptor.space, f"print{number}",
                     "uniform:1")


def near(name: str, descriptor: Any, length: int, noise: int = -1) -> np.ndarray:
    """Return (length, D) float32 unit vectors about the centres of the ten references that ``name`` is among."""
    number = int(name[6:12])
    shape = length, descriptor.dimensions
    centres = np.random.default_rng([1, number // DISTINCT]).standard_normal(shape, np.float32)
    own = np.random.default_rng([2, number, noise + 1]).standard_normal(shape, np.float32)
    vectors = centres + own
    return descriptor.join(descriptor.split(vectors)) if isinstance(descriptor, Union) else (
        vectors / np.linalg.norm(vectors, axis=1, keepdims=True))


def _search_ms(references: ReferenceLibrary, queries: np.ndarray, method: Literal["exact", "index"],
               probes: int | None) -> tuple[list[float], list[list[int]]]:
    """Return milliseconds a frame, of one alone and of each of all, and the rows found of each."""
    def search(some: np.ndarray) -> np.ndarray:
        return references.search(some, NEAREST)[1]

    references.method, references.probes = method, probes
    search(queries[:1])
    alone = statistics.median(_timed(lambda one=one: search(queries[one : one + 1]))[0] for one in range(5))
    times, found = zip(*(_timed(lambda: search(queries)) for _ in range(3)), strict=True)
    return [round(1e3 * alone, 2), round(1e3 * statistics.median(times) / len(queries), 2)], found[0].tolist()


def _footprint_ms(references: ReferenceLibrary, names: Sequence[str]) -> float:
    return round(1e3 * statistics.median(_timed(lambda name=name: references.footprint(name))[0] for name in names), 2)


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    made = work()
    return time.perf_counter() - start, made


def _peak() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // (2**20 if sys.platform == "darwin" else 2**10)


def _megabytes(uri: str) -> int:
    return sum(path.stat().st_size for path in Path(uri).rglob("*") if path.is_file()) // 2**20


if __name__ == "__main__":
    sys.exit(main())
