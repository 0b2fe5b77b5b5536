"""Figures in a table for people: aligned columns, two decimals, counts whole, a dash where there is no figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Figures = Mapping[str, float | int]


def table(title: str, rows: Mapping[str, Figures], columns: Sequence[str]) -> list[str]:
    """Return the lines of a table, ``title`` above the names of its rows."""
    cells = [[title, *columns], *([name, *(_cell(figures.get(column)) for column in columns)]
                                  for name, figures in rows.items())]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns) + 1)]
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in cells]


def _cell(value: float | int | None) -> str:
    return "-" if value is None else f"{value:d}" if isinstance(value, int) else f"{value:.2f}"
