"""Say what views and ensembles are worth and what they cost: ``python -m vtk.species.views_bench PICTURES…``.

Pictures are named as ImageNet's samples are, such as n01530575_brambling.JPEG; with ``--table`` the folder's labels.csv
says in the column ``common_name`` what each shows, a species of monkeys, and what ImageNet calls such ones stands in
MONKEYS; those that it has no class for are left out. ``--model`` may name several classifiers of the same labels, heads of
``vtk scene fit-head`` (files .npz) among them: then the labels are the table's column ``label``.

A line of JSON for each choice of views, or for each model and all together: looks at a picture, top-1 and NLL of the
pool, the difference of top-1 to the first line with its standard error over the same pictures, both of the mean of
probabilities instead, and pictures a second, decoded before, median of turns.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
import typer

from vtk.heads.classifier import load_head
from vtk.heads.features import load_features
from vtk.heads.head import read
from vtk.heads.running import features_of
from vtk.labelling import TABLE, rows_of
from vtk.media.image import load
from vtk.models.classifier import Classifier, load_classifier
from vtk.models.ensemble import ensemble, pooled
from vtk.models.runtime import RuntimeOptions
from vtk.models.views import VIEWS
from vtk.species.groups_bench import listed, named_class

# What ImageNet calls species of the ten; of bald uakaris and night monkeys it has none.
MONKEYS = {"mantled_howler": "howler monkey", "patas_monkey": "patas", "japanese_macaque": "macaque",
           "pygmy_marmoset": "marmoset", "silvery_marmoset": "marmoset", "white_headed_capuchin": "capuchin",
           "common_squirrel_monkey": "squirrel monkey", "nilgiri_langur": "langur"}
# Views that are averaged, cheap ones first.
SETS = (("whole",), ("centre",), ("whole", "flips"), ("whole", "centre"), ("whole", "flips", "centre"), ("quadrants",),
        ("whole", "quadrants"), ("scales",), ("whole", "scales"), tuple(VIEWS))
# Pictures that are timed, and the times that each choice is, in turn; the median counts.
TIMED, TURNS = 12, 5


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.species.views_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="pictures and folders of them")
    parser.add_argument("--table", action="store_true", help="folders' labels.csv says what their pictures show")
    parser.add_argument("--where", action="append", default=[], help="take rows of the table with COLUMN=VALUE")
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth picture")
    parser.add_argument("--model", default="imagenet", help="names and files of heads, comma-separated")
    given = parser.parse_args()
    models = [_classifier(name) for name in given.model.split(",")]
    known = shown(given.pictures, models[0].labels, given.table, given.where,
                  given.model.endswith(".npz"))[:: given.every]
    truth = np.array([index for _, index in known])
    images = [load(str(path))[0] for path, _ in known[:TIMED]]
    if len(models) == 1:
        each = _looks(models[0], [path for path, _ in known])
        ends = dict(zip(VIEWS, accumulate(len(VIEWS[view](images[0])) for view in VIEWS), strict=True))
        pools = {",".join(views): each[[row for view in views for row in
                                        range(ends[view] - len(VIEWS[view](images[0])), ends[view])]] for views in SETS}
        timed = {",".join(views): ensemble(models, views) for views in SETS}
    else:
        together = ensemble(models)  # which refuses other labels
        each = np.stack([_in_order(models[0], model, known) for model in models])
        pools = {model.name: each[[row]] for row, model in enumerate(models)} | {"all": each}
        timed = {model.name: model for model in models} | {"all": together}
    rates = pictures_a_second(timed, images)
    first = None
    for name, scores in pools.items():
        right = pooled(scores).argmax(axis=1) == truth
        first = right if first is None else first
        gain = right.astype(float) - first
        plain = np.exp(scores.astype(np.float64)).mean(axis=0)
        rows = np.arange(len(truth))
        typer.echo(json.dumps({
            "views" if len(models) == 1 else "model": name, "looks": len(scores), "pictures": len(truth),
            "top1": round(100 * float(right.mean()), 1),
            "NLL": round(float(-pooled(scores)[rows, truth].mean()), 3),
            "gain": round(100 * float(gain.mean()), 1),
            "gain_se": round(100 * float(gain.std(ddof=1)) / len(gain) ** 0.5, 1),
            "of_mean_probabilities": {
                "top1": round(100 * float((plain.argmax(axis=1) == truth).mean()), 1),
                "NLL": round(float(-np.log(np.maximum(plain[rows, truth], 1e-30)).mean()), 3)},
            "pictures/s": rates[name]}))
    return 0


def shown(places: list[Path], labels: Sequence[str], table: bool, where: Sequence[str],
          own: bool) -> list[tuple[Path, int]]:
    """Return pictures and the index in ``labels`` of what each shows, in order.

    Args:
        places: pictures, and folders of them.
        labels: of the classifier.
        table: whether folders' labels.csv says what they show.
        where: COLUMN=VALUE that rows of the table have to keep to, all of them.
        own: whether the table's column label names the labels.

    Raises:
        SystemExit: nothing is left.
    """
    if not table:
        return [(path, named_class(path, tuple(labels))) for path in listed(places)]
    rules = [rule.partition("=")[::2] for rule in where]
    found = []
    for folder in places:
        for _, row in rows_of(folder / TABLE, "common_name", *(column for column, _ in rules)):
            name = row["label"] if own else MONKEYS.get(row["common_name"])
            if name is not None and all(row[column] == value for column, value in rules):
                found.append((folder / row["file"],
                              labels.index(name) if own else named_class(Path(name), tuple(labels))))
    if not found:
        raise SystemExit(f"{', '.join(map(str, places))}: nothing is left of the table")
    return found


def pictures_a_second(models: dict[str, Classifier], images: Sequence[np.ndarray]) -> dict[str, float]:
    """Return how many pictures each of ``models`` looks at in a second: medians of runs in turns."""
    times: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(TURNS + 1):
        for name, model in models.items():
            begin = time.perf_counter()
            model.scores(images)
            if turn:  # the first is to get warm
                times[name].append(time.perf_counter() - begin)
    return {name: round(len(images) / statistics.median(each), 1) for name, each in times.items()}


def _classifier(name: str) -> Classifier:
    runtime = RuntimeOptions("cpu", "fp32")
    if not name.endswith(".npz"):
        return load_classifier(name, runtime=runtime)
    head = read(Path(name))
    return load_head(Path(name), load_features(features_of(head), views=head.views, runtime=runtime))


def _looks(model: Classifier, paths: Sequence[Path]) -> np.ndarray:
    """Return (L, N, C) float32, log-probabilities of each look of all views."""
    found = []
    for path in paths:
        image = load(str(path))[0]
        found.append(model.scores([np.ascontiguousarray(look) for view in VIEWS.values() for look in view(image)]))
    return np.stack(found, axis=1)


def _in_order(first: Classifier, model: Classifier, known: Sequence[tuple[Path, int]]) -> np.ndarray:
    """Return (N, C) float32 of ``model``, its labels in the order of the first's."""
    order = [model.labels.index(label) for label in first.labels]
    return np.concatenate([model.scores([load(str(path))[0]]) for path, _ in known])[:, order]


if __name__ == "__main__":
    sys.exit(main())
