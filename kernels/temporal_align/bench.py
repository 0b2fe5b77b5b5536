"""``python -m vtk.kernels.temporal_align.bench``: time and memory on the nearest frames of two long videos.

The runner of all kernels holds each against its reference, which would build the map.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels import temporal_align
from vtk.kernels.temporal_align.cases import NAMES, nearest
from vtk.kernels.timing import peak_memory


def main() -> None:
    """Print a JSON line for each aligner: seconds, the processor's, and megabytes beside the entries."""
    parser = argparse.ArgumentParser(prog="python -m vtk.kernels.temporal_align.bench", description=__doc__)
    parser.add_argument("--frames", type=int, default=36_000, help="of each video (default: ten hours, one a second)")
    parser.add_argument("--top", type=int, default=20, help="entries for each query frame (default: 20)")
    options = parser.parse_args()
    entries = nearest(options.frames, np.random.default_rng(0), options.top)
    for name in NAMES:
        align = getattr(temporal_align, name)
        align(nearest(100, np.random.default_rng(0)))  # loads what was compiled
        print(json.dumps({"function": name, **vars(options), **_measure(partial(align, entries))}), flush=True)


def _measure(run: Callable[[], Any]) -> dict[str, Any]:
    """Return what one run takes, and how many segments it finds."""
    start, busy = time.perf_counter(), time.process_time()
    found = run()
    taken = {"seconds": round(time.perf_counter() - start, 2), "cpu_seconds": round(time.process_time() - busy, 2)}
    peak = peak_memory(run)
    return taken | {"segments": len(found)} | ({} if peak is None else {"peak_mb": round(peak / 1e6)})


if __name__ == "__main__":
    main()
