"""What both trackers promise: ids, gaps, expiry, classes, and refusal of what is no box."""

from __future__ import annotations

import time

import numpy as np
import pytest

from vtk.tracking import TRACKERS, ByteTracker, make_tracker

FPS = 10.0


def crowd(frames=60, seed=0):
    """Return per frame boxes (N, 4), scores (N,) and classes (N,) of walkers with misses, clutter and empty frames."""
    rng = np.random.default_rng(seed)
    starts, speeds = rng.uniform(0, 600, (6, 2)), rng.uniform(-6, 6, (6, 2))
    out = []
    for frame in range(frames):
        corners = starts + speeds * frame
        boxes = np.concatenate([corners, corners + [40, 90]], axis=1) + rng.normal(0, 1, (6, 4))
        seen = rng.uniform(size=6) < 0.85
        if frame % 17 in (5, 6) or 30 <= frame < 36:
            seen[:] = False
        out.append((boxes[seen].astype(np.float32), rng.uniform(0.3, 1, 6)[seen].astype(np.float32),
                    (np.arange(6) % 2)[seen]))
    return out


def run(tracker, frames, skip_empty=False, every=1):
    """Return (frame, ids, boxes) of each frame with boxes, and all ids that ended, in order."""
    found, ended = [], []
    for index, (boxes, scores, classes) in enumerate(frames):
        if index % every or (skip_empty and not len(boxes)):
            continue
        step = tracker.update(index, round(index / FPS, 6), every, boxes, scores, classes)
        ended += sorted(step.ended)
        if len(boxes):
            found.append((index, step.track_ids.tolist(), step.boxes.tolist()))
    return found, ended + sorted(tracker.finish())


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("every", [1, 3])
@pytest.mark.parametrize("max_lost", [None, 0.35, 5.0])
def test_empty_frames_may_be_left_out(name, every, max_lost):
    """Ids and boxes are the same, bit for bit, whether empty frames are passed or known from the gap alone."""
    for seed in range(4):
        frames = crowd(seed=seed)
        seen, seen_ended = run(make_tracker(name, max_lost), frames, every=every)
        inferred, inferred_ended = run(make_tracker(name, max_lost), frames, skip_empty=True, every=every)
        assert seen == inferred
        assert sorted(seen_ended) == sorted(inferred_ended)
        assert len(seen_ended) == len(set(seen_ended)) == max(max(ids, default=0) for _, ids, _ in seen)


@pytest.mark.parametrize("name", TRACKERS)
def test_ids_start_at_one_and_leave_none_out(name):
    found, _ = run(make_tracker(name), crowd())
    order = [track for _, ids, _ in found for track in ids if track > 0]
    first_seen = list(dict.fromkeys(order))
    assert first_seen == list(range(1, len(first_seen) + 1))


@pytest.mark.parametrize("name", TRACKERS)
def test_a_walker_keeps_one_id(name):
    tracker = make_tracker(name)
    ids = set()
    for frame in range(50):
        box = np.array([[10 + 5 * frame, 50, 50 + 5 * frame, 150]], np.float32)
        step = tracker.update(frame, frame / FPS, 1, box, np.array([0.9]), np.array([0]))
        ids |= set(step.track_ids.tolist())
        assert np.abs(step.boxes - box).max() < 6
    assert ids == {1}


@pytest.mark.parametrize("name", TRACKERS)
def test_classes_never_share_a_track(name):
    tracker = make_tracker(name)
    owners: dict[int, set[int]] = {}
    for frame in range(30):
        boxes = np.array([[0, 0, 50, 100], [2, 0, 52, 100]], np.float32)[:: -1 if frame % 2 else 1]
        classes = np.array([0, 1])[:: -1 if frame % 2 else 1]
        step = tracker.update(frame, frame / FPS, 1, boxes, np.array([0.9, 0.9]), classes)
        for track, kind in zip(step.track_ids.tolist(), classes.tolist(), strict=True):
            owners.setdefault(track, set()).add(kind)
    assert owners == {1: {0}, 2: {1}}


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize("max_lost", [None, 7200.0])
def test_an_hour_of_nothing_takes_no_time(name, max_lost):
    tracker = make_tracker(name, max_lost)
    box, score, kind = np.array([[0, 0, 50, 100]], np.float32), np.array([0.9]), np.array([0])
    for frame in range(5):
        tracker.update(frame, frame / 25, 1, box, score, kind)
    began = time.process_time()
    step = tracker.update(90_000, 3600.0, 1, box, score, kind)
    # Replaying 90,000 steps takes seconds; 0.5 s leaves room for a busy machine.
    assert time.process_time() - began < 0.5
    assert step.ended == ([1] if max_lost is None else [])


def test_a_track_ends_once_it_can_match_no_more():
    """At max_lost exactly it still matches; one frame later it has ended, seen or inferred."""
    box, score, kind = np.array([[0, 0, 50, 100]], np.float32), np.array([0.9]), np.array([0])
    for gap, same in ((10, True), (11, False)):
        tracker = ByteTracker(max_lost=1.0)
        for frame in range(3):
            tracker.update(frame, frame / FPS, 1, box, score, kind)
        step = tracker.update(2 + gap, (2 + gap) / FPS, 1, box, score, kind)
        assert (step.ended == []) is same
        watched = ByteTracker(max_lost=1.0)
        for frame in range(3):
            watched.update(frame, frame / FPS, 1, box, score, kind)
        assert [watched.expire(2 + k, (2 + k) / FPS, 1) for k in (9, 10, 11)] == [[], [], [1]]


def test_unsure_boxes_keep_a_track_and_start_none():
    tracker = ByteTracker()
    box, kind = np.array([[0, 0, 50, 100]], np.float32), np.array([0])
    ids = [tracker.update(frame, frame / FPS, 1, box, np.array([score]), kind).track_ids[0]
           for frame, score in enumerate([0.9, 0.2, 0.2, 0.05, 0.9])]
    assert ids == [1, 1, 1, -1, 1]
    other = ByteTracker()
    ids = [other.update(frame, frame / FPS, 1, box, np.array([0.45]), kind).track_ids[0] for frame in range(5)]
    assert ids == [-1] * 5


def test_a_late_track_needs_two_sure_boxes_in_a_row():
    tracker = ByteTracker()
    still = np.array([[500, 0, 550, 100]], np.float32)
    both = np.concatenate([still, [[0, 0, 50, 100]]]).astype(np.float32)
    steps = [tracker.update(frame, frame / FPS, 1, boxes, np.full(len(boxes), 0.9), np.zeros(len(boxes)))
             for frame, boxes in enumerate([still, both, both, both])]
    assert [step.track_ids.tolist() for step in steps] == [[1], [1, -1], [1, 2], [1, 2]]


@pytest.mark.parametrize("name", TRACKERS)
@pytest.mark.parametrize(("boxes", "scores", "classes", "words"), [
    (np.zeros((2, 3)), np.zeros(2), np.zeros(2), "shapes"),
    (np.ones((2, 4)), np.zeros(3), np.zeros(2), "shapes"),
    ([[0, 0, 0, 10]], [0.9], [0], "x1 < x2"),
    ([[10, 0, 0, 10]], [0.9], [0], "x1 < x2"),
    ([[0, 0, np.nan, 10]], [0.9], [0], "finite"),
    ([[0, 0, np.inf, 10]], [0.9], [0], "finite"),
])
def test_refuses_what_is_no_box(name, boxes, scores, classes, words):
    with pytest.raises(ValueError, match=words):
        make_tracker(name).update(0, 0.0, 1, np.array(boxes), np.array(scores), np.array(classes))


@pytest.mark.parametrize("name", TRACKERS)
def test_refuses_frames_out_of_order(name):
    tracker = make_tracker(name)
    box = np.array([[0, 0, 50, 100]], np.float32)
    tracker.update(5, 0.5, 1, box, np.array([0.9]), np.array([0]))
    with pytest.raises(ValueError, match="got 5 after 5"):
        tracker.update(5, 0.5, 1, box, np.array([0.9]), np.array([0]))


def test_refuses_a_tracker_that_is_not_there():
    with pytest.raises(ValueError, match="vtk, bytetrack, botsort, ocsort, sort"):
        make_tracker("deepsort")


@pytest.mark.parametrize("name", TRACKERS)
def test_extreme_boxes_stay_finite(name):
    tracker = make_tracker(name)
    rng = np.random.default_rng(3)
    for frame in range(80):
        low = rng.uniform(-1e6, 1e6, (5, 2))
        boxes = np.concatenate([low, low + rng.choice([0.5, 3, 1e5, 1e6], (5, 2))], axis=1).astype(np.float32)
        step = tracker.update(frame, frame / FPS, 1, boxes, rng.uniform(0.5, 1, 5), np.zeros(5))
        assert np.isfinite(step.boxes).all()
