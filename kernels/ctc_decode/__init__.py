"""Texts from the class scores of a recogniser trained with CTC: the best path, or the best labelling by beam search.

``kind`` says what the scores are: "probabilities" (what PP-OCR's graphs give; below 0 counts as 0), "log_probabilities"
(natural logarithms) or "logits", of which softmax is taken over the classes. Probabilities need not sum to 1.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array

KINDS = ("probabilities", "log_probabilities", "logits")

# Beams that are kept: more is a mistake, not a search.
WIDEST = 1000


def greedy(scores: Array, *, blank: int = 0, kind: str = "probabilities", best: bool = False) -> Array:
    """Return the best path's symbols, runs made one and blanks left out, each with its probability and its step.

    Args:
        scores: (B, T, V) float32, B texts of T steps of V classes; no NaN, no +inf.
        blank: the class of the blank; PP-OCR's is 0.
        kind: one of KINDS, see the module.
        best: take a symbol's probability from the best step of its run, not from the first, as PaddleOCR does. A
            text's score in PP-OCR is the mean over its symbols.

    Returns:
        (B, T, 3) float32: symbol, probability and step (of the first of its run), packed to the left; behind the
        text -1, 0 and -1. Of classes that score alike the first; whole numbers are exact up to 2^24.

    Raises:
        ValueError: a shape, a dtype or an argument is not as said, or a score is NaN or +inf.

    Source: best path decoding (Graves et al., ICML 2006, section 3.2); probability of the first step: PaddleOCR,
    ppocr/postprocess/rec_postprocess.py, BaseRecLabelDecode.decode.
    """
    _check(scores, blank, kind)
    if not isinstance(best, bool):
        raise ValueError(f"best: got {best!r}, expected True or False")
    return call(__name__, "greedy", scores, blank=int(blank), kind=kind, best=best)


def beam(scores: Array, *, width: int = 10, blank: int = 0, kind: str = "probabilities",
         lexicon: Array | None = None) -> Array:  # fmt: skip
    """Return the most probable text that prefix beam search finds, all of its paths summed.

    Each step keeps the ``width`` best prefixes; every symbol may extend each of them: which symbols are looked at
    follows from the prefixes already kept, and loses none.

    Args:
        scores, blank, kind: as in ``greedy``.
        width: prefixes kept in a step, 1 to 1000. At 1 it is not the greedy path: paths to one prefix are summed.
        lexicon: (N, L) int64, a word in each row: its symbols, then -1; a text is one of these words. In any order,
            but sorted rows need not be sorted again. None: any text. A narrow beam may end without a whole word.

    Returns:
        (B, T + 1) float64: the natural logarithm of the text's probability, then its symbols, then -1. Where no
        text is possible or no word was found: -inf, then -1. Of equally probable prefixes the one that stays as it is
        comes first, then those that extend the better prefix, then the lower symbol.

    Raises:
        ValueError: a shape, a dtype or an argument is not as said, a score is NaN or +inf, or a word has the blank,
            a symbol that is no class, or -1 before a symbol.

    Source: prefix beam search without a language model (Hannun et al., arXiv:1408.2873, algorithm 1), after Graves
    et al., ICML 2006, section 3.2; the lexicon as a prefix tree, as in word beam search (Scheidl et al., ICFHR 2018).
    """
    _check(scores, blank, kind)
    # The greedy path finds these by itself: a NaN is the largest of any numbers.
    if scores.shape[0] and scores.shape[1] and not scores.max() < np.inf:
        raise ValueError("scores: got NaN or +inf, expected numbers, or -inf")
    if not _is_whole(width) or not 1 <= width <= WIDEST:
        raise ValueError(f"width: got {width!r}, expected a whole number from 1 to {WIDEST}")
    if lexicon is not None:
        _check_lexicon(lexicon, int(blank), scores.shape[2])
    return call(__name__, "beam", scores, width=int(width), blank=int(blank), kind=kind, lexicon=lexicon)


def _check(scores: Array, blank: int, kind: str) -> None:
    """Raise ValueError where an argument of both functions breaks its contract."""
    check_array("scores", scores, ("B", "T", "V"), ("float32",))
    classes = scores.shape[2]
    if not _is_whole(blank) or not 0 <= blank < classes:
        raise ValueError(f"blank: got {blank!r}, expected one of the {classes} classes, as a whole number from 0")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ValueError(f"kind: got {kind!r}, expected one of {', '.join(KINDS)}")


def _check_lexicon(lexicon: Array, blank: int, classes: int) -> None:
    """Raise ValueError unless every row is a word of these classes."""
    check_array("lexicon", lexicon, ("N", "L"), ("int64",))
    wrong = (lexicon < -1) | (lexicon >= classes) | (lexicon == blank)
    wrong[:, 1:] |= (lexicon[:, 1:] >= 0) & (lexicon[:, :-1] < 0)
    if wrong.any():
        row = lexicon[int(wrong.any(1).nonzero()[0][0])].tolist()
        raise ValueError(f"lexicon: got {row}, expected symbols from 0 to {classes - 1} but not {blank}, then -1")


def _is_whole(value: Any) -> bool:
    """Tell whether ``value`` is a whole number."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)
