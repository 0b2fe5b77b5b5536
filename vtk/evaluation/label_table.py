"""Figures of labels as tables and as JSON, and the plot of what scores promise and keep."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vtk.errors import UsageError
from vtk.evaluation.label_lanes import Gathered
from vtk.evaluation.labels import FEW, LabelEvaluation
from vtk.evaluation.table import table
from vtk.media.image import write_image
from vtk.metrics.calibration import Reliability
from vtk.report.lettering import text_width, write
from vtk.report.palette import Colour

# Names of figures, and in what they are where that isn't percent.
_ROWS = {"top1": "top1", "top1_answered": "top1 of answered", "first": "top1 of topk", "top5": "top5 of topk",
         "macro_f1": "macro_f1", "mAP": "mAP", "answered": "answered", "right_answered": "right of answered",
         "set_coverage": "right within set", "set_size": "labels of set", "ECE": "ECE",
         "Brier": "Brier (0 to 2)", "NLL": "NLL (nats)"}
_LEVEL = ("rows", "labels", "answered", "accuracy", "accuracy_answered", "f1")
_BY = ("rows", "answered", "right_answered", "top1", "top1_answered", "top5")
_COUNTS = ("rows", "labels", "sets")
WHITE: Colour = (255, 255, 255)
INK: Colour = (40, 40, 40)
GRID: Colour = (225, 225, 225)
BAR: Colour = (0, 114, 178)
GAP: Colour = (230, 159, 0)
SIDE, COUNTS, LETTERS = 480, 90, 15  # pixels


def lines(evaluation: LabelEvaluation, gathered: Gathered, each: bool = False) -> list[str]:
    """Return what is printed of an evaluation; ``each``: with a row for each label."""
    figures = evaluation.figures
    out = [f"LABELS by {gathered.maker}: {figures['rows']:.0f} rows, {figures['labels']:.0f} labels"]
    rows = {name: {"figure": figures[key], "95 %": _interval(evaluation, key)} for key, name in _ROWS.items()
            if key in figures}
    out += ["", *table("ALL", rows, ("figure", "95 %"))]
    out += ["", *table("LEVEL", {name: _whole(row) for name, row in evaluation.levels.items()}, _LEVEL)]
    if evaluation.by:
        by = {value + (" *" if row["rows"] < FEW else ""): _whole(row) for value, row in evaluation.by.items()}
        out += ["", *table("BY", by, _BY)]
        if any(row["rows"] < FEW for row in evaluation.by.values()):
            out.append(f"* fewer than {FEW} rows: one is more than 5 points")
    if each:
        classes = {name: _whole(row) for name, row in evaluation.classes.items()}
        out += ["", *table("LABEL", classes, ("rows", "P", "R", "F1"))]
    return out


def report(evaluation: LabelEvaluation, gathered: Gathered) -> dict[str, Any]:
    """Return an evaluation as a JSON object: figures in percent with four decimals, intervals beside them."""
    curve = evaluation.curve
    bins = [{"from": round(float(low), 4), "to": round(float(high), 4), "count": int(count),
             "score": round(float(score), 4), "right": round(float(right), 4)}
            for low, high, count, score, right in zip(curve.edges[:-1], curve.edges[1:], curve.count, curve.score,
                                                      curve.accuracy, strict=True) if count]
    return {"maker": gathered.maker, **_rounded(evaluation.figures),
            "intervals": {name: [round(end, 4) for end in each] for name, each in evaluation.intervals.items()},
            "levels": {name: _rounded(each) for name, each in evaluation.levels.items()},
            **({"by": {name: _rounded(each) for name, each in evaluation.by.items()}} if evaluation.by else {}),
            "classes": {name: _rounded(each) for name, each in evaluation.classes.items()}, "reliability": bins,
            "failed": len(gathered.failed), "missing": len(gathered.missing), "unlabelled": len(gathered.unlabelled)}


def remarks(evaluation: LabelEvaluation, gathered: Gathered) -> list[str]:
    """Return what the figures do not show: what failed, is missing, or has no label."""
    out = []
    for what, names in (("labelled files could not be read and do not count", gathered.failed),
                        ("labelled files are not in the records, or not all of their spans, and do not count there",
                         gathered.missing),
                        ("sources of the records have no label and are left out", gathered.unlabelled)):
        if names:
            out.append(f"{len(names)} {what}: {', '.join(names[:5])}{', …' if len(names) > 5 else ''}")
    return [*out, *evaluation.notes]


def check_plot(path: Path, overwrite: bool) -> None:
    """Refuse, before the work, a plot that cannot be: UsageError."""
    if path.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UsageError(f"--plot {path}: a .png or .jpg is needed")
    if path.is_dir() or not path.parent.is_dir():
        raise UsageError(f"--plot {path}: " + ("it is a folder" if path.is_dir() else f"there is no {path.parent}"))
    if path.exists() and not overwrite:
        raise UsageError(f"--plot {path} would be replaced: give --overwrite for that, or another name")


def write_plot(path: Path, curve: Reliability) -> None:
    """Write the plot of a reliability curve. Raises MediaError where it cannot be written."""
    write_image(path, diagram(curve))


def diagram(curve: Reliability) -> np.ndarray:
    """Return a reliability diagram, (H, W, 3) uint8 RGB: how often answers are right by their score, and how many.

    A line is where answers are right, and the other end of the mark by it is their mean score, on the diagonal, where
    scores keep their word. Source: DeGroot and Fienberg, The Statistician 1983.
    """
    left, top = 78, 20 + 2 * LETTERS
    bottom = top + SIDE
    floor = bottom + 24 + COUNTS
    out = np.full((floor + 62, left + SIDE + 24, 3), WHITE, np.uint8)
    for tick in range(0, 11, 2):
        at = round(SIDE * tick / 10)
        out[bottom - min(at, SIDE - 1), left:left + SIDE] = GRID
        text = f"{tick * 10}"
        write(out, text, left - 8 - text_width(text, LETTERS), bottom - at + LETTERS // 3, LETTERS, INK)
        text = f"{tick / 10:g}"
        write(out, text, left + at - text_width(text, LETTERS) // 2, floor + LETTERS + 6, LETTERS, INK)
    edges = (left + curve.edges * SIDE).round().astype(int)
    most = max(int(curve.count.max()), 1)
    for number in np.flatnonzero(curve.count > 0).tolist():
        x1, x2 = edges[number] + 1, max(edges[number + 1] - 1, edges[number] + 2)
        right, said = (bottom - round(SIDE * float(value[number])) for value in (curve.accuracy, curve.score))
        out[right:bottom, x1:x2] = BAR
        out[min(right, said):max(right, said), x1:x2] = GAP
        out[max(right - 1, top):min(right + 2, bottom), x1:x2] = INK
        high = max(2, round(COUNTS * int(curve.count[number]) / most))
        out[floor - high:floor, x1:x2] = BAR
    cv2.line(out, (left, bottom), (left + SIDE, top), INK, 1, cv2.LINE_AA)
    cv2.rectangle(out, (left, top), (left + SIDE, bottom), INK, 1)
    cv2.line(out, (left, floor), (left + SIDE, floor), INK, 1)
    text = f"{most}"
    write(out, text, left - 8 - text_width(text, LETTERS), floor - COUNTS + LETTERS, LETTERS, INK)
    ece = f", ECE {100 * curve.ece:.1f} %" if curve.count.sum() else ""
    write(out, f"right, % of answers of a score; {curve.count.sum()} answers{ece}", left, top - LETTERS, LETTERS, INK)
    write(out, "score; above, how many answers have it", left, floor + 2 * LETTERS + 18, LETTERS, INK)
    return out


def _whole(row: dict[str, float]) -> dict[str, float | int]:
    return {name: int(value) if name in _COUNTS else value for name, value in row.items()}


def _rounded(figures: dict[str, float]) -> dict[str, float | int]:
    return {name: int(value) if name in _COUNTS else round(value, 4) for name, value in figures.items()}


def _interval(evaluation: LabelEvaluation, name: str) -> str:
    found = evaluation.intervals.get(name)
    return "" if found is None else f"{found.low:.1f}–{found.high:.1f}"
