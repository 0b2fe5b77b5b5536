"""``vtk detect-copy | vtk draw``: what was found, side by side with what it was found in."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from cards import encode
from coded import HEIGHT, WIDTH, coded
from encoded import assert_same_video

from vtk.media.writer import VideoWriter

FPS = 10
FIND = ("detect-copy", "--refs", "films", "--descriptor", "dct")


def scenes(path: Path, numbers: range, audio_from: str | None = None) -> Path:
    """Write a clip of scenes of a second each: one picture that says its number, and gets darker by and by."""
    with VideoWriter(path, WIDTH, HEIGHT, FPS, crf=10, preset="ultrafast", audio_from=audio_from) as writer:
        for place, number in enumerate(numbers):
            for frame in range(FPS):
                writer.write((coded(9, number) * (1 - 0.04 * frame)).astype(np.uint8), place + frame / FPS)
    return path


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with a film of 16 scenes, a clip of four of them with sound, and one of none."""
    (tmp_path / "films").mkdir()
    scenes(tmp_path / "films" / "film.mp4", range(16))
    sound = encode(tmp_path / "sound.mp4", 150, audio=True)
    scenes(tmp_path / "clip.mp4", range(6, 12), str(sound))
    scenes(tmp_path / "other.mp4", range(40, 46))
    return tmp_path


def halves(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right pane of all frames."""
    with av.open(str(path)) as container:
        pictures = np.array([frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]).astype(int)
    top = int(np.flatnonzero((pictures[0][:, 4:WIDTH - 4].min(axis=(1, 2)) > 25))[0])
    return pictures[:, top:top + HEIGHT, :WIDTH], pictures[:, top:top + HEIGHT, -WIDTH:]


def copies(lines: bytes) -> list[dict[str, object]]:
    return [record for record in map(json.loads, lines.splitlines()) if record["type"] == "copy"]


def test_both_sides_show_the_same_and_the_sound_stays(vtk, place):
    found = vtk(*FIND, "clip.mp4", cwd=place)
    [copy] = copies(found.stdout)
    assert vtk("draw", "-o", "side.mp4", stdin=found.stdout, cwd=place).returncode == 0
    left, right = halves(place / "side.mp4")
    times = np.arange(len(left)) / FPS
    inside = (times >= copy["start"] + 1e-6) & (times < copy["end"] - 1e-6)
    assert len(left) == 60 and inside.sum() > 50
    apart = np.abs(left - right)[inside].mean(axis=(1, 2, 3))
    assert (apart < 8).sum() >= len(apart) - 5, "scene by scene; at each of five cuts it may be off by a frame"
    assert np.abs(left[5] - left[45]).mean() > 30, "which frames of another scene are not"
    with av.open(str(place / "side.mp4")) as drawn, av.open(str(place / "clip.mp4")) as clip:
        assert drawn.streams.audio and clip.streams.audio
        assert drawn.streams.audio[0].duration * drawn.streams.audio[0].time_base == pytest.approx(
            clip.streams.audio[0].duration * clip.streams.audio[0].time_base, abs=0.1)


def test_in_one_process_the_video_is_the_same(vtk, place):
    piped = vtk("draw", "-o", "piped.mp4", stdin=vtk(*FIND, "clip.mp4", cwd=place).stdout, cwd=place)
    fused = vtk("pipe", "detect-copy --refs films --descriptor dct | draw -o fused.mp4", "clip.mp4", cwd=place)
    assert piped.returncode == fused.returncode == 0, fused.stderr
    assert_same_video(place / "piped.mp4", place / "fused.mp4")


def test_a_folder_of_sources_and_all_pairs(vtk, place):
    found = vtk(*FIND, "clip.mp4", "other.mp4", cwd=place)
    assert vtk("draw", "--out-dir", "drawn", stdin=found.stdout, cwd=place).returncode == 0
    pairs = vtk("detect-copy", "clip.mp4", "other.mp4", "films/film.mp4", "--all-pairs", "--descriptor", "dct",
                cwd=place)
    [copy] = copies(pairs.stdout)
    assert (copy["source"], copy["ref"]) == ("films/film.mp4", "clip.mp4")
    both = vtk("draw", "--out-dir", "pairs", stdin=pairs.stdout, cwd=place)
    assert both.returncode == 0 and both.stderr == b""
    widths = {}
    for path in sorted(place.glob("drawn/**/*.mp4")) + sorted(place.glob("pairs/**/*.mp4")):
        with av.open(str(path)) as container:
            widths[str(path.relative_to(place))] = container.streams.video[0].width > WIDTH
    assert widths == {"drawn/clip.mp4": True, "drawn/other.mp4": False, "pairs/clip.mp4": False,
                      "pairs/films/film.mp4": True, "pairs/other.mp4": False}


@pytest.mark.parametrize("ends", [True, False])
def test_where_what_announced_them_was_dropped_it_is_said_what_is_not_drawn(vtk, place, ends):
    """With the ends of sources gone as well, copies of all but the last come among the lines of another."""
    names = ("films/film.mp4", "clip.mp4", "other.mp4") if not ends else ("clip.mp4", "other.mp4", "films/film.mp4")
    pairs = vtk("detect-copy", *names, "--all-pairs", "--descriptor", "dct", cwd=place).stdout
    [copy] = copies(pairs)
    dropped = [line for line in pairs.splitlines(True) if b'"type":"run"' not in line]
    dropped = [line for line in dropped if ends or b'"type":"end"' not in line]
    late = vtk("draw", "--out-dir", "late", "--tee", stdin=b"".join(dropped), cwd=place)
    assert late.returncode == 1 and late.stderr.count(b"\n") == 1
    said = f"a copy record came after the end of {copy['source']}: worked on without"
    assert said in late.stderr.decode() and b"run records" in late.stderr and b"vtk sort" in late.stderr
    [error] = [record for record in map(json.loads, late.stdout.splitlines()) if record["type"] == "error"]
    assert error["error"]["code"] == "E_LATE" and said in error["error"]["message"]
    good = vtk("draw", "--out-dir", "good", stdin=vtk("sort", stdin=b"".join(dropped)).stdout, cwd=place)
    assert (good.returncode, good.stderr) == (0, b"")
    others = vtk("draw", "--out-dir", "others", "--types", "track", stdin=b"".join(dropped), cwd=place)
    assert (others.returncode, others.stderr) == (0, b""), "copies were not asked for"


def test_a_sheet_of_copies_is_refused_in_a_line(vtk, place):
    for words in ((*FIND, "clip.mp4"), ("detect-copy", "clip.mp4", "films/film.mp4", "--all-pairs", "--descriptor", "dct")):
        found = vtk(*words, cwd=place).stdout
        assert copies(found)
        sheet = vtk("sheet", "-o", "sheet.png", stdin=found, cwd=place)
        assert sheet.returncode == 1 and not (place / "sheet.png").exists()
        assert sheet.stderr == (b"vtk sheet: copy records came and no box of anything, of which a sheet is made: vtk draw "
                                b"shows copies beside their references [E_NO_GROUP]\n")


def test_with_frames_before_them_sort_puts_copies_first(vtk, place):
    seen = [{"v": 1, "type": "media", "by": "x", "source": "clip.mp4", "kind": "video", "width": WIDTH,
             "height": HEIGHT},
            {"v": 1, "type": "detection", "by": "x", "source": "clip.mp4", "frame": 3, "t": 0.3, "xyxy": [4, 4, 60, 50],
             "score": 0.9}]
    found = vtk(*FIND, stdin="".join(json.dumps(record) + "\n" for record in seen).encode(), cwd=place)
    assert len(copies(found.stdout)) == 1
    late = vtk("draw", "-o", "late.mp4", stdin=found.stdout, cwd=place)
    assert late.returncode == 1 and b"came after its frames" in late.stderr and b"vtk sort" in late.stderr
    good = vtk("draw", "-o", "good.mp4", stdin=vtk("sort", stdin=found.stdout).stdout, cwd=place)
    assert good.returncode == 0 and good.stderr == b""
    with av.open(str(place / "late.mp4")) as late_video, av.open(str(place / "good.mp4")) as good_video:
        assert (late_video.streams.video[0].width, good_video.streams.video[0].width > WIDTH) == (WIDTH, True)


def test_a_reference_that_vanished_is_named(vtk, place):
    found = vtk(*FIND, "clip.mp4", cwd=place).stdout
    (place / "films" / "film.mp4").unlink()
    result = vtk("draw", "-o", "side.mp4", "--tee", stdin=found, cwd=place)
    assert result.returncode == 1 and result.stderr.count(b"\n") == 1
    assert b"clip.mp4: reference films/film.mp4 cannot be opened: No such file or directory" in result.stderr
    [error] = [record for record in map(json.loads, result.stdout.splitlines()) if record["type"] == "error"]
    assert error["source"] == "clip.mp4" and error["error"]["code"] == "E_OPEN" and not error["error"]["fatal"]
    last = json.loads(result.stdout.splitlines()[-1])
    assert (last["type"], last["by"], last["status"]) == ("end", "draw", "partial")
    assert halves(place / "side.mp4")[1][30].max(axis=(1, 2)).mean() < 60


def test_a_root_is_of_the_references_too(vtk, place, tmp_path_factory):
    found = vtk(*FIND, "clip.mp4", cwd=place).stdout
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    result = vtk("draw", "-o", "side.mp4", "--root", place, stdin=found, cwd=elsewhere)
    assert result.returncode == 0 and result.stderr == b""
    left, right = halves(elsewhere / "side.mp4")
    # In the middle of a scene: at its first frame, an end that is a sixteenth of a second off shows the scene before.
    assert np.abs(left[35] - right[35]).mean() < 8
