"""``vtk eval scene`` and ``species`` as commands: what is printed, drawn, and said of what is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from said import Said, runner
from vtk.errors import UsageError
from vtk.media.image import load

Run = Callable[..., Said]
SCENES = [{"v": 1, "type": "scene", "by": "recognize-scene/x", "source": f"{name}.jpg", "start": 0.0, "end": 0.0,
           "label": label, "score": 0.75, "topk": [{"label": label, "score": 0.75}]}
          for name, label in (("a", "bar"), ("b", "beach"))]
SPECIES = [{"v": 1, "type": "species", "by": "classify-species/x", "source": "a.jpg", "frame": 0, "t": 0.0,
            "topk": [{"label": "Parus major", "score": 0.75}], "label": "Parus major", "score": 0.75},
           {"v": 1, "type": "species", "by": "classify-species/x", "source": "b.jpg", "frame": 0, "t": 0.0, "topk": [],
            "covered": False, "group": "snake"}]


def put(folder: Path, records: list[dict[str, object]], table: str, extra: str = "") -> tuple[Path, Path]:
    (folder / "in.jsonl").write_text("".join(json.dumps(each) + "\n" for each in records) + extra)
    (folder / "labels.csv").write_text(table)
    return folder / "labels.csv", folder / "in.jsonl"


def test_scenes_are_scored_and_plotted(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run: Run = runner(capfd, "eval", "scene")
    gt, records = put(tmp_path, SCENES, "file,places\na.jpg,bar|pub/indoor\nb.jpg,bar\n")
    found = run("--gt", gt, records, "--label", "places", "--json", "--plot", tmp_path / "r.png").report
    assert (found["maker"], found["rows"], found["top1"], found["top5"]) == ("recognize-scene/x", 2, 50, 50)
    assert found["reliability"] == [{"from": 0.7333, "to": 0.8, "count": 2, "score": 0.75, "right": 0.5}]
    assert found["levels"]["top"]["accuracy"] == 50
    assert load(str(tmp_path / "r.png"))[0].shape[2] == 3
    said = run("--gt", gt, records, "--label", "places", "--each")
    assert said.out.splitlines()[0] == "LABELS by recognize-scene/x: 2 rows, 2 labels"
    assert "records have the first 1 labels at most" in said.err
    assert [line.split()[0] for line in said.out.splitlines()[-2:]] == ["LABEL", "bar"]
    with pytest.raises(UsageError, match="would be replaced"):
        run("--gt", gt, records, "--label", "places", "--plot", tmp_path / "r.png")


def test_species_are_scored_by_group(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run: Run = runner(capfd, "eval", "species")
    gt, records = put(tmp_path, SPECIES, "file,label,group\na.jpg,Parus major,bird\nb.jpg,Vipera berus,snake\n")
    found = run("--gt", tmp_path, records, "--by", "group", "--json").report
    assert (found["top1"], found["top1_answered"], found["answered"]) == (50, 100, 50)
    assert found["by"] == {"bird": {"rows": 1, "answered": 100, "right_answered": 100, "top1": 100,
                                    "top1_answered": 100, "top5": 100},
                           "snake": {"rows": 1, "answered": 0, "top1": 0, "top5": 0}}
    said = run("--gt", gt, records, "--by", "group", "-q")
    assert "* fewer than 20 rows" in said.out and said.err == ""


def test_bad_lines_are_named_and_the_rest_is_scored(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    run: Run = runner(capfd, "eval", "species")
    gt, records = put(tmp_path, SPECIES, "file,label\na.jpg,Parus major\n", "oops\n")
    said = run("--gt", gt, records, "--json")
    assert said.code == 1 and said.report["rows"] == 1
    assert "in.jsonl, line 3: not JSON" in said.err
    with pytest.raises(UsageError, match="there is no scene among the records"):
        runner(capfd, "eval", "scene")("--gt", gt, records)
