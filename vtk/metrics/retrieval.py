"""Retrieval by identity: ranked galleries (CMC, mAP, mINP), and groupings against the truth (B-cubed).

    scores = rank_scores(distances, query_ids, gallery_ids, query_cameras, gallery_cameras)
    scores.figures()                        # percent: rank-1, rank-5, rank-10, mAP, mINP; queries that did not count
    b_cubed(found_groups, identities)       # BCubed(precision, recall, f)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

JUNK = -1  # an identity that neither helps nor hurts. Source: Market-1501's marks of bad boxes
BLOCK = 256  # queries that are sorted at once


@dataclass(frozen=True, slots=True)
class RankScores:
    """What each query came to.

    Attributes:
        first: (V,) int64, the place from 1 of the first match of each query that counts.
        precision: (V,) float64, its average precision.
        hardest: (V,) float64, its inverse negative penalty: matches over the place of the last one.
        unmatched: queries without any match in the gallery; they count for nothing.
        junk: queries that are marked as junk themselves.
    """

    first: np.ndarray
    precision: np.ndarray
    hardest: np.ndarray
    unmatched: int
    junk: int = 0

    def rank(self, place: int) -> float:
        """Return the share of queries that have a match at ``place``, from 1, or before (CMC); NaN of no queries."""
        if place < 1:
            raise ValueError(f"place: got {place}, expected 1 or more")
        return float((self.first <= place).mean()) if len(self.first) else float("nan")

    def figures(self, places: Sequence[int] = (1, 5, 10)) -> dict[str, float | int]:
        """Return the figures in percent, and how many queries count and do not; shares of no queries are left out."""
        figures: dict[str, float | int] = {}
        if len(self.first):
            figures = {f"rank-{place}": 100 * self.rank(place) for place in places}
            figures |= {"mAP": 100 * float(self.precision.mean()), "mINP": 100 * float(self.hardest.mean())}
        return figures | {"queries": len(self.first), "unmatched": self.unmatched, "junk": self.junk}


class BCubed(NamedTuple):
    """Shares in [0, 1]: how pure the group of an item is, how much of its identity is with it, and their F."""

    precision: float
    recall: float
    f: float


def rank_scores(
    distances: np.ndarray, query_ids: np.ndarray, gallery_ids: np.ndarray, query_cameras: np.ndarray | None = None,
    gallery_cameras: np.ndarray | None = None,
) -> RankScores:  # fmt: skip
    """Score distances by the protocol of Market-1501.

    Of a query's ranking those are removed that have its identity and its camera, and junk.

    Args:
        distances: (Q, G) of any real type, lesser is nearer; of equal ones the lower index comes first. May be
            memory-mapped: some queries are taken at once.
        query_ids, gallery_ids: (Q,) and (G,) whole numbers; JUNK does not count.
        query_cameras, gallery_cameras: whole numbers, the same lengths; both or neither: without, nothing is removed
            but junk.

    Raises:
        ValueError: lengths that do not agree, a NaN among the distances, or cameras of one side alone.

    Source: CMC and mAP: Zheng et al., ICCV 2015 (Market-1501), average precision as the mean of the precisions at the
    matches; mINP: Ye et al., TPAMI 2021, section 3.4.
    """
    distances = np.asarray(distances)
    if distances.ndim != 2 or distances.dtype.kind not in "fiu":
        raise ValueError(f"distances: got {distances.dtype} of shape {distances.shape}, expected numbers (Q, G)")

    def rankings() -> Iterator[tuple[int, np.ndarray]]:
        for start in range(0, len(distances), BLOCK):
            block = np.ascontiguousarray(distances[start : start + BLOCK])
            if block.dtype.kind == "f" and np.isnan(block).any():
                raise ValueError(f"distances: got a NaN in rows {start} to {start + len(block) - 1}, expected numbers")
            yield start, np.argsort(block, axis=1, kind="stable")

    return _scores(rankings(), distances.shape, query_ids, gallery_ids, query_cameras, gallery_cameras)


def ranking_scores(
    rankings: np.ndarray, query_ids: np.ndarray, gallery_ids: np.ndarray, query_cameras: np.ndarray | None = None,
    gallery_cameras: np.ndarray | None = None,
) -> RankScores:  # fmt: skip
    """Score rankings by the protocol of Market-1501.

    Args:
        rankings: (Q, K) whole numbers, indices into the gallery, nearest first, none twice in a row; -1: no more.
            Matches that are not among the K are missed: they add nothing to the average precision, a query of which
            none is there has no first place, and with any missed its inverse negative penalty is 0.
        query_ids, gallery_ids, query_cameras, gallery_cameras: as in ``rank_scores``.

    Raises:
        ValueError: lengths that do not agree, an index outside the gallery or twice, or cameras of one side alone.

    Source: as ``rank_scores``.
    """
    rankings, count = np.asarray(rankings), len(gallery_ids)
    if rankings.ndim != 2 or rankings.dtype.kind not in "iu":
        raise ValueError(f"rankings: got {rankings.dtype} of shape {rankings.shape}, expected whole numbers (Q, K)")
    if rankings.size and not (-1 <= rankings.min() and rankings.max() < count):
        raise ValueError(f"rankings: got {rankings.min()} to {rankings.max()}, expected -1 to {count - 1}")
    ordered = np.sort(rankings, axis=1)
    if ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
        raise ValueError("rankings: got an index twice for one query, expected each at most once")
    parts = ((start, rankings[start : start + BLOCK]) for start in range(0, len(rankings), BLOCK))
    return _scores(parts, (len(rankings), count), query_ids, gallery_ids, query_cameras, gallery_cameras)


def b_cubed(groups: np.ndarray, identities: np.ndarray) -> BCubed:
    """Return how well ``groups`` agree with ``identities``, each item counting alike; NaN of no items.

    Args:
        groups: (N,) whole numbers or texts, the group that each item was put in.
        identities: (N,) the same of the truth; items of JUNK are left out.

    Raises:
        ValueError: lengths that do not agree.

    Source: Bagga and Baldwin, 1998; Amigó et al., Information Retrieval 2009, section 3.4. F is the harmonic mean of
    the mean precision and the mean recall.
    """
    groups, identities = np.asarray(groups), np.asarray(identities)
    if groups.ndim != 1 or groups.shape != identities.shape:
        raise ValueError(f"got groups of shape {groups.shape} and identities of {identities.shape}, expected (N,) each")
    counted = identities != JUNK if identities.dtype.kind in "iu" else np.ones(len(identities), bool)
    if not counted.any():
        return BCubed(float("nan"), float("nan"), float("nan"))
    _, group = np.unique(groups[counted], return_inverse=True)
    _, identity = np.unique(identities[counted], return_inverse=True)
    cells, together = np.unique(group * (identity.max() + 1) + identity, return_counts=True)
    of_group, of_identity = np.divmod(cells, identity.max() + 1)
    squares, total = together.astype(np.float64) ** 2, len(group)
    precision = float((squares / np.bincount(group)[of_group]).sum() / total)
    recall = float((squares / np.bincount(identity)[of_identity]).sum() / total)
    return BCubed(precision, recall, 2 * precision * recall / (precision + recall))


def _scores(
    rankings: Iterator[tuple[int, np.ndarray]], shape: tuple[int, int], query_ids: np.ndarray,
    gallery_ids: np.ndarray, query_cameras: np.ndarray | None, gallery_cameras: np.ndarray | None,
) -> RankScores:  # fmt: skip
    """Score blocks of rankings, each with the index of its first query."""
    ids = [_labels(name, labels, count) for name, labels, count in
           zip(("query_ids", "gallery_ids"), (query_ids, gallery_ids), shape, strict=True)]  # fmt: skip
    if (query_cameras is None) != (gallery_cameras is None):
        raise ValueError("got cameras of one side alone, expected those of queries and gallery, or neither")
    cameras = None if query_cameras is None or gallery_cameras is None else [
        _labels("query_cameras", query_cameras, shape[0]), _labels("gallery_cameras", gallery_cameras, shape[1])
    ]  # fmt: skip
    firsts, precisions, penalties, unmatched = [], [], [], 0
    for start, block in rankings:
        for query, ranking in enumerate(block, start):
            if ids[0][query] == JUNK:
                continue
            same = ids[1] == ids[0][query]
            kept = ids[1] != JUNK
            if cameras is not None:
                kept &= ~(same & (cameras[1] == cameras[0][query]))
            matches = int((same & kept).sum())
            if not matches:
                unmatched += 1
                continue
            ranking = ranking[ranking >= 0]
            places = np.flatnonzero(same[ranking[kept[ranking]]]) + 1
            firsts.append(int(places[0]) if len(places) else np.iinfo(np.int64).max)
            precisions.append(float((np.arange(1, len(places) + 1) / places).sum() / matches))
            penalties.append(matches / int(places[-1]) if len(places) == matches else 0.0)
    return RankScores(np.array(firsts, np.int64), np.array(precisions), np.array(penalties), unmatched,
                      int((ids[0] == JUNK).sum()))  # fmt: skip


def _labels(name: str, labels: np.ndarray, count: int) -> np.ndarray:
    """Return labels as an array; ValueError unless there are ``count`` whole numbers."""
    labels = np.asarray(labels)
    if labels.shape != (count,) or (labels.size and labels.dtype.kind not in "iu"):
        raise ValueError(f"{name}: got {labels.dtype} of shape {labels.shape}, expected whole numbers ({count},)")
    return labels
