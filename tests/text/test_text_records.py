"""The records of texts: their order, their words, their vocabulary, their scripts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from vtk.driver.stage import Frame, Source
from vtk.models.spotter import Found, Reading, Spotter
from vtk.records import check
from vtk.text.region import Region
from vtk.text.spotting import Seen, Spotting
from vtk.text.text_records import Output, Teller, in_order
from vtk.text.tracks import TextTrack
from vtk.text.vocabulary import Vocabulary


def quad_at(x: float, y: float, width: float = 100, height: float = 20, degrees: float = 0) -> np.ndarray:
    """Return the quad of a text whose upper left corner is at ``x``, ``y``, on a page turned around its origin."""
    corners = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]], float)
    turn = np.deg2rad(degrees)
    return (corners @ np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])).astype(np.float32)


def order_of(quads) -> list[int]:
    """Return the places of quads in reading order; they come in shuffled."""
    tracks = [TextTrack(number, quad, np.zeros(0), None, 0, 0.0, 0, 0.0) for number, quad in enumerate(quads)]
    seen = [Seen(track, track.quad, None) for track in tracks]
    shuffled = np.random.default_rng(3).permutation(len(seen))
    return [each.track.number for each in in_order([seen[row] for row in shuffled])]


GRID = [(x, y) for y in (0, 40, 80) for x in (0, 130, 260)]


@pytest.mark.parametrize("degrees", [0, 12, -12, 30, 90, 180, 270, 100])
def test_rows_are_read_from_the_top_and_each_from_its_left(degrees):
    quads = [quad_at(x, y, degrees=degrees) for x, y in GRID]
    assert order_of(quads) == list(range(9))


def test_a_page_on_its_side_as_a_detector_has_it():
    """Its corners begin at the top left of the picture, wherever the text begins."""
    quads = [np.roll(quad_at(x, y, degrees=90), 1, axis=0) for x, y in GRID]
    assert quads[0][:, 1].tolist() == pytest.approx([0, 0, 100, 100], abs=1e-3)
    assert order_of(quads) == list(range(9))


def test_words_of_one_line_that_do_not_stand_quite_level():
    assert order_of([quad_at(0, 6), quad_at(130, 0), quad_at(260, 4, height=14), quad_at(0, 30)]) == [0, 1, 2, 3]


def test_nothing_and_points_have_an_order():
    assert in_order([]) == []
    assert sorted(order_of([np.zeros((4, 2), np.float32)] * 3)) == [0, 1, 2]


FEATURE = np.ones(4, np.float32) / 2


class Lines:
    """A spotter that finds given lines: (text, x, y), letters 10 pixels wide."""

    def __init__(self, *lines) -> None:
        self.lines = lines

    def spotter(self) -> Spotter:
        return Spotter("lines", "", self.find, lambda image, quad: image[:1, :1], None)

    def find(self, images):
        quads = [quad_at(x, y, 10 * len(text)) for text, x, y in self.lines]
        readings = []
        for text, _, _ in self.lines:
            edges = np.linspace(0, 1, len(text) + 1, dtype=np.float32)
            readings.append(Reading(text, 0.9, np.full(len(text), 0.9), np.stack([edges[:-1], edges[1:]], 1), FEATURE))
        return [Found(np.array(quads, np.float32).reshape(-1, 4, 2), np.full(len(quads), 0.8, np.float32),
                      lambda rows: [readings[row] for row in rows]) for _ in images]


IMAGE = np.zeros((200, 400, 3), np.uint8)


def told(lines: Lines, output: Output = Output(), tracked: bool = True, frames: int = 2, **keys) -> list[dict]:
    """Return the records of a film in which ``lines`` stand still; each is of the vocabulary."""
    teller = Teller("spot-text/lines", "a.mp4", output, 0.04, tracked, **keys)
    spotting, out = Spotting(lines.spotter()), []
    for index in range(frames):
        seen, ended = spotting.look(index, 1.0 * index, IMAGE)
        out += [*teller.texts(Frame(Source("a.mp4"), index, 1.0 * index, image=IMAGE), seen, spotting),
                *teller.ended(ended, spotting)]
    out += teller.ended(spotting.finish(), spotting)
    for record in out:
        check(record)
    return out


def test_lines():
    texts = told(Lines(("EXIT NOW", 10, 10), ("Έξοδος", 10, 60)))
    assert [(each["type"], each["text"], each["track_id"]) for each in texts] == [
        ("text", "EXIT NOW", 1), ("text", "Έξοδος", 2)] * 2 + [
            ("text_track", "EXIT NOW", 1), ("text_track", "Έξοδος", 2)]
    assert texts[0]["poly"] == [[10, 10], [90, 10], [90, 30], [10, 30]] and texts[0]["xyxy"] == [10, 10, 90, 30]
    assert (texts[4]["script"], "language" in texts[4]) == ("Latn", False)
    assert (texts[5]["script"], texts[5]["language"]) == ("Grek", "el")
    assert (texts[4]["start"], texts[4]["end"], texts[4]["observations"]) == (0, 1.04, 2)


def test_words_have_places_and_ids_of_their_own():
    records = told(Lines(("EXIT NOW", 10, 10), ("GO", 200, 10)), Output(words=True))
    texts = [each for each in records if each["type"] == "text"]
    assert [(each["text"], each["track_id"]) for each in texts] == [("EXIT", 1), ("NOW", 2), ("GO", 3)] * 2
    # The reader's spans touch, and what is beyond a letter goes half of the room to the next word at most.
    assert [each["xyxy"][::2] for each in texts[:3]] == [[10, 55], [55, 90], [200, 220]]
    tracks = {each["track_id"]: each for each in records if each["type"] == "text_track"}
    assert {number: each["text"] for number, each in tracks.items()} == {1: "EXIT", 2: "NOW", 3: "GO"}
    assert tracks[2]["best"]["poly"][0] == [55, 10] and tracks[2]["observations"] == 2


def test_words_keep_their_ids_while_their_line_is_on_screen():
    lines = Lines(("EXIT NOW", 10, 10))
    teller = Teller("b", "a.mp4", Output(words=True), 0.04, True)
    spotting, ids = Spotting(lines.spotter()), []
    for index, text in enumerate(("EXIT NOW", "EXITNOW", "EXIT NOW", "EX IT NOW")):
        lines.lines = ((text, 10, 10),)
        seen, _ = spotting.look(index, 1.0 * index, IMAGE)
        ids.append([each["track_id"] for each in teller.texts(Frame(Source("a.mp4"), index, 1.0, image=IMAGE), seen,
                                                              spotting)])
    assert ids == [[1, 2], [1], [1, 2], [3, 1, 2]]


def test_a_vocabulary_says_what_was_read_where_it_differs():
    output = Output(vocabulary=Vocabulary(["EXIT", "Platform"]))
    records = told(Lines(("EX1T NOW", 10, 10), ("EXIT", 10, 60)), output)
    assert [(each["text"], each.get("raw_text")) for each in records] == [("EXIT NOW", "EX1T NOW"), ("EXIT", None)] * 3
    words = told(Lines(("EX1T Platforn", 10, 10),), replace(output, words=True))
    assert [(each["text"], each["raw_text"]) for each in words] == [("EXIT", "EX1T"), ("Platform", "Platforn")] * 3


def test_what_is_cut_out_stands_where_it_stood():
    [text] = [each for each in told(Lines(("EXIT", 10, 10)), frames=1, offset=(100, 50)) if each["type"] == "text"]
    assert text["xyxy"] == [110, 60, 150, 80]
    assert told(Lines(("EXIT", 10, 10)), frames=1, offset=(100, 50))[1]["best"]["poly"][0] == [110, 60]


def test_tracks_alone_and_no_tracks():
    assert [each["type"] for each in told(Lines(("EXIT", 10, 10)), Output(tracks_only=True))] == ["text_track"]
    pictures = told(Lines(("EXIT NOW", 10, 10)), Output(words=True), tracked=False)
    assert {each["type"] for each in pictures} == {"text"} and all("track_id" not in each for each in pictures)


def test_every_output_option_is_in_the_hash():
    outputs = [Output(), Output(min_height=9), Output(region=Region.parse("0,0,9,9")), Output(words=True),
               Output(region=Region.parse("0%,0,9,9")), Output(vocabulary=Vocabulary(["a"])),
               Output(vocabulary=Vocabulary(["b"])), Output(tracks_only=True), Output(image_tracks=True)]
    assert len({str(each.options()) for each in outputs}) == len(outputs)
