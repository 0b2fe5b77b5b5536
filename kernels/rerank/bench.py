"""``python -m vtk.kernels.rerank.bench``: time and peak memory at the size of Market-1501, in a process of its own.

The runner of all kernels holds each against its reference, which at this size would hold all pairs eight times over.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.cosine_topk.cases import people
from vtk.kernels.rerank import rerank, rerank_topk
from vtk.kernels.rerank.rivals import usual

# Queries and gallery of Market-1501.
QUERIES, GALLERY = 3368, 15913


def main() -> None:
    """Print a JSON line for each: seconds, and the process's peak memory before and after."""
    parser = argparse.ArgumentParser(prog="python -m vtk.kernels.rerank.bench", description=__doc__)
    parser.add_argument("--length", type=int, default=2048, help="values of a feature (default: 2048)")
    parser.add_argument("--rows", type=int, default=QUERIES + GALLERY, help="of both (default: Market-1501's)")
    parser.add_argument("--top", type=int, help="the nearest alone, this many (default: all distances)")
    parser.add_argument("--usual", action="store_true", help="then the usual NumPy code too: many gigabytes, minutes")
    options = parser.parse_args()
    rows = people(options.rows, options.length, np.random.default_rng(0), each=20)
    count = options.rows * QUERIES // (QUERIES + GALLERY)
    given = {"queries": rows[:count], "gallery": rows[count:]}
    rerank(rows[:30], rows[-30:])  # loads what was compiled
    run = partial(rerank, **given) if options.top is None else partial(rerank_topk, **given, k=options.top)
    _report("ours", run, options)
    if options.usual:
        _report("usual NumPy code", usual(given | {"k1": 20, "k2": 6, "weight": 0.3}), options)


def _report(name: str, run: Callable[[], Any], options: argparse.Namespace) -> None:
    """Print what one run takes."""
    before, start = _peak(), time.perf_counter()
    run()
    seconds = time.perf_counter() - start
    print(json.dumps({
        "implementation": name, "rows": options.rows, "length": options.length, "top": options.top,
        "seconds": round(seconds, 2), "peak_mb_before": round(before), "peak_mb": round(_peak()),
    }), flush=True)  # fmt: skip


def _peak() -> float:
    """Return the most memory that the process held so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


if __name__ == "__main__":
    main()
