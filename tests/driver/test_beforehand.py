"""Pictures that are opened before their turn, and what is left for it."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip

from vtk.driver import beforehand
from vtk.driver.beforehand import Beforehand, with_next
from vtk.driver.stage import Opening
from vtk.errors import MediaError
from vtk.media import video
from vtk.media.image import write_image

WAIT = 30.0  # seconds after which a test gives up


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the sources that are opened, each with the thread that does so."""
    found: list[tuple[str, str]] = []
    original = video.open_media

    def noted(name: str, **how: object) -> object:
        found.append((Path(name).name, threading.current_thread().name))
        return original(name, **how)

    monkeypatch.setattr(video, "open_media", noted)
    return found


@pytest.fixture(autouse=True)
def of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take files of a few bytes for such as take a while."""
    monkeypatch.setattr(beforehand, "SMALLEST", 1)


def pictures(folder: Path, *names: str) -> list[str]:
    for number, name in enumerate(names):
        write_image(folder / name, np.full((4, 5 + number, 3), 9, np.uint8))
    return [str(folder / name) for name in names]


def begun(ahead: Beforehand) -> None:
    """Wait until what is opened before its turn is open."""
    assert ahead._begun is not None
    ahead._begun[1].join(WAIT)


def test_the_next_picture_is_opened_beside_the_one_before(tmp_path: Path, opened: list[tuple[str, str]]) -> None:
    names = pictures(tmp_path, "a.png", "b.png", "c.png")
    ahead, widths = Beforehand(Opening()), []
    for name, following in with_next(names):
        ahead.expect(following)
        widths.append(ahead.open(name).info.width)
        if following:
            begun(ahead)
            assert opened[-1] == (Path(following).name, "vtk-open"), "before it is asked for"
    assert widths == [5, 6, 7] and len(opened) == 3


def test_what_fails_fails_in_its_turn(tmp_path: Path) -> None:
    names = pictures(tmp_path, "a.png", "b.png", "c.png")
    Path(names[1]).write_bytes(Path(names[1]).read_bytes()[:60])
    ahead = Beforehand(Opening())
    ahead.expect(names[1])
    assert ahead.open(names[0]).info.width == 5
    ahead.expect(names[2])
    with pytest.raises(MediaError, match="is a damaged image"):
        ahead.open(names[1])
    ahead.expect(None)
    assert ahead.open(names[2]).info.width == 7


def test_what_is_whole_by_its_turn_is_read(tmp_path: Path) -> None:
    """A picture may still be on its way when the one before is opened."""
    names = pictures(tmp_path, "a.png", "b.png")
    whole = Path(names[1]).read_bytes()
    Path(names[1]).write_bytes(whole[:60])
    ahead = Beforehand(Opening())
    ahead.expect(names[1])
    ahead.open(names[0])
    begun(ahead)
    Path(names[1]).write_bytes(whole)
    assert ahead.open(names[1]).info.width == 6


def test_without_a_thread_to_be_had_all_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refused)
    names, ahead = pictures(tmp_path, "a.png", "b.png"), Beforehand(Opening())
    ahead.expect(names[1])
    assert [ahead.open(name).info.width for name in names] == [5, 6]


def test_behind_a_film_nothing_is_read(tmp_path: Path, opened: list[tuple[str, str]]) -> None:
    """The picture would be held as long as the film lasts."""
    names, clip, ahead = pictures(tmp_path, "a.png"), make_clip(tmp_path / "film.mp4", frames=2), Beforehand(Opening())
    ahead.expect(names[0])
    ahead.open(str(clip)).close()
    assert ahead._begun is None and len(opened) == 1
    assert ahead.open(names[0]).info.width == 5


def test_names_are_of_the_root(tmp_path: Path, opened: list[tuple[str, str]]) -> None:
    pictures(tmp_path, "a.png", "b.png")
    ahead = Beforehand(Opening(root=str(tmp_path)))
    ahead.expect("b.png")
    ahead.open("a.png")
    begun(ahead)
    assert ahead.open("b.png").info.width == 6 and opened[-1] == ("b.png", "vtk-open")


def test_large_pictures_wait_for_their_turn(
        tmp_path: Path, opened: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """Two of them would be held at once."""
    names = pictures(tmp_path, "a.png", "b.png")
    monkeypatch.setattr(beforehand, "LARGEST", 4 * 6 - 1)
    ahead = Beforehand(Opening())
    ahead.expect(names[1])
    ahead.open(names[0])
    begun(ahead)
    assert len(opened) == 1
    assert ahead.open(names[1]).info.width == 6 and opened[-1] == ("b.png", "MainThread")


def test_small_files_and_missing_ones_wait_for_their_turn(
        tmp_path: Path, opened: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch) -> None:
    """To decode one beside the network costs more than it gains."""
    names = pictures(tmp_path, "a.png", "b.png")
    monkeypatch.setattr(beforehand, "SMALLEST", Path(names[1]).stat().st_size + 1)
    ahead = Beforehand(Opening())
    for following in (names[1], str(tmp_path / "none.png")):
        ahead.expect(following)
        ahead.open(names[0])
        assert ahead._begun is None
    assert [each[1] for each in opened] == ["MainThread", "MainThread"]


def test_another_source_may_come_than_was_expected(tmp_path: Path, opened: list[tuple[str, str]]) -> None:
    names = pictures(tmp_path, "a.png", "b.png", "c.png")
    ahead = Beforehand(Opening())
    ahead.expect(names[1])
    ahead.open(names[0])
    assert ahead.open(names[2]).info.width == 7


def test_films_are_opened_in_their_turn(tmp_path: Path, opened: list[tuple[str, str]]) -> None:
    names = pictures(tmp_path, "a.png")
    ahead = Beforehand(Opening())
    ahead.expect("film.mp4")
    ahead.open(names[0])
    assert ahead._begun is None and len(opened) == 1


def test_a_list_that_is_not_there_yet_is_not_waited_for() -> None:
    asked = []

    def sources():
        for name in ("a", "b"):
            asked.append(name)
            yield name

    assert [(pair, list(asked)) for pair in with_next(sources())] == [
        (("a", None), ["a"]), (("b", None), ["a", "b"])]
    assert list(with_next(["a", "b"])) == [("a", "b"), ("b", None)]
    assert list(with_next([])) == []
