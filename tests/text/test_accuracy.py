"""The comparison of spotters on made films: its rows, what they are told apart by, and that ours is the command."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest

from vtk.models.spotter import Found, Reading, Spotter
from vtk.models.spotters import load_spotter
from vtk.records import make
from vtk.text import accuracy
from vtk.text.accuracy import Remembering, Repeats, cues_of, main, make_films, score, spot
from vtk.text.scenes import drawn


@pytest.fixture(scope="module")
def stills(tmp_path_factory):
    """Return a folder of two pictures in MMOCR's layout, and the transcripts of all but one of their words."""
    folder = tmp_path_factory.mktemp("stills")
    entries, items = [], []
    for number, texts in enumerate((["PLATFORM", "Exit"], ["Museum"])):
        still, name = drawn(texts, number, (640, 360), (22, 26)), f"{number}.png"
        # Detectors leave room around letters; what is drawn has none.
        words = still.quads + np.array([[-4, -4], [4, -4], [4, 4], [-4, 4]])
        cv2.imwrite(str(folder / name), still.image[:, :, ::-1])
        entries.append({"img_path": name, "instances": [{"polygon": quad.ravel().tolist()} for quad in words]})
        items += [[name, *quad.min(axis=0).tolist(), text] for quad, text in zip(words, texts, strict=True)]
    (folder / "textdet_test.json").write_text(json.dumps({"data_list": entries}))
    (folder / "read.json").write_text(json.dumps({"items": [item for item in items if item[3] != "Exit"]}))
    return folder, folder / "read.json"


@pytest.fixture(scope="module")
def films(stills, tmp_path_factory):
    return make_films(*stills, tmp_path_factory.mktemp("films"), 18, 1)


def quads(*places):
    return np.array([[[x, 0], [x + 50, 0], [x + 50, 20], [x, 20]] for x in places], float)


def test_the_table_has_every_row(stills, capsys):
    assert main([str(stills[0]), str(stills[1]), "--frames", "4", "--films", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["8", "FRAMES", *accuracy.COLUMNS]
    assert lines[1].startswith("vtk spot-text ") and lines[2].startswith("each frame ")
    assert len(lines) == 3 + len(accuracy.ABLATION) and lines[-1].startswith("words, looks, place")
    assert lines[-1].split()[-1] == "-" and float(lines[1].split()[-1]) > 0


def test_a_file_that_is_not_there_is_named(tmp_path, capsys):
    assert main([str(tmp_path), str(tmp_path / "read.json")]) == 1
    assert "textdet_test.json" in capsys.readouterr().err


def test_our_row_is_the_command(films, vtk):
    records = spot(str(films[0]), load_spotter("ppocr"))
    ran = vtk("spot-text", films[0], "--words", "--only")
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    told = [{key: value for key, value in each.items() if key != "pts"} for each in told]
    for kind in ("text", "text_track"):
        assert [each for each in told if each["type"] == kind] == [each for each in records if each["type"] == kind]
    assert {each["text"] for each in records if each["type"] == "text_track"} >= {"PLATFORM", "Museum"}


def test_the_truth_scores_in_full_and_a_swap_of_ids_does_not(films):
    def told(film, swapped=False):
        for number, words in json.loads(films[0].with_suffix(".json").read_text()).items():
            for word in words:
                points = np.reshape(word["points"], (4, 2))
                late = swapped and int(number) % 18 > 8
                yield make("text", "truth", film, frame=int(number) - 1, t=0.0, poly=points.tolist(),
                           xyxy=[*points.min(axis=0).tolist(), *points.max(axis=0).tolist()],
                           text=word["transcription"], score=1.0, track_id=int(word["ID"]) + 10 * late)

    figures = score(films, lambda film: list(told(film)))
    assert [figures[name] for name in ("MOTA", "IDF1", "Hmean", "E2E_IDF1", "CER")] == [100, 100, 100, 100, 0]
    figures = score(films, lambda film: list(told(film, True)))
    assert figures["Hmean"] == 100 and figures["IDF1"] < 70 and figures["IDSW"] > 0


def test_texts_that_read_alike_are_one():
    repeats = Repeats()
    assert repeats.number(0.0, quads(0, 100), ["PLATFORM", "SALE"]) == [1, 2]
    assert repeats.number(0.5, quads(0, 100, 200), ["PLATF0RM", "SOLD", "SALE"]) == [1, 3, 2]
    assert repeats.number(1.6, quads(0), ["PLATFORM"]) == [4]  # a second has passed


def test_of_texts_that_read_the_same_the_nearer_is_one():
    repeats = Repeats()
    assert repeats.number(0.0, quads(0, 100), ["SALE", "SALE"]) == [1, 2]
    assert repeats.number(0.1, quads(90, 10), ["SALE", "SALE"]) == [2, 1]
    assert repeats.number(0.2, quads(0, 10, 100), ["SALE", "SALE", "SALE"]) in ([3, 1, 2], [1, 3, 2])


def test_without_place_nothing_is_too_far_away():
    words, place = cues_of(("words",)), cues_of(("looks", "place"))
    assert (words.semantic, words.visual, words.position, words.reach, words.overlap) == (1, 0, 0, np.inf, 2)
    assert (place.semantic, place.visual, place.position) == (0, 2, 1) and np.isfinite(place.reach)


def test_networks_run_once_for_a_picture():
    asked = []

    def find(images):
        asked.append("find")
        return [Found(quads(0, 100), np.ones(2), lambda rows: [reading(str(row)) for row in rows])]

    def read(crops):
        asked.append("read")
        return [reading("crop") for _ in crops]

    def reading(text):
        return Reading(text, 1.0, np.ones(len(text)), np.zeros((len(text), 2)), np.ones(1))

    known = Remembering(Spotter("", "", find, lambda image, quad: image, read)).spotter()
    picture, other = np.zeros((8, 8, 3), np.uint8), np.full((8, 8, 3), 9, np.uint8)
    for _ in range(2):
        found = [each for image in (picture, other) for each in known.find([image])]
        assert [each.text for each in found[1].read([1])] == ["1"]
        assert [each.text for each in known.read([picture, other])] == ["crop", "crop"]
    assert asked == ["find", "find", "read", "read"]
