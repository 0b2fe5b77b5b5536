"""Sizes, inputs and rivals of ``ctc_decode``."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench
from vtk.kernels.ctc_decode import KINDS, rivals

NAMES = ("greedy", "beam")


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return two short texts of ``size`` classes (one without steps, or none, at 0), sure or unsure of them."""
    classes, steps = max(size, 1), int(rng.integers(1, 14))
    batch, steps = (2, steps) if size else ((2, 0), (0, 3))[rng.integers(2)]
    logits = rng.normal(0, float(rng.choice([0.5, 2.0, 5.0])), (batch, steps, classes))
    blank = int(rng.choice([0, classes // 2, classes - 1]))
    logits[..., blank] += 1
    logits[:, 1::3] = logits[:, :-1:3]  # a symbol over several steps
    kind = str(rng.choice(KINDS))
    given: dict[str, Any] = {"scores": _as(kind, logits), "blank": blank, "kind": kind}
    if name == "greedy":
        return given | {"best": bool(rng.random() < 0.5)}
    given["width"] = int(rng.choice([1, 2, 10, 33]))
    if rng.random() < 0.5:
        given["lexicon"] = _words(int(rng.choice([0, 1, 20, 500])), int(rng.choice([0, 1, 4])), classes, blank, rng)
    return given


def _as(kind: str, logits: np.ndarray) -> np.ndarray:
    """Return scores of ``kind``, float32, from ``logits`` (B, T, V)."""
    if kind == "logits":
        return logits.astype(np.float32)
    shares = np.exp(logits - logits.max(axis=2, keepdims=True))
    shares /= shares.sum(axis=2, keepdims=True)
    return (shares if kind == "probabilities" else np.log(shares)).astype(np.float32)


def _words(count: int, longest: int, classes: int, blank: int, rng: np.random.Generator) -> np.ndarray:
    """Return (count, longest) int64 words of one symbol to ``longest``, some twice; empty ones where there is none."""
    symbols = np.setdiff1d(np.arange(classes), [blank])
    words = np.full((count, longest), -1)
    if longest and len(symbols):
        words[:] = rng.choice(symbols, (count, longest))
        words[np.arange(longest) >= rng.integers(1, longest + 1, (count, 1))] = -1
    return words


def tolerance(name: str, arguments: Arguments) -> float:
    """Return a step of float32 at 1 for probabilities; for log probabilities that share which ``comparable`` leaves.

    Exponential, logarithm and sum are float64 in every implementation and differ by some of its steps, which may
    round a float32 to the next. A log probability sums T steps, each rounded a few times: T steps of float64 for
    the classes' sum (its order differs), 8 for logarithms and additions, at the magnitude of the summed steps.
    """
    steps, classes = arguments["scores"].shape[1:]
    return 2.0**-23 if name == "greedy" else (8 * (steps + 1) + classes) * 2.0**-52


def comparable(name: str, arguments: Arguments, result: np.ndarray) -> Any:
    """Return symbols as whole numbers, and probabilities, or log probabilities as shares of the largest terms."""
    if name == "greedy":
        large = np.maximum(np.abs(result[..., 1]), 1)
        scale = np.where(np.isfinite(large), large, 1)
        return result[..., ::2].astype(np.int64), result[..., 1] / scale, np.log2(scale).round()
    scores = np.abs(arguments["scores"].astype(np.float64))
    # A logarithm of a float32 is above -104.
    terms = np.where(np.isfinite(scores), np.maximum(scores, 104), 104).max(axis=2, initial=104)
    return result[:, 1:].astype(np.int64), result[:, 0] / (1 + terms.sum(axis=1))


def _lines(batch: int, classes: int, steps: int, options: dict[str, Any], rng: np.random.Generator) -> Arguments:
    """Return text lines as a recogniser gives them: every other step a symbol with some doubt, blanks between."""
    logits = rng.normal(0, 1, (batch, steps, classes))
    logits[:, ::2, 0] += 14
    sure = rng.integers(1, classes, (batch, len(range(1, steps, 2)), 3))
    for rival, height in enumerate((15, 14, 12)):
        np.put_along_axis(logits[:, 1::2], sure[..., rival, None], height, axis=2)
    kind = options.get("kind", "probabilities")
    given = {"scores": _as(kind, logits)} | {key: value for key, value in options.items() if key != "words"}
    if "words" in options:
        given["lexicon"] = np.unique(_words(options["words"], 12, classes, 0, rng), axis=0)
    return given


LIBRARIES = {
    "greedy": {"numpy, PaddleOCR's": rivals.numpy_greedy, "torch": rivals.torch_greedy},
    "beam": {"python, 20 symbols": rivals.python_beam},
}

_BEAM = {"width": 10}

BENCHES = (
    Bench("greedy", "a line, 80 x 6625", partial(_lines, 1, 6625, 80, {}), level=0),
    Bench("greedy", "16 lines, 80 x 6625", partial(_lines, 16, 6625, 80, {})),
    Bench("greedy", "16 lines, 80 x 6625, logits", partial(_lines, 16, 6625, 80, {"kind": "logits"})),
    Bench("beam", "beam 10, 80 x 6625", partial(_lines, 1, 6625, 80, _BEAM), level=0),
    Bench("beam", "beam 10, 80 x 6625, logits", partial(_lines, 1, 6625, 80, _BEAM | {"kind": "logits"})),
    Bench("beam", "beam 10, 32 x 38", partial(_lines, 1, 38, 32, _BEAM)),
    Bench("beam", "beam 10, 32 x 38, 50,000 words", partial(_lines, 1, 38, 32, _BEAM | {"words": 50_000})),
)
