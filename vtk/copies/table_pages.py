"""Tables of figures in Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from vtk.copies.table_scores import Row


class Way(NamedTuple):
    """A way to look for copies: by what frames are described, what aligns them, what else is done."""

    descriptor: str
    aligner: str
    options: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, self))


def page(rows: Mapping[Way, Row]) -> str:
    """Return a table of all ways, then for each descriptor one by family; cells are F / µAP in percent."""
    parts = [_overview(rows)]
    for name in dict.fromkeys(way.descriptor for way in rows):
        parts.append(_by_family(name, {way: row for way, row in rows.items() if way.descriptor == name}))
    return "\n".join(parts)


def _overview(rows: Mapping[Way, Row]) -> str:
    head = ["by", "F", "µAP", "macro F of all", "missed pairs (FRR)", "false pairs",
            "of those in queries without a copy", "best F, at a least score of"]  # fmt: skip
    lines = [[str(way), _percent(row.mean_f), _percent(row.mean_ap), _percent(row.all.macro_f),
              f"{row.all.missed} of {row.all.copied} ({_percent(row.all.missed / max(1, row.all.copied))} %)",
              str(row.all.false), f"{row.false} of {row.others}", f"{_percent(row.best_f)} at {row.best_at:g}"]
             for way, row in rows.items()]  # fmt: skip
    return _table(head, lines)


def _by_family(name: str, rows: Mapping[Way, Row]) -> str:
    families = list(next(iter(rows.values())).families)
    lines = [[family, *(_cell(row.families[family].f, row.families[family].ap) for row in rows.values())]
             for family in families]  # fmt: skip
    lines.append(["mean", *(_cell(row.mean_f, row.mean_ap) for row in rows.values())])
    return _table([name, *(str(way._replace(descriptor="")) for way in rows)], lines)


def _table(head: list[str], lines: list[list[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def _cell(f: float, ap: float) -> str:
    return f"{_percent(f)} / {_percent(ap)}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"
