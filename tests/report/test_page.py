"""``vtk report`` without a browser: what is on the page, what is not, and that it is one safe, whole file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from clips import make_clip
from pages import Elements, ended, failure, meta_of, part, report, tables_of, track, write_lines

from conftest import Vtk

EVIL = "films/</script><script>window.hurt=1</script>\"'&<!--\u202egpj.\U0001f600 \u05e9\u05dc.mp4"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a clip of a square that moves: 24 frames at 12 fps."""
    return make_clip(tmp_path_factory.mktemp("film") / "square.mp4")


def test_every_record_has_a_row_of_its_type(tmp_path: Path) -> None:
    records = [track("a.mp4", frame, number) for frame in range(30) for number in (1, 2)]
    records += [{"v": 1, "type": "weather", "source": "a.mp4", "frame": 40, "t": "noon", "sky": {"a": [1, 2.5]}},
                {"v": 1, "type": "identity", "by": "reid/x", "source": "a.mp4", "track_id": 1, "identity": 7, "score": 0.5},
                ended("a.mp4"),
                {"v": 1, "type": "cluster", "by": "detect-copy/x", "cluster": "c1", "videos": 2, "keep": "a", "sources": ["a", "b"]}]
    page = tmp_path / "page.html"
    assert report(page, write_lines(tmp_path / "r.jsonl", records), "--no-thumbs", "-q") == 0
    tables = tables_of(page)
    assert {kind: len(rows) for kind, rows in tables.items()} == {
        "track": 60, "weather": 1, "identity": 1, "end": 1, "cluster": 1, "span": 2}
    assert tables["track"][1] == {"source": "a.mp4", "frame": 0, "t": 0, "by": "track/x", "x1": 10.25, "y1": 20.5,
                                  "x2": 40.75, "y2": 90, "score": 0.875, "label": "person", "track_id": 2}
    assert tables["weather"] == [{"source": "a.mp4", "frame": "40", "t": "noon", "sky": '{"a":[1,2.5]}'}]
    assert tables["identity"][0]["identity"] == "7"
    assert tables["cluster"][0]["sources"] == "a, b"
    assert meta_of(page)["total"] == 64


def test_tracks_are_spans_once_whether_their_whole_is_told_or_not(tmp_path: Path) -> None:
    whole = {"v": 1, "type": "tracklet", "by": "track/x", "source": "a.mp4", "track_id": 1, "start": 0.0, "end": 2.5,
             "score": 0.5, "observations": 25, "label": "person", "best": {"frame": 3, "xyxy": [0, 0, 9, 9]}}
    records = [*(track("a.mp4", frame, number) for frame in range(5, 25) for number in (1, 2)), whole, ended("a.mp4"),
               {"v": 1, "type": "shot", "by": "s", "source": "b.mp4", "start": 0.0, "end": 4.0, "transition": "cut"}]
    page = tmp_path / "page.html"
    assert report("-o", page, write_lines(tmp_path / "r.jsonl", records), "--no-thumbs", "-q") == 0
    spans = sorted(tables_of(page)["span"], key=lambda span: (span["source"], span.get("track_id", 0)))
    assert [(span["lane"], span["start"], span["end"], span.get("track_id"), span["label"]) for span in spans] == [
        ("tracks", 0, 2.5, 1, "person"), ("tracks", 0.5, 2.4, 2, "person"), ("shots", 0, 4, None, "cut")]


def test_errors_come_first_and_tell_which_source(tmp_path: Path) -> None:
    records = [failure("b.mp4", "it is no media <at all>"), ended("b.mp4", "failed"), track("a.mp4", 0), ended("a.mp4", "partial"),
               ended("c.mp4")]
    lines = write_lines(tmp_path / "r.jsonl", records)
    lines.write_text(lines.read_text() + "nonsense\n")
    page = tmp_path / "page.html"
    assert report("-o", page, lines, "--no-thumbs", "-q") == 1
    items = Elements(page).items
    assert items[0].startswith("E_OPEN b.mp4") and "it is no media <at all>" in items[0]
    assert "line 6" in items[1] and items[1].startswith("E_JSON")
    assert items[2].split() == ["partial", "a.mp4"]
    text = page.read_text()
    assert text.index("id=\"problems-head\"") < text.index("id=\"summary-head\"")
    assert "3 sources, 6 records, 2 errors, 1 failed, 1 partial" in text
    assert {source["name"]: source["status"] for source in meta_of(page)["sources"]} == {
        "b.mp4": "failed", "a.mp4": "partial", "c.mp4": "ok"}


def test_a_full_table_says_so_and_sums_are_of_all(tmp_path: Path) -> None:
    records = [track("a.mp4", frame) for frame in range(50)]
    page = tmp_path / "page.html"
    assert report("-o", page, write_lines(tmp_path / "r.jsonl", records), "--rows", 20, "--no-thumbs", "-q") == 0
    meta = meta_of(page)
    [table] = meta["tables"]
    assert (table["rows"], table["total"], meta["total"]) == (20, 50, 50)
    assert sum(meta["scores"]["track"]) == 50
    assert meta["labels"]["track"] == [["person", 50]]
    assert meta["sources"][0]["counts"] == {"track": 50}


def test_names_cannot_become_markup(tmp_path: Path) -> None:
    records = [track(EVIL, 0, label="</style><b onclick=alert(1)>"), failure(EVIL, "<img src=x onerror=alert(1)>")]
    page = tmp_path / "page.html"
    report("-o", page, write_lines(tmp_path / "r.jsonl", records), "--no-thumbs", "--title", "<script>&\"", "-q")
    elements = Elements(page)
    assert [tag for tag, _ in elements.found].count("script") == 4
    assert not [tag for tag, _ in elements.found if tag in ("img", "b", "link", "iframe", "base")]
    assert not [name for _, given in elements.found for name in given if name.startswith("on")]
    assert "<img src=x onerror=alert(1)>" in elements.items[0]
    assert tables_of(page)["track"][0]["source"] == EVIL.replace("\u202e", "\\u202e")


def test_the_page_is_allowed_its_own_script_and_style_alone(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    report("-o", page, write_lines(tmp_path / "r.jsonl", [track("a", 0)]), "--no-thumbs", "-q")
    text = page.read_text()
    [policy] = [given["content"] for tag, given in Elements(page).found if given.get("http-equiv")]
    for kind in ("script", "style"):
        [inside] = re.findall(rf"<{kind}>(.*?)</{kind}>", text, re.DOTALL)
        mark = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{mark}'" in policy
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    addresses = [value for _, given in Elements(page).found for name, value in given.items() if name in ("src", "href")]
    assert addresses == ["#main"]
    assert set(re.findall(r"https?://[\w.]+", text)) == {"http://www.w3.org"}  # a name of SVG, never fetched


def test_the_same_records_make_the_same_page(tmp_path: Path, clip: Path) -> None:
    lines = write_lines(tmp_path / "r.jsonl", [track(str(clip), frame) for frame in range(5)])
    for name in ("one.html", "two.html"):
        assert report("-o", tmp_path / name, lines, "-q") == 0
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()


def test_pictures_are_of_the_source_and_of_its_tracks(tmp_path: Path, clip: Path) -> None:
    shutil.copy(clip, tmp_path / "square.mp4")
    lines = write_lines(tmp_path / "r.jsonl", [track("square.mp4", frame, number) for frame in range(5) for number in (1, 2)])
    page = tmp_path / "page.html"
    assert report("-o", page, lines, "--root", tmp_path, "-q") == 0
    pictures, files = meta_of(page)["pictures"], part(page, "pictures").split("\n")
    assert len(files) == len(pictures)
    assert all(base64.b64decode(file)[:3] == b"\xff\xd8\xff" for file in files)
    assert [picture["track"] for picture in pictures if "of" in picture] == [1, 2]
    times = [picture["t"] for picture in pictures if "of" not in picture]
    assert len(times) == 8 and times == sorted(times) and times[-1] > 1.5
    assert report("-o", page, lines, "--root", tmp_path, "--thumbs", 3, "--overwrite", "-q") == 0
    meta = meta_of(page)
    assert len(meta["pictures"]) == 3 < meta["made"]


def test_a_damaged_source_is_one_line_and_its_other_pictures_are_there(tmp_path: Path,
                                                                       capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Each frame that is sought meets the same damage again: it is said once, with how often."""
    make_clip(tmp_path / "whole.mp4", frames=60)
    content = bytearray((tmp_path / "whole.mp4").read_bytes())
    for at in range(len(content) // 3, len(content) // 2, 97):
        content[at] ^= 0xFF
    (tmp_path / "hurt.mp4").write_bytes(content)
    lines, page = write_lines(tmp_path / "r.jsonl", [track("hurt.mp4", frame) for frame in range(0, 60, 2)]), tmp_path / "page.html"
    assert report("-o", page, lines, "--root", tmp_path) == 1
    said = capfdbinary.readouterr().err.decode().splitlines()
    assert len(said) == 1 and "hurt.mp4: " in said[0] and " more like it) [E_DECODE]" in said[0]
    assert [picture for picture in meta_of(page)["pictures"] if "of" not in picture]


def test_without_its_media_there_is_a_page_and_one_line(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    page = tmp_path / "page.html"
    assert report("-o", page, write_lines(tmp_path / "r.jsonl", [track("gone.mp4", 0), ended("gone.mp4")])) == 0
    said = capfdbinary.readouterr().err.decode().splitlines()
    assert len(said) == 1 and "gone.mp4: no pictures of it" in said[0] and "--no-thumbs" in said[0]
    assert tables_of(page)["track"]
    assert [row["code"] for row in tables_of(page)["error"]] == ["E_OPEN"]


def test_a_page_that_exists_is_kept_and_an_unwritable_one_refused(tmp_path: Path, vtk: Vtk) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")
    found = vtk("report", "-o", page, stdin=b"")
    assert (found.returncode, page.read_text()) == (2, "mine") and b"--overwrite" in found.stderr
    found = vtk("report", "-o", tmp_path / "no" / "page.html", stdin=b"")
    assert found.returncode == 2 and len(found.stderr.splitlines()) == 1
    found = vtk("report", tmp_path / "film.mp4", "-o", tmp_path / "x.html")
    assert found.returncode == 2 and b"is no file of records" in found.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert vtk("report", page, "--overwrite", stdin=b"").returncode == 0
    assert "0 sources, 0 records, 0 errors" in page.read_text()


def test_records_go_on_with_tee_byte_for_byte(tmp_path: Path, vtk: Vtk) -> None:
    lines = b"".join(json.dumps(record).encode() + b"\n" for record in
                     [track("a.mp4", 0), {"type": "weather", "source": "a.mp4", "sky": None}, failure("b.mp4")])
    found = vtk("report", "-o", tmp_path / "page.html", "--no-thumbs", "--tee", "-q", stdin=lines)
    assert found.returncode == 0
    assert [line for line in found.stdout.splitlines() if b'"end"' not in line] == lines.splitlines()


def test_folders_of_records_are_read_whole(tmp_path: Path) -> None:
    (tmp_path / "out" / "below").mkdir(parents=True)
    for name in ("a", "below/b", "_run"):
        write_lines(tmp_path / "out" / f"{name}.jsonl", [track(f"{name}.mp4", 0)])
    (tmp_path / "out" / "notes.txt").write_text("not records")
    assert report("-o", tmp_path / "page.html", tmp_path / "out", "--no-thumbs", "-q") == 0
    assert {source["name"] for source in meta_of(tmp_path / "page.html")["sources"]} == {"a.mp4", "below/b.mp4", "_run.mp4"}


def test_in_a_pipe_it_hears_of_ledgers_errors_and_identities(tmp_path: Path, clip: Path, vtk: Vtk) -> None:
    (tmp_path / "broken.mp4").write_text("no film")
    page = tmp_path / "page.html"
    found = vtk("pipe", f"track --detector motion | reid --classes motion --model colour --threshold 0.9 | report -o {page}",
                clip, tmp_path / "broken.mp4", "-q")
    assert found.returncode == 1, found.stderr
    tables = tables_of(page)
    assert {row["status"] for row in tables["end"]} == {"ok", "failed"}
    assert len(tables["end"]) == 4  # of two commands and two sources; its own comes after it
    assert [row["fatal"] for row in tables["error"]] == ["yes"]
    assert len(tables["identity"]) == len(tables["tracklet"]) > 0
    assert [picture for picture in meta_of(page)["pictures"] if picture.get("of") == "track"]


def test_jobs_cannot_run_it(tmp_path: Path, clip: Path, vtk: Vtk) -> None:
    found = vtk("pipe", f"probe | report -o {tmp_path / 'page.html'}", clip, "--jobs", "2")
    assert found.returncode == 2 and b"its page is of all sources" in found.stderr


def test_damaged_records_are_told_of_and_cost_no_others(tmp_path: Path) -> None:
    good = [track("a.mp4", 0), ended("a.mp4")]
    odd = [{"v": 1, "type": "identity", "by": "r", "source": "z", "track_id": 1, "identity": {"a": 1}, "score": "x"},
           {"v": 1, "type": "error", "error": "oops"}, {"v": 1, "type": "error", "by": "x", "error": {"code": "E", "message": "m"}},
           {"v": 1, "type": "end", "source": "a.mp4", "by": "t", "status": "weird"},
           {"v": 1, "type": "track", "by": "x", "source": "b.mp4", "frame": 0, "t": 0, "xyxy": [5, 5, 1, 1], "score": 0.5, "track_id": 1}]
    lines = write_lines(tmp_path / "r.jsonl", [*good, *odd])
    lines.write_bytes(lines.read_bytes() + b"\x00\xff\xfe\n{\"type\":\"track\"")
    page = tmp_path / "page.html"
    assert report("-o", page, lines, "--no-thumbs", "-q") == 1
    tables = tables_of(page)
    assert (len(tables["track"]), len(tables["end"])) == (1, 1)
    assert len(tables["error"]) == len(Elements(page).items) == 7
    assert all(row["code"] in ("E_RECORD", "E_JSON", "E_ORDER") for row in tables["error"])
