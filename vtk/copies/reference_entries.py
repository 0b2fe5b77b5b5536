"""References as entries of a library: one for each frame that shows something, and one for all else that is known."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib

import numpy as np

from vtk.copies.footprint import Footprint
from vtk.copies.references import Reference
from vtk.library import Columns, Entry, Library

NAME = 16  # hexadecimal digits that name the frames of a reference
_ARRAYS = {"frames": "<i8", "times": "<f8", "weights": "<f4"}


def place_of(name: str) -> int:
    """Return the number in its footprint of the frame whose entry has this id."""
    return int(name[NAME + 1:])


def group_of(footprint: Footprint) -> str:
    """Return the name of a footprint's frames: of all that is stored of them."""
    digest = hashlib.sha256(json.dumps([footprint.source, footprint.fingerprint, footprint.plan,
                                        footprint.space]).encode())
    for array in (footprint.frames, footprint.times, footprint.vectors, footprint.weights):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:NAME]


def store(library: Library, footprint: Footprint, group: str, vectors: np.ndarray) -> None:
    """Add the frames of a footprint that show something, by their ``vectors`` (N, D), in one commit."""
    shown = np.flatnonzero(vectors.any(axis=1))
    if len(shown):
        library.add(Columns([f"{group}/{place}" for place in shown], vectors[shown], [group] * len(shown),
                            [footprint.source] * len(shown), t=footprint.times[shown]), batch=len(shown))


def entry_of(known: Reference) -> Entry:
    """Return the entry of a reference, which has no vector of its own."""
    extra = {"frames": len(known), "fps": known.fps, "width": known.width, "height": known.height,
             "fingerprint": known.fingerprint, "plan": known.plan, "parts": known.parts}
    packed = {name: base64.b64encode(zlib.compress(getattr(known, name).astype(kind).tobytes())).decode()
              for name, kind in _ARRAYS.items()}
    return Entry(known.source, np.ones(1, np.float32), known.group, known.source, 0.0, known.duration,
                 added=known.added, extra={**extra, "packed": packed})


def reference_in(entry: Entry) -> Reference:
    """Return the reference that ``entry_of`` made an entry of."""
    extra = entry.extra
    frames, times, weights = (np.frombuffer(zlib.decompress(base64.b64decode(extra["packed"][name])), kind)
                              for name, kind in _ARRAYS.items())
    return Reference(entry.id, frames.astype(np.int64), times.astype(np.float64), weights.astype(np.float32),
                     entry.end or 0.0, extra["fps"], extra["width"], extra["height"], extra["fingerprint"],
                     extra["plan"], entry.added, entry.group, extra["parts"])
