"""``ctc_decode``: NumPy finds the best class of each step, Numba follows paths and keeps the beam.

The beam's prefixes are nodes of a tree, so that a prefix is known again when it comes back. A step looks only at
symbols that can reach the beam, of thousands of classes a few: those that clear the last of ``width`` prefixes that
stay, seen from the best prefix, and, without a lexicon, the best ``width`` + 1 of the step, for every prefix that grows
by another is behind as many that grow by these (one of them may be the prefix's own last symbol, which needs a blank).
A lexicon is its sorted rows: a node is a range of them, a child a binary search away.
One thread: a text depends on nothing but its own steps, and the caller's threads want the cores.
"""

from __future__ import annotations

import numpy as np
from numba import njit

# Classes compared with the bar at once; a constant length becomes a few comparisons of vectors.
BLOCK = 32
# Steps whose exponentials are summed at once: these stay in the cache.
STEPS = 8
_NO_WORDS = np.empty((0, 0), np.int64)
# The bar is taken to float32 and logarithms back: symbols that a rounding would lose stay in; the sum decides.
SLACK = 1e-5


def greedy(scores: np.ndarray, *, blank: int = 0, kind: str = "probabilities", best: bool = False) -> np.ndarray:
    """Return the best path's symbols, probabilities and steps; see the package."""
    if not scores.shape[0] or not scores.shape[1]:
        return np.empty((*scores.shape[:2], 3), np.float32)
    symbols = scores.argmax(axis=2)
    values = np.take_along_axis(scores, symbols[..., None], axis=2)[..., 0]
    refuse(values)
    if kind != "probabilities":
        with np.errstate(over="ignore"):
            values = np.exp(values - log_sums(scores) if kind == "logits" else values.astype(np.float64))
    return collapse(symbols, values.astype(np.float32), blank, best)


def beam(scores: np.ndarray, *, width: int = 10, blank: int = 0, kind: str = "probabilities",
         lexicon: np.ndarray | None = None) -> np.ndarray:  # fmt: skip
    """Return the text that prefix beam search finds, and its log probability; see the package."""
    offsets = log_sums(scores) if kind == "logits" else np.zeros(scores.shape[:2])
    return search(scores, offsets, kind == "probabilities", width, blank, lexicon)


def search(scores: np.ndarray, offsets: np.ndarray, linear: bool, width: int, blank: int,
           lexicon: np.ndarray | None) -> np.ndarray:  # fmt: skip
    """Return what ``beam`` does; log probabilities are log(scores) if ``linear``, else scores - offsets (B, T)."""
    out = np.full((len(scores), scores.shape[1] + 1), -1.0)
    words = _NO_WORDS if lexicon is None else _in_order(np.ascontiguousarray(lexicon))
    for text, own, row in zip(np.ascontiguousarray(scores), offsets, out, strict=True):
        _search(text, own, linear, width, blank, lexicon is not None, words, row)
    return out


def log_sums(scores: np.ndarray) -> np.ndarray:
    """Return log(sum(exp(scores))) over the classes, (B, T) float64; 0 where all are -inf. scores (B, T, V)."""
    sums = np.zeros(scores.shape[:2])
    for text, row in zip(scores, sums, strict=True):
        for start in range(0, len(text), STEPS):
            some = text[start : start + STEPS]
            most = some.max(axis=1).astype(np.float64)
            most[most == -np.inf] = 0
            with np.errstate(divide="ignore"):
                row[start : start + STEPS] = np.log(np.exp(some - most[:, None]).sum(axis=1)) + most
    sums[sums == -np.inf] = 0
    return sums


def refuse(values: np.ndarray) -> None:
    """Raise ValueError where one of the steps' best ``values`` shows a NaN, which is above any number, or +inf."""
    if not values.max() < np.inf:
        raise ValueError("scores: got NaN or +inf, expected numbers, or -inf")


@njit(cache=True, nogil=True)
def collapse(symbols: np.ndarray, values: np.ndarray, blank: int, best: bool) -> np.ndarray:
    """Return (B, T, 3) float32 of the runs in symbols (B, T) int64 with values (B, T) float32; see ``greedy``."""
    out = np.empty((*symbols.shape, 3), np.float32)
    out[..., 0], out[..., 1], out[..., 2] = -1, 0, -1
    for b in range(symbols.shape[0]):
        count, before = 0, blank
        for t in range(symbols.shape[1]):
            symbol, value = symbols[b, t], values[b, t]
            if symbol != blank and symbol != before:
                out[b, count, 0], out[b, count, 1], out[b, count, 2] = symbol, value, t
                count += 1
            elif symbol != blank and best and value > out[b, count - 1, 1]:
                out[b, count - 1, 1] = value
            before = symbol
    return out


def _in_order(words: np.ndarray) -> np.ndarray:
    """Return the rows of ``words`` (N, L) in lexicographic order, themselves where they are."""
    return words if not words.size or _is_sorted(words) else words[np.lexsort(words.T[::-1])]


@njit(cache=True, nogil=True)
def _is_sorted(words: np.ndarray) -> bool:
    """Tell whether the rows of ``words`` (N, L) stand in lexicographic order."""
    for i in range(1, len(words)):
        for j in range(words.shape[1]):
            if words[i - 1, j] != words[i, j]:
                if words[i - 1, j] > words[i, j]:
                    return False
                break
    return True


@njit(cache=True, nogil=True, error_model="numpy")
def _search(scores: np.ndarray, offsets: np.ndarray, linear: bool, width: int, blank: int, bound: bool,
            words: np.ndarray, out: np.ndarray) -> None:  # fmt: skip
    """Write one text's log probability and symbols into ``out`` (T + 1,). scores (T, V), offsets (T,)."""
    steps, classes = scores.shape
    # parent, symbol, first child, next sibling, depth, first word, behind last word
    tree = np.empty((steps * width + 1, 7), np.int64)
    tree[0] = -1, -1, -1, -1, 0, 0, len(words)
    nodes, kept = 1, 1
    beams, found = np.zeros(width, np.int64), np.empty((width, 4), np.int64)
    ends, grown = np.full((width, 3), -np.inf), np.empty((width, 3))  # total, with blank, without
    ends[0, 0] = ends[0, 1] = 0.0
    log, looked, best = np.empty(classes), np.empty(classes, np.int64), np.empty(width + 1, np.float32)
    for t in range(steps):
        line, offset = scores[t], offsets[t]
        count = 0
        for i in range(kept):
            node = beams[i]
            stay, repeat = ends[i, 0] + _log(line[blank], offset, linear), -np.inf
            if node:
                last = _log(line[tree[node, 1]], offset, linear)
                repeat = ends[i, 2] + last
                for j in range(kept):
                    if beams[j] == tree[node, 0]:
                        after = ends[j, 1] if tree[beams[j], 1] == tree[node, 1] else ends[j, 0]
                        repeat = _add(repeat, last + after)
            count = _insert(_add(stay, repeat), stay, repeat, i, -1, 0, 0, count, grown, found)
        bar = grown[width - 1, 0] - ends[0, 0] if count == width else -np.inf
        if not bound:
            bar = max(bar, _log(_place(line, blank, best), offset, linear))
        symbols = _clear(line, offset, linear, bar, blank, looked, log)
        for i in range(kept):
            count = _extend(i, kept, beams, ends, tree, looked[:symbols], log, bound, words, line, offset, linear,
                            count, grown, found)  # fmt: skip
        nodes = _keep(count, beams, found, tree, nodes)
        kept = count
        ends[:count] = grown[:count]
    _finish(kept, beams, ends, tree, bound, words, out)


@njit(cache=True, nogil=True)
def _log(value: np.float32, offset: float, linear: bool) -> float:
    """Return the log probability of a score."""
    if not linear:
        return np.float64(value) - offset
    return np.log(np.float64(value)) if value > 0 else -np.inf


@njit(cache=True, nogil=True)
def _add(a: float, b: float) -> float:
    """Return log(exp(a) + exp(b))."""
    if a < b:
        a, b = b, a
    return a if b == -np.inf else a + np.log1p(np.exp(b - a))


@njit(cache=True, nogil=True)
def _insert(total: float, with_blank: float, without: float, origin: int, symbol: int, low: int, high: int,
            count: int, grown: np.ndarray, found: np.ndarray) -> int:  # fmt: skip
    """Put a prefix behind those of ``grown`` (width, 3) that are no worse, if there is room; return how many now."""
    if total == -np.inf or (count == len(grown) and total <= grown[count - 1, 0]):
        return count
    place = min(count, len(grown) - 1)
    while place > 0 and grown[place - 1, 0] < total:
        grown[place], found[place] = grown[place - 1], found[place - 1]
        place -= 1
    grown[place, 0], grown[place, 1], grown[place, 2] = total, with_blank, without
    found[place, 0], found[place, 1], found[place, 2], found[place, 3] = origin, symbol, low, high
    return min(count + 1, len(grown))


@njit(cache=True, nogil=True)
def _place(line: np.ndarray, blank: int, best: np.ndarray) -> np.float32:
    """Return the N-th best score of a step but for the blank's, -inf if there are fewer; best (N,): room for them."""
    best[:] = -np.inf
    last = len(best) - 1
    for start in range(0, len(line), BLOCK):
        stop = min(start + BLOCK, len(line))
        if stop - start == BLOCK:
            block, least = line[start : start + BLOCK], best[last]
            some = np.int32(0)
            for k in range(BLOCK):
                some |= np.int32(block[k] > least)
            if not some:
                continue
        for c in range(start, stop):
            if line[c] > best[last] and c != blank:
                place = last
                while place > 0 and best[place - 1] < line[c]:
                    best[place] = best[place - 1]
                    place -= 1
                best[place] = line[c]
    return best[last]


@njit(cache=True, nogil=True, error_model="numpy")
def _clear(line: np.ndarray, offset: float, linear: bool, bar: float, blank: int, looked: np.ndarray,
           log: np.ndarray) -> int:  # fmt: skip
    """Write the symbols whose log probability may exceed ``bar`` into ``looked``, and that into ``log``, by symbol."""
    lowest = bar - SLACK * (1 + abs(bar) + abs(offset)) if bar > -np.inf else -np.inf
    raw = np.float32(np.exp(lowest) * (1 - SLACK) if linear else lowest + offset)
    if not linear and raw > -np.inf:
        raw = raw - np.float32(SLACK) * abs(raw)
    count = 0
    for start in range(0, len(line), BLOCK):
        stop = min(start + BLOCK, len(line))
        if stop - start == BLOCK:
            block = line[start : start + BLOCK]
            some = np.int32(0)
            for k in range(BLOCK):
                some |= np.int32(block[k] > raw)
            if not some:
                continue
        for c in range(start, stop):
            if line[c] > raw and c != blank:
                looked[count] = c
                log[c] = _log(line[c], offset, linear)
                count += 1
    return count


@njit(cache=True, nogil=True)
def _extend(i: int, kept: int, beams: np.ndarray, ends: np.ndarray, tree: np.ndarray, looked: np.ndarray,
            log: np.ndarray, bound: bool, words: np.ndarray, line: np.ndarray, offset: float, linear: bool,
            count: int, grown: np.ndarray, found: np.ndarray) -> int:  # fmt: skip
    """Put what prefix ``i`` grows to by each symbol of ``looked`` into ``grown``; return how many are there now."""
    node = beams[i]
    total, with_blank, last, depth = ends[i, 0], ends[i, 1], tree[node, 1], tree[node, 4]
    low, high = tree[node, 5], tree[node, 6]
    if bound and (depth == words.shape[1] or low == high):
        return count
    # Whichever are fewer: the words that go on from here, or the symbols.
    by_words = bound and high - low < len(looked)
    at = low
    for place in range(high - low if by_words else len(looked)):
        if by_words:
            while at < high and words[at, depth] < 0:
                at += 1
            if at >= high:
                break
            c = words[at, depth]
            until = _first(words, depth, at, high, c + 1)
            start, at = at, until
            value = _log(line[c], offset, linear)
        else:
            c, start, until = looked[place], low, high
            value = log[c]
        value += with_blank if c == last else total
        if count == len(grown) and value <= grown[count - 1, 0]:
            continue
        if bound and not by_words:
            start = _first(words, depth, low, high, c)
            until = _first(words, depth, start, high, c + 1)
            if start == until:
                continue
        known = False
        for j in range(kept):
            known |= tree[beams[j], 0] == node and tree[beams[j], 1] == c
        if not known:
            count = _insert(value, -np.inf, value, i, c, start, until, count, grown, found)
    return count


@njit(cache=True, nogil=True)
def _first(words: np.ndarray, depth: int, low: int, high: int, symbol: int) -> int:
    """Return the first of rows low to high of ``words`` with at least ``symbol`` in column ``depth``; else high."""
    while low < high:
        middle = (low + high) // 2
        if words[middle, depth] < symbol:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def _keep(count: int, beams: np.ndarray, found: np.ndarray, tree: np.ndarray, nodes: int) -> int:
    """Make ``beams`` the nodes of the prefixes ``found``, new ones where there were none; return how many nodes."""
    before = beams.copy()
    for i in range(count):
        node, symbol = before[found[i, 0]], found[i, 1]
        if symbol < 0:
            beams[i] = node
            continue
        child = tree[node, 2]
        while child >= 0 and tree[child, 1] != symbol:
            child = tree[child, 3]
        if child < 0:
            child = nodes
            tree[child, 0], tree[child, 1], tree[child, 2], tree[child, 3] = node, symbol, -1, tree[node, 2]
            tree[child, 4], tree[child, 5], tree[child, 6] = tree[node, 4] + 1, found[i, 2], found[i, 3]
            tree[node, 2] = child
            nodes += 1
        beams[i] = child
    return nodes


@njit(cache=True, nogil=True)
def _finish(kept: int, beams: np.ndarray, ends: np.ndarray, tree: np.ndarray, bound: bool, words: np.ndarray,
            out: np.ndarray) -> None:  # fmt: skip
    """Write the best prefix that is a whole text into ``out`` (T + 1,)."""
    out[0] = -np.inf
    for i in range(kept):
        node = beams[i]
        depth, low = tree[node, 4], tree[node, 5]
        # The shortest of the words that go on from a node stands first.
        if bound and (low == tree[node, 6] or (depth < words.shape[1] and words[low, depth] >= 0)):
            continue
        out[0] = ends[i, 0]
        for place in range(depth, 0, -1):
            out[place] = tree[node, 1]
            node = tree[node, 0]
        return
