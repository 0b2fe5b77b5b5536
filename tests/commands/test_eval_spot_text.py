"""``vtk eval spot-text``: published figures on real files, every kind of input, and what is wrong said in one line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from said import Said, runner

from conftest import Vtk
from vtk.errors import MediaError, RecordError, UsageError
from vtk.export.icdar import TextRows, read_video, transcript_lines, xml_lines

# YORO's tracks against the ground truth, axis-aligned, don't-care taken out; each ± 0.3 percent points.
YORO = {"MOTA": 47.9, "IDF1": 64.3, "P": 88.0, "R": 56.2}
TRUTH_BOXES = 31_174


@pytest.fixture
def evaluate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk eval spot-text`` in this process; what the user can mend is raised."""
    return runner(capfd, "eval", "spot-text")


def text(frame: int, words: str = "Hello", box: tuple[float, ...] = (0, 0, 40, 10), source: str = "SEQ.mp4",
         **keys: object) -> dict[str, Any]:
    x1, y1, x2, y2 = box
    return {"v": 1, "type": "text", "by": "spot-text/x", "source": source, "frame": frame, "t": frame / 25,
            "poly": [[x1, y1], [x2, y1], [x2, y2], [x1, y2]], "xyxy": list(box), "text": words, "score": 0.5, **keys}


def lines(path: Path, *records: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    return path


@pytest.fixture
def gt(tmp_path: Path) -> Path:
    """Return ICDAR ground truth of ten frames with a word, and a don't-care region below it."""
    rows = TextRows()
    for frame in range(10):
        for number, (words, top) in enumerate((("Hello", 0), ("###", 50)), 1):
            poly = text(frame, box=(0, top, 40, top + 10))["poly"]
            rows.add(frame + 1, number, np.array(poly, dtype=float), words)
    path = tmp_path / "SEQ_GT.xml"
    path.write_text("\n".join(xml_lines(rows)))
    return path


def test_yoros_tracks_get_the_published_figures(shared: Path, tmp_path: Path, vtk: Vtk) -> None:
    place = shared / "data" / "spot-text" / "icdar2013_video"
    found = json.loads(gzip.decompress((place / "yoro_pred_track.json.gz").read_bytes()))
    records = []
    for name, tracks in found.items():
        for number, track in tracks.items():
            for frame, corners in (row.split(",") for row in track["track"]):
                xs, ys = (list(map(float, corners.split("_")[axis::2])) for axis in (0, 1))
                records.append({**text(int(frame) - 1, "", source=f"{name}.mp4", track_id=int(number)),
                                "poly": list(zip(xs, ys, strict=True)), "xyxy": [min(xs), min(ys), max(xs), max(ys)]})
    stream = lines(tmp_path / "yoro.jsonl", *records)
    truth = [f"--gt={path}" for path in sorted(place.glob("Video_*_GT.json.gz"))]
    said = vtk("eval", "spot-text", *truth, stream, "--overlap", "box", "--json")
    assert said.returncode == 0, said.stderr
    report = json.loads(said.stdout)
    figures = report["combined"]
    assert {name: figures[name] for name in YORO} == pytest.approx(YORO, abs=0.3)
    assert round(figures["FN"] / (1 - figures["R"] / 100)) == pytest.approx(TRUTH_BOXES, abs=1), "4 decimals of R"
    assert len(report["sequences"]) == 14
    assert report["protocol"] == {"kind": "video", "overlap": "box", "match": 0.5, "dont_care": "overlap",
                                  "min_length": 3, "vocabulary": 0, "case": True, "tracks": True}
    assert b"no ground truth for Video_5_3_2.mp4: left out" in said.stderr


def test_the_truth_of_the_sample_video_against_itself(shared: Path, tmp_path: Path,
                                                      evaluate: Callable[..., Said]) -> None:
    path = shared / "data" / "spot-text" / "sample_video_for_text_gt.json"
    lines_of = json.loads(path.read_text())["lines"]
    stream = lines(tmp_path / "x.jsonl", *(
        text(frame, one["text"].lower(), one["box"], "v/sample_video_for_text.mp4", track_id=number)
        for frame in range(0, 935, 5) for number, one in enumerate(lines_of)))
    figures = evaluate("--gt", path, stream, "--every", "5", "--json").report["combined"]
    assert (figures["IDF1"], figures["E2E_MOTA"], figures["E2E_MM"], figures["read"]) == (100, 100, 100, 3)
    assert figures["CER"] == round(100 * 16 / 17, 4), "all but the # are capitals"
    assert evaluate("--gt", path, stream, "--every", "5", "--json", "--ignore-case").report["combined"]["CER"] == 0
    assert evaluate("--gt", path, stream, "--json").report["combined"]["R"] == 20


def test_images_with_their_transcripts(shared: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    path = shared / "data" / "spot-text" / "ic15_train10" / "textdet_test.json"
    names = ("Genaxis Theatre", "[06]", "62-O3", "Carpark")
    boxes = ((377, 117, 464, 130), (493, 115, 519, 131), (492, 151, 551, 170), (376, 198, 422, 212))
    stream = lines(tmp_path / "x.jsonl", *(text(0, name, box, "any/img_1.jpg")
                                           for name, box in zip(names, boxes, strict=True)))
    said = evaluate("--gt", path, stream)
    head, *rows = said.out.splitlines()
    assert head.split()[:5] == ["SEQUENCE", "(image,", "polygon)", "P", "R"]
    [row] = [row.split() for row in rows if row.startswith("img_1 ")]
    # [06] has two letters and digits: it is no word end to end, and what reads it is taken out with it.
    assert row[1:] == ["100.00", "100.00", "100.00", "0", "0", "66.67", "66.67", "66.67", f"{100 / 31:.2f}", "20.00"]
    assert said.err.count("no result for") == 9
    figures = evaluate("--gt", path, stream, "--json", "-q").report["combined"]
    assert (figures["P"], figures["R"]) == (100, round(100 * 4 / 21, 4))


def test_icdar_xml_and_records_on_stdin_give_the_same(gt: Path, tmp_path: Path, vtk: Vtk,
                                                      evaluate: Callable[..., Said]) -> None:
    records = [text(frame, "Hello" if frame % 3 else "Hallo", track_id=4) for frame in range(7)]
    stream = lines(tmp_path / "x.jsonl", *records)
    expected = evaluate("--gt", gt, stream, "--json").report
    assert expected["combined"]["E2E_R"] == 70, "the vote of the track"
    assert expected["combined"]["MM"] == 0
    assert json.loads(vtk("eval", "spot-text", "--gt", gt, "--json", stdin=stream.read_bytes()).stdout) == expected
    assert vtk("export", "icdar", stream, "-o", tmp_path / "res_SEQ.xml").returncode == 0
    assert evaluate("--gt", gt, tmp_path / "res_SEQ.xml", "--json").report == expected
    results = tmp_path / "results"
    results.mkdir()
    for name in ("res_SEQ.xml", "res_SEQ.txt"):
        (tmp_path / name).rename(results / name)
    assert evaluate("--gt", gt, results, "--json").report == expected
    truth = lines(tmp_path / "t.jsonl", *(text(frame, words, (0, top, 40, top + 10), track_id=number)
                  for frame in range(10) for number, (words, top) in enumerate((("Hello", 0), ("###", 50)))))
    assert evaluate("--gt", truth, stream, "--json").report == expected


def test_a_tracks_transcript_is_that_of_its_text_track(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    whole = {"v": 1, "type": "text_track", "by": "spot-text/x", "source": "SEQ.mp4", "track_id": 4, "start": 0.0,
             "end": 0.4, "text": "Hello", "score": 0.5, "observations": 10}
    records = [text(frame, "Hallo", track_id=4) for frame in range(10)]
    alone = evaluate("--gt", gt, lines(tmp_path / "a.jsonl", *records), "--json").report["combined"]
    voted = evaluate("--gt", gt, lines(tmp_path / "b.jsonl", *records, whole), "--json").report["combined"]
    assert (alone["E2E_MOTA"], voted["E2E_MOTA"]) == (-100, 100)
    assert (alone["CER"], voted["CER"]) == (20, 0)
    with pytest.raises(UsageError, match="text_track without text, which says where: leave out --tracks-only"):
        evaluate("--gt", gt, lines(tmp_path / "c.jsonl", whole))


def test_texts_without_tracks_have_no_figures_of_tracks(gt: Path, tmp_path: Path,
                                                        evaluate: Callable[..., Said]) -> None:
    stream = lines(tmp_path / "x.jsonl", *(text(frame) for frame in range(5)), text(0, "on it", (0, 50, 40, 60)))
    said = evaluate("--gt", gt, stream, "--json")
    assert "SEQ.mp4 has texts without track_id" in said.err
    figures = said.report["combined"]
    assert (figures["P"], figures["R"], figures["FP"]) == (100, 50, 0)
    assert {"MOTA", "IDF1", "IDSW", "E2E_MM"}.isdisjoint(figures)
    assert not said.report["protocol"]["tracks"]


def test_an_id_twice_in_a_frame_is_two_tracks(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    stream = lines(tmp_path / "x.jsonl", *(text(frame, "Hello", box, track_id=4) for frame in range(10)
                                           for box in ((0, 0, 40, 10), (0, 80, 40, 90))))
    said = evaluate("--gt", gt, stream, "--json")
    assert "10 texts have an id that another of their frame has" in said.err
    assert said.report["combined"]["IDF1"] == pytest.approx(100 * 20 / 30, abs=1e-4)


def test_options_change_what_they_say(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    records = [text(frame, "Helo", track_id=4) for frame in range(10)]
    part = [text(frame, "x", (0, 50, 10, 60), track_id=5) for frame in range(10)]
    stream = lines(tmp_path / "x.jsonl", *records, *part)
    (tmp_path / "words.txt").write_text("Hello\nWorld\n")

    def figures(*options: object) -> dict[str, Any]:
        return evaluate("--gt", gt, stream, "--json", *options).report["combined"]

    assert (figures()["FP"], figures("--dont-care", "area")["FP"]) == (10, 0)
    assert (figures()["E2E_R"], figures("--vocab", tmp_path / "words.txt")["E2E_R"]) == (0, 100)
    assert "E2E_R" not in figures("--min-length", "6")
    assert figures("--every", "5")["FP"] == 2


def test_bad_lines_are_named_and_the_rest_is_scored(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    stream = lines(tmp_path / "x.jsonl", text(0, track_id=1), {"type": "text"},
                   {"v": 1, "type": "end", "by": "spot-text/x", "source": "SEQ.mp4", "status": "partial", "records": 1,
                    "frames": {"decoded": 1, "processed": 1, "skipped": 0}})
    stream.write_text(stream.read_text() + "{\n")
    said = evaluate("--gt", gt, stream, "--json")
    assert said.code == 1
    assert said.report["combined"]["R"] == 10
    assert "SEQ.mp4 ended as partial" in said.err
    assert "line 2: text record has no 'source'" in said.err
    assert "line 4: not JSON" in said.err


def test_nothing_found_is_all_missed(gt: Path, vtk: Vtk) -> None:
    said = vtk("eval", "spot-text", "--gt", gt, "--json")
    figures = json.loads(said.stdout)["combined"]
    assert (said.returncode, figures["R"], figures["MOTA"], figures["ML"], figures["FN"]) == (0, 0, 0, 100, 10)
    assert b"no result for SEQ: all its boxes count as missed" in said.stderr


@pytest.mark.parametrize(("options", "error", "said"), [
    (["--overlap", "round"], UsageError, "--overlap round: one of polygon, box"),
    (["--dont-care", "no"], UsageError, "--dont-care no: one of auto, overlap, area"),
    (["--vocab", "gone.txt"], UsageError, "--vocab gone.txt: .*No such file"),
    (["--gt", "gone.xml"], MediaError, "cannot read gone.xml"),
    (["--gt", "-"], UsageError, "stdin is for results"),
    (["--gt", "."], UsageError, r"--gt \.: no texts in this folder"),
    (["--by", "me"], UsageError, "--by me: no texts of this maker; there are those by spot-text/x"),
])
def test_what_cannot_be_done_is_said(options: list[str], error: type[Exception], said: str, gt: Path, tmp_path: Path,
                                     monkeypatch: pytest.MonkeyPatch, evaluate: Callable[..., Said]) -> None:
    stream = lines(tmp_path / "x.jsonl", text(0, track_id=1))
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(error, match=said):
        evaluate("--gt", gt, stream, *options)


def test_records_that_do_not_fit_are_said(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    other = lines(tmp_path / "a.jsonl", text(0), {**text(1), "by": "spot-text/y"})
    with pytest.raises(UsageError, match="SEQ.mp4 has texts by spot-text/x and by spot-text/y: choose with --by"):
        evaluate("--gt", gt, other)
    track = lines(tmp_path / "b.jsonl", {**text(0), "type": "track", "track_id": 1})
    with pytest.raises(UsageError, match="without text: pipe vtk spot-text in first"):
        evaluate("--gt", gt, track)
    with pytest.raises(RecordError, match="SEQ.mp4, frame 0: a polygon within"):
        evaluate("--gt", gt, lines(tmp_path / "c.jsonl", {**text(0), "poly": [[0, 0], [1e300, 0], [0, 5]]}))
    with pytest.raises(UsageError, match="img.png is an image, .*SEQ_GT.xml a video: evaluate them apart"):
        evaluate("--gt", gt, "--gt", lines(tmp_path / "d.jsonl", text(0, source="img.png")), gt)
    with pytest.raises(UsageError, match="two of the sequence SEQ"):
        evaluate("--gt", gt, "--gt", gt, gt)
    (tmp_path / "e.json").write_text("oops\n")
    with pytest.raises(RecordError, match="e.json holds no record: line 1: not JSON"):
        evaluate("--gt", gt, tmp_path / "e.json")


def test_the_list_of_a_submission(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    """A submission whose XML has no transcripts reads them from the list beside it."""
    xml = gt.read_text().replace(' Transcription="Hello"', "").replace(' Transcription="###"', "")
    (tmp_path / "res_SEQ.xml").write_text(xml)
    (tmp_path / "res_SEQ.txt").write_text("\n".join(transcript_lines({1: "hello", 2: "stray"})))
    assert read_video(tmp_path / "res_SEQ.xml").text[:2] == ["hello", "stray"]
    figures = evaluate("--gt", gt, tmp_path / "res_SEQ.xml", "--json").report["combined"]
    assert (figures["P"], figures["E2E_IDF1"]) == (100, 100)
