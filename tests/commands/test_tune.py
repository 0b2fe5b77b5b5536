"""``vtk tune track``: a recipe that holds what it says, on records and on real files, and what is wrong in one line."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import typer
from mot_scenes import write
from said import Said, runner
from walkers import scene, write_records

from conftest import Vtk
from vtk.errors import RecordError, UsageError, VtkError
from vtk.tracking.trackers import DEFAULT, SEARCH
from vtk.tuning.trial import METRICS


@pytest.fixture
def tune(capfd: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Return a function that runs ``vtk tune track`` in this process; what the user can mend is raised."""
    return runner(capfd, "tune", "track")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with det.jsonl of the sequences A, B and C, and gt/ with their ground truth."""
    folder = tmp_path_factory.mktemp("place")
    streams = []
    for seed, name in enumerate("ABC"):
        records, truth = scene(seed, source=f"video/{name}.mp4")
        streams.append(records)
        write(folder / "gt" / name / "gt" / "gt.txt", truth)
    write_records(folder / "det.jsonl", *streams)
    write_records(folder / "A.jsonl", streams[0])
    return folder


FEW = ("--tracker", "sort", "--trials", 6)


def test_the_recipe_is_toml_with_every_option_that_was_searched(place: Path, tune: Callable[..., Said]) -> None:
    said = tune(place / "det.jsonl", "--gt", place / "gt", "--trials", 8, "--seed", 1)
    recipe = tomllib.loads(said.out)
    assert recipe["track"]["tracker"] == DEFAULT == "vtk"
    assert set(recipe["track"]["options"]) == set(SEARCH["vtk"])
    report = tune(place / "det.jsonl", "--gt", place / "gt", "--trials", 8, "--seed", 1, "--json").report
    assert recipe["track"]["options"] == report["options"]
    head, _, columns, *rows = said.out.splitlines()[:7]
    assert head == (f"# vtk tune track {place / 'det.jsonl'} --gt {place / 'gt'} --tracker vtk --trials 8 --seed 1 "
                    "--metric HOTA --protocol auto --margin 0.05")
    assert columns.split() == ["#", "HOTA", "(mot15)", "defaults", "tuned", "cross-validated"]
    for name, row in zip("ABC", rows, strict=False):
        figures = [report[side]["sequences"][name] for side in ("defaults", "tuned", "cross_validated")]
        assert row.split() == ["#", name, *(f"{value:.2f}" for value in figures)]
    assert rows[3].split() == ["#", "MEAN", *(f"{report[side]['mean']:.2f}"
                                              for side in ("defaults", "tuned", "cross_validated"))]


def test_the_figures_are_those_of_vtk_track_and_vtk_eval(place: Path, vtk: Vtk, tmp_path: Path,
                                                         tune: Callable[..., Said]) -> None:
    """With the recipe, and with the defaults."""
    report = tune(place / "det.jsonl", "--gt", place / "gt", "--trials", 8, "--json").report
    assert report["tuned"]["mean"] > report["defaults"]["mean"]
    tune(place / "det.jsonl", "--gt", place / "gt", "--trials", 8, "-o", tmp_path / "tuned.toml")
    for side, options in (("defaults", ()), ("tuned", ("--options", tmp_path / "tuned.toml"))):
        tracks = vtk("track", *options, stdin=(place / "det.jsonl").read_bytes())
        found = json.loads(vtk("eval", "track", "--gt", place / "gt", "--json", stdin=tracks.stdout).stdout)
        assert {name: figures["HOTA"] for name, figures in found["sequences"].items()} == report[side]["sequences"]


def test_a_report_holds_together(place: Path, tune: Callable[..., Said]) -> None:
    report = tune(place / "det.jsonl", "--gt", place / "gt", *FEW, "--metric", "IDF1", "--json").report
    assert (report["tracker"], report["metric"], report["protocol"]) == ("sort", "IDF1", "mot15")
    assert (report["search"], report["seed"], len(report["trials"])) == ("random", 0, 6)
    assert report["trials"][0] == {"options": {"max_age": 1, "min_hits": 3, "least_overlap": 0.3},
                                   **report["defaults"]}
    best = max(trial["mean"] for trial in report["trials"])
    assert report["tuned"]["mean"] >= best - 0.05
    for side in (report["defaults"], report["tuned"], report["cross_validated"], *report["trials"]):
        assert side["mean"] == pytest.approx(np.mean(list(side["sequences"].values())), abs=1e-4)
    folds = report["cross_validated"]["options"]
    assert set(folds) == set("ABC")
    known = {json.dumps(trial["options"]): trial for trial in report["trials"]}
    for name, options in folds.items():
        if (trial := known.get(json.dumps(options))) is not None:
            assert report["cross_validated"]["sequences"][name] == trial["sequences"][name]


def test_each_metric_is_the_one_of_vtk_eval(place: Path, vtk: Vtk, tune: Callable[..., Said]) -> None:
    tracks = vtk("track", stdin=(place / "A.jsonl").read_bytes()).stdout
    figures = json.loads(vtk("eval", "track", "--gt", place / "gt" / "A", "--json", stdin=tracks).stdout)["combined"]
    one = ("--gt", place / "gt" / "A", "--trials", 1, "--json")
    found = {metric: tune(place / "A.jsonl", *one, "--metric", metric).report["defaults"]["mean"] for metric in METRICS}
    assert found == {metric: figures[metric] for metric in METRICS}
    assert len(set(found.values())) == len(METRICS)


def test_the_same_seed_gives_the_same_bytes_whatever_the_jobs(place: Path, vtk: Vtk) -> None:
    arguments = ("tune", "track", "-", "--gt", place / "gt", *map(str, FEW))
    found = [vtk(*arguments, *more, stdin=(place / "det.jsonl").read_bytes())
             for more in ((), ("--jobs", "2"), ("--seed", "5"))]
    assert [one.returncode for one in found] == [0, 0, 0]
    assert found[0].stdout == found[1].stdout
    assert found[0].stderr == found[1].stderr
    assert found[0].stderr != found[2].stderr


def test_the_best_trials_stand_on_stderr(place: Path, tune: Callable[..., Said]) -> None:
    said = tune(place / "det.jsonl", "--gt", place / "gt", *FEW)
    head, defaults, *rows = said.err.splitlines()
    assert head.split() == ["TRIAL", "A", "B", "C", "MEAN"]
    assert (defaults.split()[0], defaults.split()[-1]) == ("0", "defaults")
    means = [float(row.split()[4]) for row in rows]
    assert len(rows) == 5
    assert means == sorted(means, reverse=True)
    assert all("=" in row.split()[5] for row in rows)
    assert tune(place / "det.jsonl", "--gt", place / "gt", *FEW, "-q").err == ""


def test_a_grid_of_named_values(place: Path, tune: Callable[..., Said]) -> None:
    said = tune(place / "det.jsonl", "--gt", place / "gt", "--tracker", "sort", "--grid", "--set", "max_age=2,4",
                "--set", "max_lost=0.3,1", "--set", "min_hits=1", "--json", "--trials", 1)
    trials = [trial["options"] for trial in said.report["trials"]]
    assert trials[0] == {"min_hits": 1, "max_age": 1}
    assert trials[1:] == [{"min_hits": 1, "max_age": age, "max_lost": lost} for age in (2, 4) for lost in (0.3, 1)]
    assert said.report["search"] == "grid"
    assert "seed" not in said.report
    text = tune(place / "det.jsonl", "--gt", place / "gt", "--tracker", "sort", "--grid", "--set", "max_lost=9,8",
                "--set", "min_hits=1", "--margin", 100).out
    assert tomllib.loads(text)["track"]["options"] == {"min_hits": 1}
    assert "# max_lost is left at its default" in text
    assert "# defaults: the tracker's own options, but min_hits = 1\n" in text


def test_one_sequence_is_not_cross_validated_and_says_so(place: Path, tune: Callable[..., Said]) -> None:
    said = tune(place / "A.jsonl", "--gt", place / "gt" / "A", *FEW)
    assert "# not cross-validated: that takes two sequences or more" in said.out
    assert "MEAN" not in said.out
    report = tune(place / "A.jsonl", "--gt", place / "gt" / "A", *FEW, "--json").report
    assert "cross_validated" not in report
    assert report["tuned"]["sequences"] == {"A": report["tuned"]["mean"]}


def test_output_appears_when_it_is_complete_and_is_not_overwritten(place: Path, tmp_path: Path,
                                                                   tune: Callable[..., Said]) -> None:
    path = tmp_path / "tuned.toml"
    arguments = (place / "A.jsonl", "--gt", place / "gt" / "A", *FEW, "-o", path)
    assert tune(*arguments).out == ""
    assert list(tmp_path.iterdir()) == [path]
    assert tomllib.loads(path.read_text())["track"]["tracker"] == "sort"
    path.write_text("mine")
    with pytest.raises(UsageError, match="tuned.toml exists: --overwrite replaces it"):
        tune(*arguments)
    assert path.read_text() == "mine"
    tune(*arguments, "--overwrite")
    assert "[track.options]" in path.read_text()
    with pytest.raises(UsageError, match="ground truth is of A, B, C"):
        tune(write_records(tmp_path / "x.jsonl", scene(0, source="X.mp4")[0]), "--gt", place / "gt", "-o",
             tmp_path / "new")
    assert not (tmp_path / "new.part").exists(), "nothing is begun before the input is known to be good"


def test_what_is_left_out_is_said(place: Path, tmp_path: Path, tune: Callable[..., Said]) -> None:
    write(tmp_path / "D" / "gt" / "gt.txt", scene(5)[1])
    (tmp_path / "E" / "gt").mkdir(parents=True)
    (tmp_path / "E" / "gt" / "gt.txt").write_text("")
    stray = write_records(tmp_path / "stray.jsonl", scene(6, source="STRAY.mp4")[0], scene(6, source="E.mp4")[0])
    said = tune(place / "A.jsonl", stray, "--gt", place / "gt" / "A", "--gt", tmp_path, *FEW)
    assert said.code == 0
    assert said.err.splitlines()[:3] == [
        "vtk tune: no ground truth for STRAY.mp4: left out", "vtk tune: no detections for D: left out",
        f"vtk tune: {tmp_path / 'E' / 'gt' / 'gt.txt'} has no box that counts under mot15 (0 rows): left out"]
    alone = tune(place / "A.jsonl", "--gt", place / "gt" / "A", *FEW).out
    assert said.out.splitlines()[1:] == alone.splitlines()[1:], "all but the command line"


def test_labels_are_picked(place: Path, tmp_path: Path, tune: Callable[..., Said]) -> None:
    records = [json.loads(line) for line in (place / "A.jsonl").read_text().splitlines()]
    cars = [{**record, "label": "car"} if place % 4 == 3 else record for place, record in enumerate(records)]
    mixed = write_records(tmp_path / "mixed.jsonl", cars)
    said = tune(mixed, "--gt", place / "gt" / "A", *FEW, "--json")
    assert "detections are of 2 labels (car, person): all are tracked and scored; --classes picks" in said.err
    people = tune(mixed, "--gt", place / "gt" / "A", *FEW, "--json", "--classes", "person")
    alone = tune(write_records(tmp_path / "alone.jsonl", [one for one in cars if one.get("label") != "car"]), "--gt",
                 place / "gt" / "A", *FEW, "--json")
    assert people.report["trials"] == alone.report["trials"]
    assert people.report["defaults"] != said.report["defaults"]
    assert "labels" not in people.err
    with pytest.raises(UsageError, match="no detection has an area and is of --classes and --by"):
        tune(mixed, "--gt", place / "gt" / "A", "--classes", "bus")


def test_bad_lines_are_named_and_the_exit_code_says_so(place: Path, tmp_path: Path, tune: Callable[..., Said]) -> None:
    text = (place / "A.jsonl").read_text()
    (tmp_path / "A.jsonl").write_text(text + "{\n")
    said = tune(tmp_path / "A.jsonl", "--gt", place / "gt" / "A", *FEW)
    assert said.code == 1
    assert said.err.startswith(f"vtk tune: {tmp_path / 'A.jsonl'}, line {len(text.splitlines()) + 1}: not JSON")
    assert tomllib.loads(said.out)["track"]["tracker"] == "sort"


@pytest.mark.parametrize(("arguments", "error", "message"), [
    (("--metric", "FPS"), UsageError, "--metric FPS: one of HOTA, MOTA, IDF1, AssA, DetA is needed"),
    (("--protocol", "mot19"), UsageError, "--protocol mot19: one of auto, mot15"),
    (("--protocol", "mot17"), RecordError, "protocol mot17 needs the class of each"),
    (("--tracker", "deepsort"), UsageError, "no tracker 'deepsort'"),
    (("--set", "hihg=1"), UsageError, "vtk has no option 'hihg'"),
    (("--set", "high=-1"), UsageError, "must be a number from 0"),
    (("--grid",), UsageError, "--grid tries the combinations of --set"),
    (("--by", "detect/y"), UsageError, "no detection has an area and is of --classes and --by"),
    (("--trials", "0"), typer.BadParameter.__mro__[2], "greater than or equal to 1"),
    (("--jobs", "0"), typer.BadParameter.__mro__[2], "greater than or equal to 1"),
])
def test_options_that_do_not_fit(arguments: tuple[str, ...], error: type[Exception], message: str, place: Path,
                                 tune: Callable[..., Said]) -> None:
    with pytest.raises(error, match=message) as caught:
        tune(place / "A.jsonl", "--gt", place / "gt" / "A", *arguments)
    assert not isinstance(caught.value, VtkError) or "\n" not in str(caught.value)


def test_ground_truth_that_cannot_be_read(place: Path, tmp_path: Path, tune: Callable[..., Said]) -> None:
    (tmp_path / "gt.txt").write_text("1,1,2,3\n")
    with pytest.raises(RecordError, match="gt.txt has no row of a MOT file: line 1: 4 columns"):
        tune(place / "A.jsonl", "--gt", tmp_path / "gt.txt")
    (tmp_path / "gt.txt").write_text("")
    with pytest.raises(UsageError, match="has no box that counts under plain: there is nothing to tune on"):
        tune(place / "A.jsonl", "--gt", tmp_path / "gt.txt")
    with pytest.raises(VtkError, match="gone.txt"):
        tune(place / "A.jsonl", "--gt", tmp_path / "gone.txt")


def test_empty_input_is_one_line(place: Path, vtk: Vtk) -> None:
    found = vtk("tune", "track", "--gt", place / "gt" / "A")
    assert (found.returncode, found.stdout) == (2, b"")
    assert found.stderr == (b"vtk: there are no detections (there are no records): vtk detect and vtk import make "
                            b"them\n")


def test_public_detections_of_three_real_sequences(shared: Path, vtk: Vtk, tmp_path: Path) -> None:
    """The recipe comes out the same twice, in two processes too, and its figures are those that vtk eval gives."""
    names = ("KITTI-17", "PETS09-S2L1", "TUD-Campus")
    folder = shared / "data" / "track"
    lines = vtk("import", "mot", *(folder / name / "det" / "det.txt" for name in names)).stdout
    truth = [word for name in names for word in ("--gt", folder / name)]
    found = [vtk("tune", "track", *truth, "--trials", "8", "--jobs", jobs, stdin=lines) for jobs in ("1", "2")]
    assert [one.returncode for one in found] == [0, 0]
    assert found[0].stdout == found[1].stdout
    recipe = tomllib.loads(found[0].stdout.decode())
    assert recipe["track"]["tracker"] == "vtk"
    (tmp_path / "tuned.toml").write_bytes(found[0].stdout)
    tracks = vtk("track", "--options", tmp_path / "tuned.toml", stdin=lines).stdout
    scores = json.loads(vtk("eval", "track", *truth, "--json", stdin=tracks).stdout)["sequences"]
    rows = [line.split()[1:] for line in found[0].stdout.decode().splitlines()[3:7]]
    assert {name: tuned for name, _, tuned, _ in rows[:3]} == {name: f"{scores[name]['HOTA']:.2f}" for name in names}
    name, *means = rows[3]
    assert name == "MEAN"
    defaults, tuned, held_out = map(float, means)
    assert 40 < defaults <= tuned < 60
    assert 35 < held_out < 60
