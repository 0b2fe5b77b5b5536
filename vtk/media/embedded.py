"""Where and when a picture or video says that it was taken, from what its file carries, without decoding it.

    found = embedded("fox.jpg")
    found.latitude, found.longitude, found.time, found.problems

Of pictures EXIF is read: the place that a GPS receiver gave, and when the picture was taken (DateTimeOriginal, else the
receiver's own date). When a file was changed, or a slide was scanned, is not when an animal was seen, and is not read.
Of videos the container's own words: QuickTime's location and creationdate, else creation_time, which is the camera's
UTC, or when the file was made by what wrote it. Of ``seq:FOLDER`` what its first picture says. Nothing is fetched.

Much of it is wrong: receivers without a fix write zeros, cameras whose battery was changed begin at the first day of
some year. What cannot be true is passed over and named; what is merely off by days or degrees cannot be told.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from vtk.errors import MediaError
from vtk.media.geotags import Lie, gps_place, gps_time, iso6709_place, moment, wall, zone_of
from vtk.media.names import is_image, is_sequence, is_stream

_EXIF, _GPS = 0x8769, 0x8825  # directories of EXIF
_TAKEN, _OFFSET = 0x9003, 0x9011  # DateTimeOriginal, OffsetTimeOriginal
_APART = timedelta(2)  # how far the clock and GPS may be apart: zones are 14 hours at most, and clocks drift
_PLACES = ("com.apple.quicktime.location.iso6709", "location", "location-eng")
_TIMES = ("com.apple.quicktime.creationdate", "creation_time")
_LONGEST = 1 << 24  # bytes of EXIF that are read, whatever a damaged head says; cameras write some ten thousand
# The least that FFmpeg takes: what the header says is enough, streams are not to be looked into.
_HEADER = {"probesize": "32", "analyzeduration": "0"}

Told = TypeVar("Told")


@dataclass(frozen=True, slots=True)
class Embedded:
    """What a file says of where and when it was taken.

    Attributes:
        latitude, longitude: degrees, in [-90, 90] and [-180, 180]; both or neither.
        time: without a time zone where the file names none, as most pictures: what the camera's clock showed.
        problems: a line for each thing that cannot be true, and was passed over.
    """

    latitude: float | None = None
    longitude: float | None = None
    time: datetime | None = None
    problems: tuple[str, ...] = ()


def embedded(path: str | os.PathLike[str], *, place: bool = True, time: bool = True) -> Embedded:
    """Return where and when the picture, video or ``seq:FOLDER`` at ``path`` was taken, as far as it says so.

    What is in the file never raises: a file that cannot be read is a problem among the others. Of a URL or a camera
    nothing is known.

    Args:
        path: of the file.
        place, time: whether that is wanted; of what is not, no problem is named.
    """
    name = os.fspath(path)
    if is_stream(name):
        return Embedded()
    try:
        if is_sequence(name):
            from vtk.media.sequence import images_in

            name = images_in(name.removeprefix("seq:"))[0]
        return _of_picture(name, place, time) if is_image(name) else _of_video(name, place, time)
    except MediaError as error:
        return Embedded(problems=(f"no place and no date are taken from it: it {error}",))


def _of_picture(path: str, place: bool, time: bool) -> Embedded:
    taken, gps = _exif(path)
    problems: list[str] = []
    latitude, longitude = (_told(problems, "place", lambda: gps_place(gps)) if place else None) or (None, None)
    return Embedded(latitude, longitude, _when(taken, gps, problems) if time else None, tuple(problems))


def _when(taken: dict[int, Any], gps: dict[int, Any], problems: list[str]) -> datetime | None:
    """Return when a picture was taken, by its camera's clock or else by GPS; None where they say nothing or quarrel."""
    clock = _told(problems, "date", lambda: moment(taken.get(_TAKEN), taken.get(_OFFSET)))
    if clock is not None and taken.get(_OFFSET) and zone_of(taken[_OFFSET]) is None:
        problems.append("its offset from UTC is none: its date is taken as it is")
    sky = _told(problems, "GPS date", lambda: gps_time(gps))
    if clock and sky and abs(wall(clock) - wall(sky)) > _APART:
        problems.append(f"it has two dates, {clock:%Y-%m-%d} by the camera's clock and {sky:%Y-%m-%d} by GPS, and one "
                        "of them is wrong: no date is taken from it")
        return None
    return clock or sky


def _exif(path: str) -> tuple[dict[int, Any], dict[int, Any]]:
    """Return the directories of EXIF about the picture and about GPS; empty where it has none.

    Raises:
        MediaError: the file is no picture, or its EXIF is damaged.
    """
    from PIL import Image

    from vtk.media.image import BROKEN_EXIF, make_ready

    try:
        with open(path, "rb") as file:
            make_ready(path)
            with Image.open(file) as image:
                block = image.info.get("exif") or (_behind(path) if image.format == "PNG" else None)
                # Where Pillow read it on opening it keeps quiet about damage; and PNG's own way decodes the picture.
                exif = Image.Exif() if block else Image.Image.getexif(image)
                if block:
                    exif.load(block)
                return dict(exif.get_ifd(_EXIF)), dict(exif.get_ifd(_GPS))
    except Image.DecompressionBombError:
        raise MediaError("is too large for an image", code="E_OPEN") from None
    except (*BROKEN_EXIF, ImportError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise MediaError(f"cannot be opened: {error.strerror}", code="E_OPEN") from None
        raise MediaError("is damaged, or its EXIF is") from None


def _behind(path: str) -> bytes | None:
    """Return the EXIF of a PNG file wherever it stands, from its chunks' heads alone; None where it has none."""
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            length, kind = struct.unpack(">I4s", head)
            if kind == b"eXIf":
                return file.read(min(length, _LONGEST))
            file.seek(length + 4, os.SEEK_CUR)
    return None


def _of_video(path: str, place: bool, time: bool) -> Embedded:
    import av

    from vtk.media.container import open_error

    try:
        with av.open(path, options=_HEADER, metadata_errors="replace") as container:
            parts = (*container.streams.video, container)  # what the container says counts more
            said = {key.casefold(): text for part in parts for key, text in part.metadata.items()}
    except av.error.FFmpegError as error:
        raise open_error(error) from None
    problems: list[str] = []
    # A place may be in words, too, which is no lie.
    where = next((said[key] for key in _PLACES if said.get(key, "").startswith(("+", "-"))), "")
    when = next((said[key] for key in _TIMES if said.get(key)), "")
    latitude = longitude = taken = None
    if place and where:
        latitude, longitude = _told(problems, "place", lambda: iso6709_place(where)) or (None, None)
    if time:
        taken = _told(problems, "date", lambda: moment(when))
    return Embedded(latitude, longitude, taken, tuple(problems))


def _told(problems: list[str], what: str, ask: Callable[[], Told | None]) -> Told | None:
    """Return what is asked for; None where it cannot be true, with a line about it."""
    try:
        return ask()
    except Lie as lie:
        problems.append(f"{lie}: no {what} is taken from it")
        return None
