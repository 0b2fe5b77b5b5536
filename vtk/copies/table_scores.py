"""What a way to look for copies comes to on a set: by family, over all, and among queries without a copy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from vtk.copies.matches import Match
from vtk.copies.table_set import Asked, CopySet
from vtk.metrics.copies import PairScore, macro, micro, score_pair
from vtk.metrics.copy_ranking import pair_precision

Found = Mapping[str, Sequence[Match]]  # path of a query → what was found in it
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(51))


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares in [0, 1] of some queries; counts of pairs of a query and a video of the library.

    Attributes:
        f, precision, recall: of VCSL's segment metric, micro; its pairs are those that hold a copy or in which
            something was found, for the others count for nothing.
        macro_f: the same by query.
        ap: µAP of the pairs by the score of their best match.
        missed, copied: pairs that hold a copy, and those of them in which nothing was found.
        false: pairs that hold none in which something was found.
    """

    f: float
    precision: float
    recall: float
    macro_f: float
    ap: float
    missed: int
    copied: int
    false: int


@dataclass(frozen=True, slots=True)
class Row:
    """What one way to look for copies came to.

    Attributes:
        families: by family.
        all: of all queries, those without a copy among them.
        false: pairs found in queries without a copy, of ``others``.
        best_at, best_f: the least score at which the mean of F over families is highest on this very set, and it.
    """

    families: Mapping[str, Figures]
    all: Figures
    false: int
    others: int
    best_at: float
    best_f: float

    @property
    def mean_f(self) -> float:
        """Mean of F over families."""
        return float(np.mean([each.f for each in self.families.values()]))

    @property
    def mean_ap(self) -> float:
        """Mean of µAP over families."""
        return float(np.mean([each.ap for each in self.families.values()]))


def scored(copies: CopySet, kept: Found, ranked: Found, library: int) -> Row:
    """Return what was found.

    Args:
        kept: what is said to be a copy.
        ranked: the same and all that scored less, for µAP.
        library: how many videos were looked in for each query.
    """
    negatives = [query for query in copies.queries if query.is_negative]
    families = {family: figures([query for query in copies.queries if query.family == family], kept, ranked)
                for family in copies.families}  # fmt: skip
    best_f, best_at = max((_mean_f(copies, above(ranked, least)), -least) for least in THRESHOLDS)
    return Row(families, figures(copies.queries, kept, ranked), figures(negatives, kept, ranked).false,
               len(negatives) * library, -best_at, best_f)  # fmt: skip


def figures(queries: Sequence[Asked], kept: Found, ranked: Found) -> Figures:
    """Return what was found in ``queries``; see ``scored``."""
    pairs = [(query.path, score) for query in queries for score in _pair_scores(query, kept[query.path])]
    scores = [score for _, score in pairs]
    copied = sum(len(query.boxes) for query in queries)
    of_pairs = [(max(match.score for match in some), ref in query.boxes) for query in queries
                for ref, some in _by_reference(ranked[query.path]).items()]  # fmt: skip
    over = micro(scores)
    return Figures(over.f if over.f == over.f else 0.0, over.precision, over.recall,
                   macro(scores, [path for path, _ in pairs]).f if pairs else float("nan"),
                   pair_precision(np.array([score for score, _ in of_pairs]),
                                  np.array([true for _, true in of_pairs], bool), copied),
                   sum(bool(each.labelled) and not each.found for each in scores), copied,
                   sum(bool(each.found) and not each.labelled for each in scores))  # fmt: skip


def above(found: Found, least: float) -> Found:
    """Return the matches that score ``least`` or more."""
    return {query: [match for match in matches if match.score >= least] for query, matches in found.items()}


def boxes(matches: Iterable[Match]) -> np.ndarray:
    """Return (N, 4) float64 [q0, r0, q1, r1] in seconds."""
    return np.array([[each.start, each.ref_start, each.end, each.ref_end] for each in matches]).reshape(-1, 4)


def _mean_f(copies: CopySet, kept: Found) -> float:
    means = []
    for family in copies.families:
        over = micro([score for query in copies.queries if query.family == family
                      for score in _pair_scores(query, kept[query.path])])  # fmt: skip
        means.append(over.f if over.f == over.f else 0.0)
    return float(np.mean(means))


def _pair_scores(query: Asked, matches: Sequence[Match]) -> list[PairScore]:
    """Return the scores of the pairs that hold a copy or in which something was found."""
    found = _by_reference(matches)
    none = np.empty((0, 4))
    return [score_pair(boxes(found.get(ref, [])), query.boxes.get(ref, none)) for ref in {**query.boxes, **found}]


def _by_reference(matches: Iterable[Match]) -> dict[str, list[Match]]:
    found: dict[str, list[Match]] = {}
    for match in matches:
        found.setdefault(match.ref, []).append(match)
    return found
