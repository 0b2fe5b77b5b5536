"""What a search finds for one query."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

# Of a hit; ``extra`` is had by ``Library.read``.
FOUND = ("id", "group", "source", "start", "end", "t")


@dataclass(frozen=True, slots=True)
class Hits:
    """The entries most similar to one query, best first.

    Attributes:
        scores: (n,) float32, cosine similarity in [-1, 1], descending.
        found: the entries, n rows of the columns ``FOUND``.
        vectors: (n, D) as they are stored, where they were asked for.
    """

    scores: np.ndarray
    found: pa.Table
    vectors: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.scores)

    @property
    def ids(self) -> list[str]:
        """Their names."""
        return self.found["id"].to_pylist()

    @property
    def groups(self) -> list[str]:
        """The identity or reference of each."""
        return self.found["group"].to_pylist()

    @property
    def sources(self) -> list[str | None]:
        """The path or URL of each."""
        return self.found["source"].to_pylist()

    @property
    def t(self) -> np.ndarray:
        """Their moments (n,) float64, seconds; NaN where an entry has none."""
        return self.seconds("t")

    def seconds(self, name: str) -> np.ndarray:
        """Return ``start``, ``end`` or ``t`` of each as (n,) float64; NaN where an entry has none.

        Raises:
            ValueError: the name is another.
        """
        if name not in ("start", "end", "t"):
            raise ValueError(f"name: got {name!r}, expected start, end or t")
        return self.found[name].to_numpy()
