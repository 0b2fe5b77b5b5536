"""The sets of an evaluation of faces: what is scored, and what its threshold was chosen on, which is never hidden."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from vtk.errors import UsageError
from vtk.evaluation.lanes import BadRecord
from vtk.evaluation.liveness import Rule, chosen
from vtk.evaluation.sequences import Note
from vtk.liveness.labelled import Labelled, read_labelled, taken
from vtk.liveness.presentations import FaceLanes, Gathered, gather


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be scored, as the command line names it.

    Attributes:
        gt: labels; results: files of records, ``-`` or none for stdin.
        split, part: column of parts, and the part that is scored; None: all.
        dev, dev_records, dev_part: the same of the set that a threshold is chosen on; where one is None, that of what
            is scored stands for it.
        threshold: a score, eer, apcer=PERCENT, bpcer=PERCENT; None: verdicts as they are, eer with a dev set.
        maker: whose faces count; None: there is one.
        every: whether each face and track is a presentation.
    """

    gt: Path
    results: Sequence[str] = ()
    split: str | None = None
    part: str | None = None
    dev: Path | None = None
    dev_records: str | None = None
    dev_part: str | None = None
    threshold: str | None = None
    maker: str | None = None
    every: bool = False

    @property
    def has_dev(self) -> bool:
        """Whether there is a set of its own to choose a threshold on."""
        return not (self.dev is None and self.dev_part is None)


@dataclass(frozen=True, slots=True)
class Sets:
    """What was read: the presentations that are scored, how they are answered, who made them, and lines passed over."""

    gathered: Gathered
    rule: Rule
    maker: str | None
    bad: list[BadRecord]


def read_sets(wanted: Wanted, note: Note) -> Sets:
    """Return what is scored and how.

    Args:
        note: is told, a line each, what of the sets does not show in figures.

    Raises:
        UsageError: labels or records cannot be used, or options that do not go together.
        RecordError: no line of the records is one.
    """
    if wanted.dev_records is not None and not wanted.has_dev:
        raise UsageError("--dev-records: whose labels? --dev LABELS or --dev-part NAME says it")
    labels = taken(read_labelled(wanted.gt, wanted.split), wanted.part)
    lanes = _read(wanted.results, wanted.maker)
    gathered = gather(lanes, labels, wanted.every)
    bad, rule = list(lanes.bad), Rule()
    if wanted.has_dev:
        other = lanes
        if wanted.dev_records is not None:
            other = _read([wanted.dev_records], wanted.maker)
            bad += other.bad
            if other.maker != lanes.maker:
                raise UsageError(f"--dev-records: its faces are by {other.maker}, those that are scored by "
                                 f"{lanes.maker}: thresholds do not carry over")
        rule = _of_dev(wanted, gather(other, _dev_labels(wanted), wanted.every), gathered, note)
    elif wanted.threshold is not None:
        rule = chosen(wanted.threshold, gathered.presentations)
    return Sets(gathered, rule, lanes.maker, bad)


def _read(names: Sequence[str], maker: str | None) -> FaceLanes:
    lanes = FaceLanes(maker)
    for name in names or (None,):
        lanes.read(name)
    return lanes


def _dev_labels(wanted: Wanted) -> list[Labelled]:
    return taken(read_labelled(wanted.dev or wanted.gt, wanted.split), wanted.dev_part, "--dev-part")


def _of_dev(wanted: Wanted, dev: Gathered, scored: Gathered, note: Note) -> Rule:
    """Return the rule that a dev set gives; where both sets share faces it says so."""
    words = wanted.threshold or "eer"
    where = "the dev set" if wanted.dev_part is None else f"part {wanted.dev_part}"
    rule = chosen(words, dev.presentations, f"{where}, {len(dev.presentations)} presentations")
    if words.partition("=")[0] not in ("eer", "apcer", "bpcer"):
        raise UsageError(f"--threshold {words}: a score is given, and a dev set to choose one on: leave one out")
    mine, theirs = _files(dev), _files(scored)
    if both := len(mine & theirs):
        note(f"{both} of the {len(mine)} files of {where} are among the {len(theirs)} that are scored")
        return replace(rule, same=True)
    subjects = _subjects(dev) & _subjects(scored)
    if subjects:
        note(f"{len(subjects)} subjects are in {where} and in what is scored: rates may be too good")
    return rule


def _files(gathered: Gathered) -> set[str]:
    return {os.path.abspath(each.label.path) for each in gathered.presentations}


def _subjects(gathered: Gathered) -> set[str]:
    return {each.label.subject for each in gathered.presentations if each.label.subject is not None}
