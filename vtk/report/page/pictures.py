"""Pictures for the page: frames of each source and crops of what was found in it, read by seeking, kept on disk."""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from vtk.driver.link import first_of
from vtk.driver.stage import Source
from vtk.errors import VtkError
from vtk.media.names import is_stream
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media
from vtk.reid.views import cut
from vtk.report.best_crops import fitted_crop
from vtk.report.page.columns import Meta, plain
from vtk.report.page.notes import Followed, Notes

STRIP = 8  # frames of a source
CROPS = 32  # of what was found in a source
HIGH = 96  # pixels, of crops
WIDE = 192  # pixels, the long side of frames
QUALITY = 72  # of JPEG: 3 to 6 KB a picture


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: where its bytes are, and what it shows.

    Attributes:
        rank: place among those of its source; where there is no room for all, the first of each source stay.
        of: for crops the type and number of the track, else empty.
    """

    source: int
    rank: int
    t: float
    frame: int
    at: int
    size: int
    width: int
    height: int
    of: str = ""
    track: int = -1
    label: str = ""


class Pictures:
    """The pictures of a run.

    Args:
        most: on the page.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sources = 0
        self._all: list[Picture] = []
        self._file: Any = None

    @property
    def made(self) -> int:
        """How many were made."""
        return len(self._all)

    def look(self, source: Source, notes: Notes) -> tuple[int, list[VtkError]]:
        """Read frames of a source and crops of its tracks; return how many frames were read, and what was lost, in one.

        Raises:
            MediaError: the source cannot be opened.
            VtkError: E_SPOOL, there is no room on disk.
        """
        if self._most == 0 or notes.fatal or is_stream(source.name):
            return 0, []
        self._sources += 1
        room = max(1, 2 * self._most // self._sources)  # each of many sources gets less
        opening = source.opening
        reader = open_media(source.name, decoder=opening.decoder, threads=opening.threads, timeout=opening.timeout,
                            root=opening.root, framerate=opening.framerate)
        try:
            return self._read(reader, notes, room), first_of(reader.errors)
        finally:
            reader.close()

    def _read(self, reader: Any, notes: Notes, room: int) -> int:
        info = reader.info
        still = info.kind == "image"
        wanted: dict[int, list[tuple[int, Followed | None, str, int]]] = {}
        for rank, index in enumerate([0] if still else _strip(notes, info.fps or 25.0, info.duration)[:room]):
            wanted.setdefault(index, []).append((rank, None, "", -1))
        for rank, (kind, number, track) in enumerate(_shown(notes)[: min(CROPS, room)], 1):
            wanted.setdefault(track.frame, []).append((rank, track, kind, number))
        read = 0
        for decoded in reader.at(iter(sorted(wanted)), []):
            read += 1
            image = decoded.image(NATIVE)
            for rank, track, kind, number in wanted[decoded.index]:
                self._keep(image, notes, decoded, rank, track, kind, number)
        return read

    def _keep(self, image: np.ndarray, notes: Notes, decoded: Any, rank: int, track: Followed | None, kind: str,
              number: int) -> None:
        """Keep a frame, or what the box of a track shows of it."""
        if track is None:
            ratio = min(1.0, WIDE / max(image.shape[:2]))
            size = max(1, round(image.shape[1] * ratio)), max(1, round(image.shape[0] * ratio))
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        else:
            try:
                small = fitted_crop(cut(image, track.xyxy), HIGH)
            except ValueError:  # a box outside its frame shows nothing
                return
        _, data = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="vtk-report-")
            at = self._file.seek(0, os.SEEK_END)
            self._file.write(data.tobytes())
        except OSError as error:
            raise VtkError(f"cannot keep pictures in {tempfile.gettempdir()}: {error.strerror}; TMPDIR names another "
                           "folder", code="E_SPOOL") from None
        self._all.append(Picture(notes.number, rank, round(decoded.t, 3), decoded.index, at, len(data), small.shape[1],
                                 small.shape[0], kind, number, track.label if track is not None else ""))

    def chosen(self) -> list[Picture]:
        """Return the pictures that the page has: the first of each source, then the second, while there is room."""
        some = sorted(self._all, key=lambda picture: (picture.rank, picture.source, picture.of, picture.t))[: self._most]
        return sorted(some, key=lambda picture: (picture.source, picture.of != "", picture.rank, picture.t))

    def texts_of(self, chosen: Sequence[Picture]) -> Iterator[str]:
        """Yield the pieces of a text that has a line for each picture: a JPEG file in base64."""
        for place, picture in enumerate(chosen):
            self._file.seek(picture.at)
            yield ("\n" if place else "") + base64.b64encode(self._file.read(picture.size)).decode()

    def close(self) -> None:
        """Let go of the disk."""
        if self._file is not None:
            self._file.close()


def told(picture: Picture) -> Meta:
    """Return what the script is told of a picture."""
    found: Meta = {"source": picture.source, "t": picture.t, "frame": picture.frame, "w": picture.width,
                   "h": picture.height}
    return found | {"of": picture.of, "track": picture.track, "label": plain(picture.label)} if picture.of else found


def _strip(notes: Notes, fps: float, duration: float | None) -> list[int]:
    """Return frames that show a source over its time: of its shots and scenes, else evenly."""
    spans = sorted(set(notes.shown))
    if len(spans) >= STRIP // 2:
        some = [spans[place * len(spans) // min(STRIP, len(spans))] for place in range(min(STRIP, len(spans)))]
        return list(dict.fromkeys(int((start + end) / 2 * fps) for start, end in some))
    whole = duration or notes.last
    return list(dict.fromkeys(int((place + 0.5) / STRIP * whole * fps) for place in range(STRIP)))


def _shown(notes: Notes) -> list[tuple[str, int, Followed]]:
    """Return (type, number, track) of what crops are made of: the longest tracks, else the best of each label."""
    tracks = sorted(notes.followed.items(), key=lambda item: (-item[1].count, item[0]))
    if tracks:
        return [(kind, number, track) for (kind, _, number), track in tracks]
    return [("best", -1, track) for _, track in sorted(notes.best.items(), key=lambda item: (-item[1].worth, item[0]))]
