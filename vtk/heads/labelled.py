"""Pictures of which it is known what they show: a table of files and labels, or a folder of pictures for each label."""

from __future__ import annotations

import codecs
import csv
import io
import os
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from vtk.errors import UsageError
from vtk.media.names import IMAGE_SUFFIXES

TABLE = "labels.csv"
# What spreadsheets write before a text that is not UTF-8.
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"), (codecs.BOM_UTF8, "utf-8-sig"))


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
    lines: dict[str, int] = {}
    rows = csv.DictReader(io.StringIO(_text(table), newline=""))
    try:
        columns = rows.fieldnames or []
        for column in ("file", "label", *([split] if split else [])):
            if column not in columns:
                raise UsageError(f"{table} has no column {column}: there is {', '.join(columns) or 'nothing'}")
        for row in rows:
            picture = _row(table, rows.line_num, {key: (value or "").strip() for key, value in row.items()
                                                  if isinstance(key, str) and not isinstance(value, list)}, split)
            file = os.path.normpath(picture.path)
            if (first := lines.setdefault(file, rows.line_num)) != rows.line_num:
                raise UsageError(f"{table}, line {rows.line_num}: {picture.name} is listed in line {first} already")
            yield picture
    except csv.Error as error:
        raise UsageError(f"{table}, line {rows.line_num}: {error}") from None
    if not lines:
        raise UsageError(f"{table} lists no file")


def _row(table: Path, line: int, row: dict[str, str], split: str | None) -> Labelled:
    for column in ("file", "label"):
        if not row.get(column):
            raise UsageError(f"{table}, line {line}: {column} is empty")
    if not row["label"].isprintable():
        raise UsageError(f"{table}, line {line}: the label {row['label']!r} is not one line of text")
    name = PurePath(row["file"]).as_posix()
    path = table.parent / name
    if not path.is_file():
        raise UsageError(f"{table}, line {line}: {path} is not there")
    return Labelled(name, path, row["label"], row.get(split or "split") or None, row)


def _text(table: Path) -> str:
    """Return the text of a table; of one that is neither UTF-8 nor marked the line is named that shows it."""
    try:
        data = table.read_bytes()
    except OSError as error:
        raise UsageError(f"{table}: {error.strerror}") from None
    if b"\0" in data and not data.startswith(tuple(mark for mark, _ in _MARKS)):
        raise UsageError(f"{table}: it is no text, or UTF-16 without its mark; save it as UTF-8")
    encoding = next((name for mark, name in _MARKS if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{table}, line {line}: byte 0x{data[error.start]:02x} is not {encoding.upper()}; save it as "
                         "UTF-8, such as by iconv -f latin1 -t utf-8") from None


def _refuse_twins(place: Path, pictures: Sequence[Labelled]) -> None:
    """Refuse labels that differ only in case, spaces or the composition of letters: most likely one is meant."""
    seen: dict[str, Labelled] = {}
    for each in pictures:
        key = " ".join(unicodedata.normalize("NFKC", each.label).casefold().replace("_", " ").split())
        other = seen.setdefault(key, each)
        if other.label != each.label:
            raise UsageError(f"{place}: {other.label!r} ({other.name}) and {each.label!r} ({each.name}) are one label "
                             "written in two ways: make them alike")
