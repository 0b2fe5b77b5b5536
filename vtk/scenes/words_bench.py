"""Say how often signs give a place away: ``python -m vtk.scenes.words_bench tests/scenes/signs.csv``.

The file has the columns ``use``, ``kind``, ``text`` and ``places``, names of Places365 with | between them, none where
a text should say nothing. The rows ``tune`` were looked at when sentence, threshold and temperature were chosen; those
that count are ``test`` unless ``--use`` says otherwise. A line of JSON for each way and kind: rows, and the percentage
that is right (a place that fits has the highest probability; where several share that, the part of these that fits),
wrong, and says nothing; with ``--each`` a line for each row, too.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
import typer

from vtk.models.places365_labels import PLACES
from vtk.models.text_encoder import load_text_encoder
from vtk.scenes.meaning import Meaning
from vtk.scenes.wording import Wording

KINDS = ("known", "lacking", "nothing")


def judged(found: np.ndarray | None, right: frozenset[str]) -> tuple[float, float, float]:
    """Return which part of an answer is right, wrong, and silence.

    Args:
        found: (C,) probabilities of PLACES; None: silence.
        right: places that fit.
    """
    if found is None:
        return 0.0, 0.0, 1.0
    first = np.flatnonzero(found >= found.max() - 1e-12)
    share = sum(PLACES[row] in right for row in first) / len(first)
    return share, 1 - share, 0.0


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.scenes.words_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("signs", type=Path, help="a CSV file of texts and the places where they hang")
    parser.add_argument("--use", choices=("test", "tune"), default="test", help="rows that count")
    parser.add_argument("--each", action="store_true", help="write a line for each row, too")
    given = parser.parse_args()
    meaning = Meaning(PLACES, load_text_encoder())
    words, both = Wording(PLACES), Wording(PLACES, meaning)
    ways = {"words": lambda text: words.probabilities([(text, 1.0)]), "minilm": lambda text: meaning.shares([text])[0],
            "both": lambda text: both.probabilities([(text, 1.0)])}
    with open(given.signs, newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["use"] == given.use]
    for way, answer in ways.items():
        parts: dict[str, list[tuple[float, float, float]]] = {kind: [] for kind in KINDS}
        for row in rows:
            found = answer(row["text"])
            parts[row["kind"]].append(judged(found, frozenset(filter(None, row["places"].split("|")))))
            if given.each:
                first = None if found is None else PLACES[int(found.argmax())]
                typer.echo(json.dumps({"way": way, **row, "first": first, "right": round(parts[row["kind"]][-1][0], 2)}))
        for kind in KINDS:
            right, wrong, silent = (round(100 * sum(column) / max(len(parts[kind]), 1), 1)
                                    for column in zip(*parts[kind] or [(0.0, 0.0, 0.0)], strict=True))
            typer.echo(json.dumps({"way": way, "kind": kind, "rows": len(parts[kind]), "right": right, "wrong": wrong,
                                   "silent": silent}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
