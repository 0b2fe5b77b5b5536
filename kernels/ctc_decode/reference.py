"""``ctc_decode`` as the papers say it: a loop over the best path, and prefix beam search over tuples in log space."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import numpy as np

Prefix = tuple[int, ...]
# For each prefix the log probability of its paths that end with the blank, and of those that do not.
Beams = dict[Prefix, tuple[float, float]]


def greedy(scores: np.ndarray, *, blank: int = 0, kind: str = "probabilities", best: bool = False) -> np.ndarray:
    """Return the best path's symbols, probabilities and steps; see the package."""
    out = np.full((*scores.shape[:2], 3), (-1, 0, -1), np.float32)
    for text, rows in zip(scores, out, strict=True):
        count, before = 0, blank
        for step, line in enumerate(text):
            symbol = int(line.argmax())
            if not line[symbol] < inf:  # a NaN is the largest, too
                raise ValueError(f"scores: got {line[symbol]}, expected numbers, or -inf")
            probability = _probability(line, symbol, kind)
            if symbol not in (blank, before):
                rows[count] = symbol, probability, step
                count += 1
            elif symbol != blank and best:
                rows[count - 1, 1] = max(rows[count - 1, 1], probability)
            before = symbol
    return out


def beam(scores: np.ndarray, *, width: int = 10, blank: int = 0, kind: str = "probabilities",
         lexicon: np.ndarray | None = None) -> np.ndarray:  # fmt: skip
    """Return the text that prefix beam search finds, and its log probability; see the package."""
    out = np.full((len(scores), scores.shape[1] + 1), -1.0)
    words = None if lexicon is None else {tuple(int(c) for c in row if c >= 0) for row in lexicon}
    children = None if words is None else _children(words)
    for text, row in zip(scores, out, strict=True):
        beams: Beams = {(): (0.0, -inf)}
        for line in text:
            beams = _step(beams, _log(line, kind), width, blank, children)
        totals = {prefix: float(np.logaddexp(*pair)) for prefix, pair in beams.items()}
        whole = [prefix for prefix in beams if words is None or prefix in words]
        row[0] = -inf
        if whole:
            row[0], row[1 : len(whole[0]) + 1] = totals[whole[0]], whole[0]
    return out


def _step(beams: Beams, log: np.ndarray, width: int, blank: int, children: dict[Prefix, set[int]] | None) -> Beams:
    """Return the best prefixes after one more step, best first; log (V,) float64 log probabilities."""
    stays: Beams = {}
    grown = np.full((len(beams), len(log)), -inf)
    for row, (prefix, (with_blank, without)) in zip(grown, beams.items(), strict=True):
        total = np.logaddexp(with_blank, without)
        repeated = -inf
        row[:] = log + total
        if prefix:
            # The same symbol again is a new one only after a blank.
            row[prefix[-1]] = log[prefix[-1]] + with_blank
            repeated = without + log[prefix[-1]]
        stays[prefix] = total + log[blank], repeated
        row[blank] = -inf
        if children is not None:
            row[[c for c in range(len(log)) if c not in children.get(prefix, ())]] = -inf
    order = {prefix: i for i, prefix in enumerate(beams)}
    for prefix in beams:
        if prefix and prefix[:-1] in order:
            i = order[prefix[:-1]]
            stays[prefix] = stays[prefix][0], float(np.logaddexp(stays[prefix][1], grown[i, prefix[-1]]))
            grown[i, prefix[-1]] = -inf
    totals = np.concatenate([[np.logaddexp(*pair) for pair in stays.values()], grown.ravel()])
    kept: Beams = {}
    prefixes = list(beams)
    for place in np.argsort(-totals, kind="stable")[:width].tolist():
        if totals[place] == -inf:
            break
        i, symbol = divmod(place - len(beams), len(log))
        if place < len(beams):
            kept[prefixes[place]] = stays[prefixes[place]]
        else:
            kept[(*prefixes[i], symbol)] = -inf, float(totals[place])
    return kept


def _children(words: Iterable[Prefix]) -> dict[Prefix, set[int]]:
    """Return for each prefix of a word the symbols that follow it in some word."""
    found: dict[Prefix, set[int]] = {}
    for word in words:
        for i, symbol in enumerate(word):
            found.setdefault(word[:i], set()).add(symbol)
    return found


def _log(line: np.ndarray, kind: str) -> np.ndarray:
    """Return the log probabilities (V,) float64 of a step; -inf for what cannot be."""
    exact = line.astype(np.float64)
    if kind == "probabilities":
        with np.errstate(divide="ignore"):
            return np.log(np.maximum(exact, 0))
    if kind == "log_probabilities" or exact.max() == -inf:
        return exact
    return exact - (exact.max() + np.log(np.exp(exact - exact.max()).sum()))


def _probability(line: np.ndarray, symbol: int, kind: str) -> float:
    """Return the probability of one class of a step."""
    if kind == "probabilities":
        return float(line[symbol])
    with np.errstate(over="ignore"):
        return float(np.exp(_log(line, kind)[symbol]))
