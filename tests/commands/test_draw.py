"""``vtk draw`` as a process."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest

from vtk.media.writer import VideoWriter
from vtk.report.palette import colour_of

WIDTH, HEIGHT, COUNT = 320, 240, 20


@pytest.fixture
def clip(tmp_path):
    """Return a grey clip of 20 frames."""
    path = tmp_path / "clip.mp4"
    with VideoWriter(path, WIDTH, HEIGHT, 10) as writer:
        for index in range(COUNT):
            writer.write(np.full((HEIGHT, WIDTH, 3), 128, np.uint8), index / 10)
    return path


def tracks(source, first=5, last=15):
    out = [{"v": 1, "type": "track", "by": "track/x", "source": str(source), "frame": index, "t": index / 10,
            "xyxy": [40.0 + 5 * index, 80.0, 100.0 + 5 * index, 200.0], "score": 0.9, "label": "person", "track_id": 1}
           for index in range(first, last)]
    return b"".join(json.dumps(record, separators=(",", ":")).encode() + b"\n" for record in out)


def pictures(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.array([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)


def painted(path: Path) -> list[int]:
    """Return the frames that hold something other than grey."""
    return [index for index, picture in enumerate(pictures(path)) if np.abs(picture - 128).max() > 60]


def test_every_frame_comes_and_those_with_records_are_painted(vtk, clip, tmp_path):
    result = vtk("draw", "-o", tmp_path / "out.mp4", stdin=tracks(clip))
    assert result.returncode == 0 and result.stdout == b"", result.stderr
    assert len(pictures(tmp_path / "out.mp4")) == COUNT
    assert painted(tmp_path / "out.mp4") == list(range(5, 15))
    left_edge = pictures(tmp_path / "out.mp4")[10, 120:190, 89:92].mean(axis=(0, 1))
    assert np.abs(left_edge - colour_of(1)).max() < 90


def test_tee_passes_the_records_on(vtk, clip, tmp_path):
    result = vtk("draw", "--tee", "-o", tmp_path / "out.mp4", stdin=tracks(clip))
    assert [line for line in result.stdout.splitlines(True) if b'"track"' in line] == tracks(clip).splitlines(True)
    assert painted(tmp_path / "out.mp4") == list(range(5, 15))


def test_media_alone_gives_the_plain_video(vtk, clip, tmp_path):
    assert vtk("draw", clip, "-o", tmp_path / "out.mp4").returncode == 0
    assert len(pictures(tmp_path / "out.mp4")) == COUNT and painted(tmp_path / "out.mp4") == []


def test_a_folder_for_several_sources(vtk, clip, tmp_path):
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    result = vtk("draw", "--out-dir", "drawn", stdin=tracks("clip.mp4") + tracks("other.mp4", 0, 3), cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert painted(tmp_path / "drawn" / "clip.mp4") == list(range(5, 15))
    assert painted(tmp_path / "drawn" / "other.mp4") == [0, 1, 2]
    again = vtk("draw", "-o", "one.mp4", stdin=tracks("clip.mp4") + tracks("other.mp4"), cwd=tmp_path)
    assert again.returncode == 1 and b"--out-dir" in again.stderr
    assert painted(tmp_path / "one.mp4") == list(range(5, 15))


def test_exported_subtitles_are_burned_in_again(vtk, clip, tmp_path):
    """Text tracks to a folder of subtitles, and those into the pictures; what has none does not stop the rest."""
    texts = [{"v": 1, "type": "text_track", "by": "spot-text/x", "source": "clip.mp4", "track_id": number, "text": text,
              "start": start, "end": end, "score": 0.9, "observations": 3}
             for number, (text, start, end) in enumerate([("سلام --> 你好", 0.4, 1.0), ("two", 0.8, 1.2)])]
    stream = "".join(json.dumps(record) + "\n" for record in texts).encode()
    (tmp_path / "other.mp4").write_bytes(clip.read_bytes())
    for form in ("srt", "vtt"):
        made = vtk("export", form, "--out-dir", form, stdin=stream, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        found = vtk("draw", "clip.mp4", "other.mp4", "--subtitles", form, "--out-dir", f"drawn-{form}", cwd=tmp_path)
        assert found.returncode == 1 and found.stderr.count(b"\n") == 1
        assert f"{form} has no subtitles of other.mp4: none of other.srt, other.vtt is there".encode() in found.stderr
        assert painted(tmp_path / f"drawn-{form}" / "clip.mp4") == list(range(4, 12))


def test_images(vtk, tmp_path):
    from PIL import Image

    Image.new("RGB", (WIDTH, HEIGHT), (128, 128, 128)).save(tmp_path / "a.png")
    result = vtk("draw", "-o", tmp_path / "b.png", stdin=tracks(tmp_path / "a.png", 0, 1))
    assert result.returncode == 0, result.stderr
    assert np.abs(np.asarray(Image.open(tmp_path / "b.png")).astype(int) - 128).max() > 60


def test_an_output_is_not_replaced(vtk, clip, tmp_path):
    (tmp_path / "out.mp4").write_bytes(b"mine")
    result = vtk("draw", "-o", tmp_path / "out.mp4", stdin=tracks(clip))
    assert result.returncode == 2 and b"--overwrite" in result.stderr and (tmp_path / "out.mp4").read_bytes() == b"mine"
    assert vtk("draw", "-o", tmp_path / "out.mp4", "--overwrite", stdin=tracks(clip)).returncode == 0
    assert len(pictures(tmp_path / "out.mp4")) == COUNT


def test_a_bad_record_is_named_and_the_rest_plays(vtk, clip, tmp_path):
    bad = tracks(clip).replace(b'"track_id":1', b'"track_id":"one"', 8).replace(b'"track_id":"one"', b'"track_id":1', 7)
    result = vtk("draw", "-o", tmp_path / "out.mp4", stdin=bad)
    assert result.returncode == 1 and b"'track_id' is 'one'" in result.stderr
    assert len(pictures(tmp_path / "out.mp4")) == COUNT and painted(tmp_path / "out.mp4") == [*range(5, 12), 13, 14]


@pytest.mark.parametrize(("args", "words"), [
    ((), b"needs either -o FILE"),
    (("-o", "a.gif"), b"ends in .mp4"),
    (("-o", "a.mp4", "--types", "boxes"), b"nothing paints 'boxes'"),
    (("-o", "nowhere/a.mp4"), b"no folder nowhere"),
])
def test_usage_errors_are_one_line(vtk, tmp_path, args, words):
    result = vtk("draw", *args, stdin=tracks("clip.mp4"), cwd=tmp_path)
    assert result.returncode == 2 and words in result.stderr and len(result.stderr.strip().splitlines()) == 1


def test_the_whole_pipe_on_real_video(vtk, shared, tmp_path):
    """Detect, track and draw in one process and in three: one video, frame for frame."""
    clip = shared / "data" / "track" / "vtest.avi"
    detect = "detect --model yolox-nano --classes person --min-score 0.1 --limit 30"
    fused = vtk("pipe", f"{detect} | track | draw -o {tmp_path / 'fused.mp4'} --limit 30", clip)
    assert fused.returncode == 0, fused.stderr
    found = vtk(*detect.split(), clip)
    tracked = vtk("track", stdin=found.stdout)
    assert vtk("draw", "-o", tmp_path / "piped.mp4", "--limit", "30", stdin=tracked.stdout).returncode == 0
    ours, theirs = pictures(tmp_path / "fused.mp4"), pictures(tmp_path / "piped.mp4")
    assert len(ours) == 30 and (ours == theirs).all()
    plain = next(iter(av.open(str(clip)).decode(video=0))).to_ndarray(format="rgb24").astype(int)
    changed = (np.abs(ours[0] - plain).max(axis=2) > 60).mean()
    assert 0.005 < changed < 0.2  # boxes and labels of a handful of people


def judged(source, **keys):
    return json.dumps({"v": 1, "type": "face_track", "by": "face-antispoof/x", "source": str(source), "track_id": 1,
                       "start": 0, "end": 1, "live_score": 0.9, "verdict": "live", "thresholds": [0.2, 0.8],
                       "observations": 9, "used": 9, **keys}).encode() + b"\n"


def test_tracks_of_faces_alone_are_said_to_have_nothing_to_draw(vtk, clip, tmp_path):
    alone = vtk("draw", "-o", tmp_path / "out.mp4", stdin=judged(clip))
    assert alone.returncode == 1
    assert alone.stderr.count(b"\n") == 1 and b"vtk face-antispoof --frames writes each" in alone.stderr
    assert painted(tmp_path / "out.mp4") == []
    with_boxes = vtk("draw", "-o", tmp_path / "out.mp4", "--overwrite", stdin=tracks(clip) + judged(clip))
    assert (with_boxes.returncode, with_boxes.stderr) == (0, b"")
    without_faces = vtk("draw", "-o", tmp_path / "out.mp4", "--overwrite", "--types", "text", stdin=judged(clip))
    assert (without_faces.returncode, without_faces.stderr) == (0, b"")
