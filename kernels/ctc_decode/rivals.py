"""What users have for the same: PaddleOCR's loop, torch, and prefix beam search in Python with dictionaries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from math import inf, log
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, tensors

Run = Callable[[], Any]

# Symbols a step that Python's search looks at; all 6625 would take it minutes.
SYMBOLS = 20


def numpy_greedy(arguments: Arguments) -> Run | None:
    """Return PaddleOCR's and rapidocr's way: argmax and max, then a selection for each text."""
    scores, blank = arguments["scores"], arguments.get("blank", 0)
    if not isinstance(scores, np.ndarray) or arguments.get("kind", "probabilities") != "probabilities":
        return None

    def run() -> list[Any]:
        symbols, values = scores.argmax(axis=2), scores.max(axis=2)
        found = []
        for row, value in zip(symbols, values, strict=True):
            selection = np.ones(len(row), bool)
            selection[1:] = row[1:] != row[:-1]
            selection &= row != blank
            found.append((row[selection].tolist(), value[selection].tolist()))
        return found

    return run


def torch_greedy(arguments: Arguments) -> Run:
    """Return torch: the largest of each step, then a selection."""
    import torch

    scores, blank = tensors(arguments, "cpu")["scores"], arguments.get("blank", 0)
    logits = arguments.get("kind", "probabilities") == "logits"

    def run() -> list[Any]:
        values, symbols = (scores.softmax(2) if logits else scores).max(dim=2)
        first = symbols != blank
        first[:, 1:] &= symbols[:, 1:] != symbols[:, :-1]
        found = [(row[keep], value[keep]) for row, value, keep in zip(symbols, values, first, strict=True)]
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        return found

    return run


def python_beam(arguments: Arguments) -> Run | None:
    """Return prefix beam search as it is mostly copied: dictionaries of tuples, the best 20 symbols of a step."""
    scores = arguments["scores"]
    if not isinstance(scores, np.ndarray) or arguments.get("kind", "probabilities") != "probabilities":
        return None
    if arguments.get("lexicon") is not None:
        return None
    width, blank = arguments.get("width", 10), arguments.get("blank", 0)
    return lambda: [_python_beam(text, width, blank) for text in scores]


def _python_beam(scores: np.ndarray, width: int, blank: int) -> tuple[tuple[int, ...], float]:
    """Return the text and log probability that the search finds; scores (T, V) probabilities."""
    beams: list[Any] = [((), (0.0, -inf))]
    for line in scores:
        grown: dict[Any, tuple[float, float]] = defaultdict(lambda: (-inf, -inf))
        for c in {*np.argpartition(line, -SYMBOLS)[-SYMBOLS:].tolist(), blank}:
            p = log(line[c]) if line[c] > 0 else -inf
            for prefix, (with_blank, without) in beams:
                if c == blank:
                    a, b = grown[prefix]
                    grown[prefix] = _sum(a, with_blank + p, without + p), b
                    continue
                longer = (*prefix, c)
                a, b = grown[longer]
                if prefix and prefix[-1] == c:
                    grown[longer] = a, _sum(b, with_blank + p)
                    a, b = grown[prefix]
                    grown[prefix] = a, _sum(b, without + p)
                else:
                    grown[longer] = a, _sum(b, with_blank + p, without + p)
        beams = sorted(grown.items(), key=lambda item: _sum(*item[1]), reverse=True)[:width]
    return beams[0][0], _sum(*beams[0][1])


def _sum(*values: float) -> float:
    """Return the log of the sum of exponentials."""
    most = max(values)
    return most if most == -inf else most + log(sum(2.718281828459045 ** (value - most) for value in values))
