"""Whether what a text says has changed where it stands: a score, a clock, the next subtitle."""

from __future__ import annotations

import cv2
import numpy as np

from vtk.models.spotter import Reading

TALL = 24  # pixels of height that crops are compared at
PIECE = 10  # pixels along the line of what is looked for again, about half a letter
# Pixels along and across by which it may have moved: boxes of the same text differ from time to time.
SLACK = (8, 4)
FLAT = 6.0  # gray levels of standard deviation under which a piece shows nothing
# Correlation under which a piece is another. Drawn text that moves by two pixels, is blurred or lit otherwise keeps
# 0.88 or more in every piece; 0 for 1, N for M and 8 for 0 have one of 0.49, 0.71 and 0.84. D for O, 0.92, is missed.
ALIKE = 0.85
SURE = 0.95  # score from which a letter is what it was read as
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

    They are where a letter or digit has become another, or one has gone and another has come, each read surely. What is
    only longer or only shorter is the same text that is hidden in part, or comes up letter by letter; what was pushed
    along, and so lost letters at one end and got some at the other, is the same as well.
    """
    from rapidfuzz.distance import Levenshtein

    gone, come = [], []
    for edit in Levenshtein.editops(before.text, after.text):
        if edit.tag == "replace":
            if _sure(before, edit.src_pos) and _sure(after, edit.dest_pos) and (
                    _alike(before.text[edit.src_pos]) != _alike(after.text[edit.dest_pos])):
                return True
        elif edit.tag == "delete" and _sure(before, edit.src_pos):
            gone.append(_alike(before.text[edit.src_pos]))
        elif edit.tag == "insert" and _sure(after, edit.dest_pos):
            come.append(_alike(after.text[edit.dest_pos]))
    return bool(gone and come) and sorted(gone) != sorted(come) and not _is_pushed(before.text, after.text)


def _sure(reading: Reading, place: int) -> bool:
    return reading.text[place].isalnum() and bool(reading.characters[place] >= SURE)


def _is_pushed(one: str, other: str) -> bool:
    """Tell whether one text ends as the other begins, in half of it and three letters at least."""
    shorter = min(len(one), len(other))
    return any(one[-size:] == other[:size] or other[-size:] == one[:size]
               for size in range(max(3, (shorter + 1) // 2), shorter + 1))


def _alike(letter: str) -> str:
    """Return the sign that stands for ``letter`` and those that it is taken for however surely it was read."""
    folded = letter.casefold()
    return folded.translate(_LOOKALIKES) if len(folded) == 1 else folded
