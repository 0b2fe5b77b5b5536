"""Pictures and clips that say where and when they were taken, truly or not."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

MAY = "2020:05:01 10:20:30"
# GPS of 52° 30' 30" N, 13° 24' E.
BERLIN = {1: "N", 2: (52.0, 30.0, 30.0), 3: "E", 4: (13.0, 24.0, 0.0)}
AT = (52.50833, 13.4)


def exif_of(taken: str | None = MAY, gps: Mapping[int, Any] | None = None, offset: str | None = None,
            **others: Any) -> Image.Exif:
    """Return EXIF with DateTimeOriginal, its offset and a GPS directory; ``others`` are tags as t9004."""
    exif = Image.Exif()
    named = {0x9003: taken, 0x9011: offset} | {int(key[1:], 16): value for key, value in others.items()}
    for directory, tags in ((0x8769, named), (0x8825, dict(gps or {}))):
        exif.get_ifd(directory).update({tag: value for tag, value in tags.items() if value is not None})
        exif[directory] = exif.get_ifd(directory)  # TIFF writes what stands here, the others what is above
    return exif


def picture(path: Path, taken: str | None = MAY, gps: Mapping[int, Any] | None = None, offset: str | None = None,
            image: np.ndarray | None = None, **others: Any) -> Path:
    """Write a picture, grey unless given, that says so."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shown = np.full((16, 16, 3), 128, np.uint8) if image is None else image
    Image.fromarray(shown).save(path, exif=exif_of(taken, gps, offset, **others))
    return path


def clip(path: Path, said: Mapping[str, str], muxer: Mapping[str, str] | None = None) -> Path:
    """Write a clip of three grey frames whose container says ``said``."""
    with av.open(os.fspath(path), "w", options=dict(muxer or {})) as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        out.metadata.update(said)
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), 128, np.uint8), format="rgb24")
            frame.pts = number
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path
