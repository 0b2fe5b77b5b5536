"""Cells of the earth: rows of equal latitude, cut into so many cells that all have nearly the same area.

A degree of longitude is 111 km at the equator and none at the poles, so a row has 360 / size · cos(latitude) cells,
rounded: at 1 degree 360 at the equator, 180 at 60°, three around a pole. Longitudes wrap; the cells around a pole all
touch there. Source: the reduced grid of meteorology (Hortal and Simmons, Monthly Weather Review 119, 1991).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

SMALLEST, LARGEST = 0.1, 30.0  # degrees


@dataclass(frozen=True)
class Grid:
    """Cells of a size.

    Args:
        size: height of a row in degrees, and width of a cell at the equator; rows of it fill 180 degrees.

    Raises:
        ValueError: no such grid can be made.
    """

    size: float
    _columns: np.ndarray = field(init=False, repr=False, compare=False)
    _first: np.ndarray = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rows = 180 / self.size if self.size else 0
        if not SMALLEST <= self.size <= LARGEST or abs(rows - round(rows)) > 1e-6:
            raise ValueError(f"cells of {self.size:g} degrees: expected {SMALLEST:g} to {LARGEST:g}, and a size that "
                             "fills 180 degrees with whole rows, such as 0.25, 0.5, 1, 2 or 5")
        middles = np.radians((np.arange(round(rows)) + 0.5) * self.size - 90)
        columns = np.maximum(1, np.rint(360 / self.size * np.cos(middles))).astype(np.int64)
        object.__setattr__(self, "_columns", columns)
        object.__setattr__(self, "_first", np.concatenate([[0], np.cumsum(columns)]))

    def __len__(self) -> int:
        return int(self._first[-1])

    def cells_of(self, latitude: np.ndarray, longitude: np.ndarray) -> np.ndarray:
        """Return the cells of places.

        Args:
            latitude: (N,) degrees in [-90, 90].
            longitude: (N,) degrees, any turn; at a pole it says nothing.

        Returns:
            (N,) int64.
        """
        latitude, longitude = np.asarray(latitude, np.float64), np.asarray(longitude, np.float64)
        row = np.clip(np.floor((latitude + 90) / self.size), 0, len(self._columns) - 1).astype(np.int64)
        columns = self._columns[row]
        turned = np.where(np.abs(latitude) == 90, 0.0, np.mod(longitude + 180, 360))
        column = np.minimum(np.floor(turned * columns / 360).astype(np.int64), columns - 1)
        return self._first[row] + column

    def cell_of(self, latitude: float, longitude: float) -> int:
        """Return the cell of one place; see ``cells_of``.

        Raises:
            ValueError: there is no such place.
        """
        if not (math.isfinite(latitude) and abs(latitude) <= 90 and math.isfinite(longitude) and abs(longitude) <= 360):
            raise ValueError(f"no place has latitude {latitude:g} and longitude {longitude:g}: expected degrees, -90 "
                             "to 90 and -180 to 180")
        return int(self.cells_of(np.array([latitude]), np.array([longitude]))[0])

    def bounds(self, cell: int) -> tuple[float, float, float, float]:
        """Return south, west, north and east of a cell in degrees."""
        row, column = self._row_of(cell)
        width = 360 / int(self._columns[row])
        south = row * self.size - 90
        return south, column * width - 180, south + self.size, (column + 1) * width - 180

    def around(self, cell: int) -> np.ndarray:
        """Return a cell and those that touch it, over the antimeridian and the poles too: (K,) int64 ascending."""
        row, column = self._row_of(cell)
        found = {cell}
        for other in (row - 1, row, row + 1):
            if 0 <= other < len(self._columns):
                found |= self._touching(row, column, other)
        if row in (0, len(self._columns) - 1):
            found |= set(range(int(self._first[row]), int(self._first[row + 1])))
        return np.array(sorted(found), np.int64)

    def _touching(self, row: int, column: int, other: int) -> set[int]:
        """Return the cells of row ``other`` whose span of longitudes touches that of a cell."""
        mine, theirs = int(self._columns[row]), int(self._columns[other])
        # In whole numbers, as borders are compared: from column/mine to (column + 1)/mine of a turn.
        first = -(-column * theirs // mine) - 1
        last = (column + 1) * theirs // mine
        return {int(self._first[other]) + place % theirs for place in range(first, last + 1)}

    def _row_of(self, cell: int) -> tuple[int, int]:
        if not 0 <= cell < len(self):
            raise ValueError(f"no cell {cell}: there are {len(self)}")
        row = int(np.searchsorted(self._first, cell, "right")) - 1
        return row, cell - int(self._first[row])
