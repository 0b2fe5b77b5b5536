"""The records of scenes and shots."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from vtk.models.places365_labels import PLACES
from vtk.records import Record, make, score
from vtk.scenes.hierarchy import is_indoor, path_of
from vtk.scenes.tiling import Shot
from vtk.scenes.smoothing import Span
from vtk.scenes.wording import Wording

if TYPE_CHECKING:
    from vtk.models.text_encoder import TextEncoder

TEXT = "text"


def keys_of(shot: Shot) -> Record:
    """Return the keys that place a shot in its source, and how it came from the one before."""
    keys: Record = {"start": round(shot.start, 6), "end": round(shot.end, 6)}
    if shot.before is not None:
        keys["transition"] = shot.before.kind
    return keys | {"start_frame": shot.start_frame, "end_frame": shot.end_frame}


class Teller:
    """Makes the records of one maker of answers.

    Args:
        by: their maker.
        labels: that it knows.
        topk: of them a record has, at most.
        text_weight: of what is written.
        encoder: returns what matches texts and labels by meaning, or None; called where the first text came.
    """

    def __init__(self, by: str, labels: Sequence[str], topk: int, text_weight: float,
                 encoder: Callable[[], TextEncoder | None] = lambda: None) -> None:
        self._by, self._labels, self._topk, self._weight = by, tuple(labels), topk, text_weight
        self._encoder = encoder
        self._places = set(self._labels) <= set(PLACES)

    @cached_property
    def _wording(self) -> Wording:
        encoder = self._encoder()
        if encoder is None:
            return Wording(self._labels)
        from vtk.scenes.meaning import Meaning

        return Wording(self._labels, Meaning(self._labels, encoder))

    def scene(self, span: Span, scores: np.ndarray, source: str, texts: Iterable[Record]) -> Record:
        """Return the record of a span.

        Args:
            span: it.
            scores: (C,) log-probabilities of the labels by what is seen.
            source: the span's.
            texts: ``text_track`` records of the source, or ``text`` records of a picture with start and end.
        """
        seen = int(np.argmax(scores))
        read = written(texts, span.shot)
        both = self._wording.fused(scores, read.items(), self._weight) if read and self._weight else scores
        order = np.argsort(-both, kind="stable")[: self._topk]
        ranking = [{"label": self._labels[row], "score": score(float(np.exp(both[row])))} for row in order.tolist()]
        told: Record = {"label": ranking[0]["label"], "score": ranking[0]["score"], "topk": ranking}
        if self._places:
            told |= {"indoor": is_indoor(told["label"]), "path": list(path_of(told["label"]))}
        told["observations"] = span.observations
        if int(order[0]) != seen:
            told["adjusted_by"] = TEXT
        return make("scene", self._by, source, **keys_of(span.shot), **told)


def written(texts: Iterable[Record], shot: Shot) -> dict[str, float]:
    """Return what was on screen in a shot, with the best score of each text, in order; of a picture all that is."""
    read: dict[str, float] = {}
    for record in texts:
        here = record["start"] < shot.end and record["end"] > shot.start
        if here or shot.start == shot.end == record["start"]:
            text = str(record["text"])
            read[text] = max(read.get(text, 0.0), float(record["score"]))
    return read
