"""``vtk species prior``: what is built and shown, and what is wrong in one line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from occurrence_tables import FOX, LYNX, at, write

from vtk.cli import load
from vtk.errors import UsageError, VtkError
from vtk.species.range_files import read_ranges

Vtk = Callable[..., CompletedProcess[bytes]]
HERE = at(52.5, 13.4, "DE", "2020-05-01")
ROWS = [*[FOX | HERE] * 150, *[LYNX | HERE] * 50, *[LYNX | at(61.5, 13.4, "SE", "2020-11-02")] * 120]


@pytest.fixture
def prior(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vtk:
    """Return a function that runs vtk species prior in this process, beside a table of occurrences."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "occurrences.csv", ROWS)

    def run(*words: object) -> CompletedProcess[bytes]:
        capfdbinary.readouterr()
        code = load("species").main(["prior", *map(str, words)], prog_name="vtk species", standalone_mode=False) or 0
        return CompletedProcess(list(words), code, *capfdbinary.readouterr())

    return run


def test_a_table_is_built_and_shown(prior: Vtk) -> None:
    built = prior("build", "occurrences.csv", "-o", "ranges.npz")
    assert (built.returncode, built.stderr) == (0, b"")
    said = json.loads(built.stdout)
    assert said == {"rows": 320, "observations": 320, "species": 2, "places": 2, "above_species": 0, "without_month": 0,
                    "left_out": {}, "hash": read_ranges(Path("ranges.npz")).hash}
    whole = json.loads(prior("show", "ranges.npz", "--json").stdout)
    assert whole == {"cells": "1 degrees", "species": 2, "places": 2, "countries": 2, "observations": 320,
                     "without_month": 0, "synonyms": 0, "rows": 320, "hash": said["hash"]}
    here = json.loads(prior("show", "ranges.npz", "--lat", "52.5", "--lon", "13.4", "--json").stdout)
    assert (here["level"], here["observations"]) == ("cell", 200)
    assert [(row["name"], row["seen"]) for row in here["species"]] == [("Vulpes vulpes", 150), ("Lynx lynx", 50)]
    assert sum(row["percent"] for row in here["species"]) == pytest.approx(100, abs=1e-3)
    table = prior("show", "ranges.npz", "--country", "SE", "--date", "2020-11-05", "--top", 1)
    lines = table.stdout.decode().split("\n")
    assert lines[0] == "country: 120 observations"
    assert lines[2].split() == ["PERCENT", "SEEN", "NAME"]
    assert lines[3].split()[1:] == ["120", "Lynx", "lynx"] and lines[4:] == [""]
    nowhere = prior("show", "ranges.npz", "--country", "NZ")
    assert nowhere.stdout == b"unknown place: all species are equal\n"


def test_rows_that_are_left_out_are_said(prior: Vtk) -> None:
    write(Path("o.csv"), [*ROWS, FOX | at(0, 0), FOX | at(99, 0)])
    built = prior("build", "o.csv", "-o", "ranges.npz")
    assert built.returncode == 0, "they are rows, though not for this"
    assert built.stderr.decode().splitlines() == [
        "vtk species: 1 row left out, impossible coordinates: o.csv line 323",
        "vtk species: 1 row left out, 0, 0, where coordinates are put that nobody knew: o.csv line 322"]
    assert json.loads(built.stdout)["left_out"] == {"zero": 1, "coordinates": 1}
    assert prior("build", "o.csv", "-o", "ranges.npz", "--overwrite", "-q").stderr == b""


def test_rows_that_are_no_rows_end_with_code_1_and_a_table(prior: Vtk) -> None:
    with Path("occurrences.csv").open("a") as file:
        file.write("a\tb\n")
    built = prior("build", "occurrences.csv", "-o", "ranges.npz")
    assert built.returncode == 1
    assert built.stderr == b"vtk species: 1 row left out, cannot be read: occurrences.csv line 322\n"
    assert read_ranges(Path("ranges.npz")).rows == 321


def test_options_change_what_counts(prior: Vtk) -> None:
    write(Path("o.csv"), [FOX | HERE, LYNX | HERE | {"basisOfRecord": "FOSSIL_SPECIMEN"},
                          LYNX | HERE | {"coordinateUncertaintyInMeters": "60000"}])
    for options, observations, cells in ((["--cells", "0.5"], 1, "0.5 degrees"), (["--leave-out", ""], 2, "1 degrees"),
                                         (["--max-uncertainty", "70000", "--cells", "country"], 2, "country")):
        built = prior("build", "o.csv", "-o", "ranges.npz", "--overwrite", "-q", *options)
        assert json.loads(built.stdout)["observations"] == observations
        assert json.loads(prior("show", "ranges.npz", "--json").stdout)["cells"] == cells


@pytest.mark.parametrize(("words", "said"), [
    (["build", "none.csv", "-o", "r.npz"], "none.csv: cannot be read: No such file or directory"),
    (["build", "occurrences.csv", "-o", "occurrences.csv"], "occurrences.csv exists: --overwrite replaces it"),
    (["build", "occurrences.csv", "-o", "none/r.npz"], "there is no folder none"),
    (["build", "occurrences.csv", "-o", "r.npz", "--cells", "0.7"], "--cells: cells of 0.7 degrees: expected 0.1"),
    (["build", "occurrences.csv", "-o", "r.npz", "--cells", "town"], "--cells: 'town': expected degrees, such as 0.5"),
    (["show", "occurrences.csv"], "occurrences.csv: no range table: make one with vtk species prior build"),
    (["show", "r.npz", "--lat", "91", "--lon", "0"], "no place has latitude 91"),
    (["show", "r.npz", "--lat", "1"], "expected both or neither"),
    (["show", "r.npz", "--country", "Sweden"], "country 'Sweden': expected two letters"),
    (["show", "r.npz", "--country", "SE", "--date", "May"], "--date May: expected a day such as 2026-05-01"),
    (["show", "r.npz", "--country", "SE", "--date", "9999-01-01"], "9999-01-01 is in the future"),
    (["show", "r.npz", "--date", "2020-01-01"], "--date needs a place"),
])
def test_what_cannot_be_is_said_in_one_line(prior: Vtk, words: list[str], said: str) -> None:
    if words[0] == "show":
        prior("build", "occurrences.csv", "-o", "r.npz")
    with pytest.raises(UsageError) as error:
        prior(*words)
    assert said in str(error.value) and "\n" not in str(error.value)
    assert words[0] == "show" or not Path("r.npz").exists()


def test_a_file_that_cannot_be_written_leaves_nothing_behind(prior: Vtk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*paths: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(VtkError, match="cannot write ranges.npz: No space left on device"):
        prior("build", "occurrences.csv", "-o", "ranges.npz")
    assert [path.name for path in Path().iterdir()] == ["occurrences.csv"]


def test_countries_alone_tell_monkeys_better_than_chance(prior: Vtk, shared: Path) -> None:
    """Ten species of monkeys, each drawn into a country of its range by whoever made the set: an upper bound."""
    folder = shared / "train" / "classify-species" / "monkeys10"
    if not folder.is_dir():
        pytest.skip("train/classify-species/monkeys10 is not there")
    with (folder / "synthetic_country.csv").open() as file:
        country = {row["file"]: row["country_synthetic"] for row in csv.DictReader(file)}
    with (folder / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if country[row["file"]]]
    known = [row for row in rows if row["split"] == "train"]
    Path("monkeys.csv").write_text("species,countryCode\n" + "".join(f"{row['label']},{country[row['file']]}\n"
                                                                     for row in known))
    assert prior("build", "monkeys.csv", "-o", "monkeys.npz", "--cells", "country").returncode == 0
    table = read_ranges(Path("monkeys.npz"))
    names = sorted({row["label"] for row in known})
    tests = [(names.index(row["label"]), country[row["file"]]) for row in rows
             if row["split"] == "test" and row["leaks_from_train"] == "0"]
    told = [table.log_prior(names, country=code) for _, code in tests]
    right = sum(int(log.argmax()) == label for log, (label, _) in zip(told, tests, strict=True)) / len(tests)
    loss = -sum(float(log[label]) for log, (label, _) in zip(told, tests, strict=True)) / len(tests)
    assert len(names) == 10 and len(tests) > 150
    assert right > 0.55 and loss < 1.15, f"{right:.3f}, {loss:.3f} nats, where chance has 0.1 and 2.3"
    assert all(table.mask(names, country=code, enough=5)[label] for label, code in tests)
