"""Columns of records, kept as arrays while they come and packed into few bytes for the page."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Any

import numpy as np

LONGEST = 400  # letters of a text that a table shows
# Control characters, and those that make what follows run the other way: shown by their numbers, not obeyed.
_UNSEEN = {code: f"\\u{code:04x}" for code in (*range(32), *range(127, 160), 0x200E, 0x200F, *range(0x2028, 0x202F),
                                               *range(0x2066, 0x206A))}
_SCALES = (1, 100, 10_000, 1_000_000)  # decimals that records carry: none, of pixels, of scores, of seconds
_WHOLE = (np.int8, np.int16, np.int32)
Meta = dict[str, Any]


def plain(text: str) -> str:
    """Return a text as the page shows it: what is not seen by its number, and no longer than LONGEST."""
    shown = text.translate(_UNSEEN) if not text.isprintable() else text
    return shown if len(shown) <= LONGEST else shown[: LONGEST - 1] + "…"


class Numbers:
    """Numbers, absent ones as NaN."""

    def __init__(self, rows: int = 0) -> None:
        self._values = array("d")
        self.extend([None] * rows)

    letters = 0

    def __len__(self) -> int:
        return len(self._values)

    def extend(self, values: Sequence[Any]) -> None:
        """Add numbers; None is absent."""
        self._values.extend([np.nan if value is None else value for value in values])

    def packed(self) -> tuple[Meta, bytes]:
        """Return how the column is packed, and its bytes: whole numbers of a scale where that is exact.

        Absent is the smallest number of the type; ``delta`` says that each is the difference to the one before.
        """
        values = np.frombuffer(self._values, np.float64) if len(self._values) else np.zeros(0)
        absent = np.isnan(values)
        there = values[~absent]
        for scale in _SCALES:
            whole = np.rint(there * scale)
            if whole.size and np.abs(whole).max() > 2**31 - 2:
                break
            if (whole / scale == there).all():
                return _whole_numbers(whole, absent, scale)
        return {"kind": "f8"}, values.astype("<f8").tobytes()


def _whole_numbers(whole: np.ndarray, absent: np.ndarray, scale: int) -> tuple[Meta, bytes]:
    """Return numbers packed as the shortest type of integers that holds them, or their differences."""
    direct = _shortest(whole)
    meta: Meta = {"scale": scale}
    if not absent.any() and whole.size > 1:
        steps = np.diff(whole, prepend=0)
        short = _shortest(steps)
        if np.dtype(short).itemsize < np.dtype(direct).itemsize:
            return meta | {"kind": _code(short), "delta": 1}, steps.astype(short).tobytes()
    full = np.full(absent.size, np.iinfo(direct).min, direct)
    full[~absent] = whole.astype(direct)
    return meta | {"kind": _code(direct)}, full.tobytes()


def _shortest(whole: np.ndarray) -> type[np.integer[Any]]:
    most = np.abs(whole).max() if whole.size else 0
    return next(kind for kind in _WHOLE if most <= np.iinfo(kind).max)


def _code(kind: type[np.integer[Any]]) -> str:
    return f"i{np.dtype(kind).itemsize}"


class Texts:
    """Texts, each different one kept once; absent ones as -1.

    Attributes:
        letters: of all different texts.
        cut: how many different texts were longer than LONGEST and are kept without their rest.
    """

    def __init__(self, rows: int = 0) -> None:
        self._codes = array("i", [-1]) * rows
        self._known: dict[str, int] = {}
        self.letters = self.cut = 0

    def __len__(self) -> int:
        return len(self._codes)

    def extend(self, values: Sequence[str | None]) -> None:
        """Add texts; None is absent."""
        known = self._known
        before = len(known)
        codes = [-1 if value is None else known.setdefault(value, len(known)) for value in values]
        if len(known) > before:
            fresh = list(known)[before:] if before else list(known)
            self.letters += sum(min(len(text), LONGEST) for text in fresh)
            self.cut += sum(len(text) > LONGEST for text in fresh)
        self._codes.extend(codes)

    def packed(self) -> tuple[Meta, bytes]:
        """Return the column's texts with how their numbers are packed, and the bytes of these."""
        codes = np.frombuffer(self._codes, np.int32) if len(self._codes) else np.zeros(0, np.int32)
        kind = next(kind for kind in _WHOLE if len(self._known) <= np.iinfo(kind).max)
        return {"kind": _code(kind), "texts": [plain(text) for text in self._known]}, codes.astype(kind).tobytes()


def align(blob: bytearray) -> int:
    """Fill ``blob`` up to a multiple of eight bytes, as typed arrays need, and return its length."""
    blob.extend(bytes(-len(blob) % 8))
    return len(blob)
