"""What labelled pictures and films show, as a csv table says it: labels, spans, and the levels above labels.

    truth = read_truth(Path("labels.csv"), "species")   # [Truth("birds/1.jpg", …, ("Parus major",), …), …]
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from vtk.errors import UsageError
from vtk.labelling import TABLE, rows_of
from vtk.models.places365_labels import PLACES
from vtk.scenes.hierarchy import path_of
from vtk.species.names import RANKS, binomial, key_of
from vtk.species.taxonomy import Taxonomy

Task = Literal["scene", "species"]
PLACE_LEVELS = ("place", "kind", "top")  # the first is the label itself
SEVERAL = "|"  # between labels each of which is right
_PLACES = frozenset(PLACES)


@dataclass(frozen=True, slots=True)
class Truth:
    """What a picture, a film or a span of a film shows.

    Attributes:
        name: of the file, as the table has it, with forward slashes.
        path: of the file.
        where: table and line.
        labels: each of which is right; as written, the first is what it counts as where none is answered.
        levels: for each of the labels its names by level, itself at the first one.
        span: seconds from and to; None for the whole file.
        columns: its other cells.
    """

    name: str
    path: Path
    where: str
    labels: tuple[str, ...]
    levels: tuple[Mapping[str, str], ...]
    span: tuple[float, float] | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


def levels_of(task: Task) -> tuple[str, ...]:
    """Return the names of levels, the label's own first."""
    return PLACE_LEVELS if task == "scene" else RANKS


def read_truth(place: Path, task: Task, label: str = "label", taxonomy: Taxonomy | None = None) -> list[Truth]:
    """Return the rows of a table, ``place`` itself or ``labels.csv`` in it.

    Its columns are file and label (several that are right with | between), maybe start and end in seconds, for species
    genus, family, order and class, and any others. A species' genus is the first word of its name where nothing else
    says it; kinds of places are those of Places365's names.

    Args:
        task: what is labelled.
        label: the column that has the labels.
        taxonomy: what species belong to, and what else they are called.

    Raises:
        UsageError: it cannot be read, or a row is wrong; the message names the line.
    """
    table = place / TABLE if place.is_dir() else place
    found: list[Truth] = []
    seen: dict[tuple[str, tuple[float, float] | None], str] = {}
    for where, row in rows_of(table, label=label, once=False):
        labels = tuple(dict.fromkeys(each.strip() for each in row["label"].split(SEVERAL) if each.strip()))
        if not labels:
            raise UsageError(f"{where}: {label} is empty")
        span = _span(where, row)
        if first := seen.get((row["file"], span)):
            raise UsageError(f"{where}: {row['file']} is listed in line {first.rpartition(' ')[2]} already; several "
                             f"labels of one file stand with {SEVERAL} between them")
        seen[row["file"], span] = where
        levels = tuple(place_levels(each) if task == "scene" else _taxon(each, row, taxonomy) for each in labels)
        others = {key: value for key, value in row.items() if key not in ("file", "label", "start", "end")}
        found.append(Truth(row["file"], table.parent / row["file"], where, labels, levels, span, others))
    return found


def taxon_levels(name: str, taxonomy: Taxonomy | None) -> dict[str, str]:
    """Return a species by rank: what the taxonomy says, else its name and the first word of it as its genus."""
    path = taxonomy.path(name) if taxonomy is not None else ("",) * len(RANKS)
    found = {rank: key_of(taxon) for rank, taxon in zip(RANKS, path, strict=True) if taxon}
    if "species" not in found:
        found["species"] = key_of(name)
        if plain := binomial(name):
            found.setdefault("genus", key_of(plain.removeprefix("× ").partition(" ")[0]))
    return found


def place_levels(name: str) -> dict[str, str]:
    """Return a place by level; one that is none of Places365 stands for itself alone."""
    key = name.strip().replace(" ", "_")
    if key not in _PLACES:
        return {PLACE_LEVELS[0]: key_of(name)}
    return {level: key_of(each) for level, each in zip(PLACE_LEVELS, reversed(path_of(key)), strict=True)}


def _taxon(name: str, row: Mapping[str, str], taxonomy: Taxonomy | None) -> dict[str, str]:
    """Return a species by rank, the table's own columns first; a name that is of a higher rank stands there alone."""
    written = {rank: key_of(row[rank]) for rank in RANKS[1:] if row.get(rank)}
    key = key_of(name)
    above = next((rank for rank in RANKS[1:] if written.get(rank) == key), None)
    if above is not None:
        return {rank: taxon for rank, taxon in written.items() if RANKS.index(rank) >= RANKS.index(above)}
    return taxon_levels(name, taxonomy) | written


def _span(where: str, row: Mapping[str, str]) -> tuple[float, float] | None:
    texts = [row.get(side, "") for side in ("start", "end")]
    if not any(texts):
        return None
    try:
        start, end = map(float, texts)
    except ValueError:
        start = end = math.nan
    if not 0 <= start < end < math.inf:
        raise UsageError(f"{where}: start '{texts[0]}' and end '{texts[1]}': seconds are needed, the end after the "
                         "start, or neither")
    return start, end
