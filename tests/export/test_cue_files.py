"""Subtitle files as they are found: read where they can be, and what is wrong said with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from vtk.errors import MediaError, RecordError
from vtk.export.cue_files import read_cues
from vtk.export.subtitles import Cue, Line, cues, srt_lines, vtt_lines

SRT = "1\n00:00:01,000 --> 00:00:02,500\nHello\nthere\n\n2\n00:01:00,000 --> 01:00:00,000\nBye\n"
HELLO, BYE = Cue(1000, 2500, ("Hello", "there")), Cue(60_000, 3_600_000, ("Bye",))
# Transcripts that files of lines and of tags trip over.
ODD = ["שלום (עולם) 12", "مرحبا", "你好，世界", "cafe\u0301", "a --> b", "<i>x</i> & <b>y", "{\\an8}up", "&lt;", "12",
       "two\nlines\u2028three\x85four", "bell\x07\x1b[0m", "half \ud800", "WEBVTT", "NOTE", "x < y > z", "\u202emirror"]


def read(folder: Path, text: str | bytes, name: str = "a.srt") -> list[Cue]:
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_cues(folder / name)


@pytest.mark.parametrize("text", [
    SRT,
    "\ufeff" + SRT,
    SRT.replace("\n", "\r\n"),
    SRT.replace("\n", "\r"),
    SRT.replace("1\n00", "00").replace("2\n00:01", "00:01"),          # no numbers
    SRT.replace("1\n00", "7\n00"),                                    # wrong ones
    SRT.replace("there\n\n2", "there\n\n\n\n  \n2") + "\n\n\n",       # blank lines
    SRT.replace("there\n\n", "there\n"),                              # none where one is needed
    SRT.replace(",", "."),
    SRT.replace(",000", "").replace(",500", ",5"),
    SRT.replace("02,500", "02,500  X1:40 X2:600 Y1:20 Y2:50"),
    SRT.replace("Hello", '<font color="#ff0000"><i>Hello</i></font>').replace("Bye", "{\\an8}Bye"),
    SRT.replace("Bye", "Bye\n\n3\n00:00:05,000 --> 00:00:06,000\n<i></i>\n\n4\n00:00:07,000 --> 00:00:07,000\nnever"),
    SRT.encode("utf-16"),
    "2\n00:01:00,000 --> 01:00:00,000\nBye\n\n1\n00:00:01,000 --> 00:00:02,500\nHello\nthere",   # out of order
])
def test_srt_is_read_as_it_comes(text: str | bytes, tmp_path: Path) -> None:
    assert read(tmp_path, text) == [HELLO, BYE]


@pytest.mark.parametrize("text", [
    "WEBVTT\n\n00:01.000 --> 00:02.500\nHello\nthere\n\n00:01:00.000 --> 01:00:00.000\nBye\n",   # no hours
    "\ufeffWEBVTT - a title\nKind: captions\n\nfirst\n00:00:01.000 --> 00:00:02.500 line:0 align:start\nHello\n"
    "there\n\nNOTE\nnot to be seen\n\n00:01:00.000 --> 01:00:00.000\nBye",
    "WEBVTT\n\nSTYLE\n::cue { color: red }\n\nREGION\nid:a\n\n00:01.000 --> 00:02.500\n<v Ann><c.loud>Hello</c>\n"
    "<00:01.500>there\n\n00:01:00.000 --> 01:00:00.000\nB&#121;e\n",
])
def test_vtt_is_read_as_it_comes(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text, "a.vtt") == [HELLO, BYE]
    assert read(tmp_path, text, "a.srt") == [HELLO, BYE]  # whatever it is called


def test_overlapping_cues_stay_apart(tmp_path: Path) -> None:
    text = "00:00:00,000 --> 00:00:09,000\nlong\n\n00:00:02,000 --> 00:00:03,000\nshort\n"
    assert read(tmp_path, text) == [Cue(0, 9000, ("long",)), Cue(2000, 3000, ("short",))]
    assert read(tmp_path, "") == read(tmp_path, "\n\n") == read(tmp_path, "WEBVTT\n", "b.vtt") == []


@pytest.mark.parametrize(("text", "said"), [
    (SRT.replace("00:01:00,000 -->", "soon -->"),
     "a.srt, line 7: times such as .* are needed, found 'soon --> 01:00:00,000'"),
    (SRT.replace("00:00:02,500", "00:00:72,500"), "a.srt, line 2: minutes and seconds go to 59"),
    (SRT.replace("00:00:02,500", "00:00:00,500"), "a.srt, line 2: a cue ends before it starts"),
    (SRT.replace("Bye", "Bye\n\nand again"), "a.srt, line 10: the times of a cue are needed, .* found 'and again'"),
    ("just\nwords\n", "a.srt, line 1: the times of a cue are needed"),
    (b"1\n00:00:01,000 --> 00:00:02,500\ncaf\xe9\n", "a.srt, line 3: no text of UTF-8"),
    (b"\xff\xfe1", "a.srt, line 1: no text of UTF-16"),
])
def test_what_is_wrong_is_said_with_its_line(text: str | bytes, said: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=said) as error:
        read(tmp_path, text)
    assert error.value.code == "E_SUBTITLES"


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="a.vtt, line 1: a WebVTT file begins with WEBVTT, found '1'"):
        read(tmp_path, SRT, "a.vtt")
    with pytest.raises(MediaError, match="cannot read .*gone.srt: No such file"):
        read_cues(tmp_path / "gone.srt")


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_transcripts_of_every_kind_come_back(form: str, tmp_path: Path) -> None:
    from vtk.export.subtitles import line_of

    records = [{"start": place, "end": place + 1.0, "text": text} for place, text in enumerate(ODD)]
    made = cues([line for record in records if (line := line_of(record))])
    written = "\n".join((srt_lines if form == "srt" else vtt_lines)(made)) + "\n"
    back = read(tmp_path, written, f"a.{form}")
    assert [(cue.start, cue.end) for cue in back] == [(1000 * place, 1000 * place + 1000) for place in range(len(ODD))]
    plain = ["two lines three four" if "\n" in text else text for text in ODD]
    plain[10:12] = ["bell[0m", "half \ufffd"]
    if form == "srt":
        plain[4] = "a → b"
    assert [cue.lines for cue in back] == [(text,) for text in plain]


@pytest.mark.parametrize("form", ["srt", "vtt"])
def test_cues_of_many_lines_come_back(form: str, tmp_path: Path) -> None:
    lines = [Line(at * 700, at * 700 + 1500, f"line {at}", (0, at * 20, 50, at * 20 + 10)) for at in range(20)]
    made = cues(lines)
    written = "\n".join((srt_lines if form == "srt" else vtt_lines)(made)) + "\n"
    assert len(made) > 20 and read(tmp_path, written, f"a.{form}") == made
