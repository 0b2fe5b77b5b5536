"""The cheapest pairing of two sequences in order."""

from __future__ import annotations

from collections.abc import Sequence


def align(apart: Sequence[Sequence[float]], skipped: Sequence[float], added: float,
          count: int) -> list[tuple[int | None, int | None]]:
    """Return the cheapest pairing (old or None, new or None) of all items of both sequences in order, from the left.

    Among equally cheap ones it pairs rather than skips, and leaves the new one out of a pair last.

    Args:
        apart: for each of N old items, what a pair with each of the M new ones costs.
        skipped: what each old item on its own costs.
        added: what a new item on its own costs.
        count: M, which ``apart`` does not tell where N is 0.

    Source: Needleman and Wunsch, 1970, with costs.
    """
    costs = [[column * added for column in range(count + 1)]]
    for each, alone in zip(apart, skipped, strict=True):
        above, row = costs[-1], [costs[-1][0] + alone]
        for column in range(count):
            row.append(min(above[column] + each[column], above[column + 1] + alone, row[column] + added))
        costs.append(row)
    pairs: list[tuple[int | None, int | None]] = []
    i, j = len(skipped), count
    while i or j:
        if i and j and costs[i][j] == costs[i - 1][j - 1] + apart[i - 1][j - 1]:
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and costs[i][j] == costs[i - 1][j] + skipped[i - 1]:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]
