"""Texts against ground truth: the protocol, the matching of sequences or images, the scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from vtk.errors import UsageError
from vtk.evaluation.sequences import Note
from vtk.evaluation.text_sequences import TextSequence
from vtk.evaluation.tracks import matched
from vtk.metrics.text import IMAGE, VIDEO, Rules, Texts, TextScores, combine_texts, score_texts, spelled

SHAPES = ("polygon", "box")
DONT_CARE = ("auto", "overlap", "area")
NOTHING = Texts(np.empty(0, np.int64), np.empty(0, np.int64), [], [])


@dataclass(frozen=True, slots=True)
class TextEvaluation:
    """Scores by sequence or image, in the ground truth's order, those of all together, and what they follow."""

    rules: Rules
    kind: Literal["video", "image"]
    sequences: dict[str, TextScores]
    combined: TextScores

    @property
    def protocol(self) -> str:
        """The protocol in a word or two: what is scored, and whose overlap."""
        return f"{self.kind}, {self.rules.shape}"

    def protocol_keys(self) -> dict[str, object]:
        """Return the protocol in full, for JSON."""
        return {"kind": self.kind, "overlap": self.rules.shape, "match": 0.5, "dont_care": self.rules.ignored,
                "min_length": self.rules.shortest, "vocabulary": len(self.rules.vocabulary or ()),
                "case": self.rules.case, "tracks": self.rules.tracked}


def rules_for(truth: Mapping[str, TextSequence], found: Mapping[str, TextSequence], note: Note, shape: str = "polygon",
              ignored: str = "auto") -> tuple[Rules, Literal["video", "image"]]:
    """Return the protocol that fits the ground truth, and what it is of.

    Raises:
        UsageError: an unknown word, or ground truth of videos and images.
    """
    if shape not in SHAPES:
        raise UsageError(f"--overlap {shape}: one of {', '.join(SHAPES)} is needed")
    if ignored not in DONT_CARE:
        raise UsageError(f"--dont-care {ignored}: one of {', '.join(DONT_CARE)} is needed")
    kinds = {one.image: one.where for one in truth.values()}
    if len(kinds) > 1:
        raise UsageError(f"{kinds[True]} is an image, {kinds[False]} a video: evaluate them apart")
    image = next(iter(kinds), False)
    rules = replace(IMAGE if image else VIDEO, shape=shape)  # type: ignore[arg-type]
    if ignored != "auto":
        rules = replace(rules, ignored=ignored)  # type: ignore[arg-type]
    if not image:
        loose = next((one for side in (truth, found) for one in side.values() if not one.tracked), None)
        if loose is not None:
            note(f"{loose.where} has texts without track_id: there are no figures of tracks")
            rules = replace(rules, tracked=False)
    return rules, "image" if image else "video"


def evaluate_texts(truth: Mapping[str, TextSequence], found: Mapping[str, TextSequence], note: Note, rules: Rules,
                   kind: Literal["video", "image"] = "video", every: int = 1) -> TextEvaluation:
    """Score results against ground truth, one by one and together.

    Args:
        note: is told, a line each, what the figures do not show.
        every: look at every n-th frame of both, from the first.

    Raises:
        UsageError: there is no ground truth, or no result belongs to it.
    """
    if not truth:
        raise UsageError("the ground truth names no video and no image")
    scores = {}
    for name, result in matched(truth, found, note).items():
        mine = _sampled(truth[name], every)
        texts = NOTHING
        for one in (mine, result):
            if one is not None and one.twins:
                note(f"{one.where}: {one.twins} texts have an id that another of their frame has; they count as tracks "
                     "of their own")
        if result is not None:
            texts = _sampled(result, every).texts
        if kind == "video" and not (~mine.ignored).any():
            note(f"{mine.where} has no text that counts ({len(mine.ignored)} don't-care)")
        scores[name] = score_texts(mine.texts, mine.ignored, texts, rules)
    if not any(spelled(text) for one in truth.values() for text in one.texts.text):
        note("the ground truth has no transcripts: there are no end-to-end figures")
    return TextEvaluation(rules, kind, scores, combine_texts(list(scores.values())))


def _sampled(sequence: TextSequence, every: int) -> TextSequence:
    return sequence if every == 1 else sequence.take((sequence.texts.frame - 1) % every == 0)


def read_vocabulary(file: Path | None) -> tuple[str, ...] | None:
    """Return the words of a vocabulary, one a line; None where there is none.

    Raises:
        UsageError: it cannot be read, or has no word.
    """
    if file is None:
        return None
    try:
        words = tuple(filter(None, map(str.strip, file.read_text("utf-8-sig").splitlines())))
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--vocab {file}: {error}") from None
    if not words:
        raise UsageError(f"--vocab {file} has no word: one a line is needed")
    return words
