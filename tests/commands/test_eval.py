"""``vtk eval track``: published figures on real files, every kind of input, and what is wrong said in one line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import typer
from mot_scenes import Rows, scene, write
from said import Said, runner

from conftest import Vtk
from vtk.errors import RecordError, UsageError, VtkError

TRUTH, FOUND = scene(0)
PLAIN_TRUTH, PLAIN_FOUND = np.c_[TRUTH[:, :7], np.full((len(TRUTH), 3), -1)], FOUND

# HOTA DetA AssA MOTA MOTP IDF1 FP FN IDSW of SORT's own output, by TrackEval.
SORT = {
    "KITTI-17": (45.36, 47.96, 42.96, 60.18, 72.27, 71.08, 38, 225, 9),
    "PETS09-S2L1": (30.58, 48.86, 19.67, 61.86, 67.74, 35.10, 485, 1119, 103),
    "TUD-Campus": (45.26, 48.83, 42.28, 62.67, 73.68, 60.65, 15, 113, 6),
}
# IDF1 MOTA FP FN IDSW as py-motmetrics states them for its sample data.
MOTMETRICS = {"TUD-Campus": (55.8, 52.6, 13, 150, 7), "TUD-Stadtmitte": (64.5, 56.4, 45, 452, 7)}


@pytest.fixture
def evaluate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk eval track`` in this process; what the user can mend is raised."""
    return runner(capfd, "eval", "track")


def records(rows: Rows, source: str = "SEQ.mp4", by: str = "track/x", **keys: object) -> list[str]:
    """Return track records of MOT rows."""
    return [json.dumps({"v": 1, "type": "track", "by": by, "source": source, "frame": int(row[0]) - 1, "t": row[0] / 25,
                        "xyxy": [*row[2:4], row[2] + row[4], row[3] + row[5]], "score": 0.5, "track_id": int(row[1]),
                        **keys}) for row in rows]


def lines(path: Path, *of: list[str]) -> Path:
    path.write_text("".join(line + "\n" for some in of for line in some))
    return path


@pytest.fixture
def gt(tmp_path: Path) -> Path:
    """Return the path of a sequence's ground truth in MOT15's columns."""
    return write(tmp_path / "SEQ" / "gt" / "gt.txt", PLAIN_TRUTH)


@pytest.fixture
def pred(tmp_path: Path) -> Path:
    return write(tmp_path / "results" / "SEQ.txt", FOUND)


def test_sorts_own_output_gets_the_published_figures(shared: Path, vtk: Vtk) -> None:
    """To the two decimals that TrackEval prints; SORT's paper has MOTA, FP, FN and IDSW of two of the rows."""
    place = shared / "data" / "track"
    found = vtk("eval", "track", *(f"--gt={place / name}" for name in SORT), place / "expected_sort_output", "--json")
    assert (found.returncode, found.stderr) == (0, b"")
    report = json.loads(found.stdout)
    assert report["protocol"] == "mot15"
    names = ("HOTA", "DetA", "AssA", "MOTA", "MOTP", "IDF1", "FP", "FN", "IDSW")
    for name, row in SORT.items():
        assert tuple(round(report["sequences"][name][figure], 2) for figure in names) == row
    for figure in ("FP", "FN", "IDSW"):
        assert report["combined"][figure] == sum(row[names.index(figure)] for row in SORT.values())
    assert min(row[0] for row in SORT.values()) < report["combined"]["HOTA"] < max(row[0] for row in SORT.values())


@pytest.mark.parametrize("protocol", ["auto", "plain"])
@pytest.mark.parametrize("name", MOTMETRICS)
def test_the_sample_data_of_py_motmetrics(name: str, protocol: str, shared: Path,
                                          evaluate: Callable[..., Said]) -> None:
    """Its ground truth marks no row 0, so both protocols give its figures, to the decimal that it prints."""
    place = shared / "data" / "track" / "motmetrics_pkg" / name
    said = evaluate("--gt", place / "gt.txt", place / "test.txt", "--json", "--protocol", protocol)
    figures = said.report["combined"]
    shares, counts = MOTMETRICS[name][:2], MOTMETRICS[name][2:]
    assert (round(figures["IDF1"], 1), round(figures["MOTA"], 1)) == shares
    assert (figures["FP"], figures["FN"], figures["IDSW"]) == counts
    assert said.report["protocol"] == ("mot15" if protocol == "auto" else "plain")
    assert "one of each" in said.err


def test_the_table(gt: Path, pred: Path, evaluate: Callable[..., Said]) -> None:
    report, said = evaluate("--gt", gt, pred, "--json").report, evaluate("--gt", gt, pred)
    head, row, combined = said.out.splitlines()
    assert head.split() == ["SEQUENCE", "(mot15)", "HOTA", "DetA", "AssA", "LocA", "MOTA", "MOTP", "IDF1", "IDP", "IDR",
                            "FP", "FN", "IDSW", "Frag", "MT", "PT", "ML"]
    assert len({len(line) for line in said.out.splitlines()}) == 1, "columns are aligned"
    figures = report["sequences"]["SEQ"]
    assert row.split() == ["SEQ", *(f"{figures[name]:.2f}" for name in head.split()[2:11]),
                           *(str(figures[name]) for name in head.split()[11:])]
    assert combined.split() == ["COMBINED", *row.split()[1:]]
    assert said.err == ""


@pytest.mark.parametrize(("columns", "protocol"), [
    (10, "mot15"), (9, "mot16"), (8, "plain"), (7, "plain"), (6, "plain")])
def test_the_columns_of_the_ground_truth_say_the_protocol(columns: int, protocol: str, pred: Path, tmp_path: Path,
                                                          evaluate: Callable[..., Said]) -> None:
    rows = PLAIN_TRUTH if columns == 10 else TRUTH[:, :columns]
    gt = write(tmp_path / "SEQ.txt", rows)
    auto, asked = (evaluate("--gt", gt, pred, "--json", "--protocol", name) for name in ("auto", protocol))
    assert auto.report["protocol"] == protocol
    assert auto.report == asked.report


def test_the_protocols_of_classes_agree_but_for_vehicles(tmp_path: Path, pred: Path,
                                                         evaluate: Callable[..., Said]) -> None:
    gt = write(tmp_path / "SEQ.txt", TRUTH)
    found = {name: evaluate("--gt", gt, pred, "--json", "--protocol", name).report["combined"]
             for name in ("mot15", "mot16", "mot17", "mot20", "plain")}
    assert found["mot16"] == found["mot17"]
    assert found["mot20"]["FP"] < found["mot17"]["FP"]
    assert found["plain"]["FN"] > found["mot15"]["FN"] > found["mot17"]["FN"]


def test_records_and_mot_rows_give_the_same_figures(gt: Path, pred: Path, tmp_path: Path, vtk: Vtk,
                                                    evaluate: Callable[..., Said]) -> None:
    expected = evaluate("--gt", gt, pred, "--json").report
    stream = lines(tmp_path / "out.jsonl", records(FOUND, "some/where/SEQ.mp4"))
    assert evaluate("--gt", gt, stream, "--json").report == expected
    for arguments in ((), ("-",)):
        piped = vtk("eval", "track", "--gt", gt, *arguments, "--json", stdin=stream.read_bytes())
        assert json.loads(piped.stdout) == expected
    truth = lines(tmp_path / "SEQ.jsonl", records(PLAIN_TRUTH, "SEQ.mp4"))
    swapped = evaluate("--gt", truth, pred, "--json").report
    assert swapped["protocol"] == "plain"
    assert swapped == evaluate("--gt", gt, pred, "--json", "--protocol", "plain").report


def test_several_sequences_in_one_stream(tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    one, other = scene(5), scene(6)
    for name, (rows, _) in (("A", one), ("B", other)):
        write(tmp_path / "train" / name / "gt" / "gt.txt", rows)
    stream = lines(tmp_path / "all.jsonl", records(other[1], "seq:x/B/img1"), records(one[1], "v/A.mp4"))
    both = evaluate("--gt", tmp_path / "train", stream, "--json").report
    assert list(both["sequences"]) == ["A", "B"]
    for name, (_, rows) in (("A", one), ("B", other)):
        alone = evaluate("--gt", tmp_path / "train" / name, write(tmp_path / f"{name}.txt", rows), "--json").report
        assert alone["combined"] == both["sequences"][name]
        assert alone["combined"]["FN"] < both["combined"]["FN"]


def test_a_sequence_that_one_side_lacks_is_named(gt: Path, pred: Path, tmp_path: Path,
                                                evaluate: Callable[..., Said]) -> None:
    write(tmp_path / "OTHER" / "gt" / "gt.txt", PLAIN_TRUTH)
    write(tmp_path / "results" / "STRAY.txt", FOUND)
    said = evaluate("--gt", gt, "--gt", tmp_path / "OTHER", tmp_path / "results", "--json")
    assert said.code == 0
    assert said.err.splitlines() == ["vtk eval: no result for OTHER: all its boxes count as missed",
                                     f"vtk eval: no ground truth for {tmp_path / 'results' / 'STRAY.txt'}: left out"]
    other = said.report["sequences"]["OTHER"]
    assert other["FN"] == (PLAIN_TRUTH[:, 6] != 0).sum()
    assert (other["HOTA"], other["FP"]) == (0, 0)
    assert said.report["combined"]["HOTA"] < said.report["sequences"]["SEQ"]["HOTA"]
    assert list(said.report["sequences"]) == ["SEQ", "OTHER"]
    assert "no result" not in evaluate("--gt", gt, "--gt", tmp_path / "OTHER", pred, "-q").err


def test_names_that_nowhere_agree_are_refused(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    for name in ("C", "D"):
        write(tmp_path / "results" / f"{name}.txt", FOUND)
    with pytest.raises(UsageError, match="no result is of a sequence .*: it has SEQ, results are of C, D; name"):
        evaluate("--gt", gt, tmp_path / "results")


@pytest.mark.parametrize("rows", [np.empty((0, 9)), TRUTH[TRUTH[:, 7] == 1] * [1, 1, 1, 1, 1, 1, 0, 1, 1],
                                  TRUTH[TRUTH[:, 7] == 9]], ids=["empty", "all marked 0", "other classes only"])
def test_a_truth_that_counts_nothing(rows: Rows, pred: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    gt = write(tmp_path / "gt" / "SEQ.txt", rows)
    said = evaluate("--gt", gt, pred, "--json")
    figures = said.report["combined"]
    assert (figures["HOTA"], figures["IDF1"], figures["FN"]) == (0, 0, 0)
    assert figures["FP"] == len(FOUND)
    assert not {"MOTA", "IDR", "MOTP"} & set(figures)
    assert "has no box that counts" in said.err
    assert [cell for cell in evaluate("--gt", gt, pred).out.split("\n")[1].split() if cell == "-"] == ["-"] * 5
    assert "NaN" not in said.out + evaluate("--gt", gt, pred).out


def test_results_that_hold_nothing(gt: Path, tmp_path: Path, vtk: Vtk, evaluate: Callable[..., Said]) -> None:
    (tmp_path / "SEQ.txt").write_text("")
    end = {"v": 1, "type": "end", "by": "track/x", "source": "SEQ.mp4", "status": "ok", "records": 0,
           "frames": {"decoded": 40, "processed": 40, "skipped": 0}}
    for found in (evaluate("--gt", gt, tmp_path / "SEQ.txt", "--json"),
                  evaluate("--gt", gt, lines(tmp_path / "end.jsonl", [json.dumps(end)]), "--json")):
        assert found.err == ""
        assert found.report["combined"] == {"HOTA": 0, "DetA": 0, "DetRe": 0, "MOTA": 0, "IDF1": 0, "IDR": 0, "FP": 0,
                                            "FN": (PLAIN_TRUTH[:, 6] != 0).sum(), "IDSW": 0, "Frag": 0, "MT": 0,
                                            "PT": 0, "ML": 14}
    nothing = vtk("eval", "track", "--gt", gt)
    assert (nothing.returncode, nothing.stderr) == (0, b"vtk eval: no result for SEQ: all its boxes count as missed\n")


def test_classes_pick_among_results(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    people = records(FOUND, label="person", class_id=0)
    cars = records(FOUND + np.array([0, 500, 7, 7, 0, 0, 0, 0, 0, 0]), label="car", class_id=2)
    alone = evaluate("--gt", gt, lines(tmp_path / "SEQ.jsonl", people), "--json")
    mixed = lines(tmp_path / "mixed.jsonl", people, cars)
    assert evaluate("--gt", gt, mixed, "--classes", "person", "--json").report == alone.report
    assert evaluate("--gt", gt, mixed, "--classes", "0,7", "--json").report == alone.report
    everything = evaluate("--gt", gt, mixed, "--json")
    assert everything.report["combined"]["FP"] >= alone.report["combined"]["FP"] + len(FOUND) / 2
    assert "2 labels (car, person)" in everything.err
    with pytest.raises(UsageError, match="has 10 columns and no classes"):
        evaluate("--gt", gt, write(tmp_path / "SEQ.txt", FOUND), "--classes", "person")


def test_classes_of_mot_results(tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    gt = write(tmp_path / "gt" / "SEQ.txt", TRUTH)
    people = np.c_[FOUND[:, :7], np.ones(len(FOUND)), np.ones(len(FOUND))]
    cars = people + np.array([0, 500, 0, 0, 0, 0, 0, 2, 0])
    mixed = write(tmp_path / "SEQ.txt", np.r_[people, cars])
    with pytest.raises(UsageError, match="has classes 1, 3, and mot16 scores pedestrians alone: --classes 1 picks"):
        evaluate("--gt", gt, mixed)
    alone = evaluate("--gt", gt, write(tmp_path / "alone" / "SEQ.txt", people), "--json")
    assert evaluate("--gt", gt, mixed, "--classes", "1", "--json").report == alone.report


def test_tracks_of_several_makers_must_be_chosen_from(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    stream = lines(tmp_path / "SEQ.jsonl", records(FOUND), records(FOUND[::2], by="track/y"))
    with pytest.raises(UsageError, match="SEQ.mp4 has tracks by track/x and by track/y: .*--by"):
        evaluate("--gt", gt, stream)
    with pytest.raises(UsageError, match="--by sort: no tracks of this maker; there are those by track/x, track/y"):
        evaluate("--gt", gt, stream, "--by", "sort")
    chosen = evaluate("--gt", gt, stream, "--by", "track/y", "--json").report
    assert chosen == evaluate("--gt", gt, lines(tmp_path / "y.jsonl", records(FOUND[::2])), "--json").report


def test_every_nth_frame_of_both_sides(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    thin = FOUND[(FOUND[:, 0] - 1) % 5 == 0]
    stream = lines(tmp_path / "SEQ.jsonl", records(thin, step=5))
    sampled = evaluate("--gt", gt, stream, "--every", "5", "--json").report["combined"]
    rows = PLAIN_TRUTH[(PLAIN_TRUTH[:, 0] - 1) % 5 == 0]
    assert sampled == evaluate("--gt", write(tmp_path / "t" / "SEQ.txt", rows), stream, "--json").report["combined"]
    assert sampled["DetRe"] > evaluate("--gt", gt, stream, "--json").report["combined"]["DetRe"] * 4


def test_bad_lines_are_named_and_the_rest_is_scored(gt: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    good = records(FOUND)
    failed = {"v": 1, "type": "end", "by": "track/x", "source": "SEQ.mp4", "status": "partial", "records": 9,
              "frames": {"decoded": 9, "processed": 9, "skipped": 0}}
    wrong = ["", "{", good[0].replace('"xyxy": [', '"xyxy": [1e999, '), json.dumps(failed)]
    stream = lines(tmp_path / "SEQ.jsonl", good, wrong)
    said = evaluate("--gt", gt, stream, "--json")
    assert said.code == 1
    first, second, third = said.err.splitlines()
    assert first == "vtk eval: SEQ.mp4 ended as partial: it is scored as far as it goes"
    assert f"SEQ.jsonl, line {len(good) + 2}: not JSON" in second
    assert f"line {len(good) + 3}: " in third
    assert said.report == evaluate("--gt", gt, lines(tmp_path / "SEQ.jsonl", good), "--json").report


BAD: list[tuple[str, Callable[[Path], object], type[VtkError], str]] = [
    ("detections", lambda path: lines(path, [records(FOUND)[0].replace('"track"', '"detection"')]), UsageError,
     "detections without tracks: pipe vtk track in first"),
    ("frames twice", lambda path: lines(path, records(FOUND), records(FOUND[-1:])), RecordError,
     r"SEQ.mp4: an id must be unique in its frame, got id \d+ twice in frame 40 \(frames from 1"),
    ("too far", lambda path: lines(path, records(FOUND * 1e12 // 1)), RecordError,
     "SEQ.jsonl holds no record: line 1: .*within 1000000 pixels"),
    ("newer", lambda path: lines(path, [records(FOUND)[0].replace('"v": 1', '"v": 9')]), RecordError, "version 9"),
    ("no records", lambda path: path.write_bytes(b"{\x89PNG\0\n{"), RecordError,
     "SEQ.jsonl holds no record: line 1: not JSON"),
]


@pytest.mark.parametrize(("make", "error", "message"), [row[1:] for row in BAD], ids=[row[0] for row in BAD])
def test_results_that_cannot_be_scored(make: Callable[[Path], object], error: type[VtkError], message: str, gt: Path,
                                       tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    make(tmp_path / "SEQ.jsonl")
    with pytest.raises(error, match=message):
        evaluate("--gt", gt, tmp_path / "SEQ.jsonl")


def test_what_the_figures_do_not_show_is_said(pred: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    scored = write(tmp_path / "SEQ.txt", PLAIN_TRUTH + [0, 0, 0, 0, 0, 0, 0.2, 0, 0, 0])
    said = evaluate("--gt", scored, pred)
    count = (PLAIN_TRUTH[:, 6] != 0).sum()
    assert f"has fractions in column 7: mot15 reads a flag there, and {len(PLAIN_TRUTH)} rows give {count}" in said.err
    flat = FOUND * np.where(np.arange(len(FOUND)) < 3, 0, 1)[:, None] ** [0, 0, 0, 0, 1, 0, 0, 0, 0, 0]
    path = write(tmp_path / "flat" / "SEQ.txt", flat)
    said = evaluate("--gt", scored, path, "--protocol", "plain")
    assert said.err == f"vtk eval: {path}: 3 of {len(FOUND)} boxes have no area and match nothing\n"


def test_options_that_do_not_fit(gt: Path, pred: Path, tmp_path: Path, evaluate: Callable[..., Said]) -> None:
    with pytest.raises(UsageError, match="--protocol mot19: one of auto, mot15, mot16"):
        evaluate("--gt", gt, pred, "--protocol", "mot19")
    with pytest.raises(RecordError, match=r"gt.txt: protocol mot17 needs the class of each .* \(--protocol mot15\)"):
        evaluate("--gt", gt, pred, "--protocol", "mot17")
    newer = write(tmp_path / "NEWER" / "gt" / "gt.txt", TRUTH)
    with pytest.raises(UsageError, match="is of protocol mot15, .* of mot16: evaluate them apart, or give --protocol"):
        evaluate("--gt", gt, "--gt", newer, pred)
    with pytest.raises(typer.BadParameter.__mro__[2], match="gt"):
        evaluate(pred)


def test_errors_are_one_line_and_stdout_is_empty(gt: Path, tmp_path: Path, vtk: Vtk) -> None:
    (tmp_path / "SEQ.txt").write_text("frame,id\n")
    found: CompletedProcess[bytes] = vtk("eval", "track", "--gt", gt, tmp_path / "SEQ.txt")
    assert (found.returncode, found.stdout) == (1, b"")
    assert found.stderr.count(b"\n") == 1
    assert b"line 1: 2 columns, at least 6 are needed" in found.stderr
    assert vtk("eval", "track", "--gt", gt, "--protocol", "x").returncode == 2


def test_torch_stays_out(gt: Path, pred: Path, vtk: Vtk, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ImportError('an evaluation needs no torch')\n")
    found = vtk("eval", "track", "--gt", gt, pred, PYTHONPATH=str(tmp_path))
    assert (found.returncode, found.stderr) == (0, b"")


@pytest.fixture
def tracked(shared: Path, vtk: Vtk) -> Iterator[bytes]:
    """Yield the tracks of the first 200 frames of real footage."""
    clip = shared / "data" / "track" / "vtest.avi"
    found = vtk("track", clip, "--detector", "yolox-nano", "--classes", "person", "--limit", "200")
    assert found.returncode == 0
    yield found.stdout


def test_tracks_of_real_footage_piped_in(tracked: bytes, shared: Path, vtk: Vtk, tmp_path: Path) -> None:
    """The first 200 frames of PETS09-S2L1: frame 0 of records is frame 1 of the ground truth."""
    rows = np.loadtxt(shared / "data" / "track" / "PETS09-S2L1" / "gt" / "gt.txt", delimiter=",")
    gt = write(tmp_path / "gt.txt", rows[rows[:, 0] <= 200])
    late = write(tmp_path / "late.txt", (rows + np.array([12, *[0] * 9]))[rows[:, 0] <= 188])
    scores = [json.loads(vtk("eval", "track", "--gt", path, "--json", stdin=tracked).stdout)["combined"]["HOTA"]
              for path in (gt, late)]
    assert scores[0] > 40, "stock ByteTrack reaches 47.2 over the whole clip (issue 3)"
    assert scores[1] < scores[0] / 2, "twelve frames off, people have left their boxes"
