"""``vtk export edl`` and ``otio``: scenes and shots as timelines, and what is wrong said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clips import make_clip

from vtk.cli import main

Run = Any


@pytest.fixture
def export(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    """Return what runs ``vtk export`` in this process, in a folder of its own: its code, stdout, stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["vtk", "export", *words])
        code = 0
        try:
            main()
        except SystemExit as left:
            code = int(left.code or 0)
        return (code, *capfd.readouterr())

    return run


def lines(source: str, *spans: dict[str, Any], **media: Any) -> str:
    known = [{"v": 1, "type": "media", "by": "x", "source": source, "kind": "video", "width": 64, "height": 48,
              **media}] if media else []
    base = {"v": 1, "type": "scene", "by": "recognize-scene/x", "source": source, "score": 0.5}
    return "".join(json.dumps(each) + "\n" for each in (*known, *({**base, **span} for span in spans)))


BEACH = {"start": 0.0, "end": 2.0, "start_frame": 0, "end_frame": 50, "label": "beach", "topk": [], "indoor": False}
BAR = {"start": 3.0, "end": 5.0, "start_frame": 75, "end_frame": 125, "label": "bar", "indoor": True,
       "transition": "dissolve"}


def test_an_edl_has_an_event_of_each_scene(export: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(lines("films/a.mp4", BEACH, BAR, fps=25.0, duration=6.0))
    code, out, err = export("edl", "in.jsonl", "-o", "-")
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "TITLE: a", "FCM: NON-DROP FRAME", "",
        "001  AX       V     C        00:00:00:00 00:00:02:00 00:00:00:00 00:00:02:00",
        "* FROM CLIP NAME: a.mp4", "* COMMENT: beach (0.50, outdoors)",
        "002  AX       V     C        00:00:03:00 00:00:05:00 00:00:03:00 00:00:05:00",
        "* FROM CLIP NAME: a.mp4", "* COMMENT: bar (0.50, indoors, after a dissolve)"]
    assert export("edl", "in.jsonl", "--out-dir", "out", "--fps", "29.97")[0] == 0
    assert (tmp_path / "out" / "films" / "a.edl").read_text().splitlines()[1:4] == [
        "FCM: DROP FRAME", "", "001  AX       V     C        00:00:00;00 00:00:02;00 00:00:00;00 00:00:02;00"]
    assert "NON-DROP" in export("edl", "in.jsonl", "-o", "-", "--fps", "29.97", "--non-drop")[1]


def test_an_otio_timeline_is_read_by_opentimelineio(export: Run, tmp_path: Path) -> None:
    otio = pytest.importorskip("opentimelineio")
    make_clip(tmp_path / "a b.mp4")
    (tmp_path / "in.jsonl").write_text(lines("a b.mp4", BEACH, BAR, fps=25.0, duration=6.0)
                                       + lines("gone.mp4", BEACH, fps=25.0))
    assert export("otio", "in.jsonl", "--out-dir", "out")[0] == 0
    timeline = otio.adapters.read_from_file(str(tmp_path / "out" / "a b.otio"))
    [track] = timeline.tracks
    time = lambda frames: otio.opentime.RationalTime(frames, 25)  # noqa: E731
    assert [(type(each).__name__, each.name, each.trimmed_range_in_parent()) for each in track] == [
        ("Clip", "beach", otio.opentime.TimeRange(time(0), time(50))),
        ("Gap", "", otio.opentime.TimeRange(time(50), time(25))),
        ("Clip", "bar", otio.opentime.TimeRange(time(75), time(50)))]
    clip = track[2]
    assert clip.source_range == otio.opentime.TimeRange(time(75), time(50))
    assert clip.media_reference.target_url == (tmp_path / "a b.mp4").resolve().as_uri()
    assert clip.media_reference.available_range.duration == time(150)
    assert [(marker.name, marker.comment) for marker in clip.markers] == [("bar", "0.50, indoors, after a dissolve")]
    assert clip.metadata["vtk"]["by"] == "recognize-scene/x"
    [clip] = otio.adapters.read_from_file(str(tmp_path / "out" / "gone.otio")).find_clips()
    assert clip.media_reference.target_url == "gone.mp4"
    assert export("otio", "in.jsonl", "--out-dir", "packed", "--packed")[0] == 0
    [track] = otio.adapters.read_from_file(str(tmp_path / "packed" / "a b.otio")).tracks
    assert [type(each).__name__ for each in track] == ["Clip", "Clip"]


def test_the_rate_is_the_films_own_where_no_record_says_it(export: Run, tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mp4")
    shot = {"type": "shot", "start": 0.0, "end": 1.0, "start_frame": 0, "end_frame": 10}
    (tmp_path / "in.jsonl").write_text(lines("a.mp4", shot))
    code, out, _ = export("edl", "in.jsonl", "-o", "-")
    assert code == 0
    assert out.splitlines()[-1] == "* COMMENT: shot 1 (0.50)"
    (tmp_path / "in.jsonl").write_text(lines("gone.mp4", shot))
    code, out, err = export("edl", "in.jsonl", "-o", "-")
    assert (code != 0, out) == (True, "")
    assert "how many frames a second gone.mp4 has is not known" in err and "--fps" in err


def test_frames_of_uneven_films_are_placed_by_the_clock(export: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(lines("a.mp4", {**BEACH, "end_frame": 31}, fps=25.0, vfr=True))
    assert "00:00:02:00 00:00:00:00 00:00:02:00" in export("edl", "in.jsonl", "-o", "-")[1]


def test_a_picture_has_no_event(export: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(lines("a.jpg", {"start": 0.0, "end": 0.0, "label": "beach"}))
    assert export("edl", "in.jsonl", "-o", "-")[:2] == (0, "TITLE: a\nFCM: NON-DROP FRAME\n\n")


@pytest.mark.parametrize(("stream", "words", "said"), [
    (lines("a.mp4", BEACH, {**BEACH, "by": "recognize-scene/y"}, fps=25.0), (), "--by says whose to write"),
    (lines("a.mp4", BEACH, {**BAR, "start": 1.0, "start_frame": 25}, fps=25.0), (), "one track cannot hold both"),
    (lines("a.mp4", BEACH, fps=12.5), (), "12.500 frames a second cannot be timecodes: give --fps"),
    (lines("a.mp4", BEACH, fps=25.0), ("--fps", "0"), "--fps is 0: a number above 0"),
])
def test_what_is_wrong_is_one_line(stream: str, words: tuple[str, ...], said: str, export: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(stream)
    code, _, err = export("edl", "in.jsonl", "-o", "a.edl", *words)
    assert code != 0
    assert said in err and err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["in.jsonl"]


def test_one_maker_of_several_is_picked(export: Run, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(lines("a.mp4", BEACH, {**BAR, "by": "recognize-scene/y"}, fps=25.0))
    out = export("edl", "in.jsonl", "-o", "-", "--by", "recognize-scene/y")[1]
    assert "bar" in out and "beach" not in out
