"""``vtk export srt``, ``vtt`` and ``icdar``: text records as files, and what is wrong said in one line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conftest import run_vtk
from vtk.export.cue_files import read_cues
from vtk.export.icdar import read_transcripts, read_video

POLY = [[10, 20], [50, 20], [50, 30], [10, 30]]


def line(kind: str, words: str = "HELLO", source: str = "a.mp4", by: str = "spot-text/x", **keys: Any) -> bytes:
    own = ({"frame": 0, "t": 0.0, "poly": POLY, "xyxy": [10, 20, 50, 30]} if kind == "text" else
           {"track_id": 0, "start": 0.0, "end": 1.5, "observations": 3, "best": {"frame": 0, "poly": POLY}})
    record = {"v": 1, "type": kind, "by": by, "source": source, "text": words, "score": 0.5, **own, **keys}
    return json.dumps(record).encode() + b"\n"


STREAM = (line("text", "HELO", track_id=0) + line("text", "HELO", frame=2, t=0.08, track_id=0)
          + line("text", "loose", frame=2, t=0.08) + line("text_track", "שלום --> 你好")
          + line("text_track", "above", track_id=1, start=0.5, end=1.0,
                 best={"frame": 0, "poly": [[10, 0], [50, 0], [50, 9]]}))


@pytest.mark.parametrize(("form", "expected"), [
    ("srt", "1\n00:00:00,000 --> 00:00:00,500\nשלום → 你好\n\n2\n00:00:00,500 --> 00:00:01,000\nabove\nשלום → 你好\n\n"
            "3\n00:00:01,000 --> 00:00:01,500\nשלום → 你好\n"),
    ("vtt", "WEBVTT\n\n00:00:00.000 --> 00:00:00.500\nשלום --&gt; 你好\n\n00:00:00.500 --> 00:00:01.000\nabove\n"
            "שלום --&gt; 你好\n\n00:00:01.000 --> 00:00:01.500\nשלום --&gt; 你好\n"),
])
def test_subtitles(form: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(STREAM)
    assert run_vtk("export", form, "in.jsonl", "-o", "-", cwd=tmp_path).stdout.decode() == expected
    found = run_vtk("export", form, "--out-dir", "out", "--tee", stdin=STREAM, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    assert found.stdout.startswith(STREAM)
    assert (tmp_path / "out" / f"a.{form}").read_text(encoding="utf-8") == expected


def test_icdar_files_name_tracks_from_1_and_have_the_voted_text(tmp_path: Path) -> None:
    found = run_vtk("export", "icdar", "--out-dir", "out", stdin=STREAM, cwd=tmp_path)
    assert found.returncode == 0, found.stderr
    rows = read_video(tmp_path / "out" / "a.xml")
    assert (rows.frame, rows.id, rows.text) == ([1, 3, 3], [1, 1, 2], ["שלום --> 你好"] * 2 + ["loose"])
    assert [polygon.tolist() for polygon in rows.polygon] == [POLY] * 3
    assert read_transcripts(tmp_path / "out" / "a.txt") == {"1": "שלום --> 你好", "2": "loose"}
    assert '<frame ID="2" />' in (tmp_path / "out" / "a.xml").read_text()


def test_transcripts_that_files_trip_over_come_back(tmp_path: Path) -> None:
    """Right to left, East Asian, line ends, arrows, tags, quotes and control characters, through every exporter."""
    texts = ["مرحبا (عالم)", "你好，世界", "two\nlines\u2028", "a --> b", '<b>"&amp;</b> ]]>', "bell\x07\x1b"]
    plain = ["مرحبا (عالم)", "你好，世界", "two lines", "a --> b", '<b>"&amp;</b> ]]>', "bell"]
    stream = b"".join(line("text_track", text, track_id=at + 1, start=float(at), end=at + 1.0)
                      + line("text", text, track_id=at + 1, frame=at) for at, text in enumerate(texts))
    (tmp_path / "in.jsonl").write_bytes(stream)
    for form in ("srt", "vtt", "icdar"):
        found = run_vtk("export", form, "in.jsonl", "--out-dir", "out", cwd=tmp_path)
        assert (found.returncode, found.stderr) == (0, b"")
    assert [cue.lines for cue in read_cues(tmp_path / "out" / "a.vtt")] == [(text,) for text in plain]
    assert [cue.lines for cue in read_cues(tmp_path / "out" / "a.srt")] == [
        (text.replace("-->", "→"),) for text in plain]
    assert read_video(tmp_path / "out" / "a.xml").text == plain
    assert list(read_transcripts(tmp_path / "out" / "a.txt").values()) == plain


def test_without_texts_the_files_are_empty_ones(tmp_path: Path) -> None:
    end = json.dumps({"v": 1, "type": "end", "by": "spot-text/x", "source": "a.mp4", "status": "ok", "records": 0,
                      "frames": {"decoded": 3, "processed": 3, "skipped": 0}, "types": ["text", "text_track"]}).encode()
    for form, expected in (("srt", b""), ("vtt", b"WEBVTT\n"), ("icdar", b'<?xml version="1.0" encoding="UTF-8"?>\n'
                                                                        b"<Frames>\n</Frames>\n")):
        found = run_vtk("export", form, "-o", f"a.{form}", stdin=end, cwd=tmp_path)
        assert (found.returncode, found.stderr) == (0, b"")
        assert (tmp_path / f"a.{form}").read_bytes() == expected


def test_several_makers_need_a_choice(tmp_path: Path) -> None:
    stream = line("text_track") + line("text_track", "other", by="spot-text/y")
    found = run_vtk("export", "srt", "-o", "a.srt", stdin=stream, cwd=tmp_path)
    assert found.returncode != 0
    assert b"text records of 2 makers (spot-text/x, spot-text/y): --by" in found.stderr
    found = run_vtk("export", "srt", "-o", "-", "--by", "spot-text/y", stdin=stream)
    assert found.stdout.splitlines()[2:] == [b"other"]


def test_what_icdar_cannot_hold_is_said(tmp_path: Path) -> None:
    for stream, said in ((line("text", track_id=4) * 2, b"frame 0 has track 4 twice"),
                         (line("text", frame=10**9), b"the XML lists every frame")):
        found = run_vtk("export", "icdar", "-o", "a.xml", stdin=stream, cwd=tmp_path)
        assert found.returncode != 0
        assert said in found.stderr
        assert not list(tmp_path.iterdir())


def test_bad_lines_are_named_and_the_rest_is_written(tmp_path: Path) -> None:
    stream = b"oops\n" + line("text_track").replace(b'"end": 1.5', b'"end": "late"') + line("text_track", track_id=2)
    found = run_vtk("export", "srt", "-o", "a.srt", stdin=stream, cwd=tmp_path)
    assert found.returncode == 1
    assert [words.split(":")[1] for words in found.stderr.decode().splitlines()] == [" line 1", " line 2"]
    assert (tmp_path / "a.srt").read_text().splitlines()[2] == "HELLO"


@pytest.mark.parametrize(("arguments", "said"), [
    (("srt",), b"export srt needs either -o FILE"),
    (("vtt", "-o", "x.vtt", "--out-dir", "y"), b"export vtt needs either -o FILE"),
    (("srt", "-o", "there.srt"), b"there.srt exists: --overwrite"),
    (("icdar", "-o", "x.txt"), b"call the XML x.xml"),
    (("icdar", "-o", "gone/x.xml"), b"no folder gone"),
    (("srt", "-o", "-", "--tee"), b"stdout"),
    (("srt", "gone.jsonl", "-o", "x.srt"), b"cannot read gone.jsonl"),
])
def test_usage_errors_are_one_line_and_exit_2(tmp_path: Path, arguments: tuple[str, ...], said: bytes) -> None:
    (tmp_path / "there.srt").write_text("mine")
    found = run_vtk("export", *arguments, cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (2, b"", 1), found.stderr
    assert said in found.stderr
    assert (tmp_path / "there.srt").read_text() == "mine"


def test_the_list_beside_the_xml_is_not_replaced_unasked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("mine")
    found = run_vtk("export", "icdar", "-o", "a.xml", stdin=line("text"), cwd=tmp_path)
    assert b"a.txt exists: --overwrite" in found.stderr
    assert (tmp_path / "a.txt").read_text() == "mine"
    assert not (tmp_path / "a.xml").exists()
