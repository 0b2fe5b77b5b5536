"""``vtk detect-copy``: what it opens by itself, references before the run and both videos' ends, it opens as the run does."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import cv2
import pytest
from filmed import Part, film, picture

from vtk.cli import load
from vtk.copies import collecting
from vtk.copies.sought import Place
from vtk.copies.stage import CopyStage
from vtk.driver import Opening
from vtk.driver.run import run

Opened = list[tuple[object, ...]]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a film, the same second by second, a video that shows part of it, and a library."""
    folder = tmp_path_factory.mktemp("copies")
    (folder / "films" / "frames").mkdir(parents=True)
    film(folder / "films" / "1.mp4", [Part(1, 0, 30)])
    film(folder / "query.mp4", [Part(9, 0, 8), Part(1, 10, 22)])
    for index in range(80):
        cv2.imwrite(str(folder / "films" / "frames" / f"{index:03}.png"), picture(1, 10 + index / 8)[:, :, ::-1])
    load("library").main(["add", "films/1.mp4", "--root", str(folder), "--library", str(folder / "films.lance"),
                          "--descriptor", "dct"], standalone_mode=False)  # fmt: skip
    return folder


@pytest.fixture
def openings(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Return what is noted of each source that is opened beside the run's own: name, decoder, timeout, root, framerate."""
    noted: Opened = []
    real = collecting.open_media

    def opened(name: str, decoder: str, threads: int | None, timeout: float, *where: object) -> object:
        noted.append((name, decoder, timeout, *where))
        return real(name, decoder, threads, timeout, *where)

    monkeypatch.setattr(collecting, "open_media", opened)
    return noted


@pytest.mark.parametrize("more", [(), ("--no-refine",)])
def test_a_pipe_opens_references_and_ends_as_the_command_alone(
        place: Path, tmp_path: Path, openings: Opened, more: tuple[str, ...], monkeypatch: pytest.MonkeyPatch,
        capfdbinary: pytest.CaptureFixture[bytes]) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    words = ("--root", str(place), "--decoder", "opencv", "--timeout", "7", "--framerate", "8")
    own = ("--refs", "films/1.mp4", "--refs", "seq:films/frames", "--descriptor", "dct", *more)
    load("detect-copy").main(["query.mp4", *own, *words], standalone_mode=False)
    alone, noted = capfdbinary.readouterr(), openings.copy()
    openings.clear()
    load("pipe").main([f"detect-copy {' '.join(own)}", "query.mp4", *words], standalone_mode=False)
    assert capfdbinary.readouterr() == alone and alone.err == b""
    refs = [record["ref"] for record in map(json.loads, alone.out.splitlines()) if record["type"] == "copy"]
    assert refs == ["films/1.mp4", "seq:films/frames"]
    assert openings == noted and {each[0] for each in noted} == {*refs, *(() if more else ("query.mp4",))}
    assert {each[1:] for each in noted} == {("opencv", 7.0, str(place), 8.0)}


def test_folders_of_a_pipe_s_references_are_looked_for_in_its_root(
        place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "films").mkdir()
    shutil.copy(place / "query.mp4", tmp_path / "films" / "no.mp4")
    monkeypatch.chdir(tmp_path)
    load("pipe").main(["detect-copy --refs films/*.mp4 --descriptor dct", "query.mp4", "--root", str(place)],
                      standalone_mode=False)  # fmt: skip
    records = [*map(json.loads, capfdbinary.readouterr().out.splitlines())]
    assert [each["ref"] for each in records if each["type"] == "copy"] == ["films/1.mp4"]


def test_what_the_driver_opens_by_reaches_the_ends(place: Path, openings: Opened) -> None:
    opening = Opening("opencv", timeout=7.0, root=str(place))
    records = run([CopyStage(Place(library=str(place / "films.lance")))], ["query.mp4"], opening=opening)
    assert [each["ref"] for each in records if each["type"] == "copy"] == ["films/1.mp4"]
    assert {each[0] for each in openings} == {"query.mp4", "films/1.mp4"}
    assert {each[1:] for each in openings} == {("opencv", 7.0, str(place), None)}
