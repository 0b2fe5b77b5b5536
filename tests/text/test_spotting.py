"""Text in a video with a detector and a reader that know the answer: when they are asked, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from vtk.models.spotter import Found, Reading, Spotter
from vtk.text.spotting import Plan, Spotting
from vtk.text.tracks import TextTracks

FPS = 20.0


class Film:
    """Frames with drawn words, and a detector and a reader that know them by place."""

    def __init__(self, words, cuts=()):
        self.words, self.cuts = words, cuts  # words: (text, x0, y0, speed in pixels a frame, first, last)
        self.found, self.read_crops = [], 0
        self.frame = -1

    def image(self, frame):
        self.frame = frame
        scene = sum(frame >= cut for cut in self.cuts)
        rng = np.random.default_rng(scene)
        blocks = cv2.resize(rng.integers(0, 160, (6, 12), dtype=np.uint8), (480, 240), interpolation=cv2.INTER_NEAREST)
        image = np.repeat(blocks[:, :, None] + rng.integers(0, 30, (240, 480, 1), dtype=np.uint8), 3, axis=2)
        for text, x, y, speed, first, last in self.words:
            if first <= frame < last:
                place = int(x + speed * frame)
                cv2.rectangle(image, (place, y), (place + 120, y + 30), (255, 255, 255), -1)
                cv2.putText(image, text, (place + 4, y + 24), cv2.FONT_HERSHEY_SIMPLEX, 0.8, (0, 0, 0), 2)
        return np.ascontiguousarray(image)

    def quads(self):
        boxes = [(int(x + speed * self.frame), y, text) for text, x, y, speed, first, last in self.words
                 if first <= self.frame < last]
        return boxes

    def find(self, images):
        self.found.append(self.frame)
        quads = [[[x, y], [x + 120, y], [x + 120, y + 30], [x, y + 30]] for x, y, _ in self.quads()]
        quads = np.array(quads, np.float32).reshape(-1, 4, 2)
        return [Found(quads, np.full(len(quads), 0.9, np.float32),
                      lambda rows: self.read([self.crop(images[0], quads[row]) for row in rows]))]

    def crop(self, image, quad):
        x, y = quad[0].astype(int)
        self.last = min(self.quads(), key=lambda each: abs(each[0] - x) + abs(each[1] - y))[2]
        crop = image[y:y + 30, max(x, 0):x + 120].copy()
        crop[0, 0] = [sum(map(ord, self.last)) % 256, len(self.last), 0]
        self.known = getattr(self, "known", {}) | {bytes(crop[0, 0]): self.last}
        return crop

    def read(self, crops):
        self.read_crops += len(crops)
        out = []
        for crop in crops:
            text = self.known[bytes(crop[0, 0])]
            feature = np.zeros(16, np.float32)
            feature[hash(text) % 16] = 1
            out.append(Reading(text, 0.9, np.full(len(text), 0.9), np.zeros((len(text), 2)), feature))
        return out


def spot(film, frames, plan=Plan(), **tracks):
    spotting = Spotting(Spotter("film", "", film.find, film.crop, film.read), plan, TextTracks(**tracks))
    seen, ended = {}, []
    for frame in range(frames):
        here, gone = spotting.look(frame, frame / FPS, film.image(frame))
        seen[frame] = {each.track.number: each for each in here}
        ended += gone
    ended += spotting.finish()
    return seen, {track.number: (track, spotting.transcript(track)) for track in ended}


def test_a_still_text_is_found_now_and_then_and_read_once():
    film = Film([("HELLO", 40, 60, 0, 0, 99)])
    seen, tracks = spot(film, 40)
    assert film.found == [0, 5, 10, 15, 20, 25, 30, 35]
    assert all(set(here) == {1} for here in seen.values())
    assert film.read_crops <= 1 + 5  # when it was new, and its best views at the end
    assert [tracks[1][1][0], tracks[1][0].frame, tracks[1][0].last_frame] == ["HELLO", 0, 39]
    assert [each[1].det_score is not None for here in seen.values() for each in here.items()] == [
        frame % 5 == 0 for frame in range(40)]


def test_a_moving_text_is_followed_between_detections():
    film = Film([("MOVING", 10, 60, 4, 0, 99)])
    seen, _ = spot(film, 40)
    for frame, here in seen.items():
        assert set(here) == {1}
        # Two pixels for the flow between detections; the words move by whole ones.
        assert np.abs(here[1].quad[0] - [10 + 4 * frame, 60]).max() <= 2


def test_a_new_text_gets_a_track_of_its_own_and_an_old_one_ends():
    film = Film([("FIRST", 20, 40, 0, 0, 20), ("SECOND", 250, 140, 0, 10, 60)])
    seen, tracks = spot(film, 60, patience=0.5)
    assert {number: track[1][0] for number, track in tracks.items()} == {1: "FIRST", 2: "SECOND"}
    assert tracks[1][0].last_frame in range(18, 22) and tracks[2][0].frame in range(10, 16)
    assert all(set(seen[frame]) == {2} for frame in range(30, 60))


def test_a_cut_ends_every_text():
    film = Film([("TITLE", 40, 60, 0, 0, 99)], cuts=(20,))
    seen, tracks = spot(film, 40)
    assert set(tracks) == {1, 2} and tracks[1][0].last_frame == 19 and tracks[2][0].frame == 20
    assert 20 in film.found


def test_a_lamp_is_no_cut():
    """The whole picture turns brighter at once, and what stands there stays."""
    film = Film([("TITLE", 40, 60, 0, 0, 99)])
    plain = film.image
    film.image = lambda frame: cv2.add(plain(frame), (60.0 if frame >= 20 else 0.0,) * 4)
    seen, tracks = spot(film, 40)
    assert set(tracks) == {1} and all(set(here) == {1} for here in seen.values())


def test_what_cannot_be_read_is_no_text():
    film = Film([("NOISE", 40, 60, 0, 0, 99)])
    reader = film.read
    film.read = lambda crops: [replace(each, score=0.3) for each in reader(crops)]
    seen, tracks = spot(film, 10)
    assert not tracks and not any(seen.values())


def test_nothing_at_all():
    film = Film([])
    seen, tracks = spot(film, 12)
    assert not tracks and not any(seen.values()) and film.read_crops == 0


@pytest.mark.parametrize("interval", [0.05, 1.0])
def test_how_often_it_looks_is_the_users(interval):
    film = Film([("HELLO", 40, 60, 0, 0, 99)])
    spot(film, 40, Plan(interval=interval))
    assert len(film.found) == (40 if interval == 0.05 else 2)


def test_a_text_of_which_more_comes_into_view_is_read_again():
    """Three quarters of it are seen, then all: it is confirmed, and says all though that was read a little worse."""
    film = Film([("KITCHEN", 40, 60, 0, 0, 99)])
    find = film.find

    def shown(images):
        [found] = find(images)
        quads = found.quads.copy()
        quads[:, 1:3, 0] -= 30 if film.frame < 10 else 0
        return [replace(found, quads=quads)]

    def crop(image, quad):
        return np.ascontiguousarray(image[int(quad[0, 1]):int(quad[2, 1]), int(quad[0, 0]):int(quad[1, 0])])

    def read(crops):
        texts = [("KITC", 0.9) if each.shape[1] == 90 else ("KITCHEN", 0.8) for each in crops]
        return [Reading(text, sure, np.full(len(text), sure), np.zeros((len(text), 2)), np.eye(16, dtype=np.float32)[0])
                for text, sure in texts]

    spotting, texts = Spotting(Spotter("film", "", shown, crop, read)), []
    for frame in range(20):
        seen, _ = spotting.look(frame, frame / FPS, film.image(frame))
        texts += [(each.track.number, spotting.told[each.track.number].reading.text) for each in seen]
    assert texts == [(1, "KITC")] * 10 + [(1, "KITCHEN")] * 10
