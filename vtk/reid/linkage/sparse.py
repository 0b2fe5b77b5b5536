"""Average linkage over the nearest pairs alone: memory in proportion to the rows, for a hundred thousand and more.

The likeness of two groups is the dot product of their rows' means, so it is exact whichever pairs were looked at. What
is approximate is which groups are held against each other: those of which some row is among the k nearest of a row of
the other, and at least as alike as the threshold. Where each row's k-th is below the threshold nothing is missed, since
groups that are alike on the mean hold a pair that is; ``Candidates.cut_short`` counts the rows of which that isn't so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vtk.kernels.cosine_topk import cosine_topk
from vtk.reid.constraints import Apartness

# Pairs whose constraints are looked at together.
PAIRS = 1 << 20
# A mean of float32 rows may be so much off.
SLACK = 1e-6


@dataclass(frozen=True, slots=True)
class Candidates:
    """Which rows may be joined to begin with, both ways.

    Attributes:
        starts: (N + 1,) int64, where each row's begin in ``rows``.
        rows: (E,) int32, ascending for each row.
        cut_short: rows that may have more than the k which were looked for.
    """

    starts: np.ndarray
    rows: np.ndarray
    cut_short: int


def candidates(vectors: np.ndarray, apart: Apartness | None, threshold: float, k: int) -> Candidates:
    """Return the pairs that are among each row's k nearest, as alike as the threshold, and not apart.

    Args:
        vectors: (N, D) float32 of unit length; may be memory-mapped.
        apart: what cannot be joined; None: nothing.
        threshold: the least cosine.
        k: neighbours of a row.
    """
    count = len(vectors)
    k = min(k + 1, count)  # a row is its own nearest, or a copy of it is
    nearest, scores = cosine_topk(vectors, vectors, k)
    alike = (nearest >= 0) & (scores >= threshold - SLACK)
    cut_short = int(alike[:, -1].sum()) if k < count else 0
    first = np.broadcast_to(np.arange(count, dtype=np.int32)[:, None], nearest.shape)[alike]
    second = nearest[alike].astype(np.int32)
    del nearest, scores, alike
    codes = np.unique(np.minimum(first, second).astype(np.int64) * count + np.maximum(first, second))
    low, high = codes // count, codes % count
    together = low != high
    if apart is not None:
        for start in range(0, len(low), PAIRS):
            part = slice(start, start + PAIRS)
            together[part] &= apart.why(low[part], high[part]) == 0
    low, high = low[together].astype(np.int32), high[together].astype(np.int32)
    ends, others = np.concatenate([low, high]), np.concatenate([high, low])
    order = np.lexsort((others, ends))
    starts = np.concatenate([[0], np.cumsum(np.bincount(ends, minlength=count))])
    return Candidates(starts, others[order], cut_short)


class Chain:
    """Groups of rows, joined along chains of nearest neighbours.

    Args:
        vectors: (N, D) float32 of unit length.
        apart: what cannot be joined; None: nothing.
        threshold: the least mean cosine of two groups that are joined.
        found: the pairs to begin with.
    """

    def __init__(self, vectors: np.ndarray, apart: Apartness | None, threshold: float, found: Candidates) -> None:
        self._threshold, self._apart = threshold - SLACK, apart
        self._sums = np.array(vectors, np.float32)  # of the rows of each group, at its lowest row
        self._sizes = np.ones(len(vectors))
        self._near = [found.rows[a:b] for a, b in zip(found.starts[:-1], found.starts[1:], strict=True)]
        self._members: dict[int, np.ndarray] = {}
        self._owner = np.arange(len(vectors), dtype=np.int32)  # the group of each row, named by its lowest

    def run(self) -> np.ndarray:
        """Join all that can be, and return (N,) int32, the lowest row of each row's group."""
        for row in range(len(self._owner)):
            if self._owner[row] == row and len(self._near[row]):
                self._follow(row)
        return self._owner

    def _follow(self, row: int) -> None:
        """Join along the chain that begins at a group, until there is nothing that this group can join."""
        chain = [(row, -np.inf)]
        while chain:
            group, reached = chain[-1]
            other, alike = self._nearest(group)
            if alike > reached:
                chain.append((other, alike))
            elif len(chain) > 1:  # of equal ones the one before: they are each other's nearest
                joined = self._join(chain[-2][0], group)
                del chain[-2:]
                if not chain:
                    chain.append((joined, -np.inf))
            else:
                return

    def _nearest(self, group: int) -> tuple[int, float]:
        """Return the most alike group that may be joined, of equal ones the first; (-1, -inf): there is none."""
        others = self._owner[self._near[group]]
        others = np.unique(others[others != group])
        # In float64, each row by itself: the same from either side.
        sums = np.einsum("nd,d->n", self._sums[others].astype(np.float64), self._sums[group].astype(np.float64))
        alike = sums / (self._sizes[others] * self._sizes[group])
        # What is not alike enough now never will be, but by what its other part is near to.
        kept = alike >= self._threshold
        others, alike = others[kept], alike[kept]
        gone = []
        best = -1, -np.inf
        for place in np.lexsort((others, -alike)):
            if not self._conflict(group, int(others[place])):
                best = int(others[place]), float(alike[place])
                break
            gone.append(place)
        self._near[group] = np.delete(others, gone)
        return best

    def _conflict(self, a: int, b: int) -> bool:
        """Return whether two groups hold rows that are apart; those of two single rows are no candidates."""
        if self._apart is None or (self._sizes[a] == 1 and self._sizes[b] == 1):
            return False
        ones, others = self._rows(a), self._rows(b)
        if not self._apart.wide:  # only rows of one source can be apart
            source = self._apart.source
            shared = np.intersect1d(source[ones], source[others])
            if not len(shared):
                return False
            ones, others = ones[np.isin(source[ones], shared)], others[np.isin(source[others], shared)]
        return any(bool((self._apart.why(part[:, None], others) > 0).any())
                   for part in np.array_split(ones, 1 + len(ones) * len(others) // PAIRS))

    def _join(self, a: int, b: int) -> int:
        """Make two groups one and return its name."""
        low, high = min(a, b), max(a, b)
        rows = np.concatenate([self._rows(low), self._rows(high)])
        self._owner[self._rows(high)] = low
        self._members[low] = rows
        self._members.pop(high, None)
        self._sums[low] += self._sums[high]
        self._sizes[low] += self._sizes[high]
        self._near[low] = np.concatenate([self._near[low], self._near[high]])
        self._near[high] = self._near[high][:0]
        return low

    def _rows(self, group: int) -> np.ndarray:
        """Return the rows of a group."""
        return self._members[group] if group in self._members else np.array([group])
