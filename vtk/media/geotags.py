"""Places and times as EXIF and containers write them, and what of them cannot be true.

Each function raises ``Lie``, whose message says what was found, for what is no place or no time of taking a picture.

Source: Exif 2.32 (CIPA DC-008-2019) 4.6.5 and 4.6.6; ISO 6709:2008 Annex H for text. First days of clocks that nobody
set: seen in pictures and videos at hand (2000-01-01 02:03:06, 1970-01-01), or where such clocks begin (1904, 1980).
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

# Tags of EXIF's GPS directory.
LATITUDE, LONGITUDE, CLOCK, STATUS, DAY = 2, 4, 7, 9, 29
# First days of clocks that nobody set: of QuickTime, Unix, DOS, and of many cameras.
_FIRST_DAYS = ((1904, 1, 1), (1970, 1, 1), (1980, 1, 1), (2000, 1, 1))
_FIRST_PICTURE = 1826  # the view from Niépce's window
_AHEAD = timedelta(1)  # it may be tomorrow already where it was taken
_FURTHEST_ZONE = timedelta(hours=15)
_WHEN = re.compile(r"(\d{4})[:/.-](\d\d?)[:/.-](\d\d?)(?:[ T](\d\d?):(\d\d)(?::(\d\d)(?:[.,]\d*)?)?)?\s*(Z|[+-].*)?")
_ZONE = re.compile(r"([+-])(\d\d):?(\d\d)")
_ISO6709 = re.compile(r"([+-])(\d+)((?:\.\d*)?)([+-])(\d+)((?:\.\d*)?)(?:[+-]\d+(?:\.\d*)?)?(?:CRS\w+)?/?")


class Lie(ValueError):
    """What a file says cannot be true."""


def gps_place(gps: Mapping[int, Any]) -> tuple[float, float] | None:
    """Return latitude and longitude, degrees, of EXIF's GPS directory; None where it names none."""
    if not (gps.get(LATITUDE) or gps.get(LONGITUDE)):
        return None
    if _text(gps.get(STATUS)).upper() == "V":
        raise Lie("its GPS receiver had no fix and says so (status V)")
    latitude = _half(gps, LATITUDE, "latitude", "NS", 90)
    return checked(latitude, _half(gps, LONGITUDE, "longitude", "EW", 180), "GPS place")


def checked(latitude: float, longitude: float, what: str) -> tuple[float, float]:
    """Return a place, degrees, as it came. Raises Lie where it is none."""
    for value, name, limit in ((latitude, "latitude", 90), (longitude, "longitude", 180)):
        if not abs(value) <= limit:
            raise Lie(f"its {what} has a {name} of {value:g}, beyond {limit}")
    if latitude == longitude == 0:
        raise Lie(f"its {what} is 0, 0, which is written where there was no fix")
    return latitude, longitude


def iso6709_place(text: str) -> tuple[float, float]:
    """Return latitude and longitude, degrees, of a text such as +52.5200+013.4050+034.000/."""
    found = _ISO6709.fullmatch(text.strip())
    if found is None or len(found[2]) > 6 or len(found[5]) > 7:
        raise Lie(f"its location '{_short(text)}' is no place of ISO 6709")
    latitude, longitude = (_folded(found[at], found[at + 1], found[at + 2], digits)
                           for at, digits in ((1, 2), (4, 3)))
    return checked(latitude, longitude, f"location '{_short(text)}'")


def gps_time(gps: Mapping[int, Any]) -> datetime | None:
    """Return when a GPS receiver had its fix, in UTC, of EXIF's GPS directory; None where it does not say.

    The day alone, at midnight, where the hour is missing or none.
    """
    text = _text(gps.get(DAY))
    if (day := _read(text, "GPS date")) is None:
        return None
    try:
        hours, minutes, seconds = _numbers(gps[CLOCK])
        passed = timedelta(hours=hours, minutes=minutes, seconds=int(seconds))
    except (KeyError, TypeError, ValueError, OverflowError):
        passed = timedelta()
    if not timedelta() <= passed < timedelta(1):
        passed = timedelta()
    return plausible(day.replace(hour=0, minute=0, second=0, tzinfo=UTC) + passed, "GPS date")


def moment(text: object, zone: object = None, what: str = "date") -> datetime | None:
    """Return the time that a text of EXIF or a container says; None where it says that it is not known.

    Args:
        text: YYYY:MM:DD HH:MM:SS, or of ISO 8601.
        zone: its offset from UTC, ±HH:MM; one that is none is left out, see ``zone_of``.
        what: how it is called in messages.
    """
    time = _read(_text(text), what)
    if time is None:
        return None
    if time.tzinfo is None and (offset := zone_of(zone)) is not None:
        time = time.replace(tzinfo=offset)
    return plausible(time, what)


def zone_of(text: object) -> timezone | None:
    """Return a time zone of ±HH:MM or Z; None where the text is empty or none."""
    words = _text(text)
    if words == "Z":
        return UTC
    found = _ZONE.fullmatch(words)
    if found is None or int(found[3]) > 59:
        return None
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset) if offset <= _FURTHEST_ZONE else None


def plausible(time: datetime, what: str) -> datetime:
    """Return a time as it came. Raises Lie where no picture can have been taken then, or no clock was set."""
    said = f"its {what} is {time:%Y-%m-%d}"
    now = datetime.now(UTC)
    if (time if time.tzinfo else time.replace(tzinfo=UTC)) > now + _AHEAD:
        raise Lie(f"{said}, in the future: the clock was wrong")
    if time.year < _FIRST_PICTURE:
        raise Lie(f"{said}, before there were pictures")
    began = (time.month, time.day, time.hour, time.minute) == (1, 1, 0, 0)  # the year, and somebody pressed a button
    if began or (time.year, time.month, time.day) in _FIRST_DAYS:
        raise Lie(f"{said}, where clocks begin that nobody set")
    return time


def wall(time: datetime) -> datetime:
    """Return what the clock showed where a picture was taken, without its zone."""
    return time.replace(tzinfo=None)


def _read(text: str, what: str) -> datetime | None:
    """Return a time as it is written, with its zone where that is one."""
    if not text.strip(": -/"):  # blanks say that it is not known
        return None
    found = _WHEN.fullmatch(text)
    if found is None:
        raise Lie(f"its {what} '{_short(text)}' is no date")
    try:
        time = datetime(*(int(part or 0) for part in found.groups()[:6]))  # type: ignore[arg-type]
    except ValueError:
        raise Lie(f"its {what} '{_short(text)}' is no date") from None
    return time.replace(tzinfo=zone_of(found[7]))


def _half(gps: Mapping[int, Any], tag: int, name: str, letters: str, limit: int) -> float:
    """Return latitude or longitude of a GPS directory, degrees."""
    if not gps.get(tag):
        raise Lie(f"its GPS place has no {name}")
    letter = _text(gps.get(tag - 1)).upper()
    if letter not in tuple(letters):
        found = f"'{_short(letter)}'" if letter else "nothing"
        raise Lie(f"its GPS {name} is said to be neither {letters[0]} nor {letters[1]} but {found}")
    try:
        degrees, minutes, seconds = [*_numbers(gps[tag]), 0.0, 0.0][:3]
    except (TypeError, ValueError, ZeroDivisionError, OverflowError):
        raise Lie(f"its GPS {name} is no number (a denominator of 0, or text)") from None
    # Rounding gives 60 seconds now and then.
    if not (0 <= minutes < 60 and 0 <= seconds <= 60 and degrees >= 0):
        raise Lie(f"its GPS {name} is {degrees:g} degrees, {minutes:g} minutes and {seconds:g} seconds, which is none")
    value = degrees + minutes / 60 + seconds / 3600
    return -value if letter in "SW" else value


def _numbers(values: Any) -> list[float]:
    """Return what a tag holds as finite numbers. Raises ValueError or TypeError where it is something else."""
    if isinstance(values, (str, bytes)):
        raise ValueError("text")
    numbers = [float(value) for value in (values if isinstance(values, Sequence) else (values,))]
    if not all(map(math.isfinite, numbers)):
        raise ValueError("not finite")
    return numbers


def _folded(sign: str, whole: str, fraction: str, digits: int) -> float:
    """Return degrees of DD.D, DDMM.M or DDMMSS.S, told apart by their digits."""
    extra = max(0, len(whole) - digits + 1) // 2  # pairs of digits behind the degrees
    head = whole[: len(whole) - 2 * extra]
    parts = [head, *(whole[len(head) + 2 * each : len(head) + 2 * each + 2] for each in range(extra))]
    parts[-1] += fraction
    if any(float(part) >= 60 for part in parts[1:]):
        raise Lie(f"its location has {':'.join(parts)}, which is no angle")
    value = sum(float(part) / 60**power for power, part in enumerate(parts))
    return -value if sign == "-" else value


def _text(value: object) -> str:
    """Return a tag's text without what fills it up; "" where it is none."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value.partition("\0")[0].strip() if isinstance(value, str) else ""


def _short(text: str) -> str:
    """Return a text as a message shows it."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in text)
    return shown if len(shown) <= 40 else shown[:40] + "…"
