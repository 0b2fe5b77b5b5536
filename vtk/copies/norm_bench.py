"""Say what a background does to the scores of copies and strangers: ``python -m vtk.copies.norm_bench PICTURES…``.

Half of the pictures are the background, the other half are edited, as generated copies are, and compared with one
another as they were; then the halves change places. A line of JSON for each way of comparing vectors: their cosines as
they are, whitened, and whitened and above the bias; and for each number of dimensions. ``uAP`` is the average precision
of all pairs by score, in percent, by family and their mean. ``found`` is the share of edited pictures, percent, whose
score with their original is at least 0.5, which a pair of strangers in 10,000 should reach, and ``strangers`` how many
in 10,000 do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import typer

from vtk.copies.background import Background, Whitened, fit
from vtk.copies.bench import listed, load, sampled
from vtk.copies.descriptors import Descriptor
from vtk.copies.edits import edited
from vtk.copies.plans import FAMILIES
from vtk.media.names import IMAGE_SUFFIXES

EDITS = ("crop", "border", "picture_in_picture", "caption", "colour", "blur", "noise", "hflip")


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.copies.norm_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path, help="pictures and folders, no two of which share a thing")
    parser.add_argument("--descriptor", default="mobilenet", help="one that is no union")
    parser.add_argument("--dimensions", type=int, nargs="*", default=[], help="besides what fit-norm takes")
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth file of a folder")
    parser.add_argument("--seed", type=int, default=0, help="of halves and edits")
    given = parser.parse_args()
    descriptor = load(given.descriptor, "fp32")
    paths = [path for path in listed(given.pictures, given.every) if path.suffix.lower() in IMAGE_SUFFIXES]
    rng = np.random.default_rng(given.seed)
    wholes = [next(sampled(paths[place])) for place in rng.permutation(len(paths))]
    own = descriptor.describe(wholes)
    copies = {family: descriptor.describe([_edited(image, wholes[place - 1], family, rng)
                                           for place, image in enumerate(wholes)]) for family in EDITS}  # fmt: skip
    for dimensions in (None, *given.dimensions):
        for name, row in measured(descriptor, own, copies, dimensions).items():
            typer.echo(json.dumps({"compared": name, "pictures": len(paths), **row}))
    return 0


def measured(descriptor: Descriptor, own: np.ndarray, copies: dict[str, np.ndarray],
             dimensions: int | None) -> dict[str, dict[str, Any]]:
    """Return the figures of each way of comparing vectors; see above."""
    ways: dict[str, Callable[[Background, np.ndarray, np.ndarray], np.ndarray]] = {
        "plain": lambda background, some, others: descriptor.scores(some, others),
        "whitened": lambda background, some, others: background.apply(some) @ background.apply(others).T,
        "whitened, above the bias": lambda background, some, others:
            Whitened(descriptor, background).scores(some, others),
    }
    half = np.arange(len(own)) % 2 == 0
    found: dict[str, dict[str, list[Any]]] = {name: {} for name in ways}
    strangers: dict[str, list[float]] = {name: [] for name in ways}
    backgrounds = []
    for held in (half, ~half):
        background = fit(own[~held], [str(row) for row in range(int((~held).sum()))], descriptor.space, dimensions)
        backgrounds.append(background)
        for name, way in ways.items():
            for family, vectors in copies.items():
                scores = way(background, vectors[held], own[held])
                found[name].setdefault(family, []).append(scores)
            plain = way(background, own[held], own[held])
            strangers[name].append(float((plain[~np.eye(len(plain), dtype=bool)] >= 0.5).mean()))
    return {name: _row(name, found[name], strangers[name], backgrounds) for name in ways}


def _row(name: str, found: dict[str, list[np.ndarray]], strangers: list[float],
         backgrounds: list[Background]) -> dict[str, Any]:
    precisions = {family: 100 * float(np.mean([_precision(scores) for scores in halves]))
                  for family, halves in found.items()}
    shares = [float((scores.diagonal() >= 0.5).mean()) for halves in found.values() for scores in halves]
    row: dict[str, Any] = {"uAP": {family: round(value, 1) for family, value in precisions.items()},
                           "mean": round(float(np.mean(list(precisions.values()))), 1)}
    if name != "whitened":  # cosines are on no scale of all descriptors
        row |= {"found": round(100 * float(np.mean(shares)), 1), "strangers": round(1e4 * float(np.mean(strangers)), 1)}
    if name != "plain":
        row["dimensions"] = [background.dimensions for background in backgrounds]
    return row


def _precision(scores: np.ndarray) -> float:
    """Return the average precision of (N, N) scores whose diagonal is of copies."""
    copies = np.eye(len(scores), dtype=bool).ravel()[np.argsort(-scores.ravel(), kind="stable")]
    return float((np.cumsum(copies) / np.arange(1, len(copies) + 1))[copies].mean())


def _edited(image: np.ndarray, other: np.ndarray, family: str, rng: np.random.Generator) -> np.ndarray:
    """Return a picture after an edit of a family; ``other`` is what it is shown small in."""
    height, width = image.shape[:2]
    return edited(image, FAMILIES[family](rng).edits, backdrop=cv2.resize(other, (width, height)))


if __name__ == "__main__":
    sys.exit(main())
