"""Where and when sources were taken: options before the table, the table before the file; and observations."""

from __future__ import annotations

import os
import pickle
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from tagged import BERLIN, clip, picture

from vtk.driver.stage import Opening, Source
from vtk.errors import UsageError
from vtk.media.names import source_name
from vtk.species.whereabouts import Finder, Whereabouts

MAY = date(2020, 5, 1)
IN_EXIF = (52.50833, 13.4)


def table(path: Path, *rows: str, head: str = "file,lat,lon,country,date") -> Path:
    """Write a table of UTF-8."""
    path.write_text("\n".join([head, *rows]) + "\n", encoding="utf-8")
    return path


def found(finder: Finder, name: str | Path, root: Path | None = None) -> Whereabouts:
    """Return what a finder says of a source without anything that was wrong."""
    where, errors = finder.of(Source(os.fspath(name), opening=Opening(root=os.fspath(root) if root else None)))
    assert errors == []
    return where


def place(where: Whereabouts) -> tuple[float, float] | None:
    return None if where.latitude is None else (round(where.latitude, 5), round(where.longitude or 0, 5))


@pytest.fixture
def fox(tmp_path: Path) -> Path:
    """Return a picture of Berlin on the first of May 2020."""
    return picture(tmp_path / "fox.jpg", gps=BERLIN)


def test_a_file_speaks_for_itself(fox: Path) -> None:
    where = found(Finder(), fox)
    assert place(where) == IN_EXIF and where.day == MAY and where.country is None and where.observation == ""
    assert found(Finder(embedded=False), fox) == Whereabouts()


def test_videos_and_what_is_no_file(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", {"location": "+52.5+013.4/", "creation_time": "2020-05-01T10:00:00Z"})
    assert found(Finder(), path) == Whereabouts(52.5, 13.4, None, MAY)
    for name in ("http://localhost:1/a.jpg", "webcam:0"):
        assert found(Finder(group="folder"), name) == found(Finder(group="time"), name) == Whereabouts()


def test_options_come_before_the_table_and_the_table_before_the_file(fox: Path) -> None:
    rows = table(fox.parent / "t.csv", "fox.jpg,61.5,23.8,fi,2021-06-02")
    assert found(Finder(table=rows), fox) == Whereabouts(61.5, 23.8, "FI", date(2021, 6, 2))
    every = Finder(1.5, 2.5, "gh", date(2019, 1, 2), rows)
    assert found(every, fox) == Whereabouts(1.5, 2.5, "GH", date(2019, 1, 2))


@pytest.mark.parametrize(("row", "expected"), [
    ("fox.jpg,,,,", (IN_EXIF, None, MAY)), ("fox.jpg,,,DE,", (IN_EXIF, "DE", MAY)),
    ("fox.jpg,61.5,23.8,,", ((61.5, 23.8), None, MAY)), ("fox.jpg,,,,2021-06-02", (IN_EXIF, None, date(2021, 6, 2))),
    ("hare.jpg,61.5,23.8,FI,2021-06-02", (IN_EXIF, None, MAY))])
def test_what_one_lacks_the_next_gives(fox: Path, row: str, expected: tuple[Any, ...]) -> None:
    where = found(Finder(table=table(fox.parent / "t.csv", row)), fox)
    assert (place(where), where.country, where.day) == expected


def test_a_country_goes_with_its_own_place(fox: Path) -> None:
    """Coordinates of the command line lie where they lie, whatever country the table has for the file."""
    rows = table(fox.parent / "t.csv", "fox.jpg,,,FI,")
    assert found(Finder(1.5, 2.5, table=rows), fox).country is None
    assert found(Finder(country="DE", table=rows), fox).country == "DE"


def test_latitude_and_longitude_are_never_mixed(tmp_path: Path) -> None:
    half = picture(tmp_path / "half.jpg", gps={1: "N", 2: (52.0, 0.0, 0.0)})
    where, [error] = Finder(country="DE").of(Source(os.fspath(half)))
    assert where == Whereabouts(None, None, "DE", MAY)
    assert (error.code, str(error)) == ("E_WHERE", "its GPS place has no longitude: no place is taken from it")
    with pytest.raises(UsageError, match="line 2: the place has a latitude and no longitude: give both or neither"):
        Finder(table=table(tmp_path / "t.csv", "half.jpg,52,,DE,"))


def test_what_lies_is_passed_over_and_said(tmp_path: Path) -> None:
    path = picture(tmp_path / "a.jpg", "2199:05:01 10:00:00", BERLIN | {2: (99.0, 0.0, 0.0)})
    where, errors = Finder(country="DE").of(Source(os.fspath(path)))
    assert where == Whereabouts(country="DE") and [error.code for error in errors] == ["E_WHERE"] * 2
    assert found(Finder(52.5, 13.4, day=MAY), path) == Whereabouts(52.5, 13.4, None, MAY)  # nobody asked it
    where, [error] = Finder(52.5, 13.4).of(Source(os.fspath(path)))
    assert "2199-05-01, in the future" in str(error) and where.day is None


@pytest.mark.parametrize(("options", "says"), [
    ({"latitude": 52.5}, "the place of --lat and --lon has a latitude and no longitude: give both or neither"),
    ({"longitude": 52.5}, "the place of --lat and --lon has a longitude and no latitude: give both or neither"),
    ({"latitude": 91.0, "longitude": 0.0}, "is latitude 91, longitude 0: no such place; expected degrees, -90 to 90"),
    ({"latitude": 1.0, "longitude": 180.5}, "is latitude 1, longitude 180.5: no such place"),
    ({"latitude": float("nan"), "longitude": 0.0}, "is latitude nan, longitude 0: no such place"),
    ({"latitude": 0.0, "longitude": float("-inf")}, "is latitude 0, longitude -inf: no such place"),
    ({"country": "Germany"}, "--country is 'Germany': expected two letters of ISO 3166-1, such as DE"),
    ({"day": date(2199, 5, 1)}, "--date is 2199-05-01, in the future: expected a day up to"),
    ({"group": "animal"}, "--group animal: it is folder, time or a column of a table, and no table is given"),
    ({"group": "time", "apart": -1.0}, "--apart -1: expected seconds, 0 or more"),
    ({"group": "time", "apart": float("nan")}, "--apart nan: expected seconds, 0 or more")])
def test_options_that_cannot_be(options: dict[str, Any], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Finder(**options)
    assert says in str(caught.value)


def test_tomorrow_is_today_elsewhere() -> None:
    tomorrow = date.today() + timedelta(1)
    assert found(Finder(day=tomorrow), "http://localhost:1/a.jpg").day == tomorrow


def test_the_hash_is_of_what_changes_results(tmp_path: Path) -> None:
    rows = table(tmp_path / "t.csv", "fox.jpg,61.5,23.8,FI,2021-06-02", head="file,lat,lon,country,date")
    other = table(tmp_path / "o.csv", "fox.jpg,61.5,23.8,FI,2021-06-03")
    finders = [Finder(), Finder(1.0, 2.0), Finder(2.0, 1.0), Finder(country="DE"), Finder(day=MAY), Finder(table=rows),
               Finder(table=other), Finder(embedded=False), Finder(group="folder"), Finder(group="time"),
               Finder(group="time", apart=5.0), Finder(group="date", table=rows)]
    assert len({finder.hash for finder in finders}) == len(finders)
    assert Finder(country="de", apart=5.0).hash == Finder(country="DE").hash  # neither changes anything
    moved = tmp_path / "elsewhere" / "t.csv"
    moved.parent.mkdir()
    os.rename(rows, moved)
    assert Finder(table=moved).hash == finders[5].hash == pickle.loads(pickle.dumps(finders[5])).hash


def test_a_folder_is_an_observation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("den/a.jpg", "den/b.jpg", "yard/a.jpg", "c.jpg"):
        picture(tmp_path / name)
    finder = Finder(group="folder")
    assert found(finder, tmp_path / "den" / "a.jpg").observation == f"{tmp_path}/den"
    monkeypatch.chdir(tmp_path)
    names = ("den/a.jpg", "den/b.jpg", "yard/a.jpg", "c.jpg", "file:den/a.jpg")
    assert [found(finder, name).observation for name in names] == ["den", "den", "yard", ".", "den"]


def test_the_root_of_names_is_not_part_of_an_observations(tmp_path: Path) -> None:
    picture(tmp_path / "den" / "a.jpg")
    assert found(Finder(group="folder"), "den/a.jpg", tmp_path).observation == "den"
    assert found(Finder(group="time"), "den/a.jpg", tmp_path).observation == "den/2020-05-01T10:20:30"


def test_pictures_shortly_after_one_another_are_an_observation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = {"a": "10:00:00", "z": "10:00:40", "b": "10:01:40", "c": "10:02:41", "d": "23:59:50"}
    for name, time in times.items():
        picture(tmp_path / "den" / f"{name}.jpg", f"2020:05:01 {time}")
    picture(tmp_path / "den" / "e.jpg", "2020:05:02 00:00:05")
    picture(tmp_path / "den" / "none.jpg", None)
    picture(tmp_path / "yard" / "a.jpg", "2020:05:01 10:00:01")
    clip(tmp_path / "den" / "f.mkv", {"creation_time": "2020-05-01T10:00:10Z"})
    monkeypatch.chdir(tmp_path)
    first, second, third = (f"den/2020-05-01T{time}" for time in ("10:00:00", "10:02:41", "23:59:50"))
    expected = {"a": first, "z": first, "b": first, "c": second, "d": third, "e": third, "none": ""}
    for names in (list(expected), list(expected)[::-1]):  # in whatever order they come
        finder = Finder(group="time")
        assert {name: found(finder, f"den/{name}.jpg").observation for name in names} == expected
    assert found(finder, "yard/a.jpg").observation == "yard/2020-05-01T10:00:01"
    assert found(finder, "den/f.mkv").observation == ""
    assert found(Finder(group="time"), "./den/../den/z.jpg").observation == first  # however it is typed
    strict = Finder(group="time", apart=39.0)
    assert [found(strict, f"den/{name}.jpg").observation[-8:] for name in "azb"] == ["10:00:00", "10:00:40", "10:01:40"]
    monkeypatch.chdir(tmp_path / "den")
    assert found(Finder(group="time", apart=0.0), "a.jpg").observation == "2020-05-01T10:00:00"


def test_a_burst_within_a_second_is_an_observation(tmp_path: Path) -> None:
    names = [picture(tmp_path / f"{number}.jpg") for number in range(3)]
    finder = Finder(group="time", apart=0.0)
    assert len({found(finder, name).observation for name in names}) == 1


def test_a_column_names_observations(tmp_path: Path) -> None:
    names = [picture(tmp_path / name) for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg")]
    rows = table(tmp_path / "t.csv", "a.jpg,old vixen", "b.jpg,old vixen", "c.jpg,", head="file,Animal")
    finder = Finder(table=rows, group="animal")
    assert [found(finder, name).observation for name in names] == ["old vixen", "old vixen", "", ""]
    assert found(finder, names[0]).day == MAY  # the rest comes from the file
    with pytest.raises(UsageError, match="has no column burrow, by which to group: there is file, Animal"):
        Finder(table=rows, group="burrow")


def test_names_that_are_not_utf8(tmp_path: Path) -> None:
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/d\xe9n")
    os.mkdir(folder)
    path = picture(Path(folder) / "a.jpg", gps=BERLIN)
    name = source_name(os.fspath(path))
    assert name.startswith("file:")
    assert found(Finder(group="folder"), name).observation == source_name(folder)
    assert found(Finder(group="time"), name).observation.encode("utf-8").endswith(b"/2020-05-01T10%3A20%3A30")
    rows = table(tmp_path / "t.csv", "file:d%E9n/a.jpg,61.5,23.8,,")
    assert place(found(Finder(table=rows), name)) == (61.5, 23.8)
