"""``python -m vtk.kernels.hamming_topk.bench``: many queries against a large base, time and peak memory.

The runner of all kernels holds each against its reference for all queries, which at this size would take an hour: here
some of them are, and all distances against faiss where it is installed.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.hamming_topk import hamming_topk, reference
from vtk.kernels.hamming_topk.cases import search
from vtk.kernels.hamming_topk.rivals import faiss_topk

# Queries that the reference is asked too.
CHECKED = 3


def main(argv: list[str] | None = None) -> int:
    """Print a JSON line for each: seconds, the process's peak memory before and after; return 1 where ours is wrong."""
    parser = argparse.ArgumentParser(prog="python -m vtk.kernels.hamming_topk.bench", description=__doc__)
    parser.add_argument("--queries", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000, help="of the base (default: 1,000,000)")
    parser.add_argument("--bytes", type=int, default=32, help="of a row (default: 32)")
    parser.add_argument("--top", type=int, default=10, help="rows to find (default: 10)")
    options = parser.parse_args(argv)
    given = search(options.queries, options.rows, options.bytes, np.random.default_rng(0), k=options.top)
    hamming_topk(given["queries"], given["base"][:100], 1)  # loads what was compiled
    distances, indices = _timed("ours", lambda: hamming_topk(**given), options)
    wanted = reference.hamming_topk(given["queries"][:CHECKED], given["base"], options.top)
    right = bool((distances[:CHECKED] == wanted[0]).all() and (indices[:CHECKED] == wanted[1]).all())
    rival = faiss_topk(given)
    if rival is not None:
        theirs, _ = _timed("faiss binary flat, filled", rival, options)
        right = right and bool((theirs == distances).all())
    if not right:
        sys.stderr.write("the distances found are not the reference's or faiss'\n")
    return 0 if right else 1


def _timed(name: str, run: Callable[[], Any], options: argparse.Namespace) -> Any:
    """Print what one run takes; return its result."""
    before, start = _peak(), time.perf_counter()
    result = run()
    seconds = time.perf_counter() - start
    print(json.dumps({
        "implementation": name, **vars(options), "seconds": round(seconds, 5),
        "pairs_per_s": round(options.queries * options.rows / seconds), "peak_mb_before": round(before),
        "peak_mb": round(_peak()),
    }), flush=True)  # fmt: skip
    return result


def _peak() -> float:
    """Return the most memory that the process held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    sys.exit(main())
