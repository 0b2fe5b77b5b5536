"""Words that may stand in a film: what was read is taken for the nearest of them where it is near."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from vtk.errors import UsageError

# Edit distance as a share of the longer of the two up to which a reading is a word misread: one letter of three.
NEAR = 0.34
REMEMBERED = 4096  # answers: a text is asked for again with each frame

_WORD = re.compile(r"^(\W*)(.*?)(\W*)$", re.DOTALL)


class Vocabulary:
    """Entries, of one word or of several, that readings are snapped to.

    A reading as a whole becomes the nearest entry of as many words; else each of its words does, without the
    punctuation around it; else, where none of them is near one, the whole becomes the nearest entry of any length.
    Near is a Levenshtein distance of at most ``NEAR`` of the longer of the two, small and capital letters alike; where
    two entries are as near, the reading stays what it is. The entry's own spelling is taken.

    Args:
        entries: the words.

    Attributes:
        sha256: of what it has, whatever its order.
    """

    def __init__(self, entries: Iterable[str]) -> None:
        spellings: dict[str, str] = {}
        for entry in entries:
            entry = unicodedata.normalize("NFC", " ".join(entry.split()))
            if entry:
                spellings.setdefault(entry.casefold(), entry)
        self._spellings = spellings
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for folded in sorted(spellings):
            self._by_length[len(folded)].append(folded)
        self._answers: dict[str, str] = {}
        self.sha256 = hashlib.sha256("\n".join(sorted(spellings.values())).encode()).hexdigest()

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Return the vocabulary of a file, an entry a line, UTF-8.

        Raises:
            UsageError: the file cannot be read, is not UTF-8, or has no entry.
        """
        try:
            entries = cls(path.read_text(encoding="utf-8-sig").splitlines())
        except OSError as error:
            raise UsageError(f"--vocab {path}: {error.strerror}; a text file with an entry a line is needed") from None
        except UnicodeDecodeError as error:
            raise UsageError(f"--vocab {path}: not UTF-8 at byte {error.start}; convert it first") from None
        if not len(entries):
            raise UsageError(f"--vocab {path}: it has no entry; a text file with an entry a line is needed")
        return entries

    def __len__(self) -> int:
        """Return the number of entries."""
        return len(self._spellings)

    def snap(self, text: str) -> str:
        """Return ``text`` as the vocabulary has it, where it has."""
        if text in self._answers:
            return self._answers[text]
        if len(self._answers) >= REMEMBERED:
            self._answers.clear()
        answer = self._answers[text] = self._snapped(text)
        return answer

    def _snapped(self, text: str) -> str:
        whole = self._nearest(text)
        words = text.split()
        if whole is not None and len(whole.split()) == len(words):
            return whole
        near = {word: found for word in words if (found := self._word(word)) is not None}
        if near:
            return re.sub(r"\S+", lambda found: near.get(found.group(), found.group()), text)
        return text if whole is None else whole

    def _word(self, text: str) -> str | None:
        """Return a word as the vocabulary has it: with its punctuation, or without it and that put back."""
        nearest = self._nearest(text)
        if nearest is not None:
            return nearest
        before, core, after = _WORD.match(text).groups()  # type: ignore[union-attr]
        found = self._nearest(core) if core != text else None
        return None if found is None else before + found + after

    def _nearest(self, text: str) -> str | None:
        """Return the one nearest entry; None where none is near or two are as near."""
        from rapidfuzz import process
        from rapidfuzz.distance import Levenshtein

        folded = unicodedata.normalize("NFC", text).casefold()
        if folded in self._spellings:
            return self._spellings[folded]
        size = len(folded)
        best: list[tuple[float, str]] = []
        for length, words in self._by_length.items():
            if abs(length - size) <= NEAR * max(length, size):
                found = process.extract(folded, words, scorer=Levenshtein.normalized_distance, score_cutoff=NEAR,
                                        limit=2)
                best += [(distance, word) for word, distance, _ in found]
        best.sort()
        if not best or (len(best) > 1 and best[1][0] == best[0][0]):
            return None
        return self._spellings[best[0][1]]
