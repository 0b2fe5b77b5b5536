"""Which stored identity each cluster of a run is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.library import Library
from vtk.library.conditions import one_of
from vtk.reid.constraints import Apartness, Constraints
from vtk.reid.tracklets import Tracklet

FIRST = 64  # entries that are asked of the library for a cluster at first; more while they are alike enough
MOST = 16384  # entries beyond which a cluster asks for no more
BLOCK = 1024  # clusters that are searched together
PAIRED = 64  # tracklets of a cluster that are held against those of a name together


@dataclass(slots=True)
class Total:
    """The sum (D,) float64 of an identity's stored vectors, and how many there are."""

    sum: np.ndarray
    count: int = 0


class Seen:
    """Who was seen where and when in a run, as far as names are given.

    Args:
        tracklets: of the run.
        constraints: what keeps two of them from being one person.
    """

    def __init__(self, tracklets: Sequence[Tracklet], constraints: Constraints) -> None:
        self._apart = Apartness(tracklets, constraints) if constraints.any else None
        self._rows: dict[str, list[int]] = defaultdict(list)

    def add(self, name: str, rows: Iterable[int]) -> None:
        """Take note that tracklets are called ``name``."""
        self._rows[name] += map(int, rows)

    def admits(self, name: str, rows: np.ndarray) -> bool:
        """Return whether none of the tracklets ``rows`` (n,) is kept apart from one that is called ``name``."""
        if self._apart is None or name not in self._rows:
            return True
        named = np.array(self._rows[name])
        return not any(self._apart.why(rows[begin : begin + PAIRED, None], named[None]).any()
                       for begin in range(0, len(rows), PAIRED))


def clusters_of(labels: np.ndarray) -> list[np.ndarray]:
    """Return the rows of each label (N,), clusters in the order of their first row."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(inverse[order])) + 1) if len(labels) else []
    return [parts[place] for place in np.argsort(first)]


def most_common(names: Iterable[str]) -> str:
    """Return the name that comes most often, of equal ones the first by name."""
    counts = Counter(names)
    return min(counts, key=lambda name: (-counts[name], name))


def totals(library: Library, names: Sequence[str]) -> dict[str, Total]:
    """Return what the means of the named identities are made of."""
    found: dict[str, Total] = {}
    for where in one_of("group", names):
        for entry in library.read(where):
            total = found.setdefault(entry.group, Total(np.zeros(library.space.dim)))
            total.sum += entry.vector
            total.count += 1
    return found


def matched(library: Library, units: np.ndarray, clusters: Sequence[np.ndarray], threshold: float,
            seen: Seen) -> dict[int, str]:
    """Return the stored identity of each cluster that is one, by its place in ``clusters``.

    A cluster may be an identity if the mean cosine of its vectors to all that are stored of it is ``threshold`` or
    more. The best pair is taken first, then the best of the rest, as average linkage does; a cluster has one identity,
    and an identity several clusters only where ``seen`` admits it. An identity with a mean of ``threshold`` has an
    entry that is as near to the cluster's mean vector; all those entries are asked for, up to MOST.

    Args:
        units: (N, D) float32 of unit length.
        clusters: rows of each.
        threshold: a cosine.
        seen: what is named already; it takes note of what is found.
    """
    means = np.stack([units[rows].astype(np.float64).mean(axis=0) for rows in clusters])
    near = _near(library, means, threshold)
    known = totals(library, sorted(set().union(*near)))
    pairs = sorted((-score, place, name) for place, names in enumerate(near) for name in names
                   if (score := float(means[place] @ known[name].sum) / known[name].count) >= threshold)
    found: dict[int, str] = {}
    for _, place, name in pairs:
        if place not in found and seen.admits(name, clusters[place]):
            found[place] = name
            seen.add(name, clusters[place])
    return found


def _near(library: Library, means: np.ndarray, threshold: float) -> list[set[str]]:
    """Return the identities that may be each of ``means`` (C, D): those with an entry alike enough."""
    found: list[set[str]] = [set() for _ in means]
    lengths = np.linalg.norm(means, axis=1)
    # The mean of many that point everywhere is like nobody.
    asking = [place for place in range(len(means)) if lengths[place] > max(0.0, threshold) and lengths[place] > 0]
    size, k = len(library), FIRST
    while asking and size:
        again = []
        for begin in range(0, len(asking), BLOCK):
            some = asking[begin : begin + BLOCK]
            for place, hits in zip(some, library.search(means[some], min(k, size)), strict=True):
                alike = int((hits.scores * lengths[place] >= threshold - 1e-6).sum())
                found[place] = set(hits.groups[:alike])
                if alike == len(hits) < min(size, MOST):
                    again.append(place)
        asking, k = again, 4 * k
    return found


def agreement(units: np.ndarray, names: Sequence[str], known: Mapping[str, Total]) -> np.ndarray:
    """Return (N,) float64 in [0, 1], the mean cosine of each row to the other entries of its name; 1 where it is alone.

    Args:
        units: (N, D) float32, as the library keeps them.
        names: N, of rows that are among what ``known`` sums up.
    """
    out = np.ones(len(units))
    for row, name in enumerate(names):
        total, unit = known[name], units[row].astype(np.float64)
        if total.count > 1:
            out[row] = (unit @ total.sum - unit @ unit) / (total.count - 1)
    return np.clip(out, 0, 1)


