"""Which labels a text resembles in meaning, where no word of it is known: by MiniLM's vectors of both."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.errors import UsageError
from vtk.models.runtime import RuntimeOptions
from vtk.models.text_encoder import TextEncoder, at_hand, load_text_encoder
from vtk.models.zero_shot import remembered, spoken

TEXTS = ("auto", "words", "minilm")
# What a label is put into, the least cosine of a text that says something, and the temperature of the softmax over
# cosines. Source: measured on the rows ``tune`` of tests/scenes/signs.csv, see ``vtk.scenes.words_bench``: of five
# sentences the one that parts signs from texts of no place best, above the highest cosine of the latter; the temperature
# of the highest mean log-probability of the right places.
SENTENCE = "what is written at a {}."
LEAST = 0.37
TEMPERATURE = 0.025
# A text of fewer letters means nothing: a price, a number of a platform.
LETTERS = 3
# Texts whose labels are remembered.
REMEMBERED = 4096


class Meaning:
    """Says which labels texts resemble.

    Args:
        labels: names; they are put into SENTENCE, ``church/indoor`` as indoor church.
        encoder: of texts.
    """

    def __init__(self, labels: Sequence[str], encoder: TextEncoder) -> None:
        self._encoder = encoder
        self._labels = remembered(f"{encoder.sha256} {SENTENCE}", labels, lambda: encoder.embed(
            [SENTENCE.format(spoken(label)) for label in labels]))
        self._known: dict[str, np.ndarray | None] = {}

    def shares(self, texts: Sequence[str]) -> list[np.ndarray | None]:
        """Return for each text (C,) probabilities of the labels, and None for one that resembles none of them."""
        if len(self._known) + len(texts) > REMEMBERED:
            self._known.clear()
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        worded = [text for text in new if sum(letter.isalpha() for letter in text) >= LETTERS]
        self._known |= dict.fromkeys(new)
        if worded and len(self._labels):
            cosines = self._encoder.embed(worded).astype(np.float64) @ self._labels.T
            for text, row in zip(worded, cosines, strict=True):
                if row.max() >= LEAST:
                    odds = np.exp((row - row.max()) / TEMPERATURE)
                    self._known[text] = odds / odds.sum()
        return [self._known[text] for text in texts]


def check_texts(texts: str) -> None:
    """Raise UsageError unless ``texts`` is of TEXTS."""
    if texts not in TEXTS:
        raise UsageError(f"--texts {texts}: there is {', '.join(TEXTS)}")


def encoder_for(texts: str, runtime: RuntimeOptions) -> TextEncoder | None:
    """Return the encoder that ``texts``, of TEXTS, asks for; None where words alone are to count.

    Raises:
        WeightsError: minilm is asked for and not at hand, or a file of it is not its makers'.
    """
    if texts == "words" or (texts == "auto" and not at_hand()):
        return None
    return load_text_encoder(runtime)
