"""``vtk classify-species`` and input that is wrong: one clear line each, and the rest is answered."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from occurrence_tables import FOX, at, write
from painted import GREEN, RED, panel, plant
from painted import picture as shown
from PIL import Image
from said import streamer
from tagged import AT, BERLIN, clip, picture

from vtk.records import check
from vtk.species.building import build
from vtk.species.range_files import write_ranges

Vtk = Callable[..., tuple[int, list[dict[str, Any]], str]]
MERULA = FOX | {"class": "Aves", "order": "Passeriformes", "family": "Turdidae", "genus": "Turdus",
                "species": "Turdus merula", "scientificName": "Turdus merula Linnaeus, 1758"}


@pytest.fixture
def vtk(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch) -> Vtk:
    """Return the command with stand-ins for networks: red is a bird, green an insect, blue a snake."""
    plant(monkeypatch, panel())
    return streamer(capfdbinary, monkeypatch, "classify-species")


@pytest.fixture
def real(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, shared: Path) -> Vtk:
    """Return the command with its networks."""
    return streamer(capfdbinary, monkeypatch, "classify-species")


def of_type(records: list[dict[str, Any]], kind: str = "species") -> list[dict[str, Any]]:
    """Return the records of a type, which are as the vocabulary has them."""
    found = [record for record in records if record["type"] == kind]
    for record in found:
        check(record)
    return found


def ends(records: list[dict[str, Any]]) -> dict[str, str]:
    return {Path(record["source"]).name: record["status"] for record in of_type(records, "end")}


def refused(vtk: Vtk, *words: object) -> str:
    """Return the one line by which the command line is refused."""
    code, records, err = vtk(*words)
    assert (code, records) == (2, []) and err.count("\n") == 1, err
    return err


def tiny(folder: Path) -> list[Path]:
    """Write pictures of one pixel, of one row, of one column."""
    paths = []
    for width, height in ((1, 1), (1, 3000), (3000, 1)):
        paths.append(folder / f"{width}x{height}.png")
        Image.fromarray(shown(RED, width, height)).save(paths[-1])
    return paths


def test_pictures_of_one_pixel_and_of_one_line(vtk: Vtk, tmp_path: Path) -> None:
    code, records, err = vtk(*tiny(tmp_path), "--views", "whole,quadrants,scales,centre,flips")
    assert (code, err) == (0, "")
    assert [record["label"] for record in of_type(records)] == ["Turdus merula"] * 3


def test_networks_take_one_pixel_and_one_line(real: Vtk, tmp_path: Path) -> None:
    code, records, err = real(*tiny(tmp_path), "--model", "inat-birds")
    assert (code, err, set(ends(records).values())) == (0, "", {"ok"})
    assert [record["covered"] for record in of_type(records)] == [False] * 3  # a red line is no bird


def test_an_animated_gif_is_a_film_and_other_animations_are_their_first_picture(vtk: Vtk, tmp_path: Path) -> None:
    frames = [Image.fromarray(shown(RED)) for _ in range(3)]
    for number, frame in enumerate(frames):  # equal ones would be written as one
        frame.putpixel((number, 0), GREEN)
    for name in ("a.gif", "b.webp", "c.png"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:], duration=1000)
    code, records, err = vtk(tmp_path)
    assert (code, err) == (0, "")
    film, *others = of_type(records)
    assert (film["label"], film["observations"], film["start_frame"], film["end_frame"]) == ("Turdus merula", 3, 0, 3)
    assert [(record["label"], record["frame"]) for record in others] == [("Turdus merula", 0)] * 2


def test_exif_that_lies_is_passed_over_and_said(vtk: Vtk, tmp_path: Path) -> None:
    red = shown(RED)
    picture(tmp_path / "a.jpg", "2199:05:01 10:00:00", BERLIN | {2: (99.0, 0.0, 0.0)}, image=red)
    picture(tmp_path / "b.jpg", "2000:01:01 02:03:06", BERLIN, image=red)
    picture(tmp_path / "c.jpg", gps={1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)}, image=red)
    picture(tmp_path / "d.jpg", gps=BERLIN, image=red)
    Image.fromarray(red).save(tmp_path / "e.jpg", exif=b"Exif\0\0no directory of tags", quality=95)
    clip(tmp_path / "f.mkv", {"creation_time": "1970-01-01T00:00:00Z", "location": "+00.0+000.0/"})
    code, records, err = vtk(tmp_path)
    assert (code, err, set(ends(records).values())) == (0, "", {"ok"})
    found = {Path(record["source"]).name[0]: record for record in of_type(records)}
    placed = {name: (round(record["latitude"], 5), record["longitude"]) for name, record in found.items()
              if "latitude" in record}
    assert placed == {"b": AT, "d": AT}
    assert {name for name, record in found.items() if record.get("date") == "2020-05-01"} == {"c", "d"}
    assert found["a"]["note"] == ("its GPS place has a latitude of 99, beyond 90: no place is taken from it; its date "
                                  "is 2199-05-01, in the future: the clock was wrong: no date is taken from it")
    assert found["b"]["note"].startswith("its date is 2000-01-01, where clocks begin that nobody set")
    assert found["c"]["note"].startswith("its GPS place is 0, 0") and "note" not in found["d"]
    assert found["e"]["note"] == "no place and no date are taken from it: it is damaged, or its EXIF is"
    assert "0, 0, which is written where there was no fix" in found["f"]["note"] and "1970" in found["f"]["note"]
    assert all(found[name]["label"] == "Turdus merula" for name in "abcde")
    _, records, _ = vtk(tmp_path / "a.jpg", "--no-embedded")
    assert "note" not in of_type(records)[0]


@pytest.mark.parametrize(("words", "says"), [
    (("--lat", "91", "--lon", "13"), "latitude 91, longitude 13: no such place; expected degrees, -90 to 90 and -180"),
    (("--lat", "52", "--lon", "-180.5"), "latitude 52, longitude -180.5: no such place"),
    (("--lat", "nan", "--lon", "13"), "latitude nan, longitude 13: no such place"),
    (("--lat", "52"), "has a latitude and no longitude: give both or neither"),
    (("--lat", "north", "--lon", "13"), "Invalid value for '--lat': Input should be a valid number"),
    (("--country", "Germany"), "--country is 'Germany': expected two letters of ISO 3166-1, such as DE"),
    (("--country", ""), "--country is '': expected two letters of ISO 3166-1, such as DE"),
    (("--date", "2199-05-01"), "--date is 2199-05-01, in the future: expected a day up to"),
    (("--date", "01.05.2026"), "--date is '01.05.2026': expected YYYY-MM-DD, such as 2026-05-01"),
    (("--group", "animal"), "--group animal: it is folder, time or a column of a table, and no table is given"),
    (("--metadata", "absent.csv"), "absent.csv: cannot be read: No such file or directory"),
    (("--prior", "absent.npz"), "absent.npz")])
def test_options_that_cannot_be(vtk: Vtk, tmp_path: Path, words: tuple[str, ...], says: str) -> None:
    path = picture(tmp_path / "a.jpg", image=shown(RED))
    code, records, err = vtk(path, *words)
    assert code == 2 and not of_type(records)
    assert says in err and "Traceback" not in err


def test_tomorrow_is_today_elsewhere(vtk: Vtk, tmp_path: Path) -> None:
    path, tomorrow = picture(tmp_path / "a.jpg", image=shown(RED)), (date.today() + timedelta(1)).isoformat()
    code, records, _ = vtk(path, "--date", tomorrow)
    assert (code, of_type(records)[0]["date"]) == (0, tomorrow)


@pytest.mark.parametrize(("row", "says"), [
    ("a.jpg,91,13,DE,", "line 2: the place is latitude 91, longitude 13: no such place"),
    ('a.jpg,"52,5","13,4",DE,', "line 2: lat is '52,5', no number: write 52.5, with a point"),
    ("a.jpg,,,DE,2199-01-01", "line 2: date is 2199-01-01, in the future"),
    ("a.jpg,,,DE,\na.jpg,,,FI,", "line 3: a.jpg is listed in line 2 already")])
def test_a_wrong_table_is_refused_by_line(vtk: Vtk, tmp_path: Path, row: str, says: str) -> None:
    (tmp_path / "t.csv").write_text(f"file,lat,lon,country,date\n{row}\n")
    assert says in refused(vtk, picture(tmp_path / "a.jpg", image=shown(RED)), "--metadata", tmp_path / "t.csv")


@pytest.mark.parametrize(("option", "content", "says"), [
    ("--prior", b"no archive", "no range table: make one with vtk species prior build"),
    ("--cost", b"truth,answer,cost\nTurdus merula,Corvus corax,-1\n", "line 2: Turdus merula, Corvus corax, cost '-1'"),
    ("--cost", b"truth,answer,cost\nTurdus merula,Bl\xe4ssgans,1\n", "line 2: not UTF-8: iconv -f LATIN1 -t UTF-8"),
    ("--cost", b"truth,answer,cost\nVipera berus,Natrix natrix,9\n", "the model has none of its 2 species, such as"),
    ("--train-counts", b"label,count\nTurdus merula,0\n", "line 2: count '0' of Turdus merula: expected a number"),
    ("--train-counts", b"label,count\nTurdus merula,9\n", "it has no count of 2 of the model's 3 species, such as"),
    ("--taxonomy", b"label,count\nTurdus merula,9\n", "no column species or scientificName (it has label, count)"),
    ("--metadata", "file,lat\n".encode("utf-16"), "not UTF-8 (it looks like UTF-16 or is no text)"),
    ("--metadata", b"", "empty: a table begins with the names of its columns")])
def test_files_of_options_that_are_not_what_they_should_be(vtk: Vtk, tmp_path: Path, option: str, content: bytes,
                                                           says: str) -> None:
    (tmp_path / "given").write_bytes(content)
    line = refused(vtk, picture(tmp_path / "a.jpg", image=shown(RED)), option, tmp_path / "given")
    assert line.startswith(f"vtk: {tmp_path / 'given'}") and says in line


def ranges(path: Path, *rows: dict[str, str]) -> Path:
    """Write a range table."""
    write_ranges(build([write(path.with_suffix(".csv"), rows)])[0], path)
    return path


def test_a_prior_without_any_of_the_species_is_refused(vtk: Vtk, tmp_path: Path) -> None:
    table = ranges(tmp_path / "r.npz", *[FOX | at(52.5, 13.4, "DE")] * 30)
    line = refused(vtk, picture(tmp_path / "a.jpg", image=shown(RED)), "--prior", table, "--country", "DE")
    assert "the range table has none of the" in line and "build it of observations of its group" in line


def test_a_prior_without_the_species_does_not_speak_of_it(vtk: Vtk, tmp_path: Path, monkeypatch: Any) -> None:
    """Of three birds the table has one, which was not seen there: the model's answer stays, and the record says why."""
    made = panel()
    plant(monkeypatch, type(made)(made.router, made.experts[:1]))
    raven = MERULA | {"family": "Corvidae", "genus": "Corvus"} | dict.fromkeys(("species", "scientificName"),
                                                                              "Corvus corax")
    table = ranges(tmp_path / "r.npz", *[raven | at(61.5, 23.8, "FI")] * 30)
    path = picture(tmp_path / "a.jpg", image=shown(RED))
    code, records, err = vtk(path, "--prior", table, "--lat", 61.5, "--lon", 23.8, "--filter")
    [bird] = of_type(records)
    assert (code, err, bird["topk"][0]["label"]) == (0, "", "Turdus merula")
    assert "the range table knows nothing of Turdus merula" in bird["note"]


def test_half_a_gigapixel_is_refused_without_being_decoded(vtk: Vtk, tmp_path: Path) -> None:
    """A panorama of one colour: 273 kB of file, 1.5 GB of pixels."""
    import tracemalloc

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(bytes(20000 * (25000 // 8 + 1)), 1)
    head = chunk(b"IHDR", struct.pack(">2I5B", 25000, 20000, 1, 0, 0, 0, 0))
    (tmp_path / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    picture(tmp_path / "a.jpg", image=shown(RED))
    picture(tmp_path / "c.jpg", image=shown(GREEN))
    tracemalloc.start()
    code, records, err = vtk(tmp_path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (code, ends(records)) == (1, {"a.jpg": "ok", "b.png": "failed", "c.jpg": "ok"})
    assert [record["label"] for record in of_type(records)] == ["Turdus merula", "Apis mellifera"]
    assert err.count("\n") == 1 and "b.png: is too large for an image" in err and "500000000 pixels" in err
    assert peak < 50e6  # bytes that Python holds; its pixels would be thirty times as many


def test_broken_files_of_a_folder_cost_themselves_alone(vtk: Vtk, tmp_path: Path) -> None:
    good = picture(tmp_path / "a.jpg", image=shown(RED, 640, 480))
    data = good.read_bytes()
    broken = {"b.jpg": b"", "c.jpg": b"no picture", "d.jpg": data[: len(data) // 2], "e.mp4": b"no film\n" * 99}
    for name, content in broken.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "f.jpg").mkdir()
    os.symlink(tmp_path / "nowhere.jpg", tmp_path / "g.jpg")
    picture(tmp_path / "h.png", image=shown(GREEN))
    (tmp_path / "notes.txt").write_text("not looked at")
    code, records, err = vtk(tmp_path)
    assert code == 1
    assert ends(records) == {"a.jpg": "ok", **dict.fromkeys([*broken, "g.jpg"], "failed"), "h.png": "ok"}
    assert [record["label"] for record in of_type(records)] == ["Turdus merula", "Apis mellifera"]
    lines = err.splitlines()
    assert len(lines) == len(broken) + 1 and all(line.startswith(f"vtk classify-species: {tmp_path}") for line in lines)
    assert not [line for line in lines if "E_INTERNAL" in line]


def test_broken_files_of_an_observation_cost_themselves_alone(vtk: Vtk, tmp_path: Path) -> None:
    good = picture(tmp_path / "a.jpg", gps=BERLIN, image=shown(RED))
    picture(tmp_path / "b.jpg", "2020:05:01 10:20:50", {1: "N", 2: (99.0, 0.0, 0.0)}, image=shown(RED))
    (tmp_path / "c.jpg").write_bytes(good.read_bytes()[:600])
    picture(tmp_path / "d.jpg", None, image=shown(RED))
    code, records, _ = vtk(tmp_path, "--group", "time")
    [whole] = of_type(records, "observation")
    assert code == 1 and whole["observation"] == f"{tmp_path}/2020-05-01T10:20:30"
    assert [Path(name).name for name in whole["sources"]] == ["a.jpg", "b.jpg"] and whole["label"] == "Turdus merula"
    assert [record.get("observation", "") != "" for record in of_type(records)] == [True, True, False]
