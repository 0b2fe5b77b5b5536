"""Recipes: pipes in TOML files do what their text does, can be changed, and print as what they are."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from clips import make_clip

from conftest import run_vtk
from vtk.cli import load
from vtk.errors import UsageError
from vtk.options import Common
from vtk.piping import described, of_run, parse, split
from vtk.recipes.recipe import Recipe, as_toml, change, is_recipe, read, shipped

MOVING = """
[run]
jobs = 1
root = "."

[[stage]]
command = "detect"
model = "motion"
every = 2

[[stage]]
command = "track"
tracker = "sort"
refine = false
"""


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    path = tmp_path / "moving.toml"
    path.write_text(MOVING)
    return path


def told(words: list[str]) -> str:
    """Return what ``vtk pipe`` refuses words with."""
    with pytest.raises(UsageError) as error:
        load("pipe").main(words, standalone_mode=False)
    return str(error.value)


def test_a_recipe_does_what_its_text_does(moving: Path, tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", frames=12)
    by_file = run_vtk("pipe", moving, clip)
    by_text = run_vtk("pipe", "detect --model motion --every 2 | track --tracker sort", clip, "--root", ".")
    assert by_file.returncode == 0, by_file.stderr.decode()
    assert b'"type":"track"' in by_file.stdout
    assert by_file.stdout == by_text.stdout


def test_the_command_line_outdoes_the_recipe(moving: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    load("pipe").main([str(moving), "x.mp4", "--root", str(tmp_path), "--set", "detect.every=5", "--set",
                       "2.tracker=ocsort", "--jobs", "1", "--print-config"], standalone_mode=False)
    printed = tomllib.loads(capfd.readouterr().out)
    assert printed["run"] == {"jobs": 1, "root": str(tmp_path)}
    first, second = printed["stage"]
    assert (first["command"], first["every"], first["model"]) == ("detect", 5, "motion")
    assert (second["command"], second["tracker"], second["refine"]) == ("track", "ocsort", False)


@pytest.mark.parametrize("name", shipped())
def test_those_that_come_with_vtk_are_whole(name: str) -> None:
    recipe = read(name)
    planned = parse(recipe.commands)
    assert [plan.factory().name for plan in planned] == [words[0] for words in recipe.commands]


def test_three_come_with_vtk() -> None:
    assert shipped() == ["copies.toml", "people.toml", "text.toml"]


def test_a_file_goes_before_one_that_comes_with_vtk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "people.toml").write_text('[[stage]]\ncommand = "probe"\n')
    assert read("people.toml").commands == [["probe"]]


@pytest.mark.parametrize("pipe", [
    "detect --model motion --classes person --every 3 | track --tracker sort --gmc | draw -o seen.mp4 --no-trails --tee",
    "track --detector motion | reid --model colour --threshold 0.9 --only | export mot -o tracks.txt",
    "detect-copy --refs a.mp4 --refs 'b c.mp4' --no-refine",
])
def test_what_is_printed_is_a_recipe_that_does_the_same(pipe: str, tmp_path: Path) -> None:
    recipe = Recipe(pipe, split(pipe))
    common = Common(jobs=2, timeout=3.5)
    (tmp_path / "printed.toml").write_text("\n".join(described(recipe, common)))
    again = read(str(tmp_path / "printed.toml"))
    assert of_run(again) == {"jobs": 2, "timeout": 3.5}
    first, second = parse(recipe.commands), parse(again.commands)
    assert [plan.factory.func for plan in first] == [plan.factory.func for plan in second]
    for one, other in zip(first, second, strict=True):
        assert repr(one.factory) == repr(other.factory)
        assert one.common.only == other.common.only
    assert list(described(again, common)) == list(described(recipe, common))


def test_lists_are_joined_or_repeated(tmp_path: Path) -> None:
    path = tmp_path / "lists.toml"
    path.write_text('[[stage]]\ncommand = "detect"\nclasses = ["person", "car"]\n\n[[stage]]\ncommand = "detect-copy"\n'
                    'refs = ["a", "b c"]\n')
    assert read(str(path)).commands == [["detect", "--classes=person,car"], ["detect-copy", "--refs=a", "--refs=b c"]]


def test_texts_of_all_kinds_survive() -> None:
    values = {"a": 'quo"te', "b": "back\\slash\n\t\x7f", "c": "名前 é", "d": 1.5, "e": 3, "f": True, "g": ["x", "y"], "h": None}
    found = tomllib.loads("\n".join(as_toml([("[run]", values)])))
    assert found == {"run": {key: value for key, value in values.items() if value is not None}}
    with pytest.raises(UsageError, match="UTF-8"):
        list(as_toml([("[run]", {"a": "\udcff"})]))


@pytest.mark.parametrize(("text", "message"), [
    ("x = [", "Cannot|Invalid|Unclosed"), ("", "stage"), ("[[stage]]\n", "command"), ("stages = 1", "no part of a recipe"),
    ('[[stage]]\ncommand = "dtect"', "did you mean 'detect'"), ('[[stage]]\ncommand = 3', "command"),
    ('[[stage]]\ncommand = "detect"\nmodell = "x"', "did you mean 'model'"),
    ('[[stage]]\ncommand = "detect"\nonly = "yes"', "true or false"),
    ('[[stage]]\ncommand = "detect"\nmodel = true', "text, a number"),
    ('[[stage]]\ncommand = "detect"\nevery = "often"', "detect:.*every"),
    ('[[stage]]\ncommand = "detect"\njobs = 2', "whole pipe"),
    ('[run]\njobs = 0\n[[stage]]\ncommand = "probe"', r"\[run\].*jobs"),
    ('[run]\njob = 1\n[[stage]]\ncommand = "probe"', "did you mean 'jobs'"),
    ('[run]\ninputs = ["x"]\n[[stage]]\ncommand = "probe"', "no option 'inputs'"),
    ('run = 3\n[[stage]]\ncommand = "probe"', "table"), ('[[stage]]\ncommand = "schema"', "no stage"),
])
def test_what_no_pipe_could_do_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=message) as error:
        load("pipe").main([str(path), "x.mp4"], standalone_mode=False)
    assert "\n" not in str(error.value)


def test_files_that_are_no_recipes(tmp_path: Path) -> None:
    assert "people.toml" in told(["nowhere.toml", "x.mp4"])
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    assert "UTF-8" in told([str(tmp_path / "bytes.toml"), "x.mp4"])
    assert not is_recipe("detect | track --options sort.toml")


@pytest.mark.parametrize(("setting", "message"), [
    ("every=2", "COMMAND.OPTION=VALUE"), ("detect.every", "COMMAND.OPTION=VALUE"), ("draw.every=2", "no 'draw'"),
    ("track.every=2", "2 and 3"), ("9.every=2", "no '9'"), ("detect.evry=2", "did you mean 'every'"),
])
def test_settings_that_fit_nothing(setting: str, message: str) -> None:
    recipe = Recipe("x", [["detect"], ["track"], ["track"]])
    with pytest.raises(UsageError, match=message):
        change(recipe, [setting])


def test_dates_and_numbers_are_taken_as_they_are_written(tmp_path: Path) -> None:
    """TOML has dates of its own, and reads 1_0 as 10."""
    path = tmp_path / "leaves.toml"
    path.write_text('[[stage]]\ncommand = "classify-species"\ndate = 2024-05-01\n')
    assert read(str(path)).commands == [["classify-species", "--date=2024-05-01"]]
    recipe = change(Recipe("", [["classify-species"]]), ["classify-species.date=2024-05-01", "1.country=1_0"])
    assert recipe.commands == [["classify-species", "--date=2024-05-01", "--country=1_0"]]


def test_settings_leave_the_recipe_as_it_was() -> None:
    recipe = Recipe("x", [["detect", "--every=2"]])
    assert change(recipe, ["detect.every=3", "1.classes=person"]).commands == [
        ["detect", "--every=2", "--every=3", "--classes=person"]]
    assert recipe.commands == [["detect", "--every=2"]]
