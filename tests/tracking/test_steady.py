"""Our tracker: what starts and keeps a track, noise by score, looks, the camera, and figures on real sequences."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.export.scores import causal_quantile
from vtk.tracking import SteadyTracker, make_tracker

FPS = 10.0
SORT_HOTA = {"KITTI-17": 38.88, "TUD-Campus": 31.03, "PETS09-S2L1": 28.49}
RATES = {"KITTI-17": 10, "TUD-Campus": 25, "PETS09-S2L1": 7}


def walk(tracker, boxes, frame, scores=None, features=None):
    """Give the tracker the boxes of a frame, ``None`` for a score meaning 0.9."""
    boxes = np.asarray(boxes, np.float32).reshape(-1, 4)
    scores = np.full(len(boxes), 0.9) if scores is None else np.asarray(scores)
    return tracker.update(frame, frame / FPS, 1, boxes, scores, np.zeros(len(boxes), int), features)


def box(x, y=100.0, width=40.0, height=100.0):
    return [x, y, x + width, y + height]


def test_a_track_needs_a_second_box_and_the_first_frame_does_not():
    tracker = SteadyTracker()
    assert walk(tracker, [box(0)], 0).track_ids.tolist() == [1]
    assert walk(tracker, [box(1), box(300)], 1).track_ids.tolist() == [1, -1]
    assert walk(tracker, [box(2), box(301)], 2).track_ids.tolist() == [1, 2]


def test_unsure_boxes_keep_a_track_and_start_none():
    tracker = SteadyTracker()
    walk(tracker, [box(0)], 0)
    assert walk(tracker, [box(1), box(300)], 1, [0.15, 0.5]).track_ids.tolist() == [1, -1]
    assert walk(tracker, [box(2), box(300)], 2, [0.05, 0.5]).track_ids.tolist() == [-1, -1]
    assert len(tracker.tracks) == 1


def test_an_unsure_box_never_revives_a_lost_track_and_a_sure_one_does():
    tracker = SteadyTracker()
    for frame in range(5):
        walk(tracker, [box(0)], frame)
    assert walk(tracker, [box(0)], 8, [0.39]).track_ids.tolist() == [-1]
    assert walk(tracker, [box(0)], 9, [0.41]).track_ids.tolist() == [1]


def test_no_track_starts_on_a_box_that_another_covers():
    tracker = SteadyTracker()
    walk(tracker, [box(0)], 0)
    for frame in range(1, 6):
        step = walk(tracker, [box(0), box(5)], frame)
    assert sorted(step.track_ids.tolist()) == [-1, 1]
    free = SteadyTracker(covered=1)
    walk(free, [box(0)], 0)
    for frame in range(1, 6):
        step = walk(free, [box(0), box(5)], frame)
    assert sorted(step.track_ids.tolist()) == [1, 2]


def test_an_unsure_box_moves_a_track_less():
    moved = []
    for score in (1.0, 0.3):
        tracker = SteadyTracker()
        for frame in range(20):
            walk(tracker, [box(0)], frame)
        moved.append(walk(tracker, [box(10)], 20, [score]).boxes[0, 0])
    assert 0 < moved[1] < 0.8 * moved[0]


def test_a_wider_look_finds_a_sudden_turn():
    found = []
    for wide in (0.4, 0.0):
        tracker = SteadyTracker(wide=wide)
        for frame in range(6):
            walk(tracker, [box(10 * frame)], frame)
        # Overlaps the prediction at 60 enough only once both are grown by 0.4 of their width on each side.
        found.append(walk(tracker, [box(102)], 6).track_ids.tolist())
    assert found == [[1], [-1]]


def test_looks_decide_where_places_do_not():
    looks = np.eye(2, 8, dtype=np.float32)
    ids = []
    for features in (looks, None):
        tracker = SteadyTracker()
        for frame in range(5):
            walk(tracker, [box(0), box(20)], frame, features=features)
        # They passed behind each other while nobody looked.
        ids.append(walk(tracker, [box(8), box(12)], 8, features=None if features is None else looks[::-1]).track_ids)
    assert ids[0].tolist() == ids[1][::-1].tolist() == [2, 1]


def test_looks_are_averaged_half_and_half_and_none_says_nothing():
    tracker = SteadyTracker()
    looks = np.array([[3.0, 0]], np.float32)
    walk(tracker, [box(0)], 0, features=looks)
    walk(tracker, [box(0)], 1, features=np.array([[0, 5.0]], np.float32))
    np.testing.assert_allclose(tracker.tracks.feature, [[0.5**0.5, 0.5**0.5]], rtol=1e-6)
    walk(tracker, [box(0)], 2, features=np.zeros((1, 2), np.float32))
    walk(tracker, [box(0)], 3)
    np.testing.assert_allclose(tracker.tracks.feature, [[0.5**0.5, 0.5**0.5]], rtol=1e-6)
    with pytest.raises(ValueError, match=r"features \(1, 2\)"):
        walk(tracker, [box(0)], 4, features=np.ones((1, 3), np.float32))


def test_looks_may_come_later_than_boxes():
    tracker = SteadyTracker()
    walk(tracker, [box(0)], 0)
    assert walk(tracker, [box(0)], 1, features=np.ones((1, 4), np.float32)).track_ids.tolist() == [1]


def test_carries_tracks_along_with_the_camera():
    ids = []
    for told in (True, False):
        tracker = SteadyTracker()
        for frame in range(5):
            walk(tracker, [box(300)], frame)
        if told:
            tracker.move(np.array([[1.0, 0, 150], [0, 1, 0]]))
        ids.append(walk(tracker, [box(450)], 5).track_ids.tolist())
    assert ids == [[1], [-1]]


def test_motion_goes_by_time():
    """A walker whose frames come at uneven times is followed by their times, and lost by their count."""
    frames = np.cumsum(np.random.default_rng(3).integers(1, 6, 40))
    ids = {}
    for timed in (True, False):
        tracker = SteadyTracker()
        tracker.interval = 1 / FPS
        seen = set()
        for count, frame in enumerate(frames.tolist()):
            t = frame / FPS if timed else count / FPS
            spot = np.array([box(8.0 * frame, width=20)], np.float32)
            step = tracker.update(frame, t, 1, spot, np.array([0.9]), np.array([0]))
            seen |= set(step.track_ids.tolist()) - {-1}
        ids[timed] = len(seen)
    assert ids[True] == 1 < ids[False]


def test_who_leaves_the_picture_is_gone():
    """One walks out at the right, another comes in there a moment later."""
    ids = []
    for size in ((400, 300), None):
        tracker = SteadyTracker()
        tracker.size = size
        frame = 0
        for x in range(300, 370, 3):
            walk(tracker, [[x, 100, min(x + 40, 400), 200]], frame)
            frame += 1
        for x in range(376, 330, -3):
            step = walk(tracker, [[x, 102, min(x + 40, 400), 202]], frame + 2)
            frame += 1
        ids.append(step.track_ids.tolist())
    assert ids == [[2], [1]]


def test_who_stands_at_the_border_is_waited_for():
    tracker = SteadyTracker()
    tracker.size = (400, 300)
    for frame in range(6):
        walk(tracker, [[360, 100, 400, 200]], frame)
    assert walk(tracker, [[360, 100, 400, 200]], 12).track_ids.tolist() == [1]


def test_options_are_named_and_numbers():
    assert make_tracker("vtk", 3.0, {"high": 0.4}).max_lost == 3.0
    for options, words in (({"hihg": 1}, "no option 'hihg'"), ({"high": "x"}, "must be a number"),
                           ({"high": float("nan")}, "must be a number"), ({"high": True}, "must be a number")):
        with pytest.raises(ValueError, match=words):
            make_tracker("vtk", options=options)


@pytest.fixture(scope="module")
def public_hota(mot_rows, mot_scores):
    """Return a function from a tracker's name to its HOTA on the public boxes of each sequence."""

    def scores(name):
        return {sequence: mot_scores(mot_rows(f"{sequence}/gt/gt.txt"), public_tracks(mot_rows, name, sequence))["HOTA"]
                for sequence in SORT_HOTA}

    return scores


def public_tracks(mot_rows, name, sequence):
    rows = mot_rows(f"{sequence}/det/det.txt")
    rows = rows[np.argsort(rows[:, 0], kind="stable")]
    rows[:, 6] = causal_quantile(rows[:, 6], rows[:, 0].astype(np.int64))
    tracker, out = make_tracker(name), []
    tracker.interval = 1 / RATES[sequence]
    for frame in np.unique(rows[:, 0]).astype(int).tolist():
        here = rows[rows[:, 0] == frame]
        step = tracker.update(frame - 1, round((frame - 1) / RATES[sequence], 6), 1, here[:, 2:6].astype(np.float32),
                              here[:, 6].astype(np.float32), np.zeros(len(here), np.int64))
        out += [[frame, track, *xyxy, 1] for track, xyxy in zip(step.track_ids, step.boxes, strict=True) if track > 0]
    return np.array(out)


def test_beats_sort_on_public_boxes(public_hota):
    """The promises of the tracker on public detections.

    Measured: 43.0, 37.6 and 55.1; with the size of the frame known, 36.4 on TUD-Campus.
    """
    found = public_hota("vtk")
    gains = {name: found[name] - SORT_HOTA[name] for name in SORT_HOTA}
    assert min(gains.values()) > 0
    assert (gains["KITTI-17"] + gains["TUD-Campus"]) / 2 >= 4
    assert sum(gains.values()) / 3 >= 8


def test_beats_bytetrack_on_public_boxes(public_hota):
    """By five points on average, as promised against another package's ByteTrack; against ours, measured 9.0."""
    ours, theirs = public_hota("vtk"), public_hota("bytetrack")
    assert sum(ours.values()) / 3 >= sum(theirs.values()) / 3 + 5
