"""``vtk spot-text`` as a process, on a video with three lines of text and on pictures."""

from __future__ import annotations

import json

import pytest


def lines(result):
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_three_lines_are_three_tracks(vtk, shared):
    """A light box is switched on and off behind the letters: they stay the same texts, over the whole film."""
    truth = json.loads((shared / "data" / "spot-text" / "sample_video_for_text_gt.json").read_text())
    result = vtk("spot-text", shared / "data" / "spot-text" / "sample_video_for_text.mp4", "--precision", "fp32")
    assert result.returncode == 0, result.stderr
    records = lines(result)
    tracks = {record["text"]: record for record in records if record["type"] == "text_track"}
    assert set(tracks) == {line["text"] for line in truth["lines"]}
    texts = [record for record in records if record["type"] == "text"]
    for line in truth["lines"]:
        track = tracks[line["text"]]
        mine = [record for record in texts if record["track_id"] == track["track_id"]]
        assert len(mine) == track["observations"] >= 0.95 * truth["frames"]
        assert (track["start"], track["start_frame"]) == (0.0, 0) and track["end_frame"] >= 0.95 * truth["frames"]
        for record in mine:  # the boxes by eye are good to 15 pixels, the camera drifts by 10, ours have a margin
            centre = [(record["xyxy"][axis] + record["xyxy"][axis + 2]) / 2 for axis in (0, 1)]
            wanted = [(line["box"][axis] + line["box"][axis + 2]) / 2 for axis in (0, 1)]
            assert max(abs(a - b) for a, b in zip(centre, wanted, strict=True)) <= 30


def test_pictures_have_texts_and_no_tracks(vtk, shared):
    picture = shared / "data" / "spot-text" / "ic15_train10" / "imgs" / "test" / "img_1.jpg"
    records = lines(vtk("spot-text", picture, "--precision", "fp32"))
    assert "Carpark" in [record.get("text") for record in records]
    assert {record["type"] for record in records} == {"media", "text", "end"}
    assert all("track_id" not in record for record in records)


def test_options_leave_out(vtk, shared):
    clip = shared / "data" / "spot-text" / "sample_video_for_text.mp4"
    short = lines(vtk("spot-text", clip, "--limit", "10", "--tracks-only"))
    assert [record["type"] for record in short] == ["media", "text_track", "text_track", "text_track", "end"]
    assert not [record for record in lines(vtk("spot-text", clip, "--limit", "5", "--min-height", "300"))
                if record["type"].startswith("text")]


@pytest.mark.parametrize(("options", "words"), [
    (("--model", "easyocr"), b"no text spotter 'easyocr': there is ppocr"),
    (("--detect-fps", "0"), b"--detect-fps 0"),
    (("--long-side", "100"), b"--long-side 100: a multiple of 32"),
    (("--min-height", "-1"), b"--min-height -1"),
])
def test_usage_errors_are_one_line(vtk, options, words):
    result = vtk("spot-text", "a.mp4", *options)
    assert result.returncode == 2 and words in result.stderr and result.stdout == b""
    assert len(result.stderr.strip().splitlines()) == 1
