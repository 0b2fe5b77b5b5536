"""A calibration from labelled files to its JSON: the models run over them, or records of theirs are read."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import orjson

from vtk.errors import EXIT_NOTHING, EXIT_OK, EXIT_PARTIAL, UsageError
from vtk.liveness.calibrating import Targets, calibrate, checked
from vtk.liveness.labelled import Labelled, match, read_labelled, taken
from vtk.liveness.presentations import FaceLanes
from vtk.options import Common

Note = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is calibrated on.

    Attributes:
        labels: a folder or a table; records: of its files, None: they are made.
        split, part, check: column of parts, the part that is calibrated on, and one that is checked on.
        targets: error rates that are kept; seed: of resamples.
    """

    labels: Path
    records: str | None = None
    split: str | None = None
    part: str | None = None
    check: str | None = None
    targets: Targets = Targets()
    seed: int = 0


def run_calibration(plan: Plan, stage: Mapping[str, Any], quiet: bool,
                    note: Note = lambda line: None) -> tuple[bytes, int]:
    """Return a calibration as one JSON object, and what to exit with: 1 where a file or a line could not be read.

    Args:
        stage: what LivenessStage is built with.
        quiet: whether nothing is said on stderr.
        note: is told, a line each, what is left out.

    Raises:
        UsageError: labels, records or options cannot be used, or there is too little for the targets.
        WeightsError: weights cannot be had.
    """
    from vtk.liveness.stage import LivenessStage

    fitted, held = _parts(plan, note)
    code = EXIT_OK
    build = partial(LivenessStage, frames=True, **stage)
    built = build()
    lanes = FaceLanes()
    maker = built.scores_by()
    if plan.records is not None:
        lanes.read(plan.records)
        if lanes.maker not in (None, built.by):
            raise UsageError(f"--records: its faces are by {lanes.maker}, and the models given are {built.by}: give "
                             "these with --model and --detector")
    else:
        code = _run(build, [*fitted, *held], stage, quiet, lanes)
    for number, where, error in lanes.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
    _missed(lanes, [*fitted, *held], note)
    found = calibrate(lanes, fitted, maker, plan.targets, plan.seed)
    report = found.report | ({"part": plan.part} if plan.part is not None else {})
    if plan.check is not None:
        report["check"] = {"part": plan.check, **checked(found, lanes, held, plan.seed)}
    for line in found.report["notes"]:
        note(line)
    return orjson.dumps(replace(found, report=report).to_json()), EXIT_PARTIAL if lanes.bad else code


def _parts(plan: Plan, note: Note) -> tuple[list[Labelled], list[Labelled]]:
    """Return what is calibrated on, and what is checked on; say where figures on the latter are not of others."""
    labels = read_labelled(plan.labels, plan.split)
    held = taken(labels, plan.check, "--check") if plan.check is not None else []
    if plan.part is not None and plan.part == plan.check:
        raise UsageError(f"--check {plan.check}: it is the part that is calibrated on, which says nothing of others")
    fitted = taken(labels, plan.part) if plan.part is not None else [each for each in labels if each.part != plan.check
                                                                     or plan.check is None]
    parts = sorted({label.part for label in fitted if label.part is not None})
    if plan.part is None and len(parts) > 1:
        note(f"parts {', '.join(parts)} are calibrated on together, so that none is left for vtk eval: --part NAME "
             "takes one")
    subjects = len({label.subject for label in fitted} & {label.subject for label in held} - {None})
    if subjects:
        note(f"{subjects} subjects are in part {plan.check} and in what is calibrated on: its rates may be too good")
    return fitted, held


def _run(build: Callable[[], Any], labels: Sequence[Labelled], stage: Mapping[str, Any], quiet: bool,
         lanes: FaceLanes) -> int:
    """Run the stage over labelled files and read what it finds; return 0, or 1 where some could not be read."""
    from vtk.driver import drive

    gone = [label for label in labels if not label.path.is_file()]
    if gone:
        raise UsageError(f"{gone[0].path} is labelled and not there" + (f", like {len(gone) - 1} others"
                                                                       if len(gone) > 1 else ""))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "faces.jsonl"
        threads = stage["runtime"].threads if "runtime" in stage else None
        code = EXIT_OK
        try:
            drive(build, Common(inputs=tuple(str(label.path) for label in labels), output=out, quiet=quiet,
                                threads=threads))
        except SystemExit as done:  # some files failed, which is said, or all
            if done.code == EXIT_NOTHING:
                raise UsageError("none of the labelled files can be read") from None
            if done.code != EXIT_PARTIAL:
                raise
            code = EXIT_PARTIAL
        lanes.read(str(out))
    return code


def _missed(lanes: FaceLanes, labels: Sequence[Labelled], note: Note) -> None:
    """Say of how many labelled files there is no face."""
    found = match(labels, lanes.sources)
    seen = {label.name for name, label in found.items() if lanes.sources[name].faces or lanes.sources[name].tracks}
    left = [label.name for label in labels if label.name not in seen]
    if left:
        note(f"{len(left)} of {len(labels)} labelled files have no face and do not count: {', '.join(left[:5])}"
             f"{', …' if len(left) > 5 else ''}")
