"""Painters: one a record type, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.errors import RecordError
from vtk.records import TYPES
from vtk.report.canvas import Canvas, Style
from vtk.report.painters import PAINTERS, VERDICTS, paint
from vtk.report.palette import colour_of
from vtk.report.trails import Trails

BOX = [60.0, 80.0, 160.0, 200.0]
RECORDS = {
    "detection": {"xyxy": BOX, "score": 0.5, "label": "person"},
    "track": {"xyxy": BOX, "score": 0.5, "label": "person", "track_id": 3},
    "text": {"xyxy": BOX, "poly": [[60, 80], [160, 90], [160, 200], [60, 190]], "text": "EXIT", "score": 0.9},
    "face": {"xyxy": BOX, "live_score": 0.1, "verdict": "spoof", "thresholds": [0.3, 0.6]},
    "species": {"topk": [{"label": "Vulpes vulpes", "score": 0.8}], "xyxy": BOX},
    "scene": {"start": 0.0, "end": 1.0, "label": "kitchen", "score": 0.4},
}


def painted(*records, **style):
    image = np.zeros((240, 320, 3), np.uint8)
    canvas = Canvas(image, Style(**style))
    paint(canvas, [{"v": 1, "by": "x", "source": "a", "frame": 0, "t": 0.0, **record} for record in records])
    return canvas.finish()


def has(image, colour):
    return bool((image == colour).all(axis=2).any())


@pytest.mark.parametrize("kind", PAINTERS)
def test_every_type_is_painted_with_its_label(kind):
    record = {"type": kind, **RECORDS[kind]}
    assert kind in TYPES
    with_label, without = painted(record), painted(record, labels=False)
    assert without.any() or kind == "scene"  # which has no box
    assert with_label.any(axis=2).sum() > without.any(axis=2).sum() + 300


@pytest.mark.parametrize("kind", PAINTERS)
def test_scores_can_be_left_out(kind):
    record = {"type": kind, **RECORDS[kind]}
    assert painted(record).any(axis=2).sum() > painted(record, scores=False).any(axis=2).sum()


def test_colours_follow_id_label_and_verdict():
    assert has(painted({"type": "track", **RECORDS["track"]}), colour_of(3))
    assert has(painted({"type": "detection", **RECORDS["detection"]}), colour_of("person"))
    assert has(painted({"type": "face", **RECORDS["face"]}), VERDICTS["spoof"])


def test_a_face_says_why_it_is_not_judged_and_shows_its_points():
    face = {"type": "face", **RECORDS["face"], "verdict": "unsure"}
    plain = painted(face)
    assert has(plain, VERDICTS["unsure"])
    assert ground(painted({**face, "reasons": ["blurred", "small"]}), [60, 56, 300, 80]) > ground(plain, [60, 56, 300, 80])
    dotted = painted({**face, "points": [[90, 120], [130, 120], [110, 140], [95, 165], [125, 165]]}, labels=False)
    assert (dotted[120, 90] == VERDICTS["unsure"]).all() and not painted(face, labels=False)[120, 90].any()
    assert ground(painted({**face, "track_id": 7}), [60, 56, 300, 80]) > ground(plain, [60, 56, 300, 80])


def test_points_that_are_none_are_refused_and_reasons_that_are_none_are_left_out():
    face = {"type": "face", **RECORDS["face"]}
    with pytest.raises(RecordError, match="points"):
        painted({**face, "points": [[1, 2]]})
    assert (painted({**face, "reasons": 7}) == painted(face)).all()


@pytest.mark.parametrize("kind", ["detection", "track"])
def test_what_a_face_was_found_as_is_not_painted_again(kind):
    face, found = ({"type": name, **RECORDS[name]} for name in ("face", kind))
    assert (painted(found, face) == painted(face)).all()
    assert not (painted({**found, "xyxy": [10.0, 10.0, 40.0, 60.0]}, face) == painted(face)).all()


def test_a_face_that_is_followed_has_a_trail_of_its_verdict():
    trails, image = Trails(1.0), np.zeros((240, 320, 3), np.uint8)
    canvas = Canvas(image, Style())
    for step in range(3):
        record = {"type": "face", **RECORDS["face"], "by": "x", "track_id": 3,
                  "xyxy": [60 + 30 * step, 80, 160 + 30 * step, 200]}
        trails.paint(canvas, [record], step / 25)
    assert has(image, VERDICTS["spoof"]) and image[200, 120:160].any()


def test_a_tracked_detection_is_painted_once():
    track = {"type": "track", **RECORDS["track"], "xyxy": [62.0, 81.0, 161.0, 203.0], "det_xyxy": BOX}
    detection = {"type": "detection", **RECORDS["detection"]}
    assert (painted(detection, track) == painted(track)).all()
    other = {**detection, "xyxy": [10.0, 10.0, 40.0, 60.0]}
    assert has(painted(other, track), colour_of("person"))
    assert has(painted({**detection, "label": "dog"}, track), colour_of("dog"))


def test_what_is_about_the_frame_stands_in_its_corner():
    image = painted({"type": "species", "topk": [{"label": "Lynx lynx", "score": 0.7}], "common": "Eurasian lynx"})
    assert image[:40, :150].any() and not image[60:].any()


def test_what_no_model_covers_is_painted_by_its_group():
    snake = {"type": "species", "topk": [], "group": "snake", "group_score": 0.9, "covered": False, "xyxy": BOX}
    assert has(painted(snake), colour_of("snake, not covered"))
    assert has(painted({**snake, "group": "none"}), colour_of("nothing living"))
    guess = {"type": "species", "topk": [{"label": "Lynx lynx", "score": 0.4}], "covered": True, "xyxy": BOX}
    assert has(painted(guess), colour_of("Lynx lynx?"))


def ground(image, box):
    """Return a box's part of a picture of plates on black: what is covered there."""
    x1, y1, x2, y2 = (int(side) for side in box)
    return image[y1 + 3:y2 - 3, x1 + 3:x2 - 3].any(axis=2).mean()


@pytest.mark.parametrize("box", [[60, 80, 160, 100], [0, 0, 100, 20], [220, 0, 320, 20], [0, 220, 100, 240],
                                 [0, 0, 320, 30], [10, 5, 30, 235], [0, 0, 20, 240]])
def test_a_transcript_stands_beside_its_text(box):
    x1, y1, x2, y2 = box
    poly = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
    image = painted({"type": "text", "poly": poly, "xyxy": box, "text": "EXIT", "score": 0.9})
    assert ground(image, box) == 0 and image.any(axis=2).sum() > 600


def test_a_transcript_covers_no_other_text_where_there_is_room():
    boxes = [[60, 60 + 24 * row, 140, 80 + 24 * row] for row in range(5)]
    image = painted(*({"type": "text", "xyxy": box, "text": f"row {row}", "score": 0.9, "track_id": row + 1}
                      for row, box in enumerate(boxes)))
    assert [ground(image, box) for box in boxes] == [0] * 5
    person = {"type": "track", "xyxy": [60, 83, 140, 200], "track_id": 9, "label": "x"}
    assert ground(painted(person, {"type": "text", "xyxy": boxes[0], "text": "shop", "score": 0.9}), boxes[0]) == 0


def test_a_turned_text_has_its_transcript_at_a_corner():
    """The box around it is mostly empty: the label touches the text itself."""
    poly = [[100, 180], [200, 60], [215, 72], [115, 192]]
    image = painted({"type": "text", "poly": poly, "text": "up", "score": 0.9}, scores=False)
    plate = (image == colour_of("up")).all(axis=2)
    rows, columns = plate[:62].nonzero()
    assert len(rows) > 200 and abs(columns.min() - 200) < 4


def test_ten_thousand_texts_are_painted_in_time():
    from time import process_time

    begun = process_time()
    painted(*({"type": "text", "xyxy": [x % 300, x % 220, x % 300 + 9, x % 220 + 5], "text": f"t{x % 50}", "score": 0.9}
              for x in range(10_000)))
    assert process_time() - begun < 30  # measured: 1.8 s on a busy machine; every place against every box took 135 s


@pytest.mark.parametrize(("record", "words"), [
    ({"type": "detection", "score": 0.5}, "no 'xyxy'"),
    ({"type": "track", **RECORDS["track"], "track_id": "a"}, "'track_id' is 'a'"),
    ({"type": "track", **RECORDS["track"], "xyxy": [1, 2, 3]}, "'xyxy' is"),
    ({"type": "detection", "xyxy": [0, 0, float("nan"), 5]}, "'xyxy' is"),
    ({"type": "text", **RECORDS["text"], "poly": [[0, 0], [1]]}, "'poly' is"),
    ({"type": "species", "topk": "fox"}, "'topk' is 'fox'"),
    ({"type": "species"}, "no 'topk'"),
])
def test_says_what_cannot_be_drawn(record, words):
    with pytest.raises(RecordError, match=words):
        painted(record)


@pytest.mark.parametrize("record", [
    {"type": "detection", "xyxy": BOX},
    {"type": "detection", "xyxy": BOX, "score": "high", "label": ["odd"]},
    {"type": "detection", "xyxy": [200, 200, 100, 100], "score": 1e300, "label": "reversed"},
    {"type": "track", "xyxy": BOX, "track_id": 2**53},
    {"type": "text", "xyxy": BOX, "text": "ไทย\n" * 90, "score": 0.9},
    {"type": "text", "xyxy": BOX, "track_id": 4},
    {"type": "face", "xyxy": BOX},
    {"type": "species", "topk": []},
    {"type": "species", "topk": [], "label": "fox"},
])
def test_odd_but_legal_records_are_painted(record):
    assert painted(record).shape == (240, 320, 3)


def test_trails_follow_tracks_and_are_forgotten():
    trails = Trails(1.0)

    def step(index, *records):
        image = np.zeros((240, 320, 3), np.uint8)
        trails.paint(Canvas(image, Style()), records, index / 10)
        return image

    def walker(index, track_id=1):
        return {"type": "track", "by": "x", "track_id": track_id, "xyxy": [5.0 * index, 20, 5.0 * index + 20, 100]}

    for index in range(30):
        image = step(index, walker(index), {"type": "track", "track_id": "bad"})
    rows, columns = image.any(axis=2).nonzero()
    assert abs(rows - 100).max() <= 3
    # One second at 50 pixels a second, up to the foot point in the last frame.
    assert columns.min() == pytest.approx(155 - 50, abs=4) and columns.max() == pytest.approx(155, abs=4)
    assert not step(30).any() and not step(45).any()
    assert not step(46, walker(46)).any()  # a second later the old trail is gone
