"""Calibration of sets through the models: what counts, what is left out, what the promise is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from painted import BIRDS, BLUE, RED, Species, panel, picture

from said import runner
from vtk.driver.run import run
from vtk.errors import UsageError
from vtk.heads.labelled import read_labelled
from vtk.models.runtime import RuntimeOptions
from vtk.species.asking import Asked
from vtk.species.calibrating import Run, calibrated, check_enough, remarks
from vtk.species.knowing import Given
from vtk.species.routing import Expert, Panel
from vtk.species.sets import read_sets
from vtk.species.stage import SpeciesStage
from vtk.species.whereabouts import Finder

ASKED = Asked(("inat-birds",), runtime=RuntimeOptions())
MODEL = f"inat-birds@{'bb' * 6}"
NAMES = ["Turdus merula", "Turdus migratorius", "Corvus corax"]


@pytest.fixture(autouse=True)
def planted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have one stand-in that knows three birds: 0.7, 0.2, 0.1 of red pictures, the other way round of orange ones."""
    made = Panel(panel().router, [Expert(Species("inat-birds", BIRDS, (0.7, 0.2, 0.1)), frozenset({"bird"}))])
    monkeypatch.setattr("vtk.species.calibrating.load_panel", lambda asked: made)
    monkeypatch.setattr("vtk.species.stage.load_panel", lambda asked: made)


def labelled(folder: Path, *rows: tuple[str, tuple[int, int, int], int], parts: str = "") -> Path:
    """Write pictures of (label, colour, shade) and their table; ``parts`` has a letter for the part of each."""
    folder.mkdir(exist_ok=True)
    lines = ["file,label,split"]
    for number, (label, colour, shade) in enumerate(rows):
        cv2.imwrite(str(folder / f"{number}.png"), picture(colour, shade=shade)[..., ::-1])
        lines.append(f"{number}.png,{label},{parts[number:number + 1]}")
    (folder / "labels.csv").write_text("\n".join(lines) + "\n")
    return folder


def answers(folder: Path, given: Given = Given(), **options: Any) -> Any:
    return Run(ASKED, given, Finder(), **options).answers(read_labelled(folder))


MERULA, CORAX, ROBIN = ("turdus_merula", RED, 0), ("Corvus corax", RED, 0), ("Turdus migratorius", RED, 60)


def test_sets_are_calibrated_on_what_the_model_says(tmp_path: Path) -> None:
    found = answers(labelled(tmp_path, MERULA, MERULA, CORAX, ROBIN))
    given, labels = found.arrays()
    assert given == pytest.approx(np.array([[0.7, 0.2, 0.1]] * 3 + [[0.1, 0.2, 0.7]]), abs=1e-6)
    assert labels.tolist() == [0, 0, 2, 1]
    sets = calibrated(found, 0.7)
    # Scores by hand: 0.7, 0.7, 1.0 and 0.9; the ⌈5 · 0.7⌉ = fourth lowest is 1.
    assert sets.threshold == pytest.approx(1.0)
    assert (sets.model, sets.prior, sets.combined, sets.count) == (MODEL, None, "", 4)
    assert sets.report["tuned_on"] == 0 and sets.report["classes"]["Turdus merula"] == [1.0, 2]
    said = remarks(sets, found)
    assert "too few pictures to tune on" in said[0] and "of 4 pictures, with 3.00 species on average" in said[1]


def test_what_the_command_would_not_answer_does_not_count(tmp_path: Path) -> None:
    folder = labelled(tmp_path, MERULA, ("Vipera berus", BLUE, 0), ("Turdus merula", BLUE, 0), MERULA, MERULA)
    table = folder / "labels.csv"
    table.write_text(table.read_text().replace("turdus_merula", "Turdus merula"))
    (folder / "4.png").write_bytes(b"no picture")
    found = answers(folder)
    assert found.labels == [0, 0]
    assert found.left_out == {"of species that the model does not know": ["1.png"],
                              "in which the group that the model knows is not seen": ["2.png"],
                              "that cannot be read": ["4.png"]}
    assert answers(folder, least=0.0).labels == [0, 0]  # it was not even asked
    with pytest.raises(UsageError, match=r"needs 20 labelled pictures at least, and there are 2 \(1 of species that"):
        calibrated(found, 0.95)


def test_half_tunes_where_there_are_enough(tmp_path: Path) -> None:
    found = answers(labelled(tmp_path, *[MERULA, MERULA, MERULA, CORAX] * 4))
    sets = calibrated(found, 0.75)
    assert (sets.count, sets.report["tuned_on"], sets.report["count"]) == (8, 8, 8)
    assert calibrated(found, 0.75) == sets and calibrated(found, 0.75, seed=5).count == 8
    other = answers(labelled(tmp_path / "other", MERULA, CORAX))
    checked = calibrated(found, 0.75, check=other)
    assert checked.report["check"]["count"] == 2
    assert remarks(checked, found, other)[-1].startswith("on --check: the set holds the right species of")


def test_the_file_is_for_the_same_scores_alone(tmp_path: Path) -> None:
    """And the stage names the candidates that it promises."""
    counts = tmp_path / "counts.csv"
    counts.write_text("label,count\nTurdus merula,10\nTurdus migratorius,10\nCorvus corax,20\n")
    folder = labelled(tmp_path / "p", MERULA, MERULA, CORAX, ROBIN)
    given = Given(train=counts, tau=0.5)
    sets = calibrated(answers(folder, given), 0.7)
    assert sets.combined.startswith("--tau 0.5 of ")
    path = tmp_path / "sets.json"
    path.write_bytes(sets.to_json())
    assert read_sets(path, NAMES, MODEL, None, sets.combined) == sets
    for other, said in ((Given(sets=path), "and this is none"),
                        (Given(sets=path, train=counts), "and this is --tau 1")):
        with pytest.raises(UsageError, match=f"is for scores combined by --tau 0.5 of .*, {said}"):
            list(run([SpeciesStage(ASKED, other)], [str(folder / "0.png")]))
    records = list(run([SpeciesStage(ASKED, Given(sets=path, train=counts, tau=0.5))], [str(folder / "0.png")]))
    [species] = [record for record in records if record["type"] == "species"]
    assert species["coverage"] == 0.7 and len(species["candidates"]) == 3


def test_several_models_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.species.calibrating.load_panel", lambda asked: panel())
    with pytest.raises(UsageError, match=r"of one model, and 2 are asked \(inat-birds, inat-insects\)"):
        Run(Asked(), Given(), Finder())


@pytest.mark.parametrize("coverage", [0, 1, -0.5, float("nan")])
def test_a_coverage_is_a_share(coverage: float) -> None:
    with pytest.raises(UsageError, match="expected a share above 0 and below 1"):
        check_enough(100, coverage)


def test_the_command(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    command = runner(capfd, "calibrate", "classify-species")
    folder = labelled(tmp_path / "p", *[MERULA] * 4, CORAX, ROBIN, parts="aaaabb")
    said = command(folder, "--model", "inat-birds", "--coverage", 0.7, "--check", "b", "-o", tmp_path / "sets.json")
    assert said.out == "" and "on --check" in said.err
    data = json.loads((tmp_path / "sets.json").read_bytes())
    assert (data["count"], data["report"]["check"]["count"]) == (4, 2)
    said = command(folder, "--model", "inat-birds", "--coverage", 0.7, "--part", "a", "-q")
    assert said.report["count"] == 4 and said.err == ""
    for words, wrong in ((("--coverage", 0.9), "needs 10 labelled pictures at least, and there are 6: add some"),
                         (("--coverage", 2), "expected a share"), (("--part", "c"), "--part c: there is a, b"),
                         (("--coverage", 0.7, "--filter"), "give --prior"),
                         (("--coverage", 0.7, "-o", tmp_path / "sets.json"), "exists")):
        with pytest.raises(UsageError, match=wrong):
            command(folder, "--model", "inat-birds", *words)
