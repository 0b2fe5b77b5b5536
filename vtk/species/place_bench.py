"""Say what knowing the place and the training shares is worth: ``python -m vtk.species.place_bench FOLDER``.

The folder holds labelled pictures as ``vtk scene fit-head`` takes them, a table of the country that each was taken in
(``file,country_…``), and one of the countries that each species is native to (``label,native_countries_…``, with
spaces between). Heads on frozen features are fitted on few pictures of each species, drawn many times, and on long tails, whose
frequent and rare species are drawn too; then ``vtk.kernels.logit_adjust`` combines what they say with what is known:
every species native to a country is as likely there, any other has the floor, or with the filter nothing.

A line of JSON for each number of pictures: top-1 in percent, mean and standard deviation over the draws, and how much
more than the plain head's it is in the same draw. Countries that were drawn from the table of ranges itself, as
made-up ones are, are an upper bound: no range is wrong, and no animal is out of it.
"""

from __future__ import annotations

import argparse
import csv
import json
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import typer

from vtk.driver.progress import counted
from vtk.errors import UsageError, VtkError
from vtk.heads.features import Features, load_features
from vtk.heads.fitting import Fit, fit_head
from vtk.heads.labelled import Labelled
from vtk.heads.running import Source, parts
from vtk.kernels.logit_adjust import logit_adjust
from vtk.species.ranges import FLOOR

# Pictures of each species in a set as uneven as collections are, five on average of ten species.
UNEVEN = (15, 10, 7, 5, 4, 3, 2, 2, 1, 1)
# What is put to a head's scores: tau, gamma, and whether the filter is on.
WAYS = {"plain": (0.0, 0.0, False), "tau": (1.0, 0.0, False), "place": (0.0, 1.0, False),
        "tau, place": (1.0, 1.0, False), "filter": (0.0, 0.0, True), "tau, filter": (1.0, 0.0, True)}


def main(words: Sequence[str] | None = None) -> None:
    """Print a line of JSON for each number of pictures."""
    parser = argparse.ArgumentParser(prog="python -m vtk.species.place_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("folder", type=Path, help="labelled pictures, with the parts train and test")
    parser.add_argument("--countries", default="synthetic_country.csv", help="table of pictures' countries")
    parser.add_argument("--ranges", default="native_range_countries.csv", help="table of species' countries")
    parser.add_argument("--where", action="append", default=[], help="take rows with COLUMN=VALUE")
    parser.add_argument("--tail", default="longtail_train", help="column that is 1 in rows of a long tail")
    parser.add_argument("--features", default="mobilenet", help="as vtk scene fit-head has it")
    parser.add_argument("--draws", type=int, default=20, help="times that pictures are drawn (default: 20)")
    asked = parser.parse_args(words)
    if asked.draws < 2:
        parser.error("--draws must be 2 or more")
    try:
        fitted, checked = parts(Source(asked.folder, where=tuple(asked.where)), "train", "test")
        labels = sorted({each.label for each in fitted})
        native = _native(asked.folder / asked.ranges, asked.folder / asked.countries, labels, checked)
        features = load_features(asked.features)
        vectors, others = (_vectors(features, some) for some in (fitted, checked))
    except VtkError as error:
        sys.exit(f"vtk.species.place_bench: {error}")
    classes, truth = (np.array([labels.index(each.label) for each in some]) for some in (fitted, checked))
    tail = sorted((sum(each.label == label and each.columns.get(asked.tail) == "1" for each in fitted)
                   for label in labels), reverse=True)
    for name, counts in (("1", [1] * len(labels)), ("5", [5] * len(labels)), ("uneven", list(UNEVEN[:len(labels)])),
                         ("long tail", tail), ("all", None)):
        if counts is not None and (len(counts) < len(labels) or not min(counts)):
            continue  # more species than counts, or no long tail in the table
        random, right = np.random.default_rng(0), []
        for _ in range(asked.draws if counts else 1):
            rows = drawn(classes, counts, random)
            head = fit_head(vectors[rows], [labels[each] for each in classes[rows]], features, Fit())
            scores = head.log_probabilities(others).astype(np.float32)
            right.append(correct(scores, np.log(np.float32(head.prior)), native, truth))
        typer.echo(json.dumps({"pictures": name, "of each": sorted(set(counts or ()), reverse=True),
                               "draws": len(right), "labels": len(labels), "checked": len(checked),
                               "features": features.space, **_told(right)}))


def drawn(classes: np.ndarray, counts: Sequence[int] | None, random: np.random.Generator) -> np.ndarray:
    """Return the rows (M,) of pictures with so many of each class (N,), who has which count drawn; None: all."""
    if counts is None:
        return np.arange(len(classes))
    rows = [random.choice(np.flatnonzero(classes == each), min(count, int((classes == each).sum())), replace=False)
            for each, count in enumerate(random.permutation(counts))]
    return np.concatenate(rows)


def correct(scores: np.ndarray, train: np.ndarray, native: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    """Return top-1 in percent of each of WAYS.

    Args:
        scores: (N, C) float32, logarithms of a head's probabilities.
        train: (C,) float32, logarithms of the shares in training.
        native: (N, C) bool, whether a species is native to the country of a picture.
        truth: (N,) its species.
    """
    shares = np.maximum(native / np.maximum(native.sum(axis=1, keepdims=True), 1), FLOOR)
    priors, places = np.log(shares).astype(np.float32), np.arange(len(scores))
    found = {}
    for name, (tau, gamma, hard) in WAYS.items():
        told, _ = logit_adjust(scores, train, priors, places, native if hard else None, tau=tau, gamma=gamma)
        found[name] = 100 * float(np.mean(told.argmax(axis=1) == truth))
    return found


def _told(right: Sequence[dict[str, float]]) -> dict[str, list[float]]:
    """Return mean and deviation of each way, and of what it has more than the plain one."""
    told = {}
    for name in WAYS:
        values, more = [each[name] for each in right], [each[name] - each["plain"] for each in right]
        told[name] = [round(statistics.mean(some), 1) for some in ((values, more) if len(right) < 2 else (values,))]
        if len(right) > 1:
            told[name] = [round(figure, 1) for some in (values, more)
                          for figure in (statistics.mean(some), statistics.stdev(some))]
    return told


def _native(ranges: Path, countries: Path, labels: Sequence[str], pictures: Sequence[Labelled]) -> np.ndarray:
    """Return (N, C) bool, whether each species is native to the country of each picture.

    Raises:
        UsageError: a table cannot be read, or lacks a species or a picture.
    """
    homes = {label: set(text.split()) for label, text in _pairs(ranges).items()}
    taken = _pairs(countries)
    for path, names, known in ((ranges, labels, homes), (countries, [each.name for each in pictures], taken)):
        lacking = [name for name in names if name not in known]
        if lacking:
            raise UsageError(f"{path}: it lacks {len(lacking)} of {len(names)}, such as {lacking[0]}")
    return np.array([[taken[each.name] in homes[label] for label in labels] for each in pictures])


def _pairs(path: Path) -> dict[str, str]:
    """Return a table's second column by its first."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return {row[0]: row[1] for row in list(csv.reader(file))[1:] if len(row) > 1}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: {error}") from None


def _vectors(features: Features, pictures: Sequence[Labelled]) -> np.ndarray:
    with counted(len(pictures), "picture", False) as heard:
        return features.of(pictures, heard)


if __name__ == "__main__":
    main()
