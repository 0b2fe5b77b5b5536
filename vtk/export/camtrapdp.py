"""Camtrap DP 1.0.1, the exchange format of camera traps: its tables, and the JSON that describes them.

    package = Package("Fox meadow", ["A. Nyman"])
    files(package, media, sightings, created)           # {"deployments.csv": […], …, "datapackage.json": […]}

A deployment is a place: the media of one latitude and longitude, from the first of them to the last: no record has when a
camera was put up and taken down. Columns that nothing is known of are there, and empty.

Source: https://camtrap-dp.tdwg.org, tables and profile of version 1.0.1.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vtk.records import Record

PROFILE = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0.1"
RESOURCES = ("deployments", "media", "observations")
DESIGNS = ("simpleRandom", "systematicRandom", "clusteredRandom", "experimental", "targeted", "opportunistic")
CAPTURES = ("activityDetection", "timeLapse")
RANKS = ("class", "order", "family", "genus", "species")  # of those that a package may name
NO_ANIMALS = frozenset({"none", "plant", "fungus"})  # groups of classify-species
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "deployments": ("deploymentID", "locationID", "locationName", "latitude", "longitude", "coordinateUncertainty",
                    "deploymentStart", "deploymentEnd", "setupBy", "cameraID", "cameraModel", "cameraDelay",
                    "cameraHeight", "cameraDepth", "cameraTilt", "cameraHeading", "detectionDistance",
                    "timestampIssues", "baitUse", "featureType", "habitat", "deploymentGroups", "deploymentTags",
                    "deploymentComments"),
    "media": ("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic", "fileName",
              "fileMediatype", "exifData", "favorite", "mediaComments"),
    "observations": ("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd",
                     "observationLevel", "observationType", "cameraSetupType", "scientificName", "count", "lifeStage",
                     "sex", "behavior", "individualID", "individualPositionRadius", "individualPositionAngle",
                     "individualSpeed", "bboxX", "bboxY", "bboxWidth", "bboxHeight", "classificationMethod",
                     "classifiedBy", "classificationTimestamp", "classificationProbability", "observationTags",
                     "observationComments"),
}  # fmt: skip
_PATH = re.compile(r"(?![./~])(?!.*\.\.).+", re.DOTALL)  # what filePath may be


@dataclass(frozen=True, slots=True)
class Package:
    """What records do not say of a package.

    Attributes:
        title: of the project.
        contributors: names of people or organisations, one at least.
        design: of DESIGNS, how places were chosen.
        capture: of CAPTURES, what made the camera take pictures.
        public: whether anybody can open the media.
    """

    title: str
    contributors: Sequence[str]
    design: str = "opportunistic"
    capture: str = "activityDetection"
    public: bool = False


@dataclass(frozen=True, slots=True)
class Medium:
    """A picture or a video.

    Attributes:
        id: of its own.
        place: latitude and longitude, degrees.
        time: when it was taken, with its time zone.
        whole: whether the time of day is known; else ``time`` is midnight.
        path, kind: its file in the package or its URL, and its media type, such as image/jpeg.
    """

    id: str
    place: tuple[float, float]
    time: datetime
    whole: bool
    path: str
    kind: str


@dataclass(frozen=True, slots=True)
class Sighting:
    """What was seen in a medium, or in several that are one observation.

    Attributes:
        id: of its own.
        place: that of its medium or media.
        start, end: from when to when, with time zones.
        record: what was said.
        medium: the one that it was seen in; "" for several.
        event: name of the observation of several media that it belongs to; "" for none.
        box: x, y, width and height as shares of the picture; None for the whole of it.
    """

    id: str
    place: tuple[float, float]
    start: datetime
    end: datetime
    record: Record
    medium: str = ""
    event: str = ""
    box: tuple[float, float, float, float] | None = None


def deployment_of(place: tuple[float, float]) -> str:
    """Return what the deployment at a place is called: latitude and longitude, degrees to five decimals, a metre."""
    return "_".join(f"{round(value, 5) + 0.0:.5f}".rstrip("0").rstrip(".") for value in place)


def is_path(path: str) -> bool:
    """Return whether a package may name a file so: below itself, and neither hidden nor above."""
    return _PATH.fullmatch(path) is not None


def stamp(time: datetime) -> str:
    """Return a time as tables have it, to seconds, with its zone: 2026-05-01T06:30:00+02:00, Z for UTC."""
    text = time.replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "Z" if text.endswith("+00:00") else text


def files(package: Package, media: Sequence[Medium], sightings: Sequence[Sighting],
          created: datetime) -> dict[str, list[str]]:
    """Return the lines of the package's files by their names, the description last.

    Args:
        media: one at least.
        sightings: of these media; may be none.
        created: when the package was made, with its zone.
    """
    tables = {"deployments": _deployments(media, sightings), "media": [_media_row(each, package) for each in media],
              "observations": [_observation(each) for each in sightings]}
    written = {f"{name}.csv": _csv(COLUMNS[name], rows) for name, rows in tables.items()}
    description = _description(package, media, tables["deployments"], sightings, created)
    return {**written, "datapackage.json": json.dumps(description, indent=2, ensure_ascii=False).splitlines()}


def _deployments(media: Sequence[Medium], sightings: Sequence[Sighting]) -> list[dict[str, Any]]:
    found: dict[str, list[Medium]] = {}
    last: dict[str, datetime] = {}
    for each in media:
        found.setdefault(deployment_of(each.place), []).append(each)
    for each in (*media, *sightings):
        name, time = deployment_of(each.place), each.time if isinstance(each, Medium) else each.end
        last[name] = max(last.get(name, time), time)
    return [{"deploymentID": name, "locationID": name, "latitude": round(some[0].place[0], 5),
             "longitude": round(some[0].place[1], 5), "deploymentStart": stamp(min(each.time for each in some)),
             "deploymentEnd": stamp(last[name]), "timestampIssues": _flag(not all(each.whole for each in some)),
             "deploymentComments": "From the first medium to the last" + (
                 "" if all(each.whole for each in some) else "; of some the day is known and no time of day")}
            for name, some in found.items()]


def _media_row(medium: Medium, package: Package) -> dict[str, Any]:
    return {"mediaID": medium.id, "deploymentID": deployment_of(medium.place), "captureMethod": package.capture,
            "timestamp": stamp(medium.time), "filePath": medium.path, "filePublic": _flag(package.public),
            "fileName": medium.path.rpartition("/")[2], "fileMediatype": medium.kind}


def _observation(sighting: Sighting) -> dict[str, Any]:
    record = sighting.record
    label, group = record.get("label", ""), record.get("group", "none")
    animal = group not in NO_ANIMALS or (bool(label) and "group" not in record)
    comments = [record.get("note", ""), f"taken for {group}, of which the model knows no species"
                if record.get("covered") is False else ""]
    row = {"observationID": sighting.id, "deploymentID": deployment_of(sighting.place), "mediaID": sighting.medium,
           "eventID": sighting.event, "eventStart": stamp(sighting.start), "eventEnd": stamp(sighting.end),
           "observationLevel": "media" if sighting.medium else "event",
           "observationType": "animal" if animal else "unknown", "scientificName": label,
           "classificationMethod": "machine", "classifiedBy": record["by"],
           "observationTags": f"group:{group}" if "group" in record else "",
           "observationComments": "; ".join(comment for comment in comments if comment)}
    if label and "score" in record:
        row["classificationProbability"] = record["score"]
    if sighting.box is not None:
        row |= {f"bbox{name}": f"{value:.6g}" for name, value in zip(("X", "Y", "Width", "Height"), sighting.box,
                                                                    strict=True)}
    return row


def _description(package: Package, media: Sequence[Medium], deployments: Sequence[Mapping[str, Any]],
                 sightings: Sequence[Sighting], created: datetime) -> dict[str, Any]:
    """Return what datapackage.json says."""
    slug = re.sub(r"[^a-z0-9]+", "-", package.title.lower()).strip("-")
    return {
        "resources": [{"name": name, "path": f"{name}.csv", "profile": "tabular-data-resource", "format": "csv",
                       "mediatype": "text/csv", "encoding": "utf-8", "schema": f"{PROFILE}/{name}-table-schema.json"}
                      for name in RESOURCES],
        "profile": f"{PROFILE}/camtrap-dp-profile.json",
        "name": slug or "camera-traps",
        "created": stamp(created),
        "title": package.title,
        "contributors": [{"title": name} for name in package.contributors],
        "project": {"title": package.title, "samplingDesign": package.design, "captureMethod": [package.capture],
                    "individualAnimals": False,
                    "observationLevel": sorted({"media" if each.medium else "event" for each in sightings},
                                               reverse=True) or ["media"]},
        "coordinatePrecision": 0.00001,
        "spatial": _spatial([(row["longitude"], row["latitude"]) for row in deployments]),
        "temporal": {"start": min(each.time for each in media).date().isoformat(),
                     "end": max(each.time for each in media).date().isoformat()},
        "taxonomic": _taxa(each.record for each in sightings),
    }


def _spatial(points: Sequence[tuple[float, float]]) -> dict[str, Any]:
    """Return the box around points as GeoJSON, or the point where there is one alone."""
    (west, east), (south, north) = ((min(values), max(values)) for values in zip(*points, strict=True))
    if (west, south) == (east, north):
        return {"type": "Point", "coordinates": [west, south]}
    corners = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "bbox": [west, south, east, north], "coordinates": [corners]}


def _taxa(records: Iterable[Record]) -> list[dict[str, Any]]:
    """Return each taxon that is named, once, by name."""
    found: dict[str, dict[str, Any]] = {}
    for record in records:
        if not (label := record.get("label")):
            continue
        taxon = found.setdefault(label, {"scientificName": label})
        if record.get("rank") in RANKS:
            taxon["taxonRank"] = record["rank"]
        path = record.get("taxon") if isinstance(record.get("taxon"), dict) else {}
        taxon |= {rank: path[rank] for rank in RANKS[:-1] if isinstance(path.get(rank), str)}
        if record.get("common"):
            taxon["vernacularNames"] = {"eng": record["common"]}
    return [found[label] for label in sorted(found)]


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> list[str]:
    out = io.StringIO(newline="")
    table = csv.DictWriter(out, columns, restval="", lineterminator="\n")
    table.writeheader()
    for row in rows:
        table.writerow({name: " ".join(value.split()) if isinstance(value, str) else value
                        for name, value in row.items()})
    return out.getvalue().split("\n")[:-1]


def _flag(value: bool) -> str:
    return "true" if value else "false"
