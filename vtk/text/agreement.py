"""Whether two pieces of text can be the same one: by what is written, and by where they stand."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import cv2
import numpy as np

# Source: CoText's released tracker, its rejection of a match by position.
RATIO = 0.4
DISTANCE = 3


def plain(text: str) -> str:
    """Return letters, marks and digits of ``text`` in upper case; punctuation, symbols and spaces are left out."""
    return "".join(each for each in text.upper() if unicodedata.category(each)[0] in "LMN")


def disagree(a: Sequence[str], b: Sequence[str]) -> np.ndarray:
    """Tell for each pair of texts whether they cannot be readings of the same one.

    They disagree where their Levenshtein ratio is under 0.4, and neither is a prefix of the other, and their edit
    distance is 3 or more, all on ``plain`` text. A text of which nothing remains is a prefix of every other.

    Args:
        a, b: A and B transcripts.

    Returns:
        (A, B) bool.

    Source: Wu et al., CoText, as released: the rejection of a match by position. The ratio is python-Levenshtein's,
    1 − (insertions and deletions) / (length of both).
    """
    from rapidfuzz import process
    from rapidfuzz.distance import Indel, Levenshtein

    if not len(a) or not len(b):
        return np.zeros((len(a), len(b)), bool)
    a, b = [plain(text) for text in a], [plain(text) for text in b]
    # Beyond the cutoff it stops counting and says one more.
    apart = process.cdist(a, b, scorer=Levenshtein.distance, score_cutoff=DISTANCE - 1, dtype=np.uint8) >= DISTANCE
    if apart.any():
        apart &= process.cdist(a, b, scorer=Indel.normalized_similarity, dtype=np.float64) < RATIO
    for i, j in np.argwhere(apart):
        apart[i, j] = not (a[i].startswith(b[j]) or b[j].startswith(a[i]))
    return apart


def polygon_iou(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the overlap of each pair of quadrilaterals, as a share of their union.

    Args:
        a: (A, 4, 2) float, x and y of the corners in pixels, in either direction; one that is not convex or crosses
            itself stands for its convex hull.
        b: (B, 4, 2) float, the same.

    Returns:
        (A, B) float64 in [0, 1]; 0 where one of the two has no area.

    Raises:
        ValueError: an array has another shape, or a number is not finite.
    """
    a, b = _quads("a", a), _quads("b", b)
    result = np.zeros((len(a), len(b)))
    if not result.size:
        return result
    low = np.maximum(a.min(axis=1)[:, None], b.min(axis=1))
    high = np.minimum(a.max(axis=1)[:, None], b.max(axis=1))
    pairs = np.argwhere((low < high).all(axis=2))
    hulls = {("a", i): cv2.convexHull(a[i].astype(np.float32)) for i in set(pairs[:, 0].tolist())}
    hulls |= {("b", j): cv2.convexHull(b[j].astype(np.float32)) for j in set(pairs[:, 1].tolist())}
    areas = {key: cv2.contourArea(hull) for key, hull in hulls.items()}
    for i, j in pairs.tolist():
        least = min(areas["a", i], areas["b", j])
        if least <= 0:
            continue
        # Near the origin, where float32 still has its decimals.
        origin = low[i, j].astype(np.float32)
        shared, _ = cv2.intersectConvexConvex(hulls["a", i] - origin, hulls["b", j] - origin)
        shared = min(shared, least)
        result[i, j] = shared / (areas["a", i] + areas["b", j] - shared)
    return result


def _quads(name: str, value: np.ndarray) -> np.ndarray:
    """Return ``value`` as (N, 4, 2) float64."""
    quads = np.asarray(value, np.float64)
    if quads.ndim != 3 or quads.shape[1:] != (4, 2) or not np.isfinite(quads).all():
        raise ValueError(f"{name}: got shape {quads.shape}, expected finite quadrilaterals (N, 4, 2)")
    return quads
