"""``vtk eval detect-copy`` and ``vtk export vcsl`` and ``vsc``: the way of records through both, and what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from said import Said, runner

from conftest import Vtk, run_vtk
from vtk.errors import RecordError, UsageError

# Segments in records as vtk detect-copy would write them of the shared clips: query, ref, times, score.
FOUND = [("Megamind_bugy.avi", "Megamind.avi", 0, 9, 0, 11.26, 0.99),
         ("carphone_distorted.mp4", "carphone_pristine.mp4", 0, 4, 0, 4, 0.97),
         ("mma_demo_spatiotemporal_det.mp4", "mma_demo.mp4", 0, 9.5, 1.04, 8.25, 0.95),
         ("bikes.mp4", "mma_test.mp4", 0, 2, 3, 5, 0.9), ("mma_part_0.mp4", "mma_test.mp4", 0, 0.8, 0, 1.07, 0.8)]


def record(query: str, ref: str, start: float, end: float, ref_start: float, ref_end: float, score: float,
           **keys: Any) -> bytes:
    made = {"v": 1, "type": "copy", "by": "detect-copy/dct", "source": query, "ref": ref, "start": start, "end": end,
            "ref_start": ref_start, "ref_end": ref_end, "score": score, **keys}
    return json.dumps(made).encode() + b"\n"


STREAM = b"".join(record(f"videos/{row[0]}", f"videos/{row[1]}", *row[2:]) for row in FOUND)


@pytest.fixture
def evaluate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk eval detect-copy`` in this process; what the user can mend is raised."""
    return runner(capfd, "eval", "detect-copy")


def test_the_shared_pairs(shared: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    """All four are found, one of them short by a quarter, beside one that is none: second to last by score."""
    gt = shared / "data" / "detect-copy" / "pairs_gt.json"
    (tmp_path / "found.jsonl").write_bytes(STREAM)
    said = evaluate("--gt", gt, tmp_path / "found.jsonl", "--json", "--each")
    report = said.report
    short = 0.8 / 1.07
    assert report["micro"]["P"] == pytest.approx(80, abs=1e-3)
    assert report["micro"]["R"] == pytest.approx(100 * (3 + short) / 4, abs=1e-3)
    assert report["videos"] == {"FRR": 0, "missed": 0, "copied": 4, "false": 1, "others": 1}
    assert report["ranking"]["uAP"] == report["ranking"]["AP50"] == pytest.approx(100 * (3 + 4 / 5) / 4, abs=1e-3)
    assert report["ranking"]["AP75"] == 75
    assert [row["IoU"] for row in report["pairs"] if row["labelled"]] == pytest.approx(
        [100, 100, 100 * short, 100], abs=1e-3)
    assert [line.split(":")[1] for line in said.err.splitlines()] == [
        " the ground truth does not name bikes", " no pair without a copy is named, so that there is no FAR"]


def test_the_table(shared: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    gt = shared / "data" / "detect-copy" / "pairs_gt.json"
    (tmp_path / "found.jsonl").write_bytes(STREAM)
    lines = evaluate("--gt", gt, tmp_path / "found.jsonl", "--each", "-q").out.splitlines()
    assert lines[0].split() == "COPIES (5 pairs) P R F FRR FAR uAP segAP AP50 AP75 AP".split()
    assert lines[1].split()[:6] == ["MICRO", "80.00", "93.69", "86.31", "0.00", "-"]
    assert lines[2].split()[0] == "MACRO" and lines[2].split()[4:] == ["-"] * 7
    assert lines[3].split() == ["PAIR", "P", "R", "F", "IoU", "found", "labelled"]
    assert lines[-1].split() == ["bikes", "-", "mma_test", "0.00", "100.00", "0.00", "-", "1", "0"]


def test_the_same_figures_from_every_format(shared: Path, tmp_path: Path, vtk: Vtk) -> None:
    gt = shared / "data" / "detect-copy" / "pairs_gt.json"
    expected = json.loads(vtk("eval", "detect-copy", "--gt", gt, "--json", stdin=STREAM).stdout)
    for form in ("vcsl", "vsc"):
        found = vtk("export", form, "-o", f"found.{form}", stdin=STREAM, cwd=tmp_path)
        assert (found.returncode, found.stdout, found.stderr) == (0, b"", b"")
        again = json.loads(vtk("eval", "detect-copy", "--gt", gt, f"found.{form}", "--json", cwd=tmp_path).stdout)
        if form == "vcsl":
            assert again["ranking"] == {}
            again["ranking"] = expected["ranking"]
        assert again == expected
        own = json.loads(vtk("eval", "detect-copy", "--gt", f"found.{form}", "-", "--json", stdin=STREAM,
                             cwd=tmp_path).stdout)
        assert own["micro"]["F"] == pytest.approx(100, abs=1e-3) and own["ranking"]["AP"] == 100


def test_false_alarms_are_a_share_of_what_was_compared(tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    (tmp_path / "gt.json").write_text('{"q-r": [[0, 0, 10, 10]]}')
    (tmp_path / "pairs.csv").write_text("query_id,reference_id\nq,r\nq,s\nq,t\nu,r\nu,s\n")
    (tmp_path / "found.jsonl").write_bytes(record("q.mp4", "r.mp4", 0, 10, 0, 10, 0.5)
                                           + record("q.mp4", "s.mp4", 0, 10, 0, 10, 0.5))
    words = ("--gt", tmp_path / "gt.json", tmp_path / "found.jsonl", "--json", "--pairs", tmp_path / "pairs.csv")
    said = evaluate(*words)
    assert (said.report["videos"]["FAR"], said.report["macro"]["sets"], said.err) == (25, 2, "")
    assert said.report["ranking"]["uAP"] == 50, "equal scores count together"
    (tmp_path / "sets.json").write_text('{"one": ["q-r", "q-s", "q-t", "u-r", "u-s"]}')
    one = evaluate(*words, "--sets", tmp_path / "sets.json").report["macro"]
    assert one == {"P": pytest.approx(80, abs=1e-3), "R": pytest.approx(100, abs=1e-3), "F": one["F"], "sets": 1}


def test_bad_lines_are_named_and_the_rest_is_scored(tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    (tmp_path / "gt.json").write_text('{"q-r": [[0, 0, 10, 10]], "q-s": []}')
    good = record("q.mp4", "r.mp4", 0, 10, 0, 10, 0.5)
    end = {"v": 1, "type": "end", "by": "detect-copy/dct", "source": "q.mp4", "status": "partial", "records": 1,
           "frames": {"decoded": 1, "processed": 1, "skipped": 0}}
    (tmp_path / "found.jsonl").write_bytes(b"oops\n" + good + record("q.mp4", "r.mp4", 5, 4, 0, 1, 0.5)
                                           + record("q.mp4", "r.mp4", 0, 1, 0, 1, 1.5) + json.dumps(end).encode())
    said = evaluate("--gt", tmp_path / "gt.json", tmp_path / "found.jsonl", "--json")
    assert said.code == 1 and said.report["micro"]["F"] == pytest.approx(100, abs=1e-3)
    first, *bad = said.err.splitlines()
    assert first == "vtk eval: q.mp4 ended as partial: it is scored as far as it goes"
    assert [line.split(": ")[1].split(", ")[-1] for line in bad] == ["line 1", "line 3", "line 4"]
    assert "'end' is 4, before its 'start', 5" in bad[1]
    exported = run_vtk("export", "vsc", tmp_path / "found.jsonl")
    assert (exported.returncode, exported.stdout.count(b"\n"), exported.stderr.count(b"\n")) == (1, 2, 4)


@pytest.mark.parametrize(("truth", "found", "error", "said"), [
    ('{"q-r": []}', STREAM, UsageError, "no result is about a video of the ground truth"),
    ('{"q-r": [[3, 0, 2, 1]]}', b"", RecordError, "ends at 2, before its start, 3"),
    ("", b"", RecordError, "gt.json: the file is empty"), ('{"q-r": []}', b"\x89PNG\0", RecordError, "holds no record"),
    ('{"q-r": []}', b'{"type":"detection","by":"x","source":"a"}', UsageError, "pipe vtk detect-copy in first"),
])
def test_what_cannot_be_scored(truth: str, found: bytes, error: type[Exception], said: str, tmp_path: Path,
                               evaluate: Callable[..., Said]) -> None:
    (tmp_path / "gt.json").write_text(truth)
    (tmp_path / "found.jsonl").write_bytes(found)
    with pytest.raises(error, match=said):
        evaluate("--gt", tmp_path / "gt.json", tmp_path / "found.jsonl")


def test_errors_are_one_line_and_stdout_is_empty(tmp_path: Path, vtk: Vtk) -> None:
    (tmp_path / "gt.csv").write_text("query_id,ref_id\nq,r\n")
    found = vtk("eval", "detect-copy", "--gt", "gt.csv", "none.jsonl", cwd=tmp_path)
    assert (found.returncode, found.stdout, found.stderr.count(b"\n")) == (1, b"", 1)
    assert b"gt.csv: its header is 'query_id,ref_id': query_start" in found.stderr


def test_torch_stays_out(tmp_path: Path, vtk: Vtk) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('an evaluation needs no torch')\n")
    (tmp_path / "gt.json").write_text('{"mma_part_0-mma_test": [[0, 0, 1, 1]]}')
    found = vtk("eval", "detect-copy", "--gt", "gt.json", "-q", stdin=STREAM, cwd=tmp_path, PYTHONPATH=str(tmp_path))
    assert (found.returncode, found.stderr) == (0, b"")


def test_exports(tmp_path: Path, vtk: Vtk) -> None:
    stream = (record("a/film-1.mp4", "b/film-1.mkv", 0, 1.5, 2, 3.5, 0.25) + b'{"type":"other"}\n'
              + record("a/film-1.mp4", "b/x.mp4", 4, 5, 6, 7, 1))
    found = vtk("export", "vcsl", "-", stdin=stream)
    assert json.loads(found.stdout) == {"film%2D1.mp4-film%2D1.mkv": [[0, 2, 1.5, 3.5]],
                                        "film%2D1.mp4-x.mp4": [[4, 6, 5, 7]]}
    found = vtk("export", "vsc", stdin=stream)
    assert found.stdout.decode().splitlines() == [
        "query_id,ref_id,query_start,query_end,ref_start,ref_end,score",
        "film-1.mp4,film-1.mkv,0.0,1.5,2.0,3.5,0.25", "film-1.mp4,x.mp4,4.0,5.0,6.0,7.0,1.0"]
    for form, empty in (("vcsl", b"{}\n"), ("vsc", b"query_id,ref_id,query_start,query_end,ref_start,ref_end,score\n")):
        assert vtk("export", form, stdin=b"").stdout == empty
    (tmp_path / "there.csv").write_text("mine")
    (tmp_path / "in.jsonl").write_bytes(stream + record("c.mp4", "d.mp4", 0, 1, 0, 1, 1, by="detect-copy/pdq"))
    for words, said in ((("-o", "there.csv", "--by", "detect-copy/pdq"), b"there.csv"), ((), b"choose with --by"),
                        (("--by", "x"), b"no copies of this maker"),
                        (("-o", "gone/x.csv", "--by", "detect-copy/pdq"), b"gone")):
        found = vtk("export", "vsc", "in.jsonl", *words, cwd=tmp_path)
        assert found.returncode in (1, 2) and found.stdout == b"" and found.stderr.count(b"\n") == 1, found.stderr
        assert said in found.stderr
    assert (tmp_path / "there.csv").read_text() == "mine"
    found = vtk("pipe", "export vsc", tmp_path / "in.jsonl")
    assert found.returncode == 2 and b"cannot stand in a pipe's text" in found.stderr
