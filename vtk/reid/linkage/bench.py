"""Group synthetic tracklets, and say what it took: ``python -m vtk.reid.linkage.bench --tracklets 100000``.

Each person has a direction of its own, mixed with one that all in the same clothes share, and five tracklets on the
mean with noise: cosines of one person are about 0.6, of two in the same clothes about 0.2, of others about 0. Sources
hold 500 tracklets in an hour, and what overlaps there is kept apart, be it of one person or not. Prints one JSON line:
seconds of the search of candidates and of joining, the most memory that the process had beyond its inputs, B-cubed F
against the truth, and how many tracklets have more alike ones than were looked for.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np

from vtk.metrics.retrieval import b_cubed
from vtk.reid.constraints import Apartness, Constraints
from vtk.reid.identities import EXACT, NEIGHBOURS, first_seen
from vtk.reid.linkage import exact, sparse
from vtk.reid.tracklets import Tracklet

EACH = 5  # tracklets of a person
CLOTHES = 200  # kinds, by which strangers are alike
PER_SOURCE = 500


def crowd(count: int, length: int, seed: int = 0) -> tuple[list[Tracklet], np.ndarray, np.ndarray]:
    """Return ``count`` tracklets, their vectors (N, D) float32 of unit length, and who they are, (N,) int64."""
    rng = np.random.default_rng(seed)
    people = rng.integers(0, max(1, count // EACH), count)
    wearing = rng.integers(0, CLOTHES, count // EACH + 1)
    centres = unit(rng.standard_normal((count // EACH + 1, length), np.float32))
    clothes = unit(rng.standard_normal((CLOTHES, length), np.float32))
    vectors = unit(0.8 * centres[people] + 0.6 * clothes[wearing[people]]
                   + unit(rng.standard_normal((count, length), np.float32)) * np.float32(0.8))
    sources = rng.integers(0, count // PER_SOURCE + 1, count)
    start = rng.uniform(0, 3600, count)
    duration = rng.uniform(1, 30, count)
    tracklets = [Tracklet(f"cam{source}.mp4", number, begin, begin + lasting) for number, (source, begin, lasting) in
                 enumerate(zip(sources.tolist(), start.tolist(), duration.tolist(), strict=True))]
    return tracklets, vectors, people


def unit(rows: np.ndarray) -> np.ndarray:
    """Return rows at unit length."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def peak() -> float:
    """Return the most memory that the process has had, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Make a crowd, group it, print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--tracklets", type=int, default=100_000)
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--threshold", type=float, default=0.5)
    parser.add_argument("--neighbours", type=int, default=NEIGHBOURS)
    given = parser.parse_args()
    tracklets, vectors, people = crowd(given.tracklets, given.length)
    before, began = peak(), time.perf_counter()
    apart = Apartness(tracklets, Constraints())
    cut_short, middle = 0, began
    if given.tracklets <= EXACT:
        labels = exact.cut(exact.tree(vectors, apart), given.threshold)
    else:
        found = sparse.candidates(vectors, apart, given.threshold, given.neighbours)
        middle, cut_short = time.perf_counter(), found.cut_short
        labels = sparse.Chain(vectors, apart, given.threshold, found).run()
    ended = time.perf_counter()
    scores = b_cubed(first_seen(labels), people)
    print(json.dumps({
        "tracklets": given.tracklets, "length": given.length, "threshold": given.threshold,
        "neighbours": given.neighbours, "search_s": round(middle - began, 1), "join_s": round(ended - middle, 1),
        "extra_mb": round(peak() - before), "identities": len(np.unique(labels)), "f": round(100 * scores.f, 2),
        "cut_short": cut_short}))


if __name__ == "__main__":
    main()
