"""``vtk eval reid``: known figures on real crops, Market-1501's rules on made ones, and what is wrong in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from people_crops import market, save
from said import Said, runner

from vtk.errors import UsageError


@pytest.fixture
def evaluate(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk eval reid`` in this process."""
    return runner(capfd, "eval", "reid")


def test_the_mot_split(evaluate: Callable[..., Said], shared: Path) -> None:
    """38 queries, of which one more or less is 2.6 points: rank-1 is exact, mAP within half a point."""
    folder = shared / "data/reid"
    words = [folder / "mot_crops", "--split", folder / "mot_split.json", "--precision", "fp32", "--json"]
    said = json.loads(evaluate(*words, "--rerank").out)
    assert (said["plain"]["rank1"], said["plain"]["mAP"]) == pytest.approx((73.7, 77.0), abs=0.5)
    assert said["plain"]["queries"] == 38 and said["gallery"] == 206
    assert said["plain"]["rank1_error"] == pytest.approx(7.1, abs=0.1)
    assert said["reranked"]["mAP"] > said["plain"]["mAP"] and said["reranked"]["k1"] == 20
    fused = json.loads(evaluate(*words, "--crops-fused").out)
    assert fused["gallery"] == 38 and fused["plain"]["mAP"] > said["plain"]["mAP"]


def test_two_cameras_by_a_table(evaluate: Callable[..., Said], shared: Path, tmp_path: Path) -> None:
    """60 of CUHK01's test people: all 486 give 90.4 and 90.0, fewer are easier."""
    folder = shared / "train/reid/cuhk01"
    rows = [row for row in csv.DictReader((folder / "labels.csv").open()) if row["split_485_486"] == "test"][:240]
    with (tmp_path / "labels.csv").open("w") as file:
        file.write("file,label,camera,split\n")
        file.writelines(f"{folder / row['file']},{row['label']},{row['camera']},test\n" for row in rows)
    found = evaluate(tmp_path)
    assert "queries are of camera A, the gallery is of B" in found.err
    title, plain = found.out.splitlines()
    figures = dict(zip(title.split(")")[1].split(), map(float, plain.split()[1:]), strict=True))
    assert figures["rank1"] > 93 and figures["mAP"] > 93 and figures["queries"] == 120


def test_market_folders(evaluate: Callable[..., Said], tmp_path: Path) -> None:
    """A query's own camera is no match and junk is nobody, or the figures would fall or rise."""
    market(tmp_path)
    said = json.loads(evaluate(tmp_path, "--model", "colour", "--json").out)
    assert said["plain"]["rank1"] == said["plain"]["mAP"] == 100 and said["plain"]["queries"] == 6
    # Wrong people by the other camera, right ones by the query's own.
    for person in range(1, 7):
        save(tmp_path / "bounding_box_test" / f"{person:04d}_c2s1_000009_01.png", 100 + person, person)
    said = json.loads(evaluate(tmp_path, "--model", "colour", "--json").out)
    assert said["plain"]["rank1"] < 60
    for file in (tmp_path / "bounding_box_test").glob("0001_c2*"):
        file.unlink()
    found = evaluate(tmp_path, "--model", "colour", "--json")
    assert json.loads(found.out)["plain"]["unmatched"] == 1 and "1 of 6 queries have no match" in found.err


def test_a_table_with_both_rankings(evaluate: Callable[..., Said], tmp_path: Path) -> None:
    market(tmp_path)
    lines = evaluate(tmp_path, "--model", "colour", "--rerank", "--k1", "4", "--k2", "2", "--lambda", "1").out
    title, plain, reranked = lines.splitlines()
    assert title.split()[-2:] == ["queries", "unmatched"] and "RANKING (colour" in title
    assert plain.split()[1:] == reranked.split()[1:]  # all of the plain distance


def test_without_cameras_nothing_is_left_out(evaluate: Callable[..., Said], tmp_path: Path) -> None:
    for person in range(3):
        for number in range(2):
            save(tmp_path / f"{person}_{number}.png", person, 10 * person + number)
    with (tmp_path / "labels.csv").open("w") as file:
        file.write("file,label,split\n")
        file.writelines(f"{p}_{n}.png,{p},{('query', 'gallery')[n]}\n" for p in range(3) for n in range(2))
    found = evaluate(tmp_path, "--model", "colour")
    assert "nothing is left out" in found.err and "100.00" in found.out
    with pytest.raises(UsageError, match="0 known cameras"):
        evaluate(tmp_path, "--model", "colour", "--part", "query", "--query-camera", "x")


def test_what_is_wrong(evaluate: Callable[..., Said], tmp_path: Path) -> None:
    market(tmp_path, 2)
    for words, said in ((["--lambda", "2"], "--lambda 2"), (["--k1", "0"], "--k1 0"),
                        (["--input", "x"], "HEIGHTxWIDTH"),
                        (["--part", "train", "--query-camera", "9"], "there is 1, 2"), (["--split", "x"], "--split x")):
        with pytest.raises(UsageError, match=said):
            evaluate(tmp_path, "--model", "colour", *words)
    for file in (tmp_path / "bounding_box_test").glob("*_c2*"):
        file.unlink()
    with pytest.raises(UsageError, match="no query has a match in the gallery from another camera"):
        evaluate(tmp_path, "--model", "colour")
