"""Who is most like an identity of a gallery, by k-reciprocal neighbours: for people to look at and to merge by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vtk.kernels.rerank import rerank
from vtk.library import Entry
from vtk.library.conditions import quoted
from vtk.reid.matching import totals
from vtk.reid.people import Gallery

ASKING = 32  # tracklets that are asked for, spread over those of the identity
LOOKED_AT = 200  # entries of others that each of them may bring in


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An identity that is like another.

    Attributes:
        name: its name.
        distance: the mean, over the other's tracklets, of the least re-ranked distance to one of its own, in [0, 1].
        cosine: the mean of all pairs of tracklets, in [-1, 1]: what a threshold is compared with.
        tracklets: how many it has.
    """

    name: str
    distance: float
    cosine: float
    tracklets: int


def neighbours(gallery: Gallery, name: str, count: int = 5) -> list[Neighbour]:
    """Return the ``count`` identities nearest to ``name`` by re-ranked distance, nearest first.

    Raises:
        UsageError: there is no such identity.
    """
    mine = gallery.tracklets(name, vectors=True)
    spread = np.unique(np.linspace(0, len(mine) - 1, min(len(mine), ASKING)).round().astype(int))
    queries = np.stack([mine[place].vector for place in spread]).astype(np.float32)
    hits = gallery.library.search(queries, LOOKED_AT, where=f"`group` <> {quoted(name)}")
    others = list(gallery.library.get(sorted({one for found in hits for one in found.ids})).values())
    if not others or count < 1:
        return []
    nearest = _least(queries, others)[:count]
    known = totals(gallery.library, [name, *(other for _, other in nearest)])
    own = known[name].sum / known[name].count
    return [Neighbour(other, distance, float(own @ known[other].sum) / known[other].count, known[other].count)
            for distance, other in nearest]


def _least(queries: np.ndarray, others: Sequence[Entry]) -> list[tuple[float, str]]:
    """Return (distance, name) of each identity among ``others``, nearest first."""
    others = sorted(others, key=lambda entry: (entry.group, entry.id))
    distances = rerank(queries, np.stack([entry.vector for entry in others]).astype(np.float32))
    groups = [entry.group for entry in others]
    starts = [place for place, group in enumerate(groups) if place == 0 or group != groups[place - 1]]
    least = np.minimum.reduceat(distances, starts, axis=1).mean(axis=0, dtype=np.float64)
    return sorted(zip(least.tolist(), [groups[start] for start in starts], strict=True))
