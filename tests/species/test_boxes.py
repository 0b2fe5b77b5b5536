"""Boxes are looked at in time, cut out whole, and told when their track is over."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.driver.stage import Frame, Source
from vtk.records import Record
from vtk.species.boxes import Boxes, cut, group_of

SOURCE = Source("film.mp4", "records")


def track(track_id: int, label: str | None = "bird") -> Record:
    record: Record = {"type": "track", "by": "track/x", "track_id": track_id, "xyxy": [0, 0, 9, 9]}
    return record if label is None else record | {"label": label}


def frame(index: int, *records: Record) -> Frame:
    return Frame(SOURCE, index, index / 10, records=list(records))


def boxes(interval: float = 0.5) -> Boxes:
    return Boxes(frozenset({"bird", "animal"}), interval, 0.1)


def test_a_track_is_looked_at_once_an_interval() -> None:
    some = boxes()
    looked = []
    for index in range(12):
        here = frame(index, track(1), track(2, "person"), track(3, None)) if index else frame(index, track(1))
        some.choose(here)
        looked.append([record["track_id"] for record in some.due(here)])
    assert looked == [[1], [3], [], [], [], [1], [3], [], [], [], [1], [3]]


def test_what_is_chosen_hangs_on_neither_how_far_looks_are_nor_how_many_tracks_there_were() -> None:
    tracklet = {"type": "tracklet", "by": "track/x", "track_id": 1, "start": 0.0, "end": 0.2, "start_frame": 0,
                "end_frame": 2}
    at_once, ahead = boxes(), boxes()
    frames = [frame(index, track(1), *(track(index * 40 + other) for other in range(2, 40))) for index in range(12)]
    chosen = [ahead.choose(here) and [record["track_id"] for record in ahead.due(here)] for here in frames]
    for here, expected in zip(frames, chosen, strict=True):
        at_once.choose(here)
        assert [record["track_id"] for record in at_once.due(here)] == expected
        at_once.hear(tracklet)  # said of a track that goes on all the same
        at_once.over(here.index)
    assert [1 in some for some in chosen] == [index % 5 == 0 for index in range(12)]
    assert len(ahead._next) < 300  # of 457 tracks


def test_detections_are_looked_at_until_tracks_come() -> None:
    some = boxes()
    detection = {"type": "detection", "label": "bird", "xyxy": [0, 0, 9, 9]}
    assert some.choose(frame(0, detection))
    assert some.choose(frame(1, detection, track(1)))
    assert some.due(frame(1, detection, track(1))) == [track(1)]
    assert not some.choose(frame(2, detection))


def test_a_track_is_over_when_its_tracklet_came_and_its_frames_were_seen() -> None:
    some = boxes()
    for index in range(4):
        here = frame(index, track(1), track(2))
        some.choose(here)
        some.due(here)
    some.hear({"type": "tracklet", "by": "track/x", "track_id": 1, "start": 0.0, "end": 0.6, "start_frame": 0,
               "end_frame": 6})
    assert some.over(3) == []
    [((_, track_id), one)] = some.over(5)
    assert (track_id, one.start, one.end, one.end_frame) == (1, 0.0, 0.6, 6)
    [((_, track_id), two)] = some.over(None)
    assert (track_id, two.start_frame, two.end_frame, two.end) == (2, 0, 4, pytest.approx(0.4))
    assert some.over(None) == []


def test_the_square_around_a_box_is_cut_out() -> None:
    image = np.arange(100 * 200 * 3, dtype=np.uint32).astype(np.uint8).reshape(100, 200, 3)
    crop = cut(image, [90, 40, 110, 50])  # 20 x 10: a square of 22 around (100, 45)
    assert crop is not None
    np.testing.assert_array_equal(crop, image[34:56, 89:111])
    corner = cut(image, [-10, -10, 10, 10])
    assert corner is not None
    assert corner.shape == (11, 11, 3)
    assert cut(image, [200, 10, 220, 20]) is None
    assert cut(image, [10, 10, 10, 20]) is None


def test_labels_of_detectors_are_groups() -> None:
    assert [group_of({"label": name}) for name in ("bird", "cow", "animal", "person")] == ["bird", "mammal", None, None]
    assert group_of({}) is None
