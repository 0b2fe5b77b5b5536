"""``hamming_topk`` and ``hamming_within`` as the definition says them: all distances of a query at once."""

from __future__ import annotations

import numpy as np

# How many bits of each byte are set.
ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)


def hamming_topk(queries: np.ndarray, base: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k rows of the base nearest to each query."""
    nearest, indices = np.empty((len(queries), k), np.int32), np.empty((len(queries), k), np.int64)
    for place, query in enumerate(queries):
        found = distances(query, base)
        indices[place] = np.argsort(found, kind="stable")[:k]
        nearest[place] = found[indices[place]]
    return nearest, indices


def hamming_within(
    queries: np.ndarray, base: np.ndarray, radius: int, most: int = 10_000_000
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return all pairs at most ``radius`` bits apart."""
    pairs = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32))]
    count = 0
    for place, query in enumerate(queries):
        found = distances(query, base)
        near = np.flatnonzero(found <= radius)
        count += len(near)
        if count > most:
            raise too_many(radius, most)
        pairs.append((np.full(len(near), place), near, found[near]))
    rows, columns, within = (np.concatenate(each) for each in zip(*pairs, strict=True))
    return rows, columns, within


def distances(query: np.ndarray, base: np.ndarray) -> np.ndarray:
    """Return how many bits of ``query`` (W,) uint8 differ from each row of ``base`` (N, W) uint8: (N,) int32."""
    return ONES[base ^ query].sum(axis=1, dtype=np.int32)


def too_many(radius: int, most: int) -> ValueError:
    """Return the refusal of more pairs than a caller wants, the same of every implementation."""
    return ValueError(
        f"most: got more than {most} pairs within {radius} bits, expected no more; a smaller radius finds fewer, "
        "a larger number allows them"
    )
