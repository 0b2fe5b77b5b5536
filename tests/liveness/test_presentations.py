"""What counts as the answer about a picture or a video, and what has none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from face_records import BY, end, face, face_track, lines

from vtk.errors import RecordError, UsageError
from vtk.liveness.labelled import Labelled
from vtk.liveness.presentations import FaceLanes, Gathered, gather


def labels(*names: str) -> list[Labelled]:
    return [Labelled(name, Path(name), True) for name in names]


def gathered(records: list[dict[str, Any]], *names: str, every: bool = False, by: str | None = None) -> Gathered:
    lanes = FaceLanes(by)
    lanes.take(records)
    return gather(lanes, labels(*names), every)


def answers(found: Gathered) -> list[tuple[str, float, str]]:
    return [(each.unit, each.seen.score, each.seen.verdict) for each in found.presentations]


def test_a_picture_by_its_largest_face() -> None:
    records = [face("a.jpg", 0.9, size=40), face("a.jpg", 0.1, size=80), face("a.jpg", 0.5, size=60), end("a.jpg")]
    assert answers(gathered(records, "a.jpg")) == [("face", 0.1, "spoof")]
    assert [score for _, score, _ in answers(gathered(records, "a.jpg", every=True))] == [0.9, 0.1, 0.5]


def test_a_video_by_its_longest_track() -> None:
    records = [face("a.mp4", 0.2, 0), face("a.mp4", 0.3, 1), face_track("a.mp4", 0.9, 10),
               face_track("a.mp4", 0.1, 60, 2), end("a.mp4")]
    assert answers(gathered(records, "a.mp4")) == [("face_track", 0.1, "spoof")]
    assert [score for _, score, _ in answers(gathered(records, "a.mp4", every=True))] == [0.9, 0.1]


def test_a_video_without_tracks_by_the_mean_of_its_frames() -> None:
    """The larger face of frame 1 counts, the blurred one of frame 2 does not; 0.85 is live at 0.8."""
    records = [face("a.mp4", 0.9, 0), face("a.mp4", 0.1, 1, size=20), face("a.mp4", 0.8, 1, size=90),
               face("a.mp4", 0.1, 2, reasons=["blurred"])]
    assert answers(gathered(records, "a.mp4")) == [("mean of faces", pytest.approx(0.85), "live")]
    blurred = [face("a.mp4", score, frame, reasons=["blurred"]) for frame, score in enumerate((0.9, 0.7))]
    assert answers(gathered(blurred, "a.mp4")) == [("mean of faces", pytest.approx(0.8), "unsure")]


@pytest.mark.parametrize("count", [3, 6, 7, 49])
def test_a_mean_of_equal_scores_is_that_score(count: int) -> None:
    """0.8, which is live, however its binary digits add up; and 0.2, which is unsure, not a spoof."""
    for score, verdict in ((0.8, "live"), (0.2, "unsure"), (0.7999, "unsure"), (0.1999, "spoof")):
        records = [face("a.mp4", score, frame) for frame in range(count)]
        assert answers(gathered(records, "a.mp4")) == [("mean of faces", score, verdict)]


def test_a_picture_of_one_frame_that_is_a_video() -> None:
    media = {"v": 1, "type": "media", "by": BY, "source": "clip", "kind": "video", "width": 9, "height": 9}
    assert answers(gathered([media, face("clip", 0.9)], "clip"))[0][0] == "mean of faces"
    assert answers(gathered([face("clip.jpg", 0.9)], "clip.jpg"))[0][0] == "face"


def test_what_has_no_answer_and_why() -> None:
    records = [face("a.jpg", 0.9), end("a.jpg"), end("none.jpg"), end("broken.jpg", "failed"), face("other.jpg", 1),
               end("detected.jpg", by="detect/yolo11n"), end("partly.mp4", "partial")]
    found = gathered(records, "a.jpg", "none.jpg", "broken.jpg", "gone.jpg", "detected.jpg", "partly.mp4")
    assert [each.source for each in found.presentations] == ["a.jpg"] and found.ledgered
    assert [each.name for each in found.silent] == ["none.jpg", "partly.mp4"]
    assert [each.name for each in found.failed] == ["broken.jpg"]
    assert [each.name for each in found.missing] == ["gone.jpg", "detected.jpg"]
    assert found.unlabelled == ["other.jpg"]
    alone = gathered([face("a.jpg", 0.9)], "a.jpg", "none.jpg")
    assert not alone.ledgered and [each.name for each in alone.missing] == ["none.jpg"]


def test_makers_are_not_mixed() -> None:
    records = [face("a.jpg", 0.9), face("a.jpg", 0.2, by="face-antispoof/yunet+minifasnet"), end("a.jpg")]
    with pytest.raises(UsageError, match="faces by face-antispoof/rfb-320.minifasnet and by face-antispoof/yunet"):
        gathered(records, "a.jpg")
    assert answers(gathered(records, "a.jpg", by="face-antispoof/yunet+minifasnet"))[0][1] == 0.2
    with pytest.raises(UsageError, match="--made-by x: no faces of this maker; there are those by face-antispoof/rfb"):
        gathered(records, "a.jpg", by="x")


def test_what_cannot_be_used(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no source of the records is labelled: the labels have b.jpg, the records"):
        gathered([face("a.jpg", 0.9)], "b.jpg")
    with pytest.raises(UsageError, match=r"no face among the records \(detection\): pipe vtk face-antispoof in first"):
        gathered([{"v": 1, "type": "detection", "by": "detect/x", "source": "a.jpg"}], "a.jpg")
    assert gathered([end("a.jpg")], "a.jpg").silent, "nothing was found, and somebody looked"
    lanes = FaceLanes()
    (tmp_path / "bad.jsonl").write_bytes(b"oops\n" + lines([face("a.jpg", 1.5)]))
    lanes.read(str(tmp_path / "bad.jsonl"))
    assert [number for number, _, _ in lanes.bad] == [1, 2]
    with pytest.raises(RecordError, match="holds no record: line 1"):
        gather(lanes, labels("a.jpg"))
