"""BoT-SORT by name: the same tracks as ultralytics' own class gives, numbered by source."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from vtk.export.mot import read_mot
from vtk.export.scores import unit_scores
from vtk.media.image import load
from vtk.metrics.mot import Boxes, prepare_truth, score_sequence
from vtk.models.botsort import BotSort, Tracked

NONE = np.empty((0, 4), np.float32), np.empty(0, np.float32), np.empty(0, np.int64)


class Seen(NamedTuple):
    """One frame of a sequence: its number, its boxes (N, 4), their scores (N,), and its picture where asked for."""

    frame: int
    boxes: np.ndarray
    scores: np.ndarray
    image: np.ndarray | None

    @property
    def class_ids(self) -> np.ndarray:
        return np.zeros(len(self.boxes), np.int64)


def sequence(folder: Path, pictures: bool = False) -> Iterator[Seen]:
    """Yield the frames of a sequence with its public detections, scores by rank."""
    rows = read_mot(folder / "det" / "det.txt")
    scores, _ = unit_scores(rows.score, rows.frame)
    xyxy = np.concatenate([rows.xywh[:, :2], rows.xywh[:, :2] + rows.xywh[:, 2:]], axis=1).astype(np.float32)
    for frame in range(1, rows.frame.max() + 1):
        here = rows.frame == frame
        image = load(str(folder / "img1" / f"{frame:06}.jpg"))[0] if pictures else None
        yield Seen(frame, xyxy[here], scores[here].astype(np.float32), image)


def ultralytics_tracks(frames: list[Seen]) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return ids (N,), -1 for none, and boxes (N, 4) of each frame by ultralytics' own classes alone."""
    from ultralytics.engine.results import Boxes as Results
    from ultralytics.trackers.bot_sort import BOTSORT
    from ultralytics.utils import YAML, IterableSimpleNamespace
    from ultralytics.utils.checks import check_yaml

    tracker = BOTSORT(IterableSimpleNamespace(**YAML.load(check_yaml("botsort.yaml"))))
    out = []
    for seen in frames:
        data = np.column_stack([seen.boxes, seen.scores, seen.class_ids]).astype(np.float32)
        bgr = None if seen.image is None else np.ascontiguousarray(seen.image[:, :, ::-1])
        ids, boxes = np.full(len(data), -1), seen.boxes.copy()
        for row in tracker.update(Results(data, (480, 640)), bgr):
            ids[int(row[-1])], boxes[int(row[-1])] = row[4], row[:4]
        out.append((ids, boxes))
    return out


def tracked(frames: list[Seen], tracker: BotSort | None = None) -> list[Tracked]:
    tracker = tracker or BotSort()
    return [tracker.update(seen.boxes, seen.scores, seen.class_ids, seen.image) for seen in frames]


@pytest.mark.parametrize(("name", "pictures"), [("TUD-Campus", False), ("TUD-Campus", True), ("KITTI-17", True),
                                                ("PETS09-S2L1", False)])
def test_tracks_are_those_of_ultralytics(name: str, pictures: bool, shared: Path) -> None:
    frames = list(sequence(shared / "data" / "track" / name, pictures))[:200]
    numbers: dict[int, int] = {-1: -1}
    for ours, (ids, boxes) in zip(tracked(frames), ultralytics_tracks(frames), strict=True):
        assert np.array_equal(ours.boxes, boxes)
        for our_id, their_id in zip(ours.track_ids.tolist(), ids.tolist(), strict=True):
            assert numbers.setdefault(their_id, our_id) == our_id
    assert sorted(numbers.values()) == [-1, *range(1, len(numbers))]
    assert len(numbers) > 5


def test_public_detections_are_tracked_as_well_as_can_be_expected(shared: Path) -> None:
    """Measured on TUD-Campus: HOTA 35.1, IDF1 56.6; SORT has 31.0 and 45.9 without a filter of scores."""
    folder = shared / "data" / "track" / "TUD-Campus"
    frames = list(sequence(folder))
    truth = read_mot(folder / "gt" / "gt.txt")
    corners = np.concatenate([truth.xywh[:, :2], truth.xywh[:, :2] + truth.xywh[:, 2:]], axis=1)
    rows = [(seen.frame, track, *box) for seen, step in zip(frames, tracked(frames), strict=True)
            for track, box in zip(step.track_ids.tolist(), step.boxes.tolist(), strict=True) if track > 0]
    found = np.array(rows)
    figures = score_sequence(prepare_truth(Boxes(truth.frame, truth.id, corners), truth.score, protocol="mot15"),
                             Boxes(found[:, 0], found[:, 1], found[:, 2:])).figures()
    assert figures["HOTA"] > 34 and figures["IDF1"] > 54


def test_sources_side_by_side_do_not_mix(shared: Path) -> None:
    first, second = (list(sequence(shared / "data" / "track" / name))[:60] for name in ("TUD-Campus", "KITTI-17"))
    alone = [tracked(first), tracked(second)]
    one, other = BotSort(), BotSort()
    both = [(tracked([a], one)[0], tracked([b], other)[0]) for a, b in zip(first, second, strict=True)]
    for place, expected in enumerate(alone):
        for step, wanted in zip((pair[place] for pair in both), expected, strict=True):
            assert np.array_equal(step.track_ids, wanted.track_ids) and step.removed == wanted.removed
            assert step.boxes.tobytes() == wanted.boxes.tobytes()
        assert min(track for step in expected for track in step.track_ids if track > 0) == 1


def people(*lefts: float, score: float = 0.9) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return boxes 40 wide and 100 high at ``lefts``, their scores and classes."""
    boxes = np.array([[left, 50, left + 40, 150] for left in lefts], np.float32).reshape(-1, 4)
    return boxes, np.full(len(boxes), score, np.float32), np.zeros(len(boxes), np.int64)


def test_ids_go_from_one_in_the_order_of_first_report() -> None:
    tracker = BotSort()
    assert tracker.update(*people(500, 100)).track_ids.tolist() == [1, 2]
    boxes, _, classes = people(102, 300, 700, 502)
    step = tracker.update(boxes, np.array([0.9, 0.9, 0.1, 0.9], np.float32), classes)
    assert step.track_ids.tolist() == [2, -1, -1, 1]  # a new one must be seen twice; 0.1 is not looked at
    assert np.array_equal(step.boxes[1:3], boxes[1:3])
    assert tracker.update(*people(302, 104)).track_ids.tolist() == [3, 2]
    assert step.track_ids.dtype == np.int64 and step.boxes.dtype == np.float32


def test_a_box_that_nothing_is_sure_of_keeps_its_track_alive() -> None:
    tracker = BotSort()
    tracker.update(*people(100))
    assert tracker.update(*people(101, score=0.15)).track_ids.tolist() == [1]


@pytest.mark.parametrize("patience", [0, 3, 10])
def test_a_track_ends_once_when_patience_does(patience: int) -> None:
    tracker = BotSort(max_lost_frames=patience)
    tracker.update(*people(100, 300))
    removed = [tracker.update(*people(300)).removed for _ in range(patience + 10)]
    # First missed in frame 0 here. ultralytics looks at patience from the frame after on, and drops a frame later.
    assert [(number, gone) for number, gone in enumerate(removed) if gone] == [(max(1, patience) + 1, [1])]
    assert tracker.update(*people(100, 300)).track_ids.tolist() == [-1, 2]
    assert tracker.update(*people(100, 300)).track_ids.tolist() == [3, 2]


def test_frames_without_boxes_are_frames() -> None:
    tracker = BotSort()
    for _ in range(3):
        step = tracker.update(*NONE)
        assert step.track_ids.shape == (0,) and step.boxes.shape == (0, 4) and step.removed == []
    assert tracker.update(*people(100)).track_ids.tolist() == [-1]  # ultralytics trusts the very first frame alone
    assert tracker.update(*people(100)).track_ids.tolist() == [1]


@pytest.mark.parametrize(("change", "said"), [
    ({"boxes": np.zeros((2, 5))}, "shapes"), ({"scores": np.zeros(3)}, "shapes"),
    ({"class_ids": np.zeros(1)}, "shapes"), ({"scores": np.float32(1)}, "shapes"),
    ({"boxes": np.full((2, 4), np.nan)}, "finite"), ({"scores": np.array([0.5, np.inf])}, "finite"),
    ({"image": np.zeros((9, 9), np.uint8)}, "image must be"), ({"image": np.zeros((9, 9, 3))}, "float64"),
])
def test_wrong_input_is_named(change: dict[str, np.ndarray], said: str) -> None:
    boxes, scores, class_ids = people(100, 300)
    with pytest.raises(ValueError, match=said):
        BotSort().update(**{"boxes": boxes, "scores": scores, "class_ids": class_ids} | change)


def test_wrong_patience_is_named() -> None:
    with pytest.raises(ValueError, match="max_lost_frames must be 0 or more, got -1"):
        BotSort(max_lost_frames=-1)


GUARD = """
import subprocess
def refuse(event, args):
    if event == "subprocess.Popen" and "install" in str(args): raise SystemExit(f"an installer was started: {args}")
import sys; sys.addaudithook(refuse)
import numpy as np
from vtk.models.botsort import BotSort
"""


def test_nothing_is_printed_and_nothing_installed(tmp_path: Path) -> None:
    """A flat picture leaves ultralytics without points to compare, of which it warns."""
    code = GUARD + """
tracker = BotSort()
boxes, flat = np.array([[10, 10, 60, 90]], np.float32), np.zeros((120, 160, 3), np.uint8)
noise = np.random.default_rng(0).integers(0, 255, flat.shape, np.uint8)
for image in (flat, noise, flat, noise, flat, None):
    assert tracker.update(boxes, np.ones(1), np.zeros(1), image).track_ids.shape == (1,)
"""
    result = run(code, VTK_HOME=str(tmp_path))
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_without_lap_the_answer_says_what_to_do(tmp_path: Path) -> None:
    result = run("import sys; sys.modules['lap'] = None" + GUARD + "BotSort()", VTK_HOME=str(tmp_path))
    assert result.returncode == 1 and result.stdout == b""
    assert b"UsageError: BoT-SORT needs the package lap, and it is not installed; pip install lap" in result.stderr


def run(code: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, env={**os.environ, **env}, check=False)
