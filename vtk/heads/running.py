"""What ``vtk scene fit-head`` and ``eval-head`` do: pictures, vectors, head, figures, and the lines that say so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from vtk.driver.progress import counted
from vtk.errors import UsageError
from vtk.evaluation.table import table
from vtk.heads.checking import COLUMNS, LABEL_COLUMNS, figures, known, twins
from vtk.heads.features import Features
from vtk.heads.fitting import Fit, fit_head
from vtk.heads.head import Head, read, write
from vtk.heads.labelled import Labelled, read_labelled, taken
from vtk.media.names import source_name


@dataclass(frozen=True, slots=True)
class Source:
    """Which labelled pictures are taken.

    Attributes:
        place: a table or a folder.
        split: the table's column that names parts; None: split.
        where: rules COLUMN=VALUE that rows keep to.
        fit_where: rules for the rows that a head is fitted on, alone.
    """

    place: Path
    split: str | None = None
    where: tuple[str, ...] = ()
    fit_where: tuple[str, ...] = ()


@dataclass(slots=True)
class Told:
    """What is said to the user: ``lines`` are the result, ``notes`` go beside it."""

    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parts(source: Source, part: str | None, check: str | None) -> tuple[list[Labelled], list[Labelled]]:
    """Return the pictures to fit on and those to check on; arguments as ``fit_file`` has them.

    Raises:
        UsageError: a part or a column is not there, both parts are one, or nothing is left of one.
    """
    if check is not None and check == part:
        raise UsageError(f"--check {check} is the part that the head is fitted on: its figures would say nothing")
    pictures = read_labelled(source.place, source.split)
    checked = taken(pictures, check, "--check", source.where) if check is not None else []
    fitted = [each for each in pictures if part is not None or check is None or each.part != check]
    return taken(fitted, part, where=(*source.where, *source.fit_where)), checked


def fit_file(source: Source, part: str | None, check: str | None, load: Callable[[], Features], plan: Fit,
             output: Path, overwrite: bool = False, as_json: bool = False, quiet: bool = False) -> Told:
    """Fit a head on labelled pictures, write it, and return what is known of it.

    Args:
        source: the pictures.
        part: fit on it; None: on all but ``check``.
        check: say how the head does on it; None: on none.
        load: gives the features; called when labels and output are known to be in order.
        plan: how it is fitted.
        output: the file.
        overwrite: replace it.
        as_json: one JSON object in place of a table.
        quiet: no progress.

    Raises:
        UsageError, MediaError, WeightsError: labels, pictures, weights or the output are not in order.
    """
    if output.exists() and not overwrite:
        raise UsageError(f"{output} exists: --overwrite replaces it")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"{output}: the folder {output.absolute().parent} is not there")
    fitted, checked = parts(source, part, check)
    features, told = load(), Told()
    with counted(len(fitted) + len(checked), "picture", quiet) as heard:
        head = fit_head(features.of(fitted, heard), [each.label for each in fitted], features, plan)
        labels = [each.label for each in checked]
        if checked:
            known(head, labels, f"--check {check}")
        vectors = features.of(checked, heard)
    write(head, output, overwrite)
    report: dict[str, Any] = {"head": source_name(str(output)), **head.about()}
    if checked:
        together, by_label = figures(head, vectors, labels)
        report["check"] = {"part": check, **_rounded(together), "labels": _each(by_label)}
        told.notes += _twin_note(twins(fitted, checked), check)
    if not head.fit["left_out"]["calibrated"]:
        told.notes.append(f"{head.fit['left_out']['pictures']} pictures have another of their label: too few to find a "
                          "temperature, so probabilities are soft and mean little")
    told.lines = [orjson.dumps(report).decode()] if as_json else _fit_lines(report)
    return told


def eval_file(path: Path, source: Source, part: str | None, load: Callable[[Head], Features], as_json: bool = False,
              quiet: bool = False) -> Told:
    """Return how well a head tells labelled pictures.

    Args:
        path: of the head.
        source: the pictures.
        part: of them; None: all.
        load: gives the features that a head is for.
        as_json: one JSON object in place of a table.
        quiet: no progress.

    Raises:
        UsageError, MediaError, WeightsError: head, labels, pictures or weights are not in order.
    """
    head = read(path)
    pictures = taken(read_labelled(source.place, source.split), part, where=source.where)
    labels = [each.label for each in pictures]
    known(head, labels, str(source.place))
    features = load(head)
    head.check(features.space)
    told = Told()
    if features.embedder.precision != head.precision:
        told.notes.append(f"{path} was fitted in {head.precision}, and this is {features.embedder.precision}: scores "
                          "differ a little")
    with counted(len(pictures), "picture", quiet) as heard:
        vectors = features.of(pictures, heard)
    together, by_label = figures(head, vectors, labels)
    if as_json:
        told.lines = [orjson.dumps({"head": source_name(str(path)), "space": head.space, "part": part,
                                    **_rounded(together), "labels": _each(by_label)}).decode()]
    else:
        columns = [name for name in COLUMNS if name in together]
        told.lines = [*table("HEAD", {source_name(path.name): together}, columns), "",
                      *table("LABEL", by_label, LABEL_COLUMNS)]
    return told


def _fit_lines(report: dict[str, Any]) -> list[str]:
    """Return a report for people."""
    fit, left_out = report["fit"], report["fit"]["left_out"]
    rows = {"left out one by one": {"pictures": left_out["pictures"], "top1": left_out.get("top1"),
                                    "NLL": left_out.get("nll")}}
    columns = [name for name in COLUMNS if name in {"pictures", "top1", "NLL"} | report.get("check", {}).keys()]
    if "check" in report:
        rows[report["check"]["part"]] = report["check"]
    return [f"{report['head']}: {len(report['labels'])} labels, {sum(report['counts'])} pictures, {report['space']}, "
            f"{'+'.join(report['views'])}, penalty {fit['penalty']:.3g} ({fit['penalty_by']}), "
            f"temperature {report['temperature']:.3g}",
            *table("PICTURES", rows, columns)]


def _twin_note(count: int, check: str | None) -> list[str]:
    return [f"{count} pictures of {check} are, byte for byte, among those that the head was fitted on"] if count else []


def _rounded(found: dict[str, float | int]) -> dict[str, float | int]:
    return {key: round(value, 4) for key, value in found.items()}


def _each(by_label: dict[str, dict[str, float | int]]) -> dict[str, dict[str, float | int]]:
    return {label: _rounded(found) for label, found in by_label.items()}


def features_of(head: Head) -> str:
    """Return the name of the network that a head is for, as its space has it."""
    return head.space.rpartition("@")[0]
