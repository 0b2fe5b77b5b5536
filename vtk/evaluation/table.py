"""Figures in a table for people: aligned columns, two decimals, counts whole, words as they are, a dash for none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import orjson

Figures = Mapping[str, float | int | str]


class Scored(Protocol):
    """Scores of a sequence, or of all together."""

    def figures(self) -> Mapping[str, float | int]:
        """Return them by the names that the field has for them, in percent."""
        ...


class Sequences(Protocol):
    """An evaluation by sequence."""

    protocol: str
    sequences: Mapping[str, Scored]
    combined: Scored


def table(title: str, rows: Mapping[str, Figures], columns: Sequence[str]) -> list[str]:
    """Return the lines of a table, ``title`` above the names of its rows."""
    cells = [[title, *columns], *([name, *(_cell(figures.get(column)) for column in columns)]
                                  for name, figures in rows.items())]
    widths = [max(len(line[place]) for line in cells) for place in range(len(columns) + 1)]
    return ["  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]) for line in cells]


def sequence_lines(evaluation: Sequences, as_json: bool, columns: Sequence[str], protocol: object) -> list[str]:
    """Return what is printed of an evaluation: a table of ``columns``, or JSON with all figures and ``protocol``."""
    sequences = {name: scores.figures() for name, scores in evaluation.sequences.items()}
    combined = evaluation.combined.figures()
    if not as_json:
        return table(f"SEQUENCE ({evaluation.protocol})", {**sequences, "COMBINED": combined}, columns)
    rounded = {name: {key: round(value, 4) for key, value in figures.items()} for name, figures in sequences.items()}
    report = {"protocol": protocol, "sequences": rounded,
              "combined": {key: round(value, 4) for key, value in combined.items()}}
    return [orjson.dumps(report).decode()]


def _cell(value: float | int | str | None) -> str:
    if isinstance(value, str):
        return value
    return "-" if value is None else f"{value:d}" if isinstance(value, int) else f"{value:.2f}"
