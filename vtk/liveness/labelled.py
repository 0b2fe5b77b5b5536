"""Pictures and videos of which it is known whether the face is live: folders by label, or labels.csv.

    labels = read_labelled(Path("faces"))           # faces/live/…, faces/spoof/print/…, or faces/labels.csv
    matched = match(labels, sources_of_records)
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from vtk.errors import UsageError
from vtk.labelling import TABLE, rows_of
from vtk.media.names import IMAGE_SUFFIXES, VIDEO_SUFFIXES, open_name, source_name

LIVE = frozenset({"live", "real", "genuine", "bonafide", "bona-fide", "bona fide"})
SPOOF = frozenset({"spoof", "fake", "attack"})
# The type of attacks of which it is not said.
UNNAMED = "attack"
_WORDS = "live, real, genuine or bonafide; spoof, fake or attack"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture or a video of one presentation of a face.

    Attributes:
        name: as the table has it, or below the folder, with forward slashes.
        path: of the file.
        live: whether the face is.
        attack: the type of attack (PAI species); None where live.
        subject: who it shows; None: unknown.
        part: of the data that it belongs to, such as train, dev, test; None: there are no parts.
        columns: what the table says of it beside file and label, by column.
    """

    name: str
    path: Path
    live: bool
    attack: str | None = None
    subject: str | None = None
    part: str | None = None
    columns: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def group(self) -> str:
        """What is drawn together when data is drawn again: its subject, else it alone."""
        return f"subject {self.subject}" if self.subject is not None else f"file {self.name}"


def read_labelled(place: Path, split: str | None = None) -> list[Labelled]:
    """Return what is labelled in a folder or a table, by name.

    A table, ``place`` itself or ``labels.csv`` in it, has the columns file (relative to it) and label, and maybe
    attack (not looked at where live), subject, split and any others. Without one the folders say it, at any depth:
    ``live/…``, ``spoof/print/…``; the folder right in that of an attack is its type, those above are the part,
    ``dev/spoof/print/…``.

    Args:
        place: the folder, or a csv file.
        split: the column that names parts, in place of ``split``.

    Raises:
        UsageError: it cannot be read, or something in it is labelled in no known way, twice, or not at all.
    """
    if place.suffix.lower() == ".csv" and not place.is_dir():
        return list(_tabled(place, split))
    if not place.is_dir():
        raise UsageError(f"{place}: a folder of labelled faces or a csv file is needed")
    if (place / TABLE).is_file():
        return list(_tabled(place / TABLE, split))
    if split is not None:
        raise UsageError(f"--split {split}: a column of {place / TABLE}, which is not there")
    return list(_foldered(place))


def taken(labels: Sequence[Labelled], part: str | None, option: str = "--part") -> list[Labelled]:
    """Return those of a part; all where it is None.

    Raises:
        UsageError: there is no such part.
    """
    if part is None:
        return list(labels)
    parts = sorted({label.part for label in labels if label.part is not None})
    if part not in parts:
        raise UsageError(f"{option} {part}: there is {', '.join(parts) or 'no part: a column split would name them'}")
    return [label for label in labels if label.part == part]


def match(labels: Sequence[Labelled], sources: Iterable[str]) -> dict[str, Labelled]:
    """Return the label of each source of records; a source that has none is left out.

    Tried in turn: the same path; the same file, relative to the folder of the labels or by the end of its path; the
    same file name, where both sides have it once.

    Raises:
        UsageError: two sources are one labelled file.
    """
    left = dict.fromkeys(sources)
    found: dict[str, Labelled] = {}
    for key in (_as_typed, _absolute):
        known = {key(os.fspath(label.path)): label for label in labels}
        _take(left, found, lambda source, known=known, key=key: known.get(key(source)))
    known = {_as_typed(label.name): label for label in labels}
    _take(left, found, lambda source: next((known[end] for end in _ends(_as_typed(source)) if end in known), None))
    names = Counter(PurePath(label.name).name for label in labels)
    once = {name: label for label in labels if names[name := PurePath(label.name).name] == 1}
    there = Counter(PurePath(_as_typed(source)).name for source in left)
    _take(left, found, lambda source: once.get(name) if there[name := PurePath(_as_typed(source)).name] == 1 else None)
    seen: dict[str, str] = {}
    for source, label in found.items():
        if (other := seen.setdefault(label.name, source)) != source:
            raise UsageError(f"{other} and {source} are both {label.name} of the labels: give records of one run, or "
                             "labels that tell them apart")
    return found


def _take(left: dict[str, None], found: dict[str, Labelled], look: Callable[[str], Labelled | None]) -> None:
    """Move the sources that ``look`` knows from ``left`` to ``found``."""
    for source in list(left):
        if (label := look(source)) is not None:
            found[source] = label
            del left[source]


def _as_typed(source: str) -> str:
    """Return a source or path as records name it, forward slashes and no ``./`` before it."""
    path = source_name(_opened(source)).replace(os.sep, "/")
    return path[2:] if path.startswith("./") else path


def _absolute(source: str) -> str:
    return os.path.abspath(_opened(source))


def _opened(source: str) -> str:
    try:
        return open_name(source)
    except ValueError:  # a file of another machine: no path, but a name
        return source


def _ends(path: str) -> Iterator[str]:
    """Yield a path and what is left of it as folders are taken off in front, the longest first."""
    yield path
    while "/" in path:
        path = path.partition("/")[2]
        yield path


def _foldered(folder: Path) -> Iterator[Labelled]:
    """Yield the media in a folder, labelled by the folders that they are in."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES | VIDEO_SUFFIXES
                   and path.is_file() and not path.name.startswith("."))
    if not files:
        raise UsageError(f"{folder}: no labelled faces; {TABLE}, or pictures and videos in live/ and spoof/ are needed")
    for path in files:
        above = path.relative_to(folder).parts[:-1]
        said = [(place, word) for place, word in enumerate(map(str.lower, above)) if word in LIVE | SPOOF]
        if not said:
            raise UsageError(f"{path}: no folder says whether it is live: one of {_WORDS} is needed")
        if len({word in LIVE for _, word in said}) > 1:
            raise UsageError(f"{path}: its folders say both {said[0][1]} and {said[-1][1]}")
        place, word = said[0]
        kind = None if word in LIVE else (above[place + 1] if len(above) > place + 1 else UNNAMED)
        yield Labelled(path.relative_to(folder).as_posix(), path, kind is None, kind,
                       part="/".join(above[:place]) or None)


def _tabled(table: Path, split: str | None) -> Iterator[Labelled]:
    """Yield what a table lists."""
    for where, row in rows_of(table, *([split] if split else [])):
        word = row["label"].lower()
        if word not in LIVE | SPOOF:
            raise UsageError(f"{where}: the label {row['label']} is not known: {_WORDS}")
        attack = None if word in LIVE else row.get("attack") or UNNAMED
        others = {key: value for key, value in row.items() if key not in ("file", "label") and value}
        yield Labelled(row["file"], table.parent / row["file"], word in LIVE, attack, row.get("subject") or None,
                       row.get(split or "split") or None, others)
