"""The sequences to tune on: stored detections matched with ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vtk.errors import UsageError
from vtk.evaluation.sequences import Note, TrackSequence, sequence_name
from vtk.evaluation.tracks import prepare
from vtk.metrics.mot import Truth
from vtk.tuning.stored import Detections


@dataclass(frozen=True, slots=True)
class Labelled:
    """A sequence to tune on: its detections, and what they are scored against."""

    name: str
    detections: Detections
    truth: Truth


def labelled(truth: Mapping[str, TrackSequence], found: Sequence[Detections], protocol: str,
             note: Note) -> list[Labelled]:
    """Return the sequences that have detections and ground truth, in the ground truth's order.

    One of each side is matched whatever the names.

    Args:
        protocol: one of ``vtk.metrics.mot.PROTOCOLS``.
        note: is told, a line each, what is left out.

    Raises:
        UsageError: nothing is left.
        RecordError: ground truth that the protocol cannot read.
    """
    names = _named(truth, found, note)
    sequences = []
    for name, one in truth.items():
        if name not in names:
            note(f"no detections for {name}: left out")
            continue
        ready = prepare(one, protocol)
        if len(ready.counted.frame):
            sequences.append(Labelled(name, names[name], ready))
        else:
            note(f"{one.where} has no box that counts under {protocol} ({len(one.boxes.frame)} rows): left out")
    if not sequences and names:
        raise UsageError(f"the ground truth of {_some(list(names))} has no box that counts under {protocol}: there is "
                         "nothing to tune on")
    if not sequences:
        raise UsageError(f"no sequence has detections and ground truth: ground truth is of {_some(list(truth))}, "
                         f"detections are of {_some([one.source for one in found])}; name them alike")
    return sequences


def _named(truth: Mapping[str, TrackSequence], found: Sequence[Detections], note: Note) -> dict[str, Detections]:
    """Return the detections of each sequence of the ground truth that has some."""
    if len(truth) == len(found) == 1:
        [name], [one] = truth, found
        if sequence_name(one.source) != name:
            note(f"{one.source} is scored against {truth[name].where}: one of each, so names need not agree")
        return {name: one}
    names: dict[str, Detections] = {}
    for one in found:
        name = sequence_name(one.source)
        if name not in truth:
            note(f"no ground truth for {one.source}: left out")
        elif names.setdefault(name, one) is not one:
            raise UsageError(f"two sources of the sequence {name}: {names[name].source} and {one.source}; tune on one "
                             "of them")
    return names


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
