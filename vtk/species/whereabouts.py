"""Where and when each source was taken: from options, from a table, from what the file itself carries.

    finder = Finder(table=Path("places.csv"), group="time")
    finder.of(source)      # (Whereabouts(latitude=52.5, …), [VtkError("its date is 2000-01-01, …")])

Options come before the table, the table before the file, and what is missing in one is taken from the next: the place,
of which latitude and longitude go together, the country, the day. Where coordinates are known from one, a country of a
later one is not taken: it may be another.

Several pictures may be one observation: those of a folder; those of a folder that were taken within some seconds of
each other; those that a column of the table gives one name.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from vtk.driver.stage import Source
from vtk.errors import UsageError, VtkError
from vtk.media.embedded import embedded
from vtk.media.geotags import wall
from vtk.media.names import IMAGE_SUFFIXES, is_sequence, is_stream, open_name, source_name, suffix
from vtk.species.sidecar import Sidecar, country_of, past, place_of

FOLDER, TIME = "folder", "time"
APART = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where and when a source was taken; None where it is not known.

    Attributes:
        latitude, longitude: degrees; both or neither.
        country: two letters of ISO 3166-1.
        day: of the place's own calendar, or of UTC where a video says no more.
        observation: of which it is one picture among others perhaps; "": it stands for itself.
    """

    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None
    day: date | None = None
    observation: str = ""


class Finder:
    """Finds where and when sources were taken.

    Args:
        latitude, longitude, country, day: of all sources, whatever they say themselves.
        table: a file as ``vtk.species.sidecar`` describes it.
        embedded: whether to read what the files themselves carry.
        group: "": each source stands for itself; "folder"; "time"; or a column of the table.
        apart: seconds from one picture to the next, by the camera's clock, up to which they are one observation, where
            ``group`` is "time".

    Raises:
        UsageError: an option or a row of the table is impossible.
    """

    def __init__(self, latitude: float | None = None, longitude: float | None = None, country: str | None = None,
                 day: date | None = None, table: Path | None = None, embedded: bool = True, group: str = "",
                 apart: float = APART) -> None:
        place_of(latitude, longitude, "the place of --lat and --lon")
        if not 0 <= apart < float("inf"):
            raise UsageError(f"--apart {apart:g}: expected seconds, 0 or more")
        column = "" if group in ("", FOLDER, TIME) else group
        if column and table is None:
            raise UsageError(f"--group {group}: it is {FOLDER}, {TIME} or a column of a table, and no table is given")
        self._given = Whereabouts(latitude, longitude, country_of(country, "--country") if country is not None else None,
                                  past(day, "--date") if day is not None else None)
        self._table = Sidecar(table, column) if table is not None else None
        self._embedded, self._group, self._apart = embedded, group, apart
        self._folders: dict[str, dict[str, datetime]] = {}

    @property
    def group(self) -> str:
        """What makes several pictures one observation; "" where each stands for itself."""
        return self._group

    @property
    def hash(self) -> str:
        """Twelve hexadecimal digits of the sha256 of options and table, for they change results."""
        given = self._given
        said = [given.latitude, given.longitude, given.country, given.day and given.day.isoformat(),
                self._table and self._table.hash, self._embedded, self._group,
                self._apart if self._group == TIME else None]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:12]

    def of(self, source: Source) -> tuple[Whereabouts, list[VtkError]]:
        """Return where and when a source was taken, and an error for each thing that it says and cannot be true."""
        path = source.path
        given, row = self._given, self._table.of(source.name, path) if self._table is not None else None
        latitude, longitude, country, day = given.latitude, given.longitude, given.country, given.day
        if row is not None:
            country = country or (row.country if latitude is None else None)
            if latitude is None:
                latitude, longitude = row.latitude, row.longitude
            day = day or row.day
        problems: tuple[str, ...] = ()
        if self._embedded and (latitude is None or day is None):
            found = embedded(path, place=latitude is None, time=day is None)
            problems = found.problems
            if latitude is None:
                latitude, longitude = found.latitude, found.longitude
            day = day or (found.time.date() if found.time else None)
        where = Whereabouts(latitude, longitude, country, day, self._observation(source, row.group if row else ""))
        return where, [VtkError(problem, code="E_WHERE") for problem in problems]

    def _observation(self, source: Source, named: str) -> str:
        """Return the observation that a source belongs to; "" where it stands for itself."""
        if self._group not in (FOLDER, TIME):
            return named
        if is_stream(source.name) or is_sequence(source.name):
            return ""
        typed = os.path.normpath(os.path.dirname(open_name(source.name)))
        if self._group == FOLDER:
            return source_name(typed)
        folder, name = os.path.split(source.path)
        if folder not in self._folders:
            self._folders[folder] = together(folder, self._apart)
        begun = self._folders[folder].get(name)
        return source_name(os.path.normpath(os.path.join(typed, f"{begun:%Y-%m-%dT%H:%M:%S}"))) if begun else ""


def together(folder: str, apart: float) -> dict[str, datetime]:
    """Return when the observation began that each picture of a folder belongs to, by the picture's name.

    Pictures of a folder in order of the camera's clock are one observation for as long as each was taken ``apart``
    seconds after the one before it or less. All of the folder count, whichever are asked for, so that the answer hangs
    on neither the order nor the share of a run. Those without a time are left out.
    """
    try:
        names = [name for name in os.listdir(folder or ".") if suffix(name) in IMAGE_SUFFIXES]
    except OSError:
        return {}
    times = [(wall(time), name) for name in names
             if (time := embedded(os.path.join(folder, name), place=False).time) is not None]
    found: dict[str, datetime] = {}
    begun = last = datetime.min
    for time, name in sorted(times):
        if (time - last).total_seconds() > apart:
            begun = time
        found[name], last = begun, time
    return found
