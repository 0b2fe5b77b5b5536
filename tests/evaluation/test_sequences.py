"""Which sequence a file or a source belongs to, and what is found in files and folders."""

from __future__ import annotations

from pathlib import Path

import pytest
from mot_scenes import scene, write

from vtk.errors import MediaError, RecordError, UsageError
from vtk.evaluation.lanes import Lanes
from vtk.evaluation.sequences import read_results, read_truth, sequence_name

TRUTH, FOUND = scene(1, 12)


@pytest.mark.parametrize(("source", "name"), [
    ("train/SEQ/gt/gt.txt", "SEQ"), ("SEQ/det/det.txt", "SEQ"), ("SEQ/det/det_other.txt", "SEQ"), ("SEQ/gt.txt", "SEQ"),
    ("a/SEQ.txt", "SEQ"), ("SEQ.csv", "SEQ"), ("a/SEQ.mp4", "SEQ"), ("SEQ.v2.MKV", "SEQ.v2"), ("a/SEQ/img1", "SEQ"),
    ("seq:a/SEQ/img1/", "SEQ"), ("seq:SEQ", "SEQ"), ("file:///a/SEQ.avi", "SEQ"), ("file:S%45Q.avi", "SEQ"),
    ("file:%ff.avi", "file:%FF"), ("rtsp://host:554/a/SEQ?user=x.y", "SEQ"), ("https://host/SEQ.mp4#t=3", "SEQ"),
    ("webcam:0", "webcam:0"), ("a/cam.1", "cam.1"), ("SEQ/img1/000001.jpg", "000001"),
])
def test_the_name_of_a_sequence(source: str, name: str) -> None:
    assert sequence_name(source) == name


def test_a_name_holds_where_the_path_is_relative_to_the_sequence(tmp_path: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "SEQ" / "gt" / "gt.txt", TRUTH)
    monkeypatch.chdir(tmp_path / "SEQ")
    assert sequence_name("gt/gt.txt") == "SEQ"
    assert set(read_truth(["."])) == {"SEQ"}


def test_ground_truth_is_found_in_every_layout(tmp_path: Path) -> None:
    for name in ("A", "B"):
        write(tmp_path / "train" / name / "gt" / "gt.txt", TRUTH)
        write(tmp_path / "train" / name / "det" / "det.txt", FOUND)
        write(tmp_path / "plain" / name / "gt.txt", TRUTH)
        write(tmp_path / "files" / f"{name}.txt", TRUTH)
    (tmp_path / "train" / "README.txt").write_text("not a sequence")
    for places in (["train"], ["train/A", "train/B"], ["train/A/gt/gt.txt", "files/B.txt"], ["plain"], ["files"]):
        found = read_truth([str(tmp_path / place) for place in places])
        assert list(found) == ["A", "B"]
        assert found["B"].columns == 9
        assert len(found["B"].boxes.frame) == len(TRUTH)


def test_results_are_found_below_folders(tmp_path: Path) -> None:
    write(tmp_path / "data" / "A.txt", FOUND)
    line = '{"type":"track","by":"t","source":"v/B.mp4","frame":0,"t":0,"xyxy":[0,0,5,5],"score":1,"track_id":1}\n'
    (tmp_path / "v").mkdir()
    (tmp_path / "v" / "B.mp4.jsonl").write_text(line)
    (tmp_path / "named.txt").write_text(line.replace("B.mp4", "C.mp4"))  # what is in it says what it is
    found = read_results([str(tmp_path)], Lanes())
    assert {name: len(one.boxes.frame) for name, one in found.items()} == {"A": len(FOUND), "B": 1, "C": 1}
    assert found["B"].boxes.frame.tolist() == [1]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda folder: None, MediaError, "cannot read .*gt.txt: No such file"),
    (lambda folder: folder.mkdir(), UsageError, "no ground truth in this folder"),
    (lambda folder: write(folder, FOUND * [1, 0, 1, 1, 1, 1, 1, 1, 1, 1] - [0, 1, *[0] * 8]), RecordError,
     "id -1 in frame 1 is no track's: these are detections"),
    (lambda folder: write(folder, [[1, 0, 0, 0, 5, 5, 1]] * 2), RecordError, "got id 0 twice in frame 1"),
    (lambda folder: write(folder, [[1, 4, 0, 0, 5, 5, 1]] * 2), RecordError, "line 2: frame 1 has id 4 already"),
    (lambda folder: folder.write_text("1,1,0,0,nan,5,1\n1,2,0,0,5,5,1\n"), RecordError, "line 1: column 5 is nan"),
    (lambda folder: folder.write_text("1,1,0,0,-3,5,1\n1,2,0,0,5,5,1\n"), RecordError, "line 1: size is -3 x 5"),
    (lambda folder: folder.write_bytes(b"\x89PNG\r\n\x00"), RecordError, "is no MOT file"),
    (lambda folder: folder.write_text('{"type":"track"}\n'), RecordError, "line 1: track record has no 'source'"),
])
def test_ground_truth_that_cannot_be_used(make: object, error: type[Exception], message: str, tmp_path: Path) -> None:
    make(tmp_path / "gt.txt")  # type: ignore[operator]
    with pytest.raises(error, match=message) as caught:
        read_truth([str(tmp_path / "gt.txt")])
    assert "gt.txt" in str(caught.value)


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    for place in ("a", "b"):
        write(tmp_path / place / "SEQ.txt", TRUTH)
    with pytest.raises(UsageError, match="two of the sequence SEQ: .*a/SEQ.txt and .*b/SEQ.txt"):
        read_truth([str(tmp_path / "a"), str(tmp_path / "b")])
    with pytest.raises(UsageError, match="two of the sequence SEQ"):
        read_results([str(tmp_path)], Lanes())
    with pytest.raises(UsageError, match="no results in this folder"):
        read_results([str((tmp_path / "empty").mkdir() or tmp_path / "empty")], Lanes())
    with pytest.raises(UsageError, match="stdin is for results"):
        read_truth(["-"])
