"""Whether two pieces of text can be the same one, by what is written."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

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
