"""Tables of where and when: as spreadsheets write them, matched as files are named, wrong rows named by line."""

from __future__ import annotations

import gzip
import os
from datetime import date
from pathlib import Path

import pytest

from vtk.errors import UsageError
from vtk.species.sidecar import Row, Sidecar

HEAD = "file,lat,lon,country,date"
GOOD = Row(2, 52.5, 13.4, "DE", date(2026, 5, 1))


def written(path: Path, *rows: str, head: str = HEAD, encoding: str = "utf-8") -> Path:
    path.write_bytes("\r\n".join([head, *rows, ""]).encode(encoding))
    return path


def of(path: Path, name: str, group: str = "") -> Row | None:
    """Return the row of a file beside its table."""
    return Sidecar(path, group).of(os.fspath(path.parent / name), os.fspath(path.parent / name))


@pytest.mark.parametrize(("head", "row"), [
    (HEAD, "a.jpg,52.5,13.4,DE,2026-05-01"), (HEAD, '"a.jpg" ,52.5, 13.4 ,de,2026-05-01T23:10:00+02:00'),
    ("\ufefffile;lat;lon;country;date", "a.jpg;52.5;13.4;DE;2026-05-01"),
    ("file\tlat\tlon\tcountry\tdate", "a.jpg\t52.5\t13.4\tDE\t2026-05-01 04:05"),
    ("Date,Longitude,FILE,Latitude,CountryCode,remarks", "2026-05-01,13.4,./a.jpg,52.5,DE,at dusk"),
    ("file,decimalLatitude,decimalLongitude,countryCode,eventDate", "x/../a.jpg,52.5,13.4,DE,20260501")])
def test_as_people_write_them(tmp_path: Path, head: str, row: str) -> None:
    assert of(written(tmp_path / "t.csv", row, head=head), "a.jpg") == GOOD


def test_packed(tmp_path: Path) -> None:
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(f"{HEAD}\na.jpg,52.5,13.4,DE,2026-05-01\n".encode()))
    assert of(tmp_path / "t.csv.gz", "a.jpg") == GOOD


def test_empty_cells_say_nothing(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a.jpg,,,,", "", "b.jpg, , , ,")
    assert of(path, "a.jpg") == Row(2, None, None, None, None)
    assert of(path, "b.jpg") == Row(4, None, None, None, None)
    assert of(path, "c.jpg") is None


@pytest.mark.parametrize(("row", "says"), [
    ("a.jpg,91,13.4,DE,", "the place is latitude 91, longitude 13.4: no such place"),
    ("a.jpg,52.5,-180.1,DE,", "the place is latitude 52.5, longitude -180.1: no such place"),
    ("a.jpg,nan,13.4,DE,", "the place is latitude nan, longitude 13.4: no such place"),
    ("a.jpg,inf,inf,DE,", "the place is latitude inf, longitude inf: no such place"),
    ("a.jpg,52.5,,DE,", "the place has a latitude and no longitude: give both or neither"),
    ("a.jpg,,13.4,DE,", "the place has a longitude and no latitude: give both or neither"),
    ("a.jpg,0,0.0,,", "the place is 0, 0, which is written where nobody knew it: leave both empty"),
    ('a.jpg,"52,5","13,4",DE,', "lat is '52,5', no number: write 52.5, with a point"),
    ("a.jpg,52.5,13°24',DE,", "lon is '13°24'', no number: expected degrees"),
    ("a.jpg,,,Germany,", "country is 'Germany': expected two letters of ISO 3166-1, such as DE"),
    ("a.jpg,,,ZZ,", "country is 'ZZ': expected two letters"),
    ("a.jpg,,,XX,", "country is 'XX': expected two letters"),
    ("a.jpg,,,UK,", "country is 'UK': expected two letters of ISO 3166-1, such as DE, or GB for the United Kingdom"),
    ("a.jpg,,,,01.05.2026", "date is '01.05.2026': expected YYYY-MM-DD, such as 2026-05-01"),
    ("a.jpg,,,,2026-05", "date is '2026-05': expected YYYY-MM-DD"),
    ("a.jpg,,,,2026-02-30", "date is '2026-02-30': expected YYYY-MM-DD"),
    ("a.jpg,,,,2199-05-01", "date is 2199-05-01, in the future: expected a day up to"),
    (",52.5,13.4,DE,", "file is empty"),
    ("a.jpg,52,5,13,4,DE,", "7 fields, expected 5"), ("a.jpg,52.5", "2 fields, expected 5"),
    ("good.jpg,52.5,13.4,DE,", "good.jpg is listed in line 2 already"),
    ("./x/../good.jpg,52.5,13.4,DE,", "good.jpg is listed in line 2 already"),
    ("file://elsewhere/a.jpg,,,DE,", "file URI names the host 'elsewhere'")])
def test_wrong_rows_are_refused_by_line(tmp_path: Path, row: str, says: str) -> None:
    path = written(tmp_path / "t.csv", "good.jpg,52.5,13.4,DE,2026-05-01", row)
    with pytest.raises(UsageError) as caught:
        Sidecar(path)
    assert str(caught.value).startswith(f"{path}, line 3: {says}") and "\n" not in str(caught.value)


@pytest.mark.parametrize(("head", "says"), [
    ("picture,lat,lon", "has no column file: there is picture, lat, lon"),
    ("file,label", "has none of the columns lat and lon, country, date: there is file, label"),
    ("file,lat,lon,LAT", "two columns are called lat: leave one")])
def test_wrong_columns(tmp_path: Path, head: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        Sidecar(written(tmp_path / "t.csv", "a,1,2,3", head=head))
    assert says in str(caught.value)


def test_half_of_a_place_as_columns(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a.jpg,52.5", head="file,lat")
    with pytest.raises(UsageError, match="line 2: the place has a latitude and no longitude"):
        Sidecar(path)


@pytest.mark.parametrize(("content", "says"), [
    (None, "cannot be read: No such file"), (b"", "empty: a table begins with the names of its columns"),
    (HEAD.encode(), "lists no file"), (f"{HEAD}\na.jpg,1,2,DE,\n".encode("utf-16"), "not UTF-8"),
    (f"{HEAD}\nb\xe4r.jpg,1,2,DE,\n".encode("latin-1"), "line 2: not UTF-8: iconv -f LATIN1 -t UTF-8"),
    (f"{HEAD},gr\xf6\xdfe\n".encode("latin-1"), "names of its columns are not UTF-8"),
    (b"\x1f\x8b no gzip", "cannot be read"), (b"\x89PNG\0\0", "not UTF-8")])
def test_files_that_are_no_tables(tmp_path: Path, content: bytes | None, says: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(UsageError) as caught:
        Sidecar(tmp_path / "t.csv")
    assert says in str(caught.value) and str(tmp_path / "t.csv") in str(caught.value)


def test_a_remark_in_another_encoding_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes(f"{HEAD},remarks\na.jpg,52.5,13.4,DE,2026-05-01,sch\xf6n\n".encode("latin-1"))
    assert of(tmp_path / "t.csv", "a.jpg") == GOOD


def test_files_are_found_from_wherever_they_are_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "den").mkdir()
    (tmp_path / "den" / "a.jpg").touch()
    table = Sidecar(written(tmp_path / "t.csv", "den/a.jpg,52.5,13.4,DE,2026-05-01"))
    monkeypatch.chdir(tmp_path)
    names = ("den/a.jpg", "./den/a.jpg", "den//a.jpg", f"{tmp_path}/den/a.jpg", "../" + tmp_path.name + "/den/a.jpg")
    assert [table.of(name, name) for name in names] == [GOOD] * 5
    monkeypatch.chdir(tmp_path / "den")
    assert table.of("a.jpg", "a.jpg") == table.of("../den/a.jpg", "../den/a.jpg") == GOOD
    assert table.of("b.jpg", "b.jpg") is None


def test_files_are_found_by_the_name_that_is_typed(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    path = written(tmp_path / "tables" / "t.csv", "den/a.jpg,52.5,13.4,DE,2026-05-01", "http://h/b.jpg,,,FI,",
                   "seq:den/frames,,,SE,", "webcam:0,,,NO,")
    table = Sidecar(path)
    assert table.of("den/a.jpg", "/data/den/a.jpg") == table.of("./den/a.jpg", "/data/./den/a.jpg") == GOOD  # --root
    countries = {"http://h/b.jpg": "FI", "seq:den/frames": "SE", "webcam:0": "NO"}
    assert {name: row.country for name in countries if (row := table.of(name, name))} == countries
    frames = f"seq:{path.parent}/den/frames"
    assert (row := table.of(frames, frames)) is not None and row.country == "SE"
    # The file that the table means is there: another one of that name is not it.
    (path.parent / "den").mkdir()
    (path.parent / "den" / "a.jpg").touch()
    assert table.of("den/a.jpg", "/data/den/a.jpg") is None


def test_groups(tmp_path: Path) -> None:
    path = written(tmp_path / "t.csv", "a.jpg,fox 1", "b.jpg,", head="file,animal")
    assert [row.group for name in ("a.jpg", "b.jpg") if (row := of(path, name, "animal"))] == ["fox 1", ""]
    assert Sidecar(path, "animal").hash != Sidecar(written(tmp_path / "u.csv", "a.jpg,fox 2", "b.jpg,",
                                                           head="file,animal"), "animal").hash
