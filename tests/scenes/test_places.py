"""Places by what stands in them: the table's lines, what is made of them, and real pictures."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from vtk.models.label_files import read_labels
from vtk.models.places365_labels import PLACES
from vtk.scenes import places_bench
from vtk.scenes.hierarchy import INDOOR, ODD, PATHS, TOP, indoor, is_indoor, path_of
from vtk.scenes.knowledge import TABLE
from vtk.scenes.places import CLASSES, scene_scores, told_share, weights

LINE = re.compile(r"(\d+)(?:-(\d+))? (.+?): ((?:[a-z_/]+ \d+)(?:, [a-z_/]+ \d+)*)")
LINES = [LINE.fullmatch(line) for line in TABLE.strip().splitlines()]


def test_lines_can_be_read_and_name_their_first_class(shared: Path) -> None:
    labels = read_labels(shared / "models" / "imagenet_labels.txt")[1:]
    taken: list[int] = []
    for line in LINES:
        assert line is not None
        first, last = int(line[1]), int(line[2] or line[1])
        assert labels[first].split(",")[0] == line[3], line[0]
        assert first <= last < CLASSES and (not taken or first > taken[-1])
        taken += range(first, last + 1)
        places = [entry.rsplit(" ", 1)[0] for entry in line[4].split(", ")]
        assert set(places) <= set(PLACES) and len(set(places)) == len(places), line[0]
    assert len(LINES) > 300 and len(taken) > 500


def test_weights_are_shares() -> None:
    table = weights()
    assert table.shape == (1000, 365) and table.min() >= 0 and 0.9 > table.max() > 0.8
    assert table.sum(axis=1).max() <= 1 and not table.flags.writeable
    assert table[415, PLACES.index("bakery/shop")] == 0.82 and table[200, PLACES.index("lawn")] == 0.12
    assert table[412].sum() == 0 and table[267:269].any(axis=1).all()


def test_places_are_weighted_sums_and_the_rest_is_spread() -> None:
    shares = np.zeros((3, CLASSES))
    shares[0, 668], shares[0, 412] = 0.5, 0.4  # a mosque, a bin that says nothing, and 0.1 of background
    shares[1, 437] = 1  # a lighthouse
    with np.errstate(divide="ignore"):
        scores, told = scene_scores(np.log(shares)), told_share(np.log(shares))
    assert scores.shape == (3, 365) and scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(told, [0.43, 0.88, 0], atol=1e-12)
    assert scores[0, PLACES.index("mosque/outdoor")] == pytest.approx(0.43 + 0.57 / 365)
    assert scores[0, PLACES.index("kitchen")] == pytest.approx(0.57 / 365)
    assert [PLACES[index] for index in np.argsort(-scores[1])[:2]] == ["lighthouse", "coast"]
    np.testing.assert_allclose(scores[2], 1 / 365, rtol=1e-6)
    np.testing.assert_array_equal(scene_scores(np.full(CLASSES, -np.log(CLASSES))).shape, (365,))


def test_what_are_no_log_probabilities() -> None:
    for wrong in (np.zeros((2, 1001)), np.zeros(())):
        with pytest.raises(ValueError, match=r"expected \(..., 1000\), the classes of ImageNet"):
            scene_scores(wrong)
    for wrong in (np.full(CLASSES, -1.0), np.full(CLASSES, np.nan)):
        with pytest.raises(ValueError, match="their exponentials sum to"):
            scene_scores(wrong)


def test_every_place_belongs_to_one_kind() -> None:
    assert set(PATHS) == set(PLACES) and len(set(PATHS.values())) == 16
    assert Counter(path[0] for path in set(PATHS.values())) == dict(zip(TOP, (6, 4, 6), strict=True))
    assert path_of("kitchen") == ("indoor", "home or hotel", "kitchen")
    assert path_of("volcano")[:2] == ("outdoor, natural", "mountains, hills, desert, sky")
    with pytest.raises(ValueError, match="got 'kitchn', expected one of the 365 names"):
        path_of("kitchn")
    with pytest.raises(ValueError, match="got 'moon'"):
        is_indoor("moon")


def test_indoors_is_the_makers_word(shared: Path) -> None:
    lines = (shared / "data" / "recognize-scene" / "IO_places365.txt").read_text().splitlines()
    said = {line.split()[0][3:]: line.split()[1] == "1" for line in lines}
    assert {place: is_indoor(place) for place in PLACES} == said
    assert list(indoor()) == list(said.values())
    assert {place for place in PLACES if said[place] != (path_of(place)[0] == INDOOR)} == ODD


def bench(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *words: object) -> list[dict]:
    """Return what the bench prints."""
    monkeypatch.setattr(sys, "argv", ["places_bench", *map(str, words)])
    assert places_bench.main() == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_places_of_imagenet_are_found(shared: Path, capsys: pytest.CaptureFixture[str],
                                      monkeypatch: pytest.MonkeyPatch) -> None:
    """The table was written with these classes in view: this says that it was written down right, and no more."""
    folder = shared / "data" / "recognize-scene"
    *rows, whole = bench(monkeypatch, capsys, folder / "labels.csv", folder / "imagenet_scene_like")
    assert whole["pictures"] == len(rows) == 21
    assert whole["top1"] >= 85 and whole["top5"] == 100 and whole["indoor"] == 100


def test_places_of_other_peoples_pictures_are_found_now_and_then(
        shared: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Grey pictures of 15 kinds of place that nobody had in view: rooms and coasts are told, forests are not."""
    folder = shared / "train" / "recognize-scene" / "scene15"
    if not folder.is_dir():
        pytest.skip(f"no 15-Scene: {folder} is absent")
    with open(folder / "labels.csv", newline="") as stream:
        assert set(places_bench.FIFTEEN) == {row["label"] for row in csv.DictReader(stream)}
    assert {place for places in places_bench.FIFTEEN.values() for place in places.split("|")} <= set(PLACES)
    *rows, whole = bench(monkeypatch, capsys, folder / "labels.csv", folder, "--every", 40)
    assert len(rows) > 60 and 25 < whole["top1"] < whole["top5"] and whole["top5"] > 50 and whole["indoor"] > 88
