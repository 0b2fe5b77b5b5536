"""Texts that change in place: seen to change, read again, and a track for each of them."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from vtk.models.spotter import Reading, Spotter
from vtk.text.changes import likeness, may_differ, rewritten
from vtk.text.spotting import Plan, Spotting
from vtk.text.views import VIEWS


def board(text: str, at: tuple[int, int] = (40, 60), size: tuple[int, int] = (320, 96)) -> np.ndarray:
    """Return a dark picture with a light panel that says ``text``."""
    image = np.full((size[1], size[0], 3), 40, np.uint8)
    cv2.rectangle(image, (20, 20), (size[0] - 20, 76), (220, 220, 200), -1)
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.2, (10, 10, 30), 3, cv2.LINE_AA)
    return image


def reading(text: str, *scores: float) -> Reading:
    array = np.array(scores or [0.99] * len(text), np.float32)
    return Reading(text, float(array.mean()) if len(array) else 0.0, array, np.zeros((len(text), 2), np.float32),
                   np.ones(1, np.float32))


CROP = np.s_[28:70, 32:290]


@pytest.mark.parametrize("after", [
    board("HOME 1:0"), board("HOME 1:0", (42, 59)), cv2.GaussianBlur(board("HOME 1:0"), (0, 0), 1.0),
    cv2.add(board("HOME 1:0"), (30.0,) * 4), (board("HOME 1:0") * 0.6).astype(np.uint8),
    cv2.resize(cv2.resize(board("HOME 1:0"), (200, 60), interpolation=cv2.INTER_AREA), (320, 96))])
def test_the_same_text_looks_the_same(after):
    assert not may_differ(likeness(board("HOME 1:0")[CROP]), likeness(after[CROP]))


@pytest.mark.parametrize("text", ["HOME 1:1", "HOME 1:8", "HOME 7:0", "HONE 1:0", "HOME", "AWAY 1:0", ""])
def test_another_text_looks_different(text):
    assert may_differ(likeness(board("HOME 1:0")[CROP]), likeness(board(text)[CROP]))


def test_crops_of_any_size_are_compared():
    crops = [np.full((height, width, 3), 90, np.uint8) for height, width in ((1, 1), (48, 3), (48, 3072), (8, 8))]
    for one in crops:
        assert not may_differ(likeness(one), likeness(one))
        for other in crops:
            may_differ(likeness(one), likeness(other))


@pytest.mark.parametrize(("before", "after", "answer"), [
    ("1:0", "1:1", True), ("12:04", "12:05", True), ("12:09", "12:10", True), ("09", "10", True),
    ("Gate", "Exit", True),
    ("Gate A4", "Gate B7", True),
    ("1:0", "1:0", False), ("EXIT", "EX1T", False), ("Room O5", "Room 0S", False), ("exit", "EXIT", False),
    ("HELL", "HELLO", False), ("BOX OFFICE", "OFFICE", False), ("a.b", "a,b", False),
    ("PLATFORM NI", "ATFORM NINE", False),
    ("breaking news to", "ing news tonight", False), ("", "new", False),
    ("old", "", False),
])
def test_what_is_another_text(before, after, answer):
    assert rewritten(reading(before), reading(after)) is answer


def test_what_was_not_read_surely_may_be_misread():
    assert not rewritten(reading("1:0"), reading("1:8", 0.99, 0.99, 0.7))
    assert not rewritten(reading("1:3", 0.99, 0.99, 0.7), reading("1:0"))
    assert rewritten(reading("1:3", 0.6, 0.6, 0.96), reading("1:0", 0.6, 0.6, 0.96))


class Counted:
    """A spotter that counts what it reads."""

    def __init__(self, spotter: Spotter) -> None:
        self.crops = 0
        self.inner = spotter

    def spotter(self) -> Spotter:
        def read(crops):
            self.crops += len(crops)
            return self.inner.read(crops)

        return Spotter("counted", "", self.inner.find, self.inner.crop, read)


def tracks_of(spotter: Spotter, pictures: list[np.ndarray], fps: float) -> list[tuple[str, int, int]]:
    """Return transcript, first and last frame of each track, in the order in which they began."""
    spotting, ended = Spotting(spotter, Plan(interval=0.25)), []
    for frame, picture in enumerate(pictures):
        ended += spotting.look(frame, frame / fps, picture)[1]
    ended += spotting.finish()
    found = [(spotting.transcript(track)[0], track.frame, track.last_frame) for track in ended]
    assert not spotting.views and not spotting.told
    return sorted(found, key=lambda each: each[1])


def test_a_score_is_a_track_for_each_of_its_states(spotter):
    """Text is looked for every 0.25 s, so what changes is known with the next look, two frames later at most."""
    counted = Counted(spotter)
    pictures = [board(text) for text in ("HOME 1:0", "HOME 1:1", "HOME 2:1") for _ in range(20)]
    tracks = tracks_of(counted.spotter(), pictures, 10)
    assert [text for text, _, _ in tracks] == ["HOME 1:0", "HOME 1:1", "HOME 2:1"]
    assert [first for _, first, _ in tracks] == pytest.approx([0, 20, 40], abs=2)
    assert [last for _, _, last in tracks] == pytest.approx([19, 39, 59], abs=2)


def test_a_clock_is_a_track_for_each_second(spotter):
    pictures = [board(f"12:{second:02d}") for second in range(7, 12) for _ in range(8)]
    tracks = tracks_of(spotter, pictures, 8)
    assert [text for text, _, _ in tracks] == ["12:07", "12:08", "12:09", "12:10", "12:11"]
    assert [first for _, first, _ in tracks] == pytest.approx([0, 8, 16, 24, 32], abs=2)


def test_what_does_not_change_is_read_when_it_is_new_and_at_the_end(spotter):
    counted = Counted(spotter)
    rng = np.random.default_rng(0)
    pictures = [cv2.add(board("HOME 1:0", (40 + frame // 20, 60)), rng.integers(0, 20, (96, 320, 3), dtype=np.uint8))
                for frame in range(60)]
    assert tracks_of(counted.spotter(), pictures, 10) == [("HOME 1:0", 0, 59)]
    assert counted.crops <= 1 + VIEWS
