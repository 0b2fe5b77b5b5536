"""ICDAR's formats: read as they are, written so that they come back, and what is wrong said in one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from vtk.errors import MediaError, RecordError
from vtk.export.icdar import TextRows, read_transcripts, read_video, transcript_lines, xml_lines
from vtk.export.icdar_images import read_image_list, read_json, rows_of_captions, rows_of_mmocr

XML = """<?xml version="1.0" encoding="us-ascii"?>
<Frames xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <frame ID="1" />
  <frame ID="2">
    <object Transcription="Caf&#233; &amp; &quot;x&quot;" ID="1001" Language="Catalan" Mirrored="unmirrored" Quality="MODERATE">
      <Point x="10" y="11" /><Point x="50" y="12.5" /><Point x="50" y="30" /><Point x="10" y="29" />
    </object>
    <object Transcription="far" ID="b" Quality="LOW">
      <Point x="0" y="0" /><Point x="9" y="0" /><Point x="9" y="9" /></object>
    <object Transcription="##DONT#CARE##" ID="1003"><Point x="0" y="0" /><Point x="9" y="0" /><Point x="9" y="9" /></object>
  </frame>
</Frames>
"""
ODD = ['شكرا "جزيلا"', "你好, 世界", "a<b>&c", "two\n\nlines", "bell\x07", "", "###", "a --> b ]]> <!-- &amp; '",
       "\u202eשלום 12", "x\u2028y\x85z", "half \ud800\ufffe", "cafe\u0301 한국", '"', ",", "\ufeff'"]
AGAIN = ['شكرا "جزيلا"', "你好, 世界", "a<b>&c", "two lines", "bell", "", "###", "a --> b ]]> <!-- &amp; '",
         "\u202eשלום 12", "x y z", "half \ufffd\ufffd", "cafe\u0301 한국", '"', ",", "\ufeff'"]


def rows_of(texts: list[str]) -> TextRows:
    rows = TextRows()
    for number, text in enumerate(texts, 1):
        rows.add(3, number, np.array([[0, 0], [9, 0], [9, 9], [0, 9]], dtype=float) + number, text)
    return rows


def written(path: Path, rows: TextRows) -> Path:
    path.write_text("\n".join(xml_lines(rows)))
    return path


def test_video_xml_is_read(tmp_path: Path) -> None:
    (tmp_path / "a_GT.xml").write_text(XML)
    rows = read_video(tmp_path / "a_GT.xml")
    assert (rows.frame, rows.id[0], rows.id[2]) == ([2, 2, 2], 1001, 1003)
    assert rows.id[1] < 0, "an ID that is no number gets a number of its own"
    assert rows.text[0] == 'Café & "x"'
    assert rows.ignored == [False, True, True]
    assert rows.polygon[0].tolist() == [[10, 11], [50, 12.5], [50, 30], [10, 29]]


def test_transcripts_stand_in_a_list_beside(tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_text(XML.replace('Transcription="far" ', ""))
    (tmp_path / "a.txt").write_text('\ufeff"1001","other"\n"b","near, ""by"""\n\n')
    assert read_video(tmp_path / "a.xml").text[:2] == ['Café & "x"', 'near, "by"']


def test_texts_of_every_script_come_back(tmp_path: Path) -> None:
    rows = rows_of(ODD)
    back = read_video(written(tmp_path / "a.xml", rows))
    assert back.text == AGAIN
    assert back.ignored == [text == "###" for text in AGAIN]
    assert [polygon.tolist() for polygon in back.polygon] == [polygon.tolist() for polygon in rows.polygon]
    (tmp_path / "a.txt").write_text("\n".join(transcript_lines(dict(zip(rows.id, rows.text, strict=True)))))
    assert list(read_transcripts(tmp_path / "a.txt").values()) == back.text


def test_other_polygons_become_four_corners(tmp_path: Path) -> None:
    """A slanted rectangle with a corner more: the smallest rectangle around it is the rectangle itself, to a pixel."""
    rows = TextRows()
    slanted = np.array([[100, 100], [150, 150], [200, 200], [180, 220], [80, 120]], dtype=float)
    rows.add(1, 1, slanted, "x")
    [polygon] = read_video(written(tmp_path / "a.xml", rows)).polygon
    assert sorted(polygon.tolist()) == pytest.approx(np.array(sorted(slanted[[0, 2, 3, 4]].tolist())), abs=1)


def test_real_ground_truth_comes_back(shared: Path, tmp_path: Path) -> None:
    path = shared / "data" / "spot-text" / "icdar2013_video" / "Video_49_6_4_GT.json.gz"
    rows = read_video(path)
    assert (len(rows.frame), sum(rows.ignored), max(rows.frame)) == (1532, 633, 900)
    back = read_video(written(tmp_path / "a.xml", rows))
    key = sorted(zip(rows.frame, rows.id, rows.text, rows.ignored, [one.tolist() for one in rows.polygon], strict=True))
    assert sorted(zip(back.frame, back.id, back.text, back.ignored, [one.tolist() for one in back.polygon],
                      strict=True)) == key
    (tmp_path / "b.json").write_bytes(gzip.decompress(path.read_bytes()))
    assert read_video(tmp_path / "b.json").text == rows.text


def test_the_ten_images_have_their_transcripts(shared: Path) -> None:
    place = shared / "data" / "spot-text"
    found = rows_of_mmocr(read_json(place / "ic15_train10" / "textdet_test.json"), "x",
                          read_json(place / "ic15_train10_transcripts_by_eye.json"))
    readable = {image: [text for text, ignored in zip(rows.text, rows.ignored, strict=True) if not ignored]
                for image, rows in found.items()}
    assert len(readable) == 10
    assert sum(map(len, readable.values())) == 21
    assert all(map(all, readable.values()))
    assert readable["imgs/test/img_1.jpg"] == ["Genaxis Theatre", "[06]", "62-03", "Carpark"]


def test_captions_stay_in_every_frame(shared: Path) -> None:
    rows = rows_of_captions(read_json(shared / "data" / "spot-text" / "sample_video_for_text_gt.json"), "x")
    assert (len(rows.frame), max(rows.frame), rows.text[:3]) == (3 * 935, 935, ["#BLACK", "LIVES", "MATTER"])
    assert rows.polygon[0].tolist() == [[134, 44], [539, 44], [539, 153], [134, 153]]


def test_lists_of_images(tmp_path: Path) -> None:
    (tmp_path / "gt_img_1.txt").write_text("\ufeff377,117,463,117,465,130,378,130,Genaxis, Theatre\r\n"
                                           "1,2,3,2,3,9,1,9,###\n5,6,17,18,\"x\"\n\n", encoding="utf-8")
    rows = read_image_list(tmp_path / "gt_img_1.txt")
    assert (rows.text, rows.ignored) == (["Genaxis, Theatre", "###", "x"], [False, True, False])
    assert rows.polygon[2].tolist() == [[5, 6], [17, 6], [17, 18], [5, 18]]


@pytest.mark.parametrize(("content", "said"), [
    (b"", "neither XML nor JSON"),
    (b"hello", "neither XML nor JSON"),
    (b"[1, 2]", "an object of frame number to a list"),
    (b"<Frames><frame", "is no XML"),
    (b"<xml></xml>", "<Frames> is needed, found <xml>"),
    (b"\x1f\x8bbroken", "damaged gzip"),
    (XML.replace('frame ID="2"', 'frame ID="0"').encode(), "frame '0', a whole number from 1 is needed"),
    (XML.replace(' ID="b"', "").encode(), "frame 2: an object has no ID"),
    (XML.replace('x="50"', 'x="wide"').encode(), "frame 2, object 1001: could not convert string to float: 'wide'"),
    (XML.replace('y="12.5"', "").encode(), "frame 2, object 1001"),
    (XML.replace('x="50"', 'x="nan"').encode(), "within 1e\\+09 pixels"),
    (json.dumps({"x": []}).encode(), "frame 'x'"),
    (json.dumps({"1": [5]}).encode(), "frame 1: an object with points and ID is needed, found 5"),
    (json.dumps({"1": [{"ID": "1", "points": [1, 2, 3]}]}).encode(), "pairs of x and y"),
    (json.dumps({"1": [{"ID": "1", "points": [1, 2, 3, 4]}]}).encode(), "at least 3 points"),
])
def test_what_is_wrong_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "a.xml").write_bytes(content)
    with pytest.raises(RecordError, match=f"a.xml.*{said}"):
        read_video(tmp_path / "a.xml")


def test_lines_of_lists_end_where_editors_end_them(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes('"1","x\u2028y"\r\n"2","\x85"\r"3","c"'.encode())
    assert read_transcripts(tmp_path / "a.txt") == {"1": "x\u2028y", "2": "\x85", "3": "c"}
    (tmp_path / "b.txt").write_bytes("5,6,17,18,x\u2028y\n".encode())
    assert read_image_list(tmp_path / "b.txt").text == ["x\u2028y"]


def test_wrong_lists_are_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b'"1","a","b"\n')
    with pytest.raises(RecordError, match='a.txt, line 1: 3 cells, "id","text" is needed'):
        read_transcripts(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes(b"1,2,3,word\n")
    with pytest.raises(RecordError, match="a.txt, line 1: x1,y1"):
        read_image_list(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe")
    with pytest.raises(RecordError, match="no text of UTF-8"):
        read_image_list(tmp_path / "a.txt")
    with pytest.raises(MediaError, match="cannot read .*gone.xml: No such file"):
        read_video(tmp_path / "gone.xml")
    image = {"data_list": [{"img_path": "i.jpg", "instances": [{"polygon": [0, 0, 9, 0, 9, 9]}]}]}
    with pytest.raises(RecordError, match="no polygon's top left is"):
        rows_of_mmocr(image, "x", {"items": [["i.jpg", 40, 40, "lost"]]})
    with pytest.raises(RecordError, match="x is no MMOCR ground truth: KeyError"):
        rows_of_mmocr({"data_list": [{}]}, "x")
    with pytest.raises(RecordError, match="no list of captions: KeyError 'frames'"):
        rows_of_captions({"lines": []}, "x")
