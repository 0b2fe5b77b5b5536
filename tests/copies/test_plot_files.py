"""Pictures of a run: each where its pair's name says, with what the records say, and none in the place of another."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from filmed import Part, film

from vtk.cli import load
from vtk.copies import plot as plots_drawn
from vtk.copies.footprint import Footprint
from vtk.copies.matches import Match
from vtk.copies.plot import Map
from vtk.copies.plot_files import Plots
from vtk.copies.similarity import Entries
from vtk.errors import UsageError

NOTHING = Entries(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.float32), (4, 4))


def footprint(name: str) -> Footprint:
    return Footprint(name, np.arange(4), np.arange(4.0), np.ones((4, 2), np.float32), np.ones(4, np.float32), 4.0, 25.0,
                     32, 24, "x@y")  # fmt: skip


def draw(folder: Path, query: str, *references: str, mirrored: bool = False, matches: tuple[Match, ...] = ()) -> None:
    drawing = Plots(folder).drawing()
    for reference in references:
        drawing.seen(footprint(query), footprint(reference), NOTHING, mirrored)
    drawing.write(matches)


def files(folder: Path) -> list[str]:
    return sorted(os.fspath(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_videos_of_one_base_name_have_their_own_pictures(tmp_path: Path) -> None:
    sources = ["a/film.mp4", "b/film.mp4", "/b/film.mp4", "film.mkv", "https://host/film.mp4?x=" + "y" * 600]
    for source in sources:
        draw(tmp_path, source, "r/one.mp4", "s/one.mp4")
        draw(tmp_path, source, "r/one.mp4", mirrored=True)
    found = files(tmp_path)
    assert len(found) == 3 * len(sources) and sum(name.startswith("b/film.mp4/film--one--") for name in found) == 6
    assert all(name.endswith(".png") and max(map(len, name.split("/"))) <= 200 for name in found)


def test_a_picture_shows_the_matches_of_its_pair_and_view(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Match("r", 0, 2, 0, 2, 0.9, 1.0), Match("r", 0, 2, 2, 4, 0.9, 1.0, hflip=True)
    drawn: list[tuple[str, tuple[Match, ...]]] = []
    monkeypatch.setattr(plots_drawn, "plot", lambda found, own: drawn.append((found.reference, tuple(own)))
                        or np.zeros((4, 4, 3), np.uint8))  # fmt: skip
    draw(tmp_path, "q", "r", "s", matches=(one, other))
    draw(tmp_path, "q", "r", mirrored=True, matches=(one, other))
    assert drawn == [("r", (one,)), ("s", ()), ("r", (other,))]


def test_what_would_be_replaced_is_refused_and_nothing_else(tmp_path: Path) -> None:
    draw(tmp_path, "a/film.mp4", "r.mp4", mirrored=True)
    (tmp_path / "a" / "film.mp4" / "other--0123.png").touch()
    (tmp_path / "file.mp4").touch()
    plots, asked = Plots(tmp_path), list[str]()

    def references(source: str) -> list[str]:
        asked.append(source)
        return ["s.mp4", "r.mp4"]

    plots.check(["b/film.mp4", "film.mp4", "a", "file.mp4"], references)
    assert asked == [], "references are read where there are pictures of a source"
    plots.check(["a/film.mp4"], lambda source: ["s.mp4", "film.mp4"])
    with pytest.raises(UsageError, match=r"a/film\.mp4/film--r--.*--mirrored\.png exists: --overwrite replaces it$"):
        plots.check(["b/film.mp4", "a/film.mp4"], references)
    Plots(tmp_path, overwrite=True).check(["a/film.mp4"], references)
    draw(tmp_path, "a/film.mp4", "a/film.mp4")
    plots.check(["a/film.mp4"], lambda source: ["s.mp4"])
    with pytest.raises(UsageError, match="film--film"):
        plots.check(["a/film.mp4"], lambda source: ["s.mp4"], own=True)


def test_a_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for place in (tmp_path / "file", tmp_path / "file" / "plots"):
        with pytest.raises(UsageError, match="--plot .*; name a folder"):
            Plots(place).prepare()
    (tmp_path / "q.mp4").touch()
    with pytest.raises(UsageError, match="name a folder"):
        draw(tmp_path, "q.mp4", "r.mp4")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[..., list[dict]]:
    """Return a function that runs detect-copy by dct, draws into plots, and gives its copies."""
    monkeypatch.chdir(tmp_path)

    def detect(*words: str) -> list[dict]:
        capfdbinary.readouterr()
        command = load("detect-copy")
        command.main([*words, "--plot", "plots", "--descriptor", "dct"], prog_name="vtk detect-copy",
                     standalone_mode=False)  # fmt: skip
        records = map(json.loads, capfdbinary.readouterr().out.splitlines())
        return [record for record in records if record["type"] == "copy"]

    return detect


def test_pictures_show_what_records_say_and_runs_replace_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                              run: Callable[..., list[dict]]) -> None:
    shown: dict[tuple[str, str, bool], list[Match]] = {}
    real = plots_drawn.plot

    def noted(found: Map, matches: list[Match]) -> np.ndarray:
        for match in matches:
            shown.setdefault((found.query, found.reference, match.hflip), []).append(match)
        return real(found, matches)

    monkeypatch.setattr(plots_drawn, "plot", noted)
    film(tmp_path / "r.mp4", [Part(1, 0, 30)])
    for folder, part in (("a", Part(1, 5.3, 18.1)), ("b", Part(1, 8.3, 22, hflip=True))):
        (tmp_path / folder).mkdir()
        film(tmp_path / folder / "q.mp4", [Part(9, 0, 3.4), part])
    words = ("a/q.mp4", "b/q.mp4", "--refs", "r.mp4", "--hflip")
    copies = run(*words, "--end", "15.25")
    assert [copy["source"] for copy in copies] == ["a/q.mp4", "b/q.mp4"] and len(shown) == 2
    for copy in copies:
        (match,) = shown[copy["source"], "r.mp4", copy["transform"]["hflip"]]
        sides = (match.start, match.end, match.ref_start, match.ref_end)
        assert [round(side, 3) for side in sides] == [copy[key] for key in ("start", "end", "ref_start", "ref_end")]
    found = files(tmp_path / "plots")
    assert [name.split("/")[0] for name in found] == ["a", "b"] and found[1].endswith("--mirrored.png")
    assert all(cv2.imread(str(tmp_path / "plots" / name)).size for name in found)
    for more in (("-o", "out.jsonl"), ("--dry-run",)):
        with pytest.raises(UsageError, match="exists: --overwrite replaces it"):
            run(*words, *more)
    assert not (tmp_path / "out.jsonl").exists() and not (tmp_path / "out.jsonl.part").exists()
    assert len(run(*words, "--overwrite")) == 2 and files(tmp_path / "plots") == found
    pairs = ("a/q.mp4", "r.mp4", "--all-pairs")  # a pair the other way round is another
    assert len(run(*pairs)) == 1 and len(files(tmp_path / "plots")) == 3
    with pytest.raises(UsageError, match="plots/r.mp4/r--q--.* exists"):
        run(*pairs)
