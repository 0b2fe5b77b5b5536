"""Spotting text in what nobody would choose: every source ends, in bounded work, with what is to be said of it."""

from __future__ import annotations

import time
import tracemalloc
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vtk.driver.run import run
from vtk.driver.stage import Frame, Source
from vtk.media.writer import VideoWriter
from vtk.models.runtime import RuntimeOptions
from vtk.models.spotter import Found, Reading, Spotter
from vtk.records import check
from vtk.text import stage as stages
from vtk.text.region import Region
from vtk.text.spotting import Plan, Spotting
from vtk.text.stage import State, TextStage
from vtk.text.text_records import Output


@pytest.fixture(scope="module")
def spot(spotter):
    """Return a function that gives the records of one source, each of the vocabulary; the networks are loaded once."""

    def spotted(path: Path, output: Output = Output(), **options: object) -> list[dict]:
        stage = TextStage(long_side=320, runtime=RuntimeOptions(precision="fp32"), output=output, **options)
        stage._loaded = spotter
        records = list(run([stage], [str(path)]))
        for record in records:
            check(record)
        assert [record["type"] for record in records][-1] == "end"
        return records

    return spotted


def page(*lines: str, size: tuple[int, int] = (480, 240), scale: float = 1.1) -> np.ndarray:
    image = np.full((size[1], size[0], 3), 255, np.uint8)
    for number, line in enumerate(lines):
        cv2.putText(image, line, (30, 60 + 70 * number), cv2.FONT_HERSHEY_SIMPLEX, scale, (0, 0, 0),
                    max(1, round(2 * scale)), cv2.LINE_AA)
    return image


def put(path: Path, image: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), image)
    return path


def film(path: Path, pictures, fps: float = 10) -> Path:
    pictures = list(pictures)
    with VideoWriter(path, pictures[0].shape[1], pictures[0].shape[0], fps) as writer:
        for index, picture in enumerate(pictures):
            writer.write(picture, index / fps)
    return path


def said(records, kind="text") -> list[str]:
    return [record["text"] for record in records if record["type"] == kind]


PAGE = page("EXIT 24", "Platform nine", "Ticket office")
LINES = ["EXIT 24", "Platform nine", "Ticket office"]


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_a_page_turned_by_quarters_is_read_in_its_order(spot, tmp_path, quarters):
    records = spot(put(tmp_path / "page.png", np.rot90(PAGE, quarters)))
    assert said(records) == LINES


@pytest.mark.parametrize(("name", "change"), [
    ("grey.png", lambda image: image[:, :, 0]), ("grey.jpg", lambda image: image[:, :, 0]),
    ("alpha.png", lambda image: np.dstack([image, 255 - image[:, :, 0]])),  # paper is transparent
    ("sixteen.png", lambda image: image.astype(np.uint16) * 257)])
def test_pictures_of_every_kind(spot, tmp_path, name, change):
    assert said(spot(put(tmp_path / name, change(PAGE)))) == LINES


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (300, 1), (2, 2), (200, 300)])
def test_pictures_without_text(spot, tmp_path, shape):
    records = spot(put(tmp_path / "empty.png", np.full((*shape, 3), 128, np.uint8)))
    assert [record["type"] for record in records] == ["media", "end"] and records[-1]["status"] == "ok"


def test_a_film_without_text(spot, tmp_path):
    records = spot(film(tmp_path / "grey.mp4", [np.full((96, 128, 3), 90, np.uint8)] * 12))
    assert [record["type"] for record in records] == ["media", "end"]
    assert (records[-1]["status"], records[-1]["frames"]["processed"]) == ("ok", 12)


def test_a_film_of_noise(spot, tmp_path):
    rng = np.random.default_rng(0)
    noise = [rng.integers(0, 256, (120, 160, 3), dtype=np.uint8) for _ in range(15)]
    records = spot(film(tmp_path / "noise.mp4", noise))
    assert records[-1]["status"] == "ok" and not [text for text in said(records) if len(text) > 2]


def test_text_of_eight_pixels(spot, tmp_path):
    """Capitals 8 pixels high, read where the region makes them larger."""
    image = page("", size=(320, 160))
    cv2.putText(image, "SMALL PRINT", (24, 84), cv2.FONT_HERSHEY_SIMPLEX, 0.38, (0, 0, 0), 1, cv2.LINE_AA)
    rows = np.flatnonzero((image < 128).any(axis=(1, 2)))
    assert rows[-1] - rows[0] + 1 == 8
    path = put(tmp_path / "small.png", image)
    assert "SMALLPRINT" in "".join(said(spot(path, Output(region=Region.parse("0,60,160,100"))))).replace(" ", "")
    assert spot(path)[-1]["status"] == "ok"


def test_vertical_text(spot, tmp_path):
    """A line that runs down, and letters one above the other: found, and none of them breaks anything."""
    image = np.full((400, 200, 3), 255, np.uint8)
    image[:, :100] = np.rot90(page("Departures", size=(400, 100)), -1)
    for number, letter in enumerate("EXIT"):
        cv2.putText(image, letter, (130, 90 + 80 * number), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (0, 0, 0), 5, cv2.LINE_AA)
    records = spot(put(tmp_path / "vertical.png", image))
    assert "Departures" in said(records) and len(said(records)) >= 2
    words = [each for each in spot(tmp_path / "vertical.png", Output(words=True)) if each.get("text") == "Departures"]
    assert words[0]["xyxy"][3] - words[0]["xyxy"][1] > 3 * (words[0]["xyxy"][2] - words[0]["xyxy"][0])


def test_a_very_long_picture(spot, tmp_path):
    image = np.full((200, 30000, 3), 255, np.uint8)
    for x in range(100, 29000, 3000):
        cv2.putText(image, f"MARK {x}", (x, 130), cv2.FONT_HERSHEY_SIMPLEX, 2.4, (0, 0, 0), 6, cv2.LINE_AA)
    assert said(spot(put(tmp_path / "long.png", image))) == [f"MARK {x}" for x in range(100, 29000, 3000)]


def test_a_broken_file_in_a_folder(spotter, tmp_path):
    good, bad = put(tmp_path / "b.png", PAGE), tmp_path / "a.png"
    bad.write_bytes(good.read_bytes()[:300])
    stage = TextStage(long_side=320, runtime=RuntimeOptions(precision="fp32"))
    stage._loaded = spotter
    records = list(run([stage], [str(bad), str(good)]))
    ends = [record for record in records if record["type"] == "end"]
    assert [record["status"] for record in ends] == ["failed", "ok"] and said(records) == LINES
    assert ends[0]["options"] == ends[1]["options"]


def test_the_hash_of_the_weights_stands_in_the_first_ledger_too(tmp_path, spotter, monkeypatch):
    """Of a source that could not be opened, in a process that has loaded nothing yet."""
    loads = []
    monkeypatch.setattr(stages, "load_spotter", lambda *a: loads.append(a) or spotter)
    stage = TextStage(long_side=320)
    assert stage.options()["sha256"] == spotter.sha256 and stage.options() and len(loads) == 1


@pytest.mark.parametrize(("region", "texts"), [
    ("0,0,480,85", LINES[:1]), ("0%,35%,100%,100%", LINES[1:]), ("0,160,100%,100%", LINES[2:]), ("0,225,480,240", [])])
def test_a_region_of_a_picture(spot, tmp_path, region, texts):
    path = put(tmp_path / "page.png", PAGE)
    whole = {record["text"]: record["xyxy"] for record in spot(path) if record["type"] == "text"}
    found = [record for record in spot(path, Output(region=Region.parse(region))) if record["type"] == "text"]
    assert [record["text"] for record in found] == texts
    for record in found:
        assert record["xyxy"] == pytest.approx(whole[record["text"]], abs=8)


def test_a_region_outside_of_the_picture_fails_the_source_in_one_line(spot, tmp_path):
    records = spot(put(tmp_path / "page.png", PAGE), Output(region=Region.parse("500,0,600,50")))
    assert records[-1]["status"] == "failed"
    [error] = [record["error"] for record in records if record["type"] == "error"]
    assert error["code"] == "E_REGION" and "480 × 240 pixels" in error["message"]


def test_pictures_have_tracks_where_asked(spot, tmp_path):
    records = spot(put(tmp_path / "page.png", PAGE), Output(image_tracks=True))
    assert said(records, "text_track") == said(records) == LINES
    assert [record["track_id"] for record in records if "track_id" in record] == [1, 2, 3] * 2
    assert {record["script"] for record in records if record["type"] == "text_track"} == {"Latn"}


def test_a_text_that_passes_before_another(spot, tmp_path):
    """It hides the other for longer than a track waits; both are read before and after.

    Whole in the picture from step 15 to 52; before the other from 22 to 43, and it is all hidden from 30 to 35.
    """
    def picture(step: int) -> np.ndarray:
        image = np.full((120, 560, 3), 255, np.uint8)
        cv2.putText(image, "Platform", (200, 75), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2, cv2.LINE_AA)
        x = -180 + 12 * step
        cv2.rectangle(image, (x, 40), (x + 120, 90), (40, 40, 160), -1)
        cv2.putText(image, "EXIT", (x + 15, 78), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (255, 255, 255), 3, cv2.LINE_AA)
        return image

    records = spot(film(tmp_path / "cross.mp4", [picture(step) for step in range(66)], fps=10))
    tracks = sorted((record["text"], record["start_frame"], record["end_frame"]) for record in records
                    if record["type"] == "text_track" and record["text"] in ("EXIT", "Platform"))
    exits, platforms = ([track[1:] for track in tracks if track[0] == text] for text in ("EXIT", "Platform"))
    assert exits[0][0] <= 15 and exits[-1][1] >= 52 and sum(end - start for start, end in exits) >= 37
    assert platforms[0][0] == 0 and 22 <= platforms[0][1] <= 35
    assert 30 <= platforms[-1][0] <= 52 and platforms[-1][1] >= 65


def test_two_texts_that_say_the_same_and_pass_each_other(spot, tmp_path):
    """One row apart, in opposite directions: each keeps its id, to the right with the upper one."""
    def picture(step: int) -> np.ndarray:
        image = np.full((130, 420, 3), 235, np.uint8)
        cv2.putText(image, "EXIT", (20 + 8 * step, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2, cv2.LINE_AA)
        cv2.putText(image, "EXIT", (300 - 8 * step, 105), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (0, 0, 0), 2, cv2.LINE_AA)
        return image

    records = spot(film(tmp_path / "pass.mp4", [picture(step) for step in range(34)], fps=10))
    places: dict[int, list[tuple[float, float]]] = {}
    for record in records:
        if record["type"] == "text":
            places.setdefault(record["track_id"], []).append((record["xyxy"][0], record["xyxy"][1]))
    assert [len(each) >= 32 for each in places.values()] == [True, True]
    upper, lower = sorted(places.values(), key=lambda each: each[0][1])
    assert max(y for _, y in upper) < 45 < min(y for _, y in lower)
    assert upper[-1][0] - upper[0][0] > 220 and lower[0][0] - lower[-1][0] > 220


class Crowd:
    """A spotter that finds 10,000 texts in every picture, none where one was before, and reads each at once."""

    def __init__(self, boxes: int = 10_000) -> None:
        self.rng, self.boxes, self.read_rows = np.random.default_rng(0), boxes, 0

    def spotter(self) -> Spotter:
        return Spotter("crowd", "", self.find, lambda image, quad: image[:4, :12], self.read)

    def find(self, images):
        corners = self.rng.uniform(0, 600, (self.boxes, 1, 2)).astype(np.float32)
        quads = corners + np.array([[0, 0], [30, 0], [30, 10], [0, 10]], np.float32)
        scores = -np.sort(-self.rng.uniform(0, 1, self.boxes)).astype(np.float32)
        return [Found(quads, scores, lambda rows: self.read(rows), 7) for _ in images]

    def read(self, rows):
        self.read_rows += len(rows)
        texts = ["".join(map(chr, self.rng.integers(65, 91, 6))) for _ in rows]
        return [Reading(text, 0.9, np.full(6, 0.9, np.float32), np.zeros((6, 2), np.float32),
                        np.full(64, 0.125, np.float32)) for text in texts]


def test_ten_thousand_boxes_in_a_frame_are_bounded_work_and_a_warning():
    crowd, plan = Crowd(), Plan(most=100)
    stage, source = TextStage(), Source("crowd.mp4")
    state = State(source, Spotting(crowd.spotter(), plan), 0.1, False)
    rng = np.random.default_rng(1)
    tracemalloc.start()
    begin, records = time.process_time(), []
    for index in range(5):
        image = rng.integers(0, 255, (610, 640, 3), dtype=np.uint8)
        records += stage.frames(state, [Frame(source, index, index * 0.5, image=image)])[0]
        assert len(state.spotting.tracks.open) <= 2 * plan.most and len(state.spotting.views) <= 2 * plan.most
    spent, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert spent < 20 and peak < 100 * 2**20, (spent, peak)
    assert sum(record["type"] == "text" for record in records) == 5 * plan.most
    last = stage.end(state)
    assert not state.spotting.views and not state.spotting.told and not state.spotting.tracks.open
    assert last[-1]["type"] == "error" and last[-1]["error"]["fatal"] is False
    assert last[-1]["error"]["message"].startswith("up to 9907 boxes of a frame were left out: the surest 100 ")


def test_no_warning_where_nothing_is_left_out():
    crowd, stage, source = Crowd(50), TextStage(), Source("few.mp4")
    few = replace(crowd.spotter(), find=lambda images: [replace(found, more=0) for found in crowd.find(images)])
    state = State(source, Spotting(few), 0.1, False)
    assert stage.frames(state, [Frame(source, 0, 0.0, image=np.zeros((64, 64, 3), np.uint8))])[0]
    assert not [record for record in stage.end(state) if record["type"] == "error"]
