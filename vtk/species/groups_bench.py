"""Say how often groups of living things are told apart: ``python -m vtk.species.groups_bench PICTURES…``.

What a picture shows is told by its name, as ImageNet's samples have it, such as n01530575_brambling.JPEG; or it is
``--group`` for all. A line of JSON for each group, with how many pictures there are, and what they came out as, the
most likely group; and one for all, with the share of pictures, percent, whose group is right.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import typer

from vtk.media.image import load
from vtk.media.names import IMAGE_SUFFIXES
from vtk.models.classifier import load_classifier
from vtk.models.runtime import RuntimeOptions
from vtk.species.groups import GROUPS, group_of, group_scores


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.species.groups_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="pictures and folders of them")
    parser.add_argument("--group", choices=GROUPS, help="what all of them show; else their names say it")
    parser.add_argument("--precision", default="fp32", help="that the network computes in")
    given = parser.parse_args()
    model = load_classifier("imagenet", runtime=RuntimeOptions("cpu", given.precision))
    told: list[tuple[str, str]] = []
    for path in listed(given.pictures):
        truth = given.group or group_of(named_class(path, model.labels))
        told.append((truth, likeliest(model.scores([load(str(path))[0]]))[0]))
    for group in sorted({truth for truth, _ in told}, key=GROUPS.index):
        found = Counter(answer for truth, answer in told if truth == group)
        typer.echo(json.dumps({"group": group, "pictures": found.total(), "right": found[group],
                               "came_out_as": dict(found.most_common())}))
    right = sum(truth == answer for truth, answer in told)
    typer.echo(json.dumps({"group": "all", "pictures": len(told), "right": right,
                           "percent": round(100 * right / len(told), 1)}))
    return 0


def listed(places: list[Path]) -> list[Path]:
    """Return the pictures named and those in the folders named, each folder in order."""
    found = [path for place in places for path in (sorted(place.iterdir()) if place.is_dir() else [place])]
    pictures = [path for path in found if path.suffix.lower() in IMAGE_SUFFIXES]
    if not pictures:
        raise SystemExit(f"{', '.join(map(str, places))}: no pictures there")
    return pictures


def named_class(path: Path, labels: tuple[str, ...]) -> int:
    """Return the class of ImageNet that a picture's name has after its synset.

    Raises:
        SystemExit: the name is none of one class.
    """
    words = re.sub(r"^n\d+_", "", path.stem).replace("_", " ").casefold()
    found = [index for index, label in enumerate(labels)
             if words in [name.strip().casefold() for name in label.split(",")]]
    if len(found) != 1:
        raise SystemExit(f"{path.name}: '{words}' names {len(found)} classes of ImageNet; say --group")
    return found[0]


def likeliest(log_probabilities: np.ndarray) -> list[str]:
    """Return the most likely group of each row of (N, 1000) log-probabilities."""
    scores = group_scores(log_probabilities)
    best = np.stack([scores[name] for name in GROUPS]).argmax(axis=0)
    return [GROUPS[index] for index in best]


if __name__ == "__main__":
    sys.exit(main())
