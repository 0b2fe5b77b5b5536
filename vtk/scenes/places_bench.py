"""Say how often things give a picture's place away: ``python -m vtk.scenes.places_bench LABELS.csv FOLDER``.

LABELS.csv has the column ``file``, and ``places365_acceptable_labels``, names of Places365 with | between them, or
``label``, a class of the 15-Scene data set, for which FIFTEEN names the places; rows whose ``split`` is not test, or
that leak from train, are left out. A line of JSON for each picture with its first five places; the last one has the
shares of pictures, percent, with an acceptable place first and among the first five, and with the right one of indoors
and outdoors. On samples of ImageNet's own classes that are places, such as its bakery, this measures the table with
itself: it was written with these classes in view.

``--pieces 4`` looks at pieces of each picture in place of all of it, as a camera would that pans over it, and has the
shares by the mean of log-probabilities and by that of probabilities: how ``vtk recognize-scene`` makes one answer of
the pictures of a shot.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from pathlib import Path

import numpy as np
import typer

from vtk.media.image import load
from vtk.models.classifier import load_classifier
from vtk.models.ensemble import pooled
from vtk.models.places365_labels import PLACES
from vtk.models.runtime import RuntimeOptions
from vtk.scenes.hierarchy import indoor, is_indoor
from vtk.scenes.places import scene_scores

# Places that a picture of a class of 15-Scene may be said to show.
FIFTEEN = {
    "bedroom": "bedroom|bedchamber|hotel_room", "suburb": "residential_neighborhood|house|yard|lawn|driveway|porch",
    "industrial": "industrial_area|construction_site|assembly_line|auto_factory|engine_room", "kitchen": "kitchen",
    "livingroom": "living_room|television_room", "coast": "coast|beach|ocean",
    "forest": "forest/broadleaf|forest_path|rainforest|bamboo_forest", "highway": "highway",
    "insidecity": "street|downtown|building_facade|shopfront|alley", "mountain": "mountain|mountain_snowy|valley",
    "opencountry": "field/wild|field/cultivated|pasture|valley", "street": "street|downtown|alley|crosswalk",
    "tallbuilding": "skyscraper|office_building|tower|apartment_building/outdoor",
    "office": "office|home_office|office_cubicles|computer_room",
    "store": "supermarket|general_store/indoor|bookstore|toyshop|clothing_store|shoe_shop|candy_store|market/indoor|"
             "gift_shop|hardware_store|drugstore|bakery/shop|shopping_mall/indoor|department_store",
}  # fmt: skip


# Share of each side of a picture that a piece keeps.
PIECE = 0.6


def pieces(image: np.ndarray, count: int) -> list[np.ndarray]:
    """Return parts of a picture (H, W, 3), from its upper left to its lower right; all of it where ``count`` is 1."""
    if count == 1:
        return [image]
    high, wide = (max(1, round(PIECE * side)) for side in image.shape[:2])
    places = np.linspace(0, 1, count)
    starts = [(round((image.shape[0] - high) * place), round((image.shape[1] - wide) * place)) for place in places]
    return [np.ascontiguousarray(image[top:top + high, left:left + wide]) for top, left in starts]


def main() -> int:
    """Run what the command line asks for; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m vtk.scenes.places_bench",
                                     description=(__doc__ or "").split("\n")[0])
    parser.add_argument("labels", type=Path, help="a CSV file of files and acceptable places")
    parser.add_argument("folder", type=Path, help="that the files lie in")
    parser.add_argument("--every", type=int, default=1, help="take each so-manieth row")
    parser.add_argument("--pieces", type=int, default=1, help="look at so many pieces of each picture")
    parser.add_argument("--precision", default="fp32", help="that the network computes in")
    given = parser.parse_args()
    model = load_classifier("imagenet", runtime=RuntimeOptions("cpu", given.precision))
    with open(given.labels, newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream)
                if row.get("split", "test") == "test" and row.get("leaks_from_train", "0") == "0"][:: given.every]
    inside = np.array(indoor())
    hits = {way: np.zeros(3, int) for way in ("log", "mean")}
    for row in rows:
        right = set((row.get("places365_acceptable_labels") or FIFTEEN[row["label"]]).split("|"))
        each = scene_scores(model.scores(pieces(load(str(given.folder / row["file"]))[0], given.pieces)))
        means = {"log": np.exp(pooled(np.log(each)[:, None])[0]), "mean": each.mean(axis=0)}
        for way, scores in means.items():
            first = [PLACES[index] for index in np.argsort(-scores, kind="stable")[:5]]
            told = bool(scores[inside].sum() > 0.5)
            hits[way] += [first[0] in right, bool(right & set(first)), told in {is_indoor(place) for place in right}]
            if way == "log":
                typer.echo(json.dumps({"file": row["file"], "right": sorted(right), "indoor": told,
                                       "score": round(float(scores.max()), 4), "first": first}))
    for way in hits if given.pieces > 1 else ("log",):
        top1, top5, told = (round(100 * hit / max(len(rows), 1), 1) for hit in hits[way].tolist())
        pooling = {"pieces": given.pieces, "mean of": f"{way}-probabilities".removeprefix("mean-")}
        typer.echo(json.dumps({"pictures": len(rows), **(pooling if given.pieces > 1 else {}), "top1": top1,
                               "top5": top5, "indoor": told}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
