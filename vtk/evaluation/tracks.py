"""Tracks against ground truth: the protocol, the matching of sequences, the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np

from vtk.errors import RecordError, UsageError
from vtk.evaluation.sequences import Note, TrackSequence
from vtk.metrics.mot import PROTOCOLS, Boxes, Scores, Truth, combine, prepare_truth, score_sequence

PROTOCOL_OF_COLUMNS = {10: "mot15", 9: "mot16"}  # all others: plain
NOTHING = Boxes(np.empty(0, np.int64), np.empty(0, np.int64), np.empty((0, 4)))


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Scores by sequence, in the ground truth's order, those of all together, and the protocol that they follow."""

    protocol: str
    sequences: dict[str, Scores]
    combined: Scores


def evaluate_tracks(truth: Mapping[str, TrackSequence], found: Mapping[str, TrackSequence], note: Note,
                    protocol: str = "auto", every: int = 1) -> Evaluation:
    """Score results against ground truth, sequence by sequence and together.

    Args:
        note: is told, a line each, what the figures do not show: a sequence that one side lacks, boxes without area.
        protocol: one of ``PROTOCOLS``, or ``auto``.
        every: look at every n-th frame of both, from the first.

    Raises:
        UsageError: the protocol does not fit, or no result belongs to a sequence of the ground truth.
        RecordError: ground truth that the protocol cannot read.
    """
    protocol = choose_protocol(truth, protocol)
    scores = {}
    for name, result in matched(truth, found, note).items():
        mine = _sampled(truth[name], every)
        ready = prepare(mine, protocol)
        boxes = NOTHING
        if result is not None:
            _check_classes(result, protocol)
            boxes = _sampled(result, every).boxes
            _note_flat(result.where, boxes, note)
        _note_truth(mine, ready, protocol, note)
        scores[name] = score_sequence(ready, boxes)
    return Evaluation(protocol, scores, combine(list(scores.values())))


def choose_protocol(truth: Mapping[str, TrackSequence], wanted: str = "auto") -> str:
    """Return the protocol that ``wanted`` names; ``auto`` goes by the columns of the ground truth.

    10 columns are MOT15, 9 are MOT16 and later (MOT17's protocol is the same; MOT20's must be asked for), any other
    number and records are plain.
    """
    if wanted in PROTOCOLS:
        return wanted
    if wanted != "auto":
        raise UsageError(f"--protocol {wanted}: one of auto, {', '.join(PROTOCOLS)} is needed")
    filled = [one for one in truth.values() if one.columns != 0]
    found = {PROTOCOL_OF_COLUMNS.get(one.columns or 0, "plain"): one.where for one in filled}
    if len(found) > 1:
        (first, here), (second, there), *_ = found.items()
        raise UsageError(f"{here} is of protocol {first}, {there} of {second}: evaluate them apart, or give --protocol")
    return next(iter(found), "plain")


def prepare(truth: TrackSequence, protocol: str) -> Truth:
    """Return a sequence's ground truth ready for scoring under ``protocol``, one of ``PROTOCOLS``.

    Raises:
        RecordError: the protocol needs classes, and there are none, or others than it knows.
    """
    try:
        return prepare_truth(truth.boxes, truth.flag, truth.class_id, protocol)
    except ValueError as error:
        hint = "" if truth.class_id is not None else f" (--protocol {'mot15' if truth.columns == 10 else 'plain'})"
        raise RecordError(f"{truth.where}: {error}{hint}") from None


class Sequenced(Protocol):
    """What stands on one side of an evaluation: its name, and the file or source that it came from."""

    @property
    def name(self) -> str: ...
    @property
    def where(self) -> str: ...


Side = TypeVar("Side", bound=Sequenced)


def matched(truth: Mapping[str, Side], found: Mapping[str, Side], note: Note) -> dict[str, Side | None]:
    """Return for each sequence of the ground truth its result by name, None where there is none; one of each is a pair.

    Raises:
        UsageError: no result belongs to a sequence of the ground truth.
    """
    if len(truth) == len(found) == 1:
        [name], [result] = truth, found.values()
        if result.name != name:
            note(f"{result.where} is scored against {truth[name].where}: one of each, so names need not agree")
        return {name: result}
    if found and truth.keys().isdisjoint(found):
        raise UsageError(f"no result is of a sequence of the ground truth: it has {_some(truth)}, results are of "
                         f"{_some(found)}; name them alike")
    for name in [name for name in truth if name not in found]:
        note(f"no result for {name}: all its boxes count as missed")
    for name in [name for name in found if name not in truth]:
        note(f"no ground truth for {found[name].where}: left out")
    return {name: found.get(name) for name in truth}


def _sampled(sequence: TrackSequence, every: int) -> TrackSequence:
    return sequence if every == 1 else sequence.take((sequence.boxes.frame - 1) % every == 0)


def _check_classes(result: TrackSequence, protocol: str) -> None:
    """Refuse results of other classes under a protocol that scores pedestrians, as TrackEval does."""
    if protocol != "plain" and result.class_id is not None and (result.class_id > 1).any():
        classes = np.unique(result.class_id)
        raise UsageError(f"{result.where} has classes {', '.join(map(str, classes[:8]))}, and {protocol} scores "
                         "pedestrians alone: --classes 1 picks them")


def _note_truth(truth: TrackSequence, ready: Truth, protocol: str, note: Note) -> None:
    """Note ground truth that hardly means what the protocol makes of it."""
    rows = len(truth.boxes.frame)
    if not len(ready.counted.frame):
        note(f"{truth.where} has no box that counts under {protocol} ({rows} rows)")
    elif protocol != "plain" and truth.flag is not None and (truth.flag % 1).any():
        note(f"{truth.where} has fractions in column 7: {protocol} reads a flag there, and {rows} rows give "
             f"{len(ready.counted.frame)} that count (--protocol plain counts all)")
    _note_flat(truth.where, ready.counted, note)


def _note_flat(where: str, boxes: Boxes, note: Note) -> None:
    if flat := int((boxes.xyxy[:, 2:] <= boxes.xyxy[:, :2]).any(axis=1).sum()):
        note(f"{where}: {flat} of {len(boxes.frame)} boxes have no area and match nothing")


def _some(names: Mapping[str, Sequenced]) -> str:
    return ", ".join(list(names)[:5]) + (", …" if len(names) > 5 else "")
