"""Species records as a Camtrap DP package: one folder of a whole run, whichever sources it had."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

from vtk.driver.output import OneFile
from vtk.errors import RecordError, UsageError, VtkError
from vtk.evaluation.lanes import BadRecord, records_of
from vtk.export.camtrapdp import CAPTURES, DESIGNS, Medium, Package, Sighting, files, is_path
from vtk.media.embedded import embedded
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, is_sequence, is_stream, open_name, suffix
from vtk.records import Record, check_whole, dump

FILES = ("deployments.csv", "media.csv", "observations.csv", "datapackage.json")
_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")
_KINDS = {".jpg": "jpeg", ".jpe": "jpeg", ".jfif": "jpeg", ".tif": "tiff", ".mov": "quicktime", ".avi": "x-msvideo",
          ".mkv": "x-matroska", ".wmv": "x-ms-wmv", ".m4v": "x-m4v", ".mpg": "mpeg", ".ts": "mp2t", ".mts": "mp2t",
          ".m2ts": "mp2t", ".ogv": "ogg", ".3gp": "3gpp"}


@dataclass(slots=True)
class Gathered:
    """The records of a run: species and media by source, and observations of several sources."""

    species: dict[str, list[Record]] = field(default_factory=dict)
    media: dict[str, Record] = field(default_factory=dict)
    observations: list[Record] = field(default_factory=list)
    makers: set[str] = field(default_factory=set)
    types: dict[str, None] = field(default_factory=dict)
    bad: list[BadRecord] = field(default_factory=list)

    def read(self, name: str | None, maker: str) -> None:
        """Take the records of a file; raises what ``records_of`` does."""
        for record in records_of(name, ("species", "observation", "media"), self.bad, check_whole):
            kind = record["type"]
            self.types.setdefault(kind)
            if kind == "media":
                self.media.setdefault(record["source"], record)
            elif kind in ("species", "observation"):
                self.makers.add(record["by"])
                if maker not in ("", record["by"]):
                    continue
                if kind == "species":
                    self.species.setdefault(record["source"], []).append(record)
                else:
                    self.observations.append(record)

    def check(self, maker: str) -> None:
        """Raise RecordError or UsageError where there is nothing to export, or no one maker's."""
        if self.bad and not self.types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        if not self.species:
            there = f"--by {maker}: no species of this maker; there are those by " if maker and self.makers else ""
            raise UsageError(f"{there}{', '.join(sorted(self.makers))}" if there else
                             f"the records are {', '.join(self.types) or 'none'}, and no species: pipe vtk "
                             "classify-species in first")
        if not maker and len(self.makers) > 1:
            raise UsageError(f"there are species by {' and by '.join(sorted(self.makers))}: choose with --by, or with "
                             "jq")


def export_camtrapdp(names: Sequence[str], package: Package, maker: str, zone: timezone, root: str | None,
                     note: Callable[[str], None]) -> tuple[dict[str, list[str]], bool]:
    """Return the lines of a package's files, and whether everything could be used.

    Args:
        names: files of records; ``-`` or none is stdin.
        package: what records do not say.
        maker: take the species of this maker (``by``) alone; empty: of the only one that there is.
        zone: of times that say none, as of most pictures.
        root: the folder of relative sources, where files are asked for the time of day.
        note: is told of what is left out.

    Raises:
        UsageError: an option is wrong, a file cannot be read, there are no species, or those of several makers.
        RecordError: there are lines, and not one is a record; or not one source has a place and a date.
    """
    check_package(package)
    gathered = Gathered()
    for name in names or [None]:
        gathered.read(name, maker)
    gathered.check(maker)
    for number, where, error in gathered.bad[:20]:
        note(f"{where}, line {number}: {error} [{error.code}]")
    media, problems = media_of(gathered, zone, root)
    for problem in problems[:20]:
        note(f"{problem}: left out")
    if len(problems) > 20:
        note(f"and {len(problems) - 20} more are left out")
    if not media:
        raise RecordError(f"not one of {len(gathered.species)} sources has a place and a date: {problems[0]}")
    if vague := sum(not medium.whole for medium in media.values()):
        note(f"of {vague} of {len(media)} sources the day is known and no time of day: they stand at 00:00, and "
             "timestampIssues is true")
    sightings = sightings_of(gathered, media, note)
    return files(package, list(media.values()), sightings, _now()), not gathered.bad and not problems


def check_package(package: Package) -> None:
    """Raise UsageError where a package's options are none."""
    if not any(name.strip() for name in package.contributors):
        raise UsageError("a package says who made it: give --contributor NAME, once for each")
    for option, value, known in (("--design", package.design, DESIGNS), ("--capture", package.capture, CAPTURES)):
        if value not in known:
            raise UsageError(f"{option} is '{value}': it is one of {', '.join(known)}")


def read_zone(text: str) -> timezone:
    """Return the time zone of a text such as +02:00 or Z. Raises UsageError: it is none."""
    if text in ("Z", "z", "UTC"):
        return UTC
    if (match := _ZONE.fullmatch(text)) and int(match[2]) <= 14 and int(match[3]) < 60:
        away = timedelta(hours=int(match[2]), minutes=int(match[3]))
        return timezone(-away if match[1] == "-" else away)
    raise UsageError(f"--timezone is '{text}': hours and minutes ahead of UTC are needed, such as +02:00, or Z")


def media_of(gathered: Gathered, zone: timezone, root: str | None) -> tuple[dict[str, Medium], list[str]]:
    """Return the sources that have a place and a date, and a line for each of the others."""
    found: dict[str, Medium] = {}
    problems: list[str] = []
    local = [source for source in gathered.species if not is_stream(source) and not is_sequence(source)]
    folder = _shared_folder(local)
    for source, records in gathered.species.items():
        path = source if is_stream(source) else os.path.relpath(_plain(source), folder)
        try:
            found[source] = _medium(source, path.replace(os.sep, "/"), records, zone, root)
        except ValueError as error:
            problems.append(str(error))
    return found, problems


def sightings_of(gathered: Gathered, media: dict[str, Medium], note: Callable[[str], None]) -> list[Sighting]:
    """Return what was seen, by medium, and then what several media show together."""
    found: list[Sighting] = []
    unsized = 0
    for source, medium in media.items():
        known = gathered.media.get(source)
        for number, record in enumerate(gathered.species[source]):
            start = medium.time + timedelta(seconds=record.get("start", record.get("t", 0.0)))
            end = medium.time + timedelta(seconds=record["end"]) if "end" in record else start
            box = _box(record, known)
            unsized += box is None and "xyxy" in record
            found.append(Sighting(f"{medium.id}-{number + 1}", medium.place, start, end, record, medium.id,
                                  record.get("observation", ""), box))
    for number, record in enumerate(joined(gathered.observations)):
        some = [media[source] for source in record["sources"] if source in media]
        if some:
            found.append(Sighting(_id(f"observation {number} {record['observation']}"), some[0].place,
                                  min(medium.time for medium in some), max(medium.time for medium in some), record, "",
                                  record["observation"]))
    if unsized:
        note(f"{unsized} boxes are left out: without media records the size of the pictures is not known")
    return found


def joined(observations: Sequence[Record]) -> list[Record]:
    """Return observations with all of their sources: records that share these out are alike in all else."""
    found: dict[bytes, Record] = {}
    for record in observations:
        alike = dump({key: value for key, value in record.items() if key != "sources"})
        first = found.setdefault(alike, record | {"sources": []})
        first["sources"] += record["sources"]
    return list(found.values())


def write_package(folder: Path, written: dict[str, list[str]], overwrite: bool) -> None:
    """Write the files of a package, the description last: where it is, the package is whole.

    Raises:
        UsageError: they exist, or the folder cannot be made.
        VtkError: a file cannot be written.
    """
    check_folder(folder, overwrite)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / FILES[-1]).unlink(missing_ok=True)
    except OSError as error:
        raise UsageError(f"-o {folder}: {error.strerror}") from None
    for name in FILES:
        file = OneFile(folder / name, overwrite=True)
        try:
            file.write([line.encode() for line in written[name]])
            file.close(True)
        except VtkError:
            with contextlib.suppress(OSError, VtkError):
                file.close(False)
            raise


def check_folder(folder: Path, overwrite: bool) -> None:
    """Raise UsageError where a package would be replaced unasked, or its folder is a file: before the work."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"-o {folder} is a file: a package is a folder")
    if not overwrite and (there := [name for name in FILES if (folder / name).exists()]):
        raise UsageError(f"-o {folder}: {', '.join(there)} would be replaced: give --overwrite, or another folder")


def _medium(source: str, path: str, records: Sequence[Record], zone: timezone, root: str | None) -> Medium:
    """Return a source as a medium. Raises ValueError: what it lacks, or cannot be, in words."""
    record = next((each for each in records if "latitude" in each and "longitude" in each), None)
    if record is None:
        raise ValueError(f"{source} has no latitude and longitude: give vtk classify-species --lat and --lon, or a "
                         "table of places")
    if not (abs(record["latitude"]) <= 90 and abs(record["longitude"]) <= 180):
        raise ValueError(f"{source} is at latitude {record['latitude']:g}, longitude {record['longitude']:g}: no such "
                         "place")
    end = suffix(source)
    if is_sequence(source) or end not in IMAGE_SUFFIXES | VIDEO_SUFFIXES:
        raise ValueError(f"{source} is no file of a picture or a video by its name")
    if not is_path(path):
        raise ValueError(f"{source} cannot be named in a package: no path may begin with a dot or ~, or have two dots")
    taken = None if is_stream(source) else embedded(open_name(source, root), place=False).time
    day = next((each["date"] for each in records if "date" in each), None)
    try:
        known = date.fromisoformat(day) if day else taken.date() if taken else None
    except ValueError:
        raise ValueError(f"{source} has the date {day!r:.40}, YYYY-MM-DD is needed") from None
    if known is None:
        raise ValueError(f"{source} has no date: give vtk classify-species --date, or a table of dates")
    whole = taken is not None and taken.date() == known
    when = taken if taken is not None and whole else datetime.combine(known, time())
    if when.tzinfo is None:
        when = when.replace(tzinfo=zone)
    try:
        when + timedelta(seconds=max((each.get(key, 0) for each in records for key in ("t", "start", "end")), default=0))
    except OverflowError:
        raise ValueError(f"{source} has records of times that no calendar has") from None
    kind = f"{'image' if end in IMAGE_SUFFIXES else 'video'}/{_KINDS.get(end, end[1:])}"
    return Medium(_id(source), (record["latitude"], record["longitude"]), when, whole, path, kind)


def _box(record: Record, media: Record | None) -> tuple[float, float, float, float] | None:
    """Return a record's box as shares of the picture, cut to it; None where there is none, or nothing of it is left."""
    if "xyxy" not in record or media is None:
        return None
    wide, high = media["width"], media["height"]
    x1, x2 = (min(max(record["xyxy"][at], 0), wide) / wide for at in (0, 2))
    y1, y2 = (min(max(record["xyxy"][at], 0), high) / high for at in (1, 3))
    return (x1, y1, x2 - x1, y2 - y1) if x2 > x1 and y2 > y1 else None


def _shared_folder(sources: Sequence[str]) -> str:
    """Return the deepest folder that all files are below."""
    folders = [os.path.dirname(_plain(source)) for source in sources]
    if not folders or len({os.path.isabs(folder) for folder in folders}) > 1:
        return ""
    return os.path.commonpath(folders) if all(folders) else ""


def _plain(source: str) -> str:
    return os.path.normpath(open_name(source))


def _id(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _now() -> datetime:
    """Return the time, or that of SOURCE_DATE_EPOCH, by which builds are made alike."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    return datetime.fromtimestamp(int(given), UTC) if given.isdecimal() else datetime.now(UTC)
