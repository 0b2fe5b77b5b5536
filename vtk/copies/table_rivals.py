"""What others do, on the same set: vPDQ's matching of frames, and one hash for a whole video as videohash makes it.

Both say whether two videos match, not which seconds do; the most that can be read out of each is read here. Neither's
program is used: vPDQ's needs FFmpeg's headers to build, its hashes are those of ``pdqhash``, by the same authors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass

import cv2
import numpy as np

from vtk.copies.matches import Match
from vtk.copies.table_distractors import Distractors
from vtk.errors import UsageError
from vtk.kernels.hamming_topk import hamming_topk, hamming_within
from vtk.media.sampling import NATIVE, Sampling
from vtk.media.video import open_media

# Source: vPDQ's README (facebook/ThreatExchange), "Comparison (Matching) Algorithm", its examples: a frame a second,
# distance, quality, and the percentage of the compared video that must be matched; of the query's, none.
DISTANCE, QUALITY, PERCENT = 31, 50, 80.0
_TILE = 144  # pixels. Source: videohash's README: each frame is shrunk to a square of these
_BITS = 64
_GAP = 1.5  # seconds between two matched frames, a second apart, of one run

Frames = Iterable[tuple[float, np.ndarray]]  # seconds and pictures (H, W, 3) uint8 RGB


@dataclass(frozen=True, slots=True)
class Hashed:
    """A video as the rivals know it.

    Attributes:
        name: its path.
        duration: seconds.
        times: (N,) float64, seconds of the frames whose hash is good enough to be compared.
        hashes: (N, 32) uint8, PDQ's.
        whole: (8,) uint8, videohash's 64 bits.
    """

    name: str
    duration: float
    times: np.ndarray
    hashes: np.ndarray
    whole: np.ndarray


def load_pdqhash() -> Callable[[np.ndarray], tuple[np.ndarray, int]]:
    """Return what makes PDQ's 256 bits and quality of a picture.

    Raises:
        UsageError: pdqhash is not installed.
    """
    try:
        from pdqhash import compute
    except ImportError:
        raise UsageError("pdqhash is not installed: pip install pdqhash (it needs a C++ compiler), or leave the "
                         "rivals out with --no-rivals") from None
    return compute  # type: ignore[no-any-return]


def film(path: str) -> Hashed:
    """Return the hashes of a video file, of a frame a second."""
    with closing(open_media(path)) as reader:
        chosen = reader.frames([NATIVE], Sampling("fps", fps=1.0).chooser())
        times, hashes, good, tiles = _seen((frame.t, frame.image(NATIVE)) for frame in chosen)
    return Hashed(path, reader.info.duration or float(times[-1]) + 1, times[good], hashes[good], collage_hash(tiles))


def looped(distractors: Distractors, number: int) -> Iterator[Hashed]:
    """Yield the hashes of a drawn distractor and of its loops."""
    times, hashes, good, tiles = _seen((float(t), image) for t, image in enumerate(distractors.frames(number)))
    for name, order in distractors.loops(number):
        kept = good[order]
        yield Hashed(name, float(len(times)), times[kept], hashes[order][kept],
                     collage_hash([tiles[at] for at in order]))  # fmt: skip


def _seen(frames: Frames) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[np.ndarray]]:
    """Return seconds (N,), PDQ's hashes (N, 32) uint8, which are good (N,) bool, and small pictures."""
    compute = load_pdqhash()
    times, hashes, good, tiles = [], [], [], []
    for t, image in frames:
        bits, quality = compute(image)
        times.append(t)
        hashes.append(np.packbits(bits.astype(np.uint8)))
        good.append(quality >= QUALITY)
        tiles.append(cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (_TILE, _TILE), interpolation=cv2.INTER_AREA))
    return np.array(times), np.array(hashes, np.uint8).reshape(-1, 32), np.array(good, bool), tiles


def collage_hash(tiles: list[np.ndarray]) -> np.ndarray:
    """Return 64 bits, (8,) uint8, of a collage of a video's frames, each (144, 144) uint8, a second apart.

    As many tiles in a row as the rounded square root of their number, black where there are none. A bit says whether
    one of 8 × 8 parts of the collage is brighter than their median: the low band of Haar wavelets.

    Source: the description in videohash's README, version 2; of the wavelet hash, imagehash's.
    """
    columns = max(1, round(len(tiles) ** 0.5))
    rows = -(-len(tiles) // columns)
    collage = np.zeros((rows * _TILE, columns * _TILE), np.float32)
    for number, tile in enumerate(tiles):
        top, left = number // columns * _TILE, number % columns * _TILE
        collage[top : top + _TILE, left : left + _TILE] = tile
    means = cv2.resize(collage, (8, 8), interpolation=cv2.INTER_AREA)
    return np.packbits(means.ravel() > np.median(means))


def by_frames(queries: Iterable[Hashed], library: list[Hashed], documented: bool) -> Iterator[tuple[str, list[Match]]]:
    """Yield each query's name with what vPDQ's matching says of it.

    A frame is matched where one of the other video is within DISTANCE. The score of a pair is the matched share of
    the query's frames, or of the reference's, whichever is greater; if ``documented``, the verdict is that PERCENT of
    the reference's are matched, and others are left out. vPDQ goes no further. Here, each run of matched frames of the
    query is a segment, half a second added at both ends, and beside it the reference from the first to the last of the
    frames nearest to them.
    """
    base = np.concatenate([video.hashes for video in library])
    owners = np.repeat(np.arange(len(library)), [len(video.hashes) for video in library])
    times = np.concatenate([video.times for video in library])
    for query in queries:
        rows, places, distances = hamming_within(query.hashes, base, DISTANCE)
        found: list[Match] = []
        for owner in np.unique(owners[places]).tolist():
            own = owners[places] == owner
            shares = (len(np.unique(rows[own])) / len(query.times),
                      len(np.unique(places[own])) / len(library[owner].times))  # fmt: skip
            if not documented or shares[1] * 100 >= PERCENT:
                found += _runs(query, library[owner], rows[own], times[places[own]], distances[own], max(shares))
        yield query.name, found


def by_whole(queries: Iterable[Hashed], library: list[Hashed]) -> Iterator[tuple[str, list[Match]]]:
    """Yield each query's name with how alike whole videos are: all of one shows all of the other, to a score."""
    base = np.stack([video.whole for video in library])
    for query in queries:
        distances, places = hamming_topk(query.whole[None], base, len(base))
        yield query.name, [Match(library[place].name, 0.0, query.duration, 0.0, library[place].duration,
                                 1 - distance / _BITS, library[place].duration / query.duration)
                           for distance, place in zip(distances[0].tolist(), places[0].tolist(), strict=True)
                           if distance < _BITS // 2]  # fmt: skip


def _runs(query: Hashed, video: Hashed, rows: np.ndarray, times: np.ndarray, distances: np.ndarray,
          score: float) -> list[Match]:
    """Return the runs of matched frames of a pair, given by query frame, reference second and distance."""
    order = np.lexsort((distances, rows))
    first = order[np.flatnonzero(np.diff(rows[order], prepend=-1))]  # the nearest of each query frame
    shown = query.times[rows[first]]
    found = []
    for run in np.split(np.arange(len(first)), np.flatnonzero(np.diff(shown) > _GAP) + 1):
        start, end = max(0.0, shown[run[0]] - 0.5), min(query.duration, shown[run[-1]] + 0.5)
        ref = times[first[run]]
        ref_start, ref_end = max(0.0, ref.min() - 0.5), min(video.duration, ref.max() + 0.5)
        found.append(Match(video.name, float(start), float(end), float(ref_start), float(ref_end), score,
                           float((ref_end - ref_start) / (end - start))))  # fmt: skip
    return found
