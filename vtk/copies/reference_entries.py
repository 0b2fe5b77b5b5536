"""References as entries of a library: one for each frame that shows something, and one for all else that is known."""

from __future__ import annotations

import base64
import hashlib
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from vtk.copies.footprint import Footprint
from vtk.copies.references import Arrays, Reference
from vtk.library import Columns, Entry, Library, LibraryError

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


def store(library: Library, footprints: Sequence[Footprint], groups: Sequence[str],
          vectors: Sequence[np.ndarray]) -> None:
    """Add the frames of footprints that show something, by their ``vectors`` (N, D) each, in one commit."""
    shown = [np.flatnonzero(some.any(axis=1)) for some in vectors]
    if not sum(map(len, shown)):
        return
    ids = [f"{group}/{place}" for group, places in zip(groups, shown, strict=True) for place in places]
    names = [(group, each.source) for group, each, places in zip(groups, footprints, shown, strict=True)
             for _ in places]
    library.add(Columns(ids, np.concatenate([some[places] for some, places in zip(vectors, shown, strict=True)]),
                        [group for group, _ in names], [source for _, source in names],
                        t=np.concatenate([each.times[places] for each, places in zip(footprints, shown, strict=True)])),
                batch=len(ids))


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
    return Reference(entry.id, extra["frames"], partial(_unpacked, entry.id, extra["packed"]), entry.end or 0.0,
                     extra["fps"], extra["width"], extra["height"], extra["fingerprint"], extra["plan"], entry.added,
                     entry.group, extra["parts"])


def _unpacked(source: str, packed: Mapping[str, str]) -> Arrays:
    try:
        frames, times, weights = (np.frombuffer(zlib.decompress(base64.b64decode(packed[name])), kind)
                                  for name, kind in _ARRAYS.items())
    except (KeyError, ValueError, zlib.error) as error:
        raise LibraryError(f"what is stored of reference '{source}' is damaged ({error}); remove it and add it "
                           "again") from None
    return frames.astype(np.int64), times.astype(np.float64), weights.astype(np.float32)
