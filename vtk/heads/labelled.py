"""Pictures of which it is known what they show: a table of files and labels, or a folder of pictures for each label."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vtk.errors import UsageError
from vtk.labelling import TABLE, rows_of
from vtk.media.names import IMAGE_SUFFIXES


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and its label.

    Attributes:
        name: as the table has it, or below the folder, with forward slashes.
        path: of the file.
        label: what it shows.
        part: of the data that it belongs to, such as train and test; None: there are no parts.
        columns: what the table says of it, by column.
    """

    name: str
    path: Path
    label: str
    part: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict, compare=False)


def read_labelled(place: Path, split: str | None = None) -> list[Labelled]:
    """Return the labelled pictures of a table or a folder, in the table's order, else by name.

    A table, ``place`` itself or ``labels.csv`` in it, is UTF-8, or UTF-16 with its mark, and has the columns file
    (relative to it) and label, and maybe ``split`` and any others. Without one there is a folder of pictures for each
    label, or for each part a folder of these: ``beach/…``, or ``train/beach/…`` and ``test/beach/…``.

    Args:
        place: the folder, or a csv file.
        split: the column that names parts, in place of ``split``.

    Raises:
        UsageError: it cannot be read; a file is missing, listed twice or without a label; or two labels are one word
            in two ways of writing.
    """
    if place.suffix.lower() == ".csv" and not place.is_dir():
        found = list(_tabled(place, split))
    elif not place.is_dir():
        raise UsageError(f"{place}: a folder of labelled pictures or a csv file is needed")
    elif (place / TABLE).is_file():
        found = list(_tabled(place / TABLE, split))
    elif split is not None:
        raise UsageError(f"--split {split}: a column of {place / TABLE}, which is not there")
    else:
        found = list(_foldered(place))
    _refuse_twins(place, found)
    return found


def taken(pictures: Sequence[Labelled], part: str | None, option: str = "--part",
          where: Sequence[str] = ()) -> list[Labelled]:
    """Return the pictures of a part, all where it is None, for which each ``COLUMN=VALUE`` of ``where`` is true.

    Raises:
        UsageError: there is no such part or column, or nothing is left.
    """
    parts = sorted({each.part for each in pictures if each.part is not None})
    if part is not None and part not in parts:
        raise UsageError(f"{option} {part}: there is {', '.join(parts) or 'no part: a column split would name them'}")
    found = [each for each in pictures if part is None or each.part == part]
    for rule in where:
        column, equals, value = rule.partition("=")
        known = sorted({key for each in pictures for key in each.columns})
        if not equals or column not in known:
            raise UsageError(f"--where {rule}: COLUMN=VALUE is needed, with a column of the table: there is "
                             f"{', '.join(known) or 'none'}")
        found = [each for each in found if each.columns.get(column, "") == value]
    if not found:
        said = [*([f"{option} {part}"] if part else []), *(f"--where {rule}" for rule in where)]
        raise UsageError(f"{', '.join(said) or 'but for --check'}: no picture is left")
    return found


def _foldered(folder: Path) -> Iterator[Labelled]:
    """Yield the pictures of a folder, labelled by the folder that each is in."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES and path.is_file()
                   and not path.name.startswith("."))
    if not files:
        raise UsageError(f"{folder}: no labelled pictures; {TABLE}, or a folder of pictures for each label is needed")
    depths = {len(path.relative_to(folder).parts): path for path in files}
    if len(depths) > 1 or not depths.keys() <= {2, 3}:
        one, other = depths[min(depths)], depths[max(depths)]
        raise UsageError(f"{folder}: pictures are needed in LABEL/ or in PART/LABEL/ throughout; there is "
                         + (f"{one}" if one == other else f"{one} and {other}"))
    for path in files:
        *above, label, _ = path.relative_to(folder).parts
        if not label.isprintable():
            raise UsageError(f"{folder}: the folder {label!r} is no name for a label: rename it in UTF-8")
        yield Labelled(path.relative_to(folder).as_posix(), path, label, above[0] if above else None)


def _tabled(table: Path, split: str | None) -> Iterator[Labelled]:
    """Yield what a table lists."""
    for where, row in rows_of(table, *([split] if split else [])):
        if not row["label"].isprintable():
            raise UsageError(f"{where}: the label {row['label']!r} is not one line of text")
        path = table.parent / row["file"]
        if not path.is_file():
            raise UsageError(f"{where}: {path} is not there")
        yield Labelled(row["file"], path, row["label"], row.get(split or "split") or None, row)


def _refuse_twins(place: Path, pictures: Sequence[Labelled]) -> None:
    """Refuse labels that differ only in case, spaces or the composition of letters: most likely one is meant."""
    seen: dict[str, Labelled] = {}
    for each in pictures:
        key = " ".join(unicodedata.normalize("NFKC", each.label).casefold().replace("_", " ").split())
        other = seen.setdefault(key, each)
        if other.label != each.label:
            raise UsageError(f"{place}: {other.label!r} ({other.name}) and {each.label!r} ({each.name}) are one label "
                             "written in two ways: make them alike")
