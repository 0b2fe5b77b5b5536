"""``vtk export camtrapdp``: packages that keep to Camtrap DP's rules, and what is left out is said."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from said import streamer
from vtk.export.camtrapdp import COLUMNS, deployment_of, is_path
from vtk.records import Record

Export = Callable[..., tuple[int, list[Record], str]]
MAKER = "classify-species/inat-birds"
AT = {"latitude": 52.5, "longitude": 13.404954, "date": "2026-05-01", "country": "DE"}
TIT = {"label": "Parus major", "score": 0.9, "rank": "species", "common": "Great tit", "group": "bird", "covered": True,
       "taxon": {"class": "Aves", "family": "Paridae", "genus": "Parus", "species": "Parus major"}}
# Of Camtrap DP 1.0.1: what must be there, and the values that may.
REQUIRED = {"deployments": ("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd"),
            "media": ("mediaID", "deploymentID", "timestamp", "filePath", "filePublic", "fileMediatype"),
            "observations": ("observationID", "deploymentID", "eventStart", "eventEnd", "observationLevel",
                             "observationType")}


@pytest.fixture
def export(capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Export:
    """Return what runs ``vtk export camtrapdp in.jsonl`` in this process, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    run = streamer(capfdbinary, monkeypatch, "export")
    return lambda *words: run("camtrapdp", "in.jsonl", "--contributor", "A. Nyman", *words)


def species(source: str, **keys: Any) -> Record:
    return {"v": 1, "type": "species", "by": MAKER, "source": source, "frame": 0, "t": 0.0,
            "topk": [{"label": "Parus major", "score": 0.9}], **keys}


def put(folder: Path, *records: Record) -> None:
    (folder / "in.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def picture(path: Path, taken: str = "", offset: str = "") -> None:
    path.parent.mkdir(exist_ok=True)
    exif = Image.Exif()
    directory = exif.get_ifd(0x8769)
    directory |= {0x9003: taken} if taken else {}
    directory |= {0x9011: offset} if offset else {}
    Image.new("RGB", (64, 48)).save(path, exif=exif)


def tables(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return a package's tables, checked by the rules of the format."""
    found = {}
    for name, columns in COLUMNS.items():
        with open(folder / f"{name}.csv", newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            found[name] = list(rows)
            assert tuple(rows.fieldnames or ()) == columns
        for row in found[name]:
            assert all(row[column] for column in REQUIRED[name]), row
            for column in columns:
                if row[column] and (column == "timestamp" or column.endswith(("Start", "End"))):
                    assert datetime.strptime(row[column], "%Y-%m-%dT%H:%M:%S%z").tzinfo is not None
        keys = [row[columns[0]] for row in found[name]]
        assert len(set(keys)) == len(keys)
    places = {row["deploymentID"] for row in found["deployments"]}
    media = {row["mediaID"] for row in found["media"]}
    for row in (*found["media"], *found["observations"]):
        assert row["deploymentID"] in places
        assert row["mediaID"] in media | {""}
    for row in found["observations"]:
        assert row["observationType"] in ("animal", "human", "vehicle", "blank", "unknown", "unclassified")
        assert row["observationLevel"] == ("media" if row["mediaID"] else "event")
        assert datetime.fromisoformat(row["eventStart"]) <= datetime.fromisoformat(row["eventEnd"])
    return found


def test_a_package_has_what_was_seen_where_and_when(export: Export, tmp_path: Path) -> None:
    picture(tmp_path / "cam" / "a.jpg", "2026:05:01 06:30:00")
    picture(tmp_path / "cam" / "b.jpg", "2026:05:01 06:30:20", "+03:00")
    sized = {"v": 1, "type": "media", "by": "x", "source": "cam/a.jpg", "kind": "image", "width": 64, "height": 48}
    both = {"v": 1, "type": "observation", "by": MAKER, "observation": "cam", "sources": ["cam/a.jpg", "cam/b.jpg"],
            "topk": [], **TIT}
    put(tmp_path, sized, species("cam/a.jpg", xyxy=[-2, 12, 32, 24], observation="cam", **TIT, **AT),
        species("cam/b.jpg", group="snake", covered=False, note="No snake is harmless\nby this", observation="cam",
                **AT), both)
    assert export("-o", "meadow", "--timezone", "+02:00") == (0, [], "")
    found = tables(tmp_path / "meadow")
    [place] = found["deployments"]
    assert [place[key] for key in ("deploymentID", "latitude", "longitude", "deploymentStart", "deploymentEnd",
                                   "timestampIssues")] == [
        "52.5_13.40495", "52.5", "13.40495", "2026-05-01T06:30:20+03:00", "2026-05-01T06:30:00+02:00", "false"]
    assert [(row["filePath"], row["fileMediatype"], row["timestamp"]) for row in found["media"]] == [
        ("a.jpg", "image/jpeg", "2026-05-01T06:30:00+02:00"), ("b.jpg", "image/jpeg", "2026-05-01T06:30:20+03:00")]
    tit, snake, event = found["observations"]
    assert [tit[key] for key in ("scientificName", "observationType", "classificationProbability", "classifiedBy",
                                 "bboxX", "bboxY", "bboxWidth", "bboxHeight", "eventID")] == [
        "Parus major", "animal", "0.9", MAKER, "0", "0.25", "0.5", "0.25", "cam"]
    assert [snake[key] for key in ("scientificName", "observationType", "classificationProbability", "observationTags",
                                   "observationComments")] == [
        "", "animal", "", "group:snake",
        "No snake is harmless by this; taken for snake, of which the model knows no species"]
    assert (event["eventID"], event["eventStart"], event["eventEnd"]) == (
        "cam", "2026-05-01T06:30:20+03:00", "2026-05-01T06:30:00+02:00")


def test_the_description_names_tables_taxa_space_and_time(export: Export, tmp_path: Path) -> None:
    put(tmp_path, species("a.jpg", **TIT, **AT), species("b.jpg", label="Parus", rank="genus", score=0.6, **{
        **AT, "latitude": 53.0, "date": "2026-06-02"}))
    code, _, err = export("-o", "meadow", "--contributor", "B", "--title", "Fox & meadow", "--design", "targeted")
    assert code == 0 and "2 of 2 sources the day is known and no time of day" in err
    said = json.loads((tmp_path / "meadow" / "datapackage.json").read_text())
    assert said["profile"].endswith("/1.0.1/camtrap-dp-profile.json")
    assert {each["name"]: each["path"] for each in said["resources"]} == {name: f"{name}.csv" for name in COLUMNS}
    assert all(each["profile"] == "tabular-data-resource" and "/1.0.1/" in each["schema"] for each in said["resources"])
    assert (said["name"], said["created"]) == ("fox-meadow", "2026-09-21T14:13:20Z")
    assert said["contributors"] == [{"title": "A. Nyman"}, {"title": "B"}]
    assert said["project"] == {"title": "Fox & meadow", "samplingDesign": "targeted", "individualAnimals": False,
                               "captureMethod": ["activityDetection"], "observationLevel": ["media"]}
    assert said["spatial"]["bbox"] == [13.40495, 52.5, 13.40495, 53.0]
    assert said["temporal"] == {"start": "2026-05-01", "end": "2026-06-02"}
    assert said["taxonomic"] == [
        {"scientificName": "Parus", "taxonRank": "genus"},
        {"scientificName": "Parus major", "taxonRank": "species", "class": "Aves", "family": "Paridae",
         "genus": "Parus", "vernacularNames": {"eng": "Great tit"}}]
    assert {row["timestampIssues"] for row in tables(tmp_path / "meadow")["deployments"]} == {"true"}


def test_films_have_times_by_the_second_and_plants_are_no_animals(export: Export, tmp_path: Path) -> None:
    film = {key: value for key, value in species("f/a.mp4", **TIT, **AT).items() if key not in ("frame", "t")}
    put(tmp_path, film | {"start": 61.5, "end": 63.5}, species("f/a.mp4", **AT, label="Bellis perennis", group="plant"))
    export("-o", "out")
    first, second = tables(tmp_path / "out")["observations"]
    assert (first["eventStart"], first["eventEnd"]) == ("2026-05-01T00:01:01Z", "2026-05-01T00:01:03Z")
    assert (second["observationType"], second["scientificName"]) == ("unknown", "Bellis perennis")


def test_what_lacks_a_place_or_a_date_is_named_and_left_out(export: Export, tmp_path: Path) -> None:
    no_place = {"date": "2026-05-01"}
    put(tmp_path, species("a.jpg", **TIT, **AT), species("b.jpg", **TIT, **no_place),
        species("c.jpg", **TIT, latitude=1.0, longitude=1.0), species("d", **TIT, **AT),
        species("../e.jpg", **TIT, **AT), species("f.jpg", xyxy=[0, 0, 5, 5], **TIT, **{**AT, "date": "1 May"}))
    code, _, err = export("-o", "out")
    assert code == 1
    assert [line.removeprefix("vtk export: ") for line in err.splitlines()][:5] == [
        "b.jpg has no latitude and longitude: give vtk classify-species --lat and --lon, or a table of places: left "
        "out",
        "c.jpg has no date: give vtk classify-species --date, or a table of dates: left out",
        "d is no file of a picture or a video by its name: left out",
        "../e.jpg cannot be named in a package: no path may begin with a dot or ~, or have two dots: left out",
        "f.jpg has the date '1 May', YYYY-MM-DD is needed: left out"]
    assert [row["filePath"] for row in tables(tmp_path / "out")["media"]] == ["a.jpg"]
    put(tmp_path, species("b.jpg", **TIT, **no_place))
    code, _, err = export("-o", "none")
    assert code != 0
    assert "not one of 1 sources has a place and a date: b.jpg has no latitude" in err
    assert not (tmp_path / "none").exists()


def test_places_and_times_that_cannot_be_are_named_and_left_out(export: Export, tmp_path: Path) -> None:
    put(tmp_path, species("a.jpg", **TIT, **AT), species("b.jpg", **TIT, **{**AT, "latitude": 91.0}),
        species("c.jpg", **{**TIT, **AT, "t": 1e18}))
    code, _, err = export("-o", "out")
    assert code == 1
    assert "b.jpg is at latitude 91, longitude 13.405: no such place: left out" in err
    assert "c.jpg has records of times that no calendar has: left out" in err
    assert [row["filePath"] for row in tables(tmp_path / "out")["media"]] == ["a.jpg"]


def test_an_observation_is_one_event_for_each_of_its_answers(export: Export, tmp_path: Path) -> None:
    seen = {"v": 1, "type": "observation", "by": MAKER, "observation": "cam", "topk": []}
    put(tmp_path, species("a.jpg", **TIT, **AT), species("b.jpg", **TIT, **AT), seen | TIT | {"sources": ["a.jpg"]},
        seen | TIT | {"sources": ["b.jpg"]}, seen | {"group": "insect", "label": "Apis", "sources": ["a.jpg", "b.jpg"]})
    assert export("-o", "out", "-q")[0] == 0
    events = [row["scientificName"] for row in tables(tmp_path / "out")["observations"] if not row["mediaID"]]
    assert events == ["Parus major", "Apis"]  # what is on several lines is one, and no two have one id


def test_a_time_of_another_day_is_not_taken(export: Export, tmp_path: Path) -> None:
    picture(tmp_path / "a.jpg", "2026:05:02 06:30:00")
    put(tmp_path, species("a.jpg", **TIT, **AT))
    export("-o", "out")
    assert tables(tmp_path / "out")["media"][0]["timestamp"] == "2026-05-01T00:00:00Z"


def test_a_package_is_replaced_only_where_that_is_asked_for(export: Export, tmp_path: Path) -> None:
    put(tmp_path, species("a.jpg", **TIT, **AT))
    assert export("-o", "out", "-q")[0] == 0
    before = (tmp_path / "out" / "media.csv").read_bytes()
    code, _, err = export("-o", "out")
    assert code == 2 and "would be replaced: give --overwrite" in err
    assert (tmp_path / "out" / "media.csv").read_bytes() == before
    assert export("-o", "out", "-q", "--overwrite")[0] == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "datapackage.json", "deployments.csv", "media.csv", "observations.csv"]


@pytest.mark.parametrize(("records", "words", "said"), [
    ([species("a.jpg", **AT), species("a.jpg", **AT) | {"by": "other"}], (), "choose with --by"),
    ([species("a.jpg", **AT)], ("--by", "other"), "--by other: no species of this maker; there are those by"),
    ([{**species("a.jpg"), "type": "detection", "xyxy": [0, 0, 1, 1], "score": 1.0}], (), "and no species"),
    ([species("a.jpg", **AT)], ("--timezone", "CET"), "--timezone is 'CET'"),
    ([species("a.jpg", **AT)], ("--timezone", "+15:00"), "--timezone is '+15:00'"),
    ([species("a.jpg", **AT)], ("--design", "random"), "--design is 'random': it is one of simpleRandom"),
    ([species("a.jpg", **AT)], ("-o", "in.jsonl"), "-o in.jsonl is a file: a package is a folder"),
])
def test_usage_errors_are_one_line(records: list[Record], words: tuple[str, ...], said: str, export: Export,
                                   tmp_path: Path) -> None:
    put(tmp_path, *records)
    code, _, err = export("-o", "out", *words)
    assert code == 2
    assert said in err and err.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_names() -> None:
    assert deployment_of((-0.000001, 13.0)) == "0_13"
    assert deployment_of((52.123456, -13.4)) == "52.12346_-13.4"
    assert [is_path(path) for path in ("a/b.jpg", "https://x.org/a.jpg", ".a", "~a", "/a", "../a", "a..b", "")] == [
        True, True, False, False, False, False, False, False]
