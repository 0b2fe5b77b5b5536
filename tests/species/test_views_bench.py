"""The bench of views and ensembles: what pictures show, and the lines that it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from vtk.errors import UsageError
from vtk.species import views_bench

LABELS = ["patas, hussar monkey, Erythrocebus patas", "marmoset", "howler monkey, howler"]


def table(folder: Path) -> Path:
    """Write a table of four monkeys, one of a species that ImageNet has no class for."""
    rows = ["erythrocebus_patas,patas_monkey,train", "cebuella_pygmea,pygmy_marmoset,test",
            "cacajao_calvus,bald_uakari,test", "alouatta_palliata,mantled_howler,test"]
    lines = [f"{number}.jpg,{row}" for number, row in enumerate(rows)]
    (folder / "labels.csv").write_text("\n".join(["file,label,common_name,split", *lines]) + "\n")
    return folder


def test_monkeys_are_what_imagenet_calls_them(tmp_path: Path) -> None:
    found = views_bench.shown([table(tmp_path)], LABELS, True, [], False)
    assert [(path.name, index) for path, index in found] == [("0.jpg", 0), ("1.jpg", 1), ("3.jpg", 2)]
    assert len(views_bench.shown([tmp_path], LABELS, True, ["split=test", "file=3.jpg"], False)) == 1
    own = views_bench.shown([tmp_path], ["alouatta_palliata", "cebuella_pygmea", "cacajao_calvus"], True,
                            ["split=test"], True)
    assert [index for _, index in own] == [1, 2, 0]
    with pytest.raises(SystemExit, match="nothing is left of the table"):
        views_bench.shown([tmp_path], LABELS, True, ["split=none"], False)
    with pytest.raises(UsageError, match="has no column part: there is file, label"):
        views_bench.shown([tmp_path], LABELS, True, ["part=test"], False)


def test_what_it_says_of_two_pictures(shared: Path, monkeypatch: pytest.MonkeyPatch,
                                      capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared / "data" / "classify-species" / "imagenet_one_per_class"
    pictures = [str(folder / name) for name in ("n02391049_zebra.JPEG", "n01614925_bald_eagle.JPEG")]
    monkeypatch.setattr(views_bench, "TURNS", 1)
    monkeypatch.setattr(views_bench, "SETS", (("whole",), ("whole", "scales")))
    monkeypatch.setattr(sys, "argv", ["views_bench", *pictures])
    assert views_bench.main() == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["views"], line["looks"], line["pictures"]) for line in lines] == [("whole", 1, 2),
                                                                                    ("whole,scales", 3, 2)]
    assert [line["top1"] for line in lines] == [100.0, 100.0] and lines[1]["gain"] == 0
    assert all(0 < line["NLL"] < 1 and line["pictures/s"] > 0 for line in lines)
