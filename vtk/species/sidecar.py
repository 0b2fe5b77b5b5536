"""Tables that say where and when pictures were taken, a row a file:

    file,lat,lon,country,date,animal
    north/fox1.jpg,52.52,13.41,DE,2026-05-01,fox of the yard
    north/fox2.jpg,,,DE,,fox of the yard

``file`` is relative to the table, or the name that is typed on the command line, a URL say. The others may be missing
or empty, and be called as Darwin Core calls them. Commas, semicolons or tabs; UTF-8.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from vtk.errors import UsageError
from vtk.media.names import is_stream, open_name
from vtk.species.countries import CONTINENT_OF, code_of
from vtk.species.tables import Table, is_text, open_table

FILE = ("file",)
# What each column may be called: latitude, longitude, country, date.
COLUMNS = (("lat", "latitude", "decimalLatitude"), ("lon", "lng", "longitude", "decimalLongitude"),
           ("country", "countryCode"), ("date", "eventDate"))


@dataclass(frozen=True, slots=True)
class Row:
    """What a table says of a file.

    Attributes:
        line: where it stands.
        latitude, longitude: degrees; both or neither.
        country: two letters; None: not said.
        day: of the picture; None: not said.
        group: what stands in the column that was asked for; "" where it is empty.
    """

    line: int
    latitude: float | None
    longitude: float | None
    country: str | None
    day: date | None
    group: str = ""


class Sidecar:
    """A table, read whole.

    Args:
        path: of the table.
        group: a column that names observations; "": none.

    Raises:
        UsageError: it cannot be read, has no column of files or of anything else, lists nothing or a file twice, or a
            row is wrong; the message names the line.
    """

    def __init__(self, path: Path, group: str = "") -> None:
        self._folder = os.path.abspath(path.parent)
        self._by_path: dict[str, Row] = {}
        self._by_name: dict[str, Row] = {}
        digest = hashlib.sha256()
        with open_table(path) as table:
            places = _places(table, group)
            for number, fields in table.rows:
                cells = [fields[at].strip() if at >= 0 else "" for at in places]
                row = _row(f"{path}, line {number}", number, cells)
                name, key = self._known_by(cells[0], f"{path}, line {number}")
                first = self._by_path.setdefault(key, row)
                if first is not row:
                    raise UsageError(f"{path}, line {number}: {name} is listed in line {first.line} already")
                self._by_name[name] = row
                digest.update("\t".join((*cells, "\n")).encode())
        if not self._by_path:
            raise UsageError(f"{path} lists no file")
        self.hash = digest.hexdigest()[:12]

    def of(self, name: str, path: str) -> Row | None:
        """Return the row of a source; None where it has none.

        Args:
            name: as it was typed.
            path: what opens it. A row whose file is there, below the table, is of that file and of no other one that
                was typed alike.
        """
        if (row := self._by_path.get(_key(path))) is not None:
            return row
        row = self._by_name.get(_typed(name))
        if row is None or (not is_stream(name) and os.path.exists(_key(open_name(name, self._folder)))):
            return None
        return row


    def _known_by(self, file: str, where: str) -> tuple[str, str]:
        """Return the name by which a row's file may be typed, and the path of it beside the table."""
        if ":" not in file:
            return os.path.normpath(file), os.path.normpath(os.path.join(self._folder, file))
        try:
            return _typed(file), _key(open_name(file, self._folder))
        except ValueError as error:
            raise UsageError(f"{where}: {error}") from None


def place_of(latitude: float | None, longitude: float | None, where: str) -> None:
    """Refuse half a place and an impossible one.

    Raises:
        UsageError: the message begins with ``where``.
    """
    if (latitude is None) != (longitude is None):
        has, lacks = ("longitude", "latitude") if latitude is None else ("latitude", "longitude")
        raise UsageError(f"{where} has a {has} and no {lacks}: give both or neither")
    if latitude is None or longitude is None:
        return
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):  # not of NaN either
        raise UsageError(f"{where} is latitude {latitude:g}, longitude {longitude:g}: no such place; expected degrees, "
                         "-90 to 90 and -180 to 180")


def day_of(text: str, where: str) -> date:
    """Return the day of a text of ISO 8601, with or without a time. Raises UsageError; it begins with ``where``."""
    try:
        day = date.fromisoformat(text) if len(text) <= 10 else datetime.fromisoformat(text).date()
    except ValueError:
        raise UsageError(f"{where} is '{text}': expected YYYY-MM-DD, such as 2026-05-01") from None
    return past(day, where)


def past(day: date, where: str) -> date:
    """Return a day as it came. Raises UsageError where it is to come."""
    today = date.today()
    if day > today + timedelta(1):  # it may be tomorrow already where it was filmed
        raise UsageError(f"{where} is {day.isoformat()}, in the future: expected a day up to {today.isoformat()}")
    return day


def country_of(text: str, where: str) -> str:
    """Return a country's two letters in capitals. Raises UsageError; it begins with ``where``."""
    if (code := code_of(text)) not in CONTINENT_OF:
        meant = ", or GB for the United Kingdom" if code == "UK" else ""
        raise UsageError(f"{where} is '{text}': expected two letters of ISO 3166-1, such as DE{meant}")
    return code


def _places(table: Table, group: str) -> list[int]:
    """Return where file, latitude, longitude, country, date and group stand; -1 where there is no such column."""
    found = [table.place(*names) for names in (FILE, *COLUMNS)]
    known = ", ".join(table.columns) or "nothing"
    if found[0] < 0:
        raise UsageError(f"{table.path} has no column file: there is {known}")
    found.append(table.place(group) if group else -1)
    if group and found[-1] < 0:
        raise UsageError(f"{table.path} has no column {group}, by which to group: there is {known}")
    if max(found[1:]) < 0:
        raise UsageError(f"{table.path} has none of the columns lat and lon, country, date: there is {known}")
    return found


def _row(where: str, number: int, cells: Sequence[str]) -> Row:
    """Return what a row says: of its file, latitude, longitude, country, date and group."""
    if not is_text("".join(cells)):
        raise UsageError(f"{where}: not UTF-8: iconv -f LATIN1 -t UTF-8 turns a table in Latin-1")
    file, north, east, country, when, group = cells
    if not file:
        raise UsageError(f"{where}: file is empty")
    latitude, longitude = _degrees(north, where, "lat"), _degrees(east, where, "lon")
    place_of(latitude, longitude, f"{where}: the place")
    if latitude == longitude == 0:
        raise UsageError(f"{where}: the place is 0, 0, which is written where nobody knew it: leave both empty")
    return Row(number, latitude, longitude, country_of(country, f"{where}: country") if country else None,
               day_of(when, f"{where}: date") if when else None, group)


def _typed(name: str) -> str:
    """Return a name without what may be typed or not: ./ and double slashes; a URI as it is."""
    return name if is_stream(name) or name.startswith(("file:", "seq:")) else os.path.normpath(name)


def _key(path: str) -> str:
    """Return the path that a source is known by, of what opens it."""
    return path if is_stream(path) else os.path.abspath(path.removeprefix("seq:"))


def _degrees(text: str, where: str, name: str) -> float | None:
    """Return degrees; None where the text is empty."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        hint = f"write {text.replace(',', '.')}, with a point" if text.count(",") == 1 else "expected degrees"
        raise UsageError(f"{where}: {name} is '{text}', no number: {hint}") from None
