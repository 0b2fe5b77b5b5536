"""Multi-object tracking: HOTA, CLEAR and identity figures by TrackEval, over plain arrays.

    truth = prepare_truth(Boxes(frame, id, xyxy), flag, class_id, protocol="mot16")  # once a sequence
    scores = score_sequence(truth, Boxes(frame, id, xyxy), metrics=("HOTA",))        # for each result
    scores.figures()["HOTA"]                                                         # percent
    combine([scores, ...]).figures()                                                 # over sequences

Frames are any integers that both sides number alike. ``metrics`` picks the families that are computed; HOTA alone is
what a search over options needs.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, NamedTuple

import numpy as np

FAMILIES = ("HOTA", "CLEAR", "Identity")
PROTOCOLS = ("mot15", "mot16", "mot17", "mot20", "plain")

# MOTChallenge classes. A result on one of the distractors is neither right nor wrong: it is taken out.
# Source: TrackEval 1.3, MotChallenge2DBox: person on vehicle, static person, distractor, reflection; MOT20 adds
# vehicles other than those of the challenge.
PEDESTRIAN, CLASSES = 1, range(1, 14)
_DISTRACTORS = {"mot16": (2, 7, 8, 12), "mot17": (2, 7, 8, 12), "mot20": (2, 6, 7, 8, 12)}

_FARTHEST = 1e9  # pixels; beyond it nothing is a picture, and areas lose what tells boxes apart
_EPS = float(np.finfo(np.float64).eps)


class Figure(NamedTuple):
    """A figure: where TrackEval keeps it, and what it is a share of; without the latter it is a count."""

    family: str
    field: str
    share_of: Literal["truth", "found", "either", "matches"] | None = None


FIGURES: dict[str, Figure] = {
    "HOTA": Figure("HOTA", "HOTA", "either"),
    "DetA": Figure("HOTA", "DetA", "either"),
    "AssA": Figure("HOTA", "AssA", "matches"),
    "LocA": Figure("HOTA", "LocA", "matches"),
    "DetRe": Figure("HOTA", "DetRe", "truth"),
    "DetPr": Figure("HOTA", "DetPr", "found"),
    "AssRe": Figure("HOTA", "AssRe", "matches"),
    "AssPr": Figure("HOTA", "AssPr", "matches"),
    "MOTA": Figure("CLEAR", "MOTA", "truth"),
    "MOTP": Figure("CLEAR", "MOTP", "matches"),
    "IDF1": Figure("Identity", "IDF1", "either"),
    "IDP": Figure("Identity", "IDP", "found"),
    "IDR": Figure("Identity", "IDR", "truth"),
    "FP": Figure("CLEAR", "CLR_FP"),
    "FN": Figure("CLEAR", "CLR_FN"),
    "IDSW": Figure("CLEAR", "IDSW"),
    "Frag": Figure("CLEAR", "Frag"),
    "MT": Figure("CLEAR", "MT"),
    "PT": Figure("CLEAR", "PT"),
    "ML": Figure("CLEAR", "ML"),
}
_MATCHES = {"HOTA": "HOTA_TP", "CLEAR": "CLR_TP"}


class Boxes(NamedTuple):
    """Boxes of one sequence, each with the id of its object.

    Attributes:
        frame: (R,) int64.
        id: (R,) int64, unique within a frame.
        xyxy: (R, 4) float64 in pixels. A box whose width or height is not positive overlaps nothing.
    """

    frame: np.ndarray
    id: np.ndarray
    xyxy: np.ndarray

    def take(self, rows: np.ndarray) -> Boxes:
        """Return the boxes of ``rows``, a mask or indices."""
        return Boxes(self.frame[rows], self.id[rows], self.xyxy[rows])


class Places(NamedTuple):
    """What stands in which frame under which id, where overlaps come from elsewhere.

    Attributes:
        frame: (R,) int64, not decreasing.
        id: (R,) int64, unique within a frame.
    """

    frame: np.ndarray
    id: np.ndarray


class Pairs(NamedTuple):
    """Pairs of a truth and a result of one frame that overlap; all others do not.

    Attributes:
        truth: (P,) int64, rows of the truth.
        found: (P,) int64, rows of the results.
        overlap: (P,) float64 in [0, 1].
    """

    truth: np.ndarray
    found: np.ndarray
    overlap: np.ndarray

    def take(self, rows: np.ndarray) -> Pairs:
        """Return the pairs of ``rows``, a mask or indices."""
        return Pairs(self.truth[rows], self.found[rows], self.overlap[rows])


@dataclass(frozen=True, slots=True)
class Truth:
    """The ground truth of one sequence, made ready for a protocol by ``prepare_truth``.

    Attributes:
        counted: the boxes that results are scored against, by frame.
        screen: all boxes of the frames that hold a distractor, by frame.
        distractor: (S,) bool over ``screen``.
    """

    counted: Boxes
    screen: Boxes
    distractor: np.ndarray


@dataclass(frozen=True, slots=True)
class Scores:
    """What one sequence, or several combined, came to.

    Attributes:
        raw: TrackEval's result of each family that was computed, shares in [0, 1].
        truth: number of ground-truth boxes that count.
        found: number of result boxes that count.
    """

    raw: dict[str, dict[str, Any]]
    truth: int
    found: int

    def figures(self) -> dict[str, float | int]:
        """Return the field's figures, shares in percent and counts; a share of nothing is left out.

        HOTA and its parts are means over the overlap thresholds 0.05 to 0.95. MOTP is the mean overlap of matches.
        """
        figures: dict[str, float | int] = {}
        for name, figure in FIGURES.items():
            if figure.family not in self.raw:
                continue
            value = self.raw[figure.family][figure.field]
            if figure.share_of is None:
                figures[name] = int(value)
            elif self._has(figure):
                figures[name] = 100 * float(np.mean(value))
        return figures

    def _has(self, figure: Figure) -> bool:
        """Return whether there is anything that ``figure`` is a share of."""
        if figure.share_of == "matches":
            return bool(np.any(self.raw[figure.family][_MATCHES[figure.family]]))
        return {"truth": self.truth, "found": self.found, "either": self.truth + self.found}[figure.share_of] > 0


def prepare_truth(boxes: Boxes, flag: np.ndarray | None = None, class_id: np.ndarray | None = None,
                  protocol: str = "plain") -> Truth:
    """Return the ground truth of a sequence, ready to score any number of results against.

    Args:
        boxes: all R rows of the ground truth.
        flag: (R,) whether a row counts, MOT column 7; 0 says no. None counts all.
        class_id: (R,) MOTChallenge classes 1 to 13; what ``mot16`` and later need.
        protocol: ``mot15`` drops rows with flag 0. ``mot16``, ``mot17`` and ``mot20`` keep the pedestrians whose flag
            is not 0, and take out results on distractors first. ``plain`` counts every row.

    Raises:
        ValueError: an unknown protocol, classes that it needs and that are not there, or what ``checked`` refuses.

    Source: TrackEval 1.3, MotChallenge2DBox.get_preprocessed_seq_data; a test holds every figure equal to it.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol must be one of {', '.join(PROTOCOLS)}, got {protocol!r}")
    boxes = checked(boxes)
    count = len(boxes.frame)
    counted, distractor = np.ones(count, dtype=bool), np.zeros(count, dtype=bool)
    if protocol != "plain" and flag is not None:
        counted = np.trunc(np.asarray(flag, dtype=np.float64)) != 0  # TrackEval reads the column as integers
    if protocol in _DISTRACTORS and count:
        class_id = _checked_classes(class_id, count, protocol)
        counted &= class_id == PEDESTRIAN
        distractor = np.isin(class_id, _DISTRACTORS[protocol])
    order = np.argsort(boxes.frame, kind="stable")
    screen = order[np.isin(boxes.frame[order], boxes.frame[distractor])]
    return Truth(boxes.take(order[counted[order]]), boxes.take(screen), distractor[screen])


def score_sequence(truth: Truth, found: Boxes, metrics: Sequence[str] = FAMILIES) -> Scores:
    """Return how well ``found`` tracks what is in ``truth``.

    Args:
        found: the result, in any order.
        metrics: the families to compute, of HOTA, CLEAR, Identity.

    Raises:
        ValueError: an unknown family, or what ``checked`` refuses.
    """
    _check_families(metrics)
    found = checked(found)
    found = found.take(np.argsort(found.frame, kind="stable"))
    found = found.take(~_on_distractors(truth, found))
    boxes = truth.counted
    data = _timesteps(boxes, found, lambda here, there: box_overlap(boxes.xyxy[here], found.xyxy[there]))
    raw = {name: _families()[name].eval_sequence(data) for name in FAMILIES if name in metrics}
    return Scores(raw, len(truth.counted.frame), len(found.frame))


def score_pairs(truth: Places, found: Places, pairs: Pairs, metrics: Sequence[str] = FAMILIES) -> Scores:
    """Return how well ``found`` tracks ``truth``, by overlaps that the caller knows, of shapes of any kind.

    Args:
        truth, found: both sides, by frame.
        pairs: what overlaps, and how much.
        metrics: the families to compute, of HOTA, CLEAR, Identity.

    Raises:
        ValueError: an unknown family, frames that decrease, an id twice in a frame, a pair of two frames.
    """
    _check_families(metrics)
    for side in (truth, found):
        if (np.diff(side.frame) < 0).any():
            raise ValueError("frames must not decrease")
        _check_unique(side.frame, side.id)
    if (truth.frame[pairs.truth] != found.frame[pairs.found]).any():
        raise ValueError("the two of a pair must be of one frame")
    ordered = pairs.take(np.argsort(pairs.truth, kind="stable"))

    def overlap(here: slice, there: slice) -> np.ndarray:
        start, stop = np.searchsorted(ordered.truth, (here.start, here.stop))
        matrix = np.zeros((here.stop - here.start, there.stop - there.start))
        matrix[ordered.truth[start:stop] - here.start, ordered.found[start:stop] - there.start] = (
            ordered.overlap[start:stop])
        return matrix

    data = _timesteps(truth, found, overlap)
    raw = {name: _families()[name].eval_sequence(data) for name in FAMILIES if name in metrics}
    return Scores(raw, len(truth.frame), len(found.frame))


def combine(scores: Sequence[Scores]) -> Scores:
    """Return the scores over several sequences, as TrackEval combines them: counts add up, shares are of the sums."""
    if not scores:
        raise ValueError("scores of at least one sequence are needed, got none")
    raw = {name: _families()[name].combine_sequences({str(place): one.raw[name] for place, one in enumerate(scores)})
           for name in scores[0].raw}
    return Scores(raw, sum(one.truth for one in scores), sum(one.found for one in scores))


def checked(boxes: Boxes) -> Boxes:
    """Return ``boxes`` as int64 and float64 arrays.

    Raises:
        ValueError: shapes that do not agree, coordinates that are no places in a picture, an id twice in a frame.
    """
    frame, ids = np.asarray(boxes.frame, dtype=np.int64), np.asarray(boxes.id, dtype=np.int64)
    xyxy = np.asarray(boxes.xyxy, dtype=np.float64)
    if frame.ndim != 1 or ids.shape != frame.shape or xyxy.shape != (len(frame), 4):
        raise ValueError(f"frame (R,), id (R,) and xyxy (R, 4) are needed, got shapes {frame.shape}, {ids.shape} and "
                         f"{xyxy.shape}")
    wrong = ~(np.abs(xyxy) <= _FARTHEST).all(axis=1)
    if wrong.any():
        row = int(np.flatnonzero(wrong)[0])
        raise ValueError(f"boxes must be within {_FARTHEST:g} pixels, got {xyxy[row].tolist()} in frame {frame[row]}")
    _check_unique(frame, ids)
    return Boxes(frame, ids, xyxy)


def _check_unique(frame: np.ndarray, ids: np.ndarray) -> None:
    order = np.lexsort((ids, frame))
    twice = (np.diff(frame[order]) == 0) & (np.diff(ids[order]) == 0)
    if twice.any():
        row = int(order[np.flatnonzero(twice)[0]])
        raise ValueError(f"an id must be unique in its frame, got id {ids[row]} twice in frame {frame[row]}")


def _check_families(metrics: Sequence[str]) -> None:
    unknown = set(metrics) - set(FAMILIES)
    if unknown:
        raise ValueError(f"metrics must be of {', '.join(FAMILIES)}, got {', '.join(sorted(unknown))}")


def box_overlap(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap of each pair of boxes, as a share of their union.

    Args:
        a: (N, 4) float64 xyxy in pixels.
        b: (M, 4) float64 xyxy in pixels.

    Returns:
        (N, M) float64 in [0, 1]; 0 where a box is empty.

    Source: TrackEval 1.3, _calculate_box_ious, the same operations in the same order, so that no figure differs.
    """
    ax, ay, aX, aY = np.ascontiguousarray(a.T)[:, :, None]
    bx, by, bX, bY = np.ascontiguousarray(b.T)[:, None, :]
    shared = np.maximum(np.minimum(aX, bX) - np.maximum(ax, bx), 0)
    shared *= np.maximum(np.minimum(aY, bY) - np.maximum(ay, by), 0)
    area_a, area_b = (aX - ax) * (aY - ay), (bX - bx) * (bY - by)
    union = area_a + area_b - shared
    full = (area_a > _EPS) & (area_b > _EPS) & (union > _EPS)
    return np.divide(shared, union, out=np.zeros_like(union), where=full)


def _checked_classes(class_id: np.ndarray | None, count: int, protocol: str) -> np.ndarray:
    if class_id is None:
        raise ValueError(f"protocol {protocol} needs the class of each ground-truth row, got none")
    class_id = np.asarray(class_id, dtype=np.int64)
    if class_id.shape != (count,):
        raise ValueError(f"class_id must have shape ({count},), got {class_id.shape}")
    strange = np.setdiff1d(class_id, CLASSES)
    if len(strange):
        raise ValueError(f"classes of {protocol} are 1 to 13, got {', '.join(map(str, strange[:5]))}")
    return class_id


def _on_distractors(truth: Truth, found: Boxes) -> np.ndarray:
    """Return which boxes (R,) bool of ``found``, by frame, match a distractor at an overlap of 0.5 or more."""
    removed = np.zeros(len(found.frame), dtype=bool)
    if not truth.distractor.any():
        return removed
    from scipy.optimize import linear_sum_assignment

    for here, there in _frames(truth.screen, found, np.intersect1d(truth.screen.frame, found.frame)):
        overlap = box_overlap(truth.screen.xyxy[here], found.xyxy[there])
        overlap[overlap < 0.5 - _EPS] = 0
        rows, columns = linear_sum_assignment(-overlap)
        hit = (overlap[rows, columns] > _EPS) & truth.distractor[here][rows]
        removed[there.start + columns[hit]] = True
    return removed


def _frames(a: Boxes | Places, b: Boxes | Places, frames: np.ndarray) -> Iterator[tuple[slice, slice]]:
    """Yield the rows of ``a`` and of ``b`` in each of ``frames``, sorted integers; both are by frame."""
    edges = [np.searchsorted(rows.frame, frames, side).tolist() for rows in (a, b) for side in ("left", "right")]
    for a_start, a_stop, b_start, b_stop in zip(*edges, strict=True):
        yield slice(a_start, a_stop), slice(b_start, b_stop)


def _timesteps(truth: Boxes | Places, found: Boxes | Places,
               overlap: Callable[[slice, slice], np.ndarray]) -> dict[str, Any]:
    """Return what TrackEval's metrics take of a sequence: ids from 0 without gaps, overlaps frame by frame.

    Frames in which neither side has a box are left out; no metric sees them.
    """
    truth_ids, truth_row = np.unique(truth.id, return_inverse=True)
    found_ids, found_row = np.unique(found.id, return_inverse=True)
    steps = list(_frames(truth, found, np.union1d(truth.frame, found.frame)))
    return {
        "num_timesteps": len(steps), "num_gt_dets": len(truth.frame), "num_tracker_dets": len(found.frame),
        "num_gt_ids": len(truth_ids), "num_tracker_ids": len(found_ids),
        "gt_ids": [truth_row[here] for here, _ in steps], "tracker_ids": [found_row[there] for _, there in steps],
        "similarity_scores": [overlap(here, there) for here, there in steps],
    }  # fmt: skip


@cache
def _families() -> dict[str, Any]:
    """Return TrackEval's metrics; it is imported here, since it takes a third of a second and prints to stdout."""
    with contextlib.redirect_stdout(io.StringIO()):
        from trackeval.metrics import CLEAR, HOTA, Identity

        return {"HOTA": HOTA(), "CLEAR": CLEAR({"PRINT_CONFIG": False}), "Identity": Identity({"PRINT_CONFIG": False})}
