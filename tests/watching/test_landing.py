"""When a file has landed: with a clock that the test turns."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from vtk.watching import landing as landings
from vtk.watching.landing import OLD, PATIENCE, Landing, is_being_written

SETTLE = 10.0


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def taken(landing: Landing) -> list[tuple[str, bool]]:
    found = []
    while (one := landing.take()) is not None:
        found.append(one)
    return found


def test_a_file_lands_when_it_was_left_alone(tmp_path: Path, clock: Clock) -> None:
    landing = Landing(str(tmp_path), SETTLE, clock)
    (tmp_path / "a.mp4").write_bytes(b"half")
    landing.look(["a.mp4"])
    assert landing.next_in() == SETTLE
    clock.now += 9
    (tmp_path / "a.mp4").write_bytes(b"half and half")
    landing.look(["a.mp4"])
    clock.now += 9
    assert taken(landing) == []
    assert landing.next_in() == 1
    clock.now += 1
    assert taken(landing) == [("a.mp4", False)]
    landing.look_at_all()
    clock.now += 100
    assert taken(landing) == [], "once"
    assert landing.next_in() == float("inf")


def test_a_change_of_the_folder_itself_gives_no_file_a_second_name(tmp_path: Path, clock: Clock) -> None:
    """Its rights, say: the system then tells of ``.``."""
    landing = Landing(str(tmp_path), SETTLE, clock)
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.mp4").write_bytes(b"a")
    (tmp_path / "sub" / "b.mp4").write_bytes(b"b")
    landing.look_at_all()
    landing.look([".", "sub"])
    clock.now += SETTLE
    assert taken(landing) == [("a.mp4", False), ("sub/b.mp4", False)]
    landing.look(["."])
    clock.now += SETTLE
    assert taken(landing) == []


def test_a_change_that_nobody_told_of_is_seen_before_the_file_is_taken(tmp_path: Path, clock: Clock) -> None:
    landing = Landing(str(tmp_path), SETTLE, clock)
    (tmp_path / "a.mp4").write_bytes(b"half")
    landing.look_at_all()
    (tmp_path / "a.mp4").write_bytes(b"half and half")
    clock.now += 10
    assert taken(landing) == []
    clock.now += 10
    assert taken(landing) == [("a.mp4", False)]


def test_what_changes_later_lands_again_and_what_is_gone_does_not(tmp_path: Path, clock: Clock) -> None:
    landing = Landing(str(tmp_path), SETTLE, clock)
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (tmp_path / name).write_bytes(b"one")
    landing.look_at_all()
    (tmp_path / "b.mp4").unlink()
    clock.now += 10
    assert taken(landing) == [("a.mp4", False), ("c.mp4", False)]
    (tmp_path / "a.mp4").write_bytes(b"other")
    (tmp_path / "c.mp4").chmod(0o600)
    (tmp_path / "b.mp4").write_bytes(b"one again")
    landing.look_at_all()
    clock.now += 10
    # New rights are no other content: whether it was done is asked of its records.
    assert taken(landing) == [("a.mp4", True), ("b.mp4", False), ("c.mp4", False)]
    (tmp_path / "a.mp4").unlink()
    landing.look(["a.mp4", "nothing.mp4"])
    assert not landing.waiting


def test_files_that_lay_there_long_are_not_waited_for(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
                                                      ) -> None:
    landing = Landing(str(tmp_path), SETTLE, clock)
    for name in ("b.mp4", "a.mp4"):
        (tmp_path / name).write_bytes(b"x")
    real = time.time
    monkeypatch.setattr(landings.time, "time", lambda: real() + OLD + 1)
    landing.look_at_all()
    assert taken(landing) == [("a.mp4", False), ("b.mp4", False)]
    monkeypatch.setattr(landings.time, "time", lambda: real() - 3600)  # another machine's clock is ahead of ours
    (tmp_path / "a.mp4").write_bytes(b"y")
    landing.look_at_all()
    assert taken(landing) == [] and landing.next_in() == SETTLE


@pytest.mark.parametrize("name", [".a.mp4", "a.mp4.part", "a.part.mp4", "A.TMP.MP4", "a.crdownload", ".in/a.mp4", "a.txt",
                                  "a.temp.mkv", "notes", "in/.b/c.mp4"])
def test_names_of_what_is_not_finished_or_no_media_are_passed_over(name: str, tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    landing = Landing(str(tmp_path), SETTLE, clock)
    landing.look_at_all()
    landing.look([name])
    assert not landing.waiting


def test_folders_links_and_other_things(tmp_path: Path, clock: Clock) -> None:
    place = tmp_path / "in"
    (place / "deep" / "er").mkdir(parents=True)
    (place / "deep" / "er" / "a.mp4").write_bytes(b"x")
    (tmp_path / "real.mp4").write_bytes(b"x")
    (place / "link.mp4").symlink_to(tmp_path / "real.mp4")
    (place / "gone.mp4").symlink_to(tmp_path / "nothing.mp4")
    (place / "deep" / "loop").symlink_to(place)
    (place / "folder.mp4").mkdir()
    os.mkfifo(place / "pipe.mp4")
    (place / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"x")
    landing = Landing(str(place), SETTLE, clock)
    landing.look_at_all()
    assert sorted(landing.waiting) == [os.fsdecode(b"caf\xe9.mp4"), "deep/er/a.mp4", "link.mp4"]
    other = Landing(str(place), SETTLE, clock)
    other.look(["deep", "folder.mp4", "link.mp4"])
    assert sorted(other.waiting) == ["deep/er/a.mp4", "link.mp4"]


def test_a_file_that_is_open_for_writing_is_waited_for_longer(tmp_path: Path, clock: Clock,
                                                              monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"x")
    monkeypatch.setattr(landings, "is_being_written", lambda path: True)
    landing = Landing(str(tmp_path), SETTLE, clock)
    landing.look_at_all()
    for _ in range(PATIENCE - 1):
        clock.now += SETTLE
        assert taken(landing) == []
    clock.now += SETTLE
    assert taken(landing) == [("a.mp4", False)], "not for ever"


def test_the_system_knows_who_writes(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with path.open("wb") as file:
        file.write(b"x")
        file.flush()
        if not is_being_written(str(path)):
            pytest.skip("this file system gives no leases")
        with path.open("rb"):
            assert is_being_written(str(path))
    with path.open("rb"):
        assert not is_being_written(str(path))
    assert not is_being_written(str(tmp_path / "nothing.mp4"))


def test_thousands_at_once_are_each_taken_once_and_in_order(tmp_path: Path, clock: Clock) -> None:
    names = [f"{number:04}.png" for number in range(3000)]
    for name in names:
        (tmp_path / name).touch()
    landing = Landing(str(tmp_path), SETTLE, clock)
    landing.look(reversed(names))
    landing.look_at_all()
    clock.now += SETTLE
    assert taken(landing) == [(name, False) for name in names]
