"""Whether what a text says has changed where it stands: a score, a clock, the next subtitle."""

from __future__ import annotations

import cv2
import numpy as np

from vtk.models.spotter import Reading

TALL = 24  # pixels of height that crops are compared at
PIECE = 20  # pixels along the line of what is looked for again, about a letter
SLACK = (8, 4)  # pixels along and across by which it may have moved: boxes of the same text differ from time to time
FLAT = 6.0  # gray levels of standard deviation under which a piece shows nothing
ALIKE = 0.75  # correlation under which a piece is another
SURE = 0.9  # score from which a letter is what it was read as
_LOOKALIKES = str.maketrans("oqdlijszbg|!", "000111528911")


def likeness(crop: np.ndarray) -> np.ndarray:
    """Return what an upright crop (h, w, 3) uint8 RGB looks like, to be compared: (TALL, W) uint8 gray."""
    gray = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    width = max(1, round(gray.shape[1] * TALL / gray.shape[0]))
    return cv2.resize(gray, (width, TALL), interpolation=cv2.INTER_AREA)


def may_differ(before: np.ndarray, after: np.ndarray) -> bool:
    """Tell whether a text may say something else ``after`` than ``before``, both made by ``likeness``.

    Each piece of the one is looked for in the other by normalised correlation, around its place. Where one of them is
    not found again, the text may have changed; or the picture got blurred, which a reading tells.
    """
    width, along, across = before.shape[1], *SLACK
    if not 0.5 < after.shape[1] / width < 2:
        return True
    # Boxes are found anew each time: the same letters stand at the same share of the line.
    after = cv2.resize(after, (width, TALL), interpolation=cv2.INTER_AREA)
    field = cv2.copyMakeBorder(after, 0, 0, along, along, cv2.BORDER_REPLICATE)
    inner = before[across : TALL - across]
    for left in range(0, max(1, width - PIECE // 2), PIECE):
        right = min(left + PIECE, width)
        left = max(0, right - PIECE)
        piece, place = inner[:, left:right], field[:, left : right + 2 * along]
        if max(piece.std(), place[across : TALL - across, along:-along].std()) < FLAT:
            continue
        if piece.std() < FLAT or cv2.matchTemplate(place, piece, cv2.TM_CCOEFF_NORMED).max() < ALIKE:
            return True
    return False


def rewritten(before: Reading, after: Reading) -> bool:
    """Tell whether two readings of one place are of different texts, and not one of them misread.

    They are where a letter or digit of the one is another in the other, and both were read surely there. What is longer
    or shorter is the same text that is hidden in part, or comes up letter by letter.
    """
    from rapidfuzz.distance import Levenshtein

    for edit in Levenshtein.editops(before.text, after.text):
        if edit.tag != "replace":
            continue
        old, new = (_alike(reading.text[place]) for reading, place in ((before, edit.src_pos), (after, edit.dest_pos)))
        sure = min(before.characters[edit.src_pos], after.characters[edit.dest_pos]) >= SURE
        if sure and old != new and old.isalnum() and new.isalnum():
            return True
    return False


def _alike(letter: str) -> str:
    """Return the sign that stands for ``letter`` and those that it is taken for however surely it was read."""
    folded = letter.casefold()
    return folded.translate(_LOOKALIKES) if len(folded) == 1 else folded
