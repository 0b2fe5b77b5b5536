"""How alike two tracklets of one person are at least: the threshold, found on people who are known, and what it gives.

    found = calibrate(vectors, people, cameras, space, precision)
    found.threshold(tight=True)
    write: found.to_json(); read again: read_calibration(path, space, precision)

Two thresholds are found, since constraints do much of the work where they bind: ``constrained``, where of two
tracklets of one camera none can be the same person, and ``free``, where nothing is known but the looks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from vtk.errors import UsageError
from vtk.metrics.retrieval import b_cubed
from vtk.reid.constraints import Apartness, Constraints, tightness
from vtk.reid.identities import identify
from vtk.reid.labelled import Crop
from vtk.reid.linkage import exact
from vtk.reid.thresholds import THRESHOLDS
from vtk.reid.tracklets import Tracklet

VERSION = 1
# Thresholds that are tried.
GRID = np.round(np.arange(0, 1.0001, 0.005), 3)
# Times that it is drawn who is seen by one camera alone.
DRAWS = 4
# Resamples of identities for the intervals, in which 95 of 100 lie.
RESAMPLES = 1000
# Constraints bind where so many pairs of one source are apart, as in the calibration all are.
TIGHT = 0.5


@dataclass(frozen=True, slots=True)
class Choice:
    """A threshold, and B-cubed figures in percent at it; intervals by bootstrap over identities.

    Attributes:
        threshold: the least mean cosine.
        threshold_interval: in which the best one of 95 of 100 resamples lies.
        f_interval: the same of F at the threshold.
    """

    threshold: float
    precision: float
    recall: float
    f: float
    threshold_interval: tuple[float, float]
    f_interval: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds for one model in one precision.

    Attributes:
        space: of the vectors, ``model@hash``.
        precision: in which they were made.
        choices: constrained, where cameras are known, and free.
        data: identities, tracklets, and how it was chosen.
    """

    space: str
    precision: str
    choices: dict[str, Choice]
    data: dict[str, Any] = field(default_factory=dict)

    def threshold(self, tight: bool) -> float:
        """Return the threshold for tracklets that constraints keep apart, or do not."""
        return self.choices["constrained" if tight and "constrained" in self.choices else "free"].threshold

    def to_json(self) -> bytes:
        """Return it as one JSON object."""
        rounded = {name: {key: [round(each, 4) for each in value] if isinstance(value, tuple) else round(value, 4)
                          for key, value in asdict(choice).items()} for name, choice in self.choices.items()}
        return orjson.dumps({"v": VERSION, "task": "reid", "space": self.space, "precision": self.precision,
                             "thresholds": rounded, **self.data})


def calibrate(vectors: np.ndarray, people: Sequence[str], cameras: Sequence[str | None], space: str, precision: str,
              *, seen_once: float = 0.5, seed: int = 0) -> Calibration:
    """Return the thresholds at which average linkage has the highest B-cubed F on tracklets of known people.

    Args:
        vectors: (N, D) float32 of unit length, a row a tracklet; two tracklets of a person and camera count as seen at
            one time, so give one.
        people, cameras: who each is, and which camera saw them; None: unknown, then only ``free`` is found.
        space, precision: what made the vectors.
        seen_once: share of the people of whom one tracklet alone is left, as happens in videos: the more they are, the
            higher the thresholds. Drawn DRAWS times; figures are over all.
        seed: of what is drawn.

    Raises:
        ValueError: lengths that do not agree, or a share that is none.
        UsageError: there are not two people, or nobody has two tracklets.
    """
    if not len(vectors) == len(people) == len(cameras) or not 0 <= seen_once < 1:
        raise ValueError(f"got {len(vectors)} vectors, {len(people)} people, {len(cameras)} cameras, seen_once "
                         f"{seen_once}: expected three of a length, and a share from 0 to below 1")
    names, codes, counts = np.unique(np.asarray(people), return_inverse=True, return_counts=True)
    if len(names) < 2 or counts.max(initial=0) < 2:
        raise UsageError(f"{len(names)} people with {counts.max(initial=0)} tracklets at most: two people and two "
                         "tracklets of some of them are needed")
    rng = np.random.default_rng(seed)
    draws = [_left(codes, seen_once, rng) for _ in range(DRAWS if seen_once else 1)]
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), RESAMPLES)
    constraints = {"free": Constraints(overlap=False)}
    if all(camera is not None for camera in cameras) and len(set(cameras)) > 1:
        constraints["constrained"] = Constraints(overlap=False, one_per_camera=True)
    tracklets = [Tracklet("", row, 0, 1, camera) for row, camera in enumerate(cameras)]
    choices = {}
    for name, rules in sorted(constraints.items()):
        sums = np.zeros((3, len(GRID), len(names)))
        for rows in draws:
            apart = Apartness([tracklets[row] for row in rows], rules) if rules.any else None
            sums += _shares(exact.tree(vectors[rows], apart), codes[rows], len(names))
        choices[name] = _choose(sums, weights)
    data = {"identities": len(names), "tracklets": len(vectors), "seen_once": seen_once, "seed": seed, "chosen":
            f"highest B-cubed F of average linkage on cosine, thresholds in steps of {GRID[1]:g}; constrained: two of "
            f"one camera are two; {RESAMPLES} resamples of identities"}
    return Calibration(space, precision, choices, data)


def checked(found: Calibration, vectors: np.ndarray, people: Sequence[str],
            cameras: Sequence[str | None]) -> dict[str, Any]:
    """Return B-cubed figures, percent, of grouping other tracklets of known people by the thresholds.

    Args:
        found: thresholds of other people in the same space.
        vectors, people, cameras: as in ``calibrate``.
    """
    tracklets = [Tracklet("", row, 0, 1, camera) for row, camera in enumerate(cameras)]
    figures: dict[str, Any] = {"identities": len(set(people)), "tracklets": len(people)}
    for name, choice in found.choices.items():
        rules = Constraints(overlap=False, one_per_camera=name == "constrained")
        scores = b_cubed(identify(tracklets, vectors, choice.threshold, rules), np.asarray(people))
        figures[name] = {key: round(100 * value, 4) for key, value in scores._asdict().items()}
    return figures


def drawn(crops: Sequence[Crop], tracklets: int, seed: int) -> list[Crop]:
    """Return the crops of all people, or of so many drawn ones that they have no more than ``tracklets`` tracks."""
    tracks: dict[str, set[tuple[str, ...]]] = {}
    for crop in crops:
        tracks.setdefault(crop.label, set()).add(crop.track)
    names = sorted(tracks)
    order = np.random.default_rng(seed).permutation(len(names))
    total = np.cumsum([len(tracks[names[place]]) for place in order])
    kept = {names[place] for place in order[total <= tracklets]}
    return [crop for crop in crops if crop.label in kept]


def read_calibration(path: Path, space: str, precision: str | None = None) -> Calibration:
    """Return a calibration that ``vtk calibrate reid`` wrote.

    Args:
        path: of the file.
        space, precision: of the vectors that it is for; None: unknown.

    Raises:
        UsageError: it cannot be read, or is for another model or precision.
    """
    again = "make one with vtk calibrate reid"
    try:
        said = orjson.loads(path.read_bytes())
        if said["task"] != "reid" or said["v"] > VERSION:
            raise ValueError(f"it is for {said['task']}, version {said['v']}")
        choices = {name: Choice(**{key: tuple(value) if isinstance(value, list) else float(value)
                                   for key, value in each.items()}) for name, each in said["thresholds"].items()}
        found = Calibration(said["space"], said["precision"], choices)
        if "free" not in choices or not all(0 <= choice.threshold <= 1 for choice in choices.values()):
            raise ValueError("a threshold is missing, or none from 0 to 1")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(f"{path} is no calibration of reid ({reason}): {again}") from None
    if found.space != space:
        raise UsageError(f"{path} is for {found.space}, and the vectors are of {space}: {again} for this model")
    if precision is not None and found.precision != precision:
        raise UsageError(f"{path} is for {found.precision}, and the model runs in {precision}: take --precision "
                         f"{found.precision}, or {again} for this one")
    return found


def threshold_for(tracklets: Sequence[Tracklet], constraints: Constraints, space: str,
                  calibration: Calibration | None = None) -> float:
    """Return the threshold for a run: of a calibration, else the one that the model comes with.

    It is the constrained one where constraints bind, that is keep TIGHT of the pairs within sources apart.

    Raises:
        UsageError: there is no calibration, and none came with the model.
    """
    tight = tightness(tracklets, constraints) >= TIGHT
    if calibration is not None:
        return calibration.threshold(tight)
    if space not in THRESHOLDS:
        raise UsageError(f"{space} has no threshold: give --threshold, or --calibration with what vtk calibrate reid "
                         "finds on labelled crops")
    return THRESHOLDS[space]["constrained" if tight else "free"]


def _left(codes: np.ndarray, seen_once: float, rng: np.random.Generator) -> np.ndarray:
    """Return the rows that are left where a share of the people keeps one tracklet alone, ascending."""
    order = rng.permutation(len(codes))
    kept = np.ones(len(codes), bool)
    people = np.unique(codes)
    once = np.isin(codes[order], rng.permutation(people)[: round(seen_once * len(people))])
    later = np.ones(len(codes), bool)
    later[np.unique(codes[order], return_index=True)[1]] = False
    kept[order[once & later]] = False
    return np.flatnonzero(kept)


def _shares(joins: np.ndarray, codes: np.ndarray, people: int) -> np.ndarray:
    """Return (3, thresholds, people): sums over each one's tracklets of B-cubed precision, recall, and 1."""
    out = np.empty((3, len(GRID), people))
    sizes = np.bincount(codes, minlength=people)
    out[2] = sizes
    for place, threshold in enumerate(GRID):
        groups = exact.cut(joins, float(threshold))
        _, cell, together = np.unique(groups.astype(np.int64) * people + codes, return_inverse=True, return_counts=True)
        same = together[cell]
        out[0, place] = np.bincount(codes, same / np.bincount(groups)[groups], people)
        out[1, place] = np.bincount(codes, same / sizes[codes], people)
    return out


def _choose(sums: np.ndarray, weights: np.ndarray) -> Choice:
    """Return the best threshold of ``_shares``, with intervals by ``weights`` (resamples, people)."""
    whole = _figures(sums, np.ones((1, sums.shape[2])))
    place = _best(whole[2])[0]
    resampled = _figures(sums, weights)[2]
    thresholds = np.percentile(GRID[_best(resampled)], (2.5, 97.5))
    spread = 100 * np.percentile(resampled[:, place], (2.5, 97.5))
    precision, recall, f = (100 * float(figure[0, place]) for figure in whole)
    return Choice(float(GRID[place]), precision, recall, f, (float(thresholds[0]), float(thresholds[1])),
                  (float(spread[0]), float(spread[1])))


def _figures(sums: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return (3, resamples, thresholds): B-cubed precision, recall and F."""
    precision, recall, count = (weights @ each.T for each in sums)
    precision, recall = precision / count, recall / count
    return np.stack([precision, recall, 2 * precision * recall / (precision + recall)])


def _best(f: np.ndarray) -> np.ndarray:
    """Return the middle place of the highest values of each row."""
    return np.array([int(np.median(np.flatnonzero(row >= row.max() - 1e-12))) for row in f])
