"""Files of labels: a text file with a line a class, in the network's order."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from pathlib import Path

from vtk.errors import WeightsError

BACKGROUND = "background"  # the class of what is none of the others
# Lines that files of the table have twice, and what is meant, in their order. Source: WordNet's synsets of the classes.
_TWICE = {"crane": ("crane, bird", "crane, machine")}
_MARKS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16", codecs.BOM_UTF8: "utf-8-sig"}


def read_labels(path: Path) -> tuple[str, ...]:
    """Return the labels of a file, in order; spaces around them and empty lines at the end do not count.

    Args:
        path: of a text file in UTF-8, or in UTF-16 that says so with its first bytes.

    Raises:
        WeightsError: it cannot be read, a line is empty, or two are alike.
    """
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise WeightsError(f"{path}: cannot read the labels: {error.strerror}") from error
    encoding = next((name for mark, name in _MARKS.items() if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        said = encoding.removesuffix("-sig")
        raise WeightsError(f"{path}: line {line} is not {said}; save the labels as UTF-8") from error
    return _checked([line.strip() for line in text.rstrip().splitlines()], path)


def _checked(lines: list[str], path: Path) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line:
            raise WeightsError(f"{path}: line {number} is empty; a label a line is needed, in the network's order")
        if line in seen and line not in _TWICE:
            raise WeightsError(f"{path}: lines {seen[line]} and {number} are both '{line[:60]}'; labels must differ")
        seen.setdefault(line, number)
    if not lines:
        raise WeightsError(f"{path}: it is empty; a label a line is needed, in the network's order")
    told = {line: iter(meant) for line, meant in _TWICE.items() if lines.count(line) == len(meant)}
    return tuple(next(told[line]) if line in told else line for line in lines)


def classes(labels: Sequence[str], outputs: int, path: Path) -> tuple[tuple[str, ...], list[int]]:
    """Return the labels that are classes, and which outputs of the network are theirs: the background is none.

    Args:
        labels: of all outputs, in order.
        outputs: how many numbers the network gives.
        path: of the labels, for the message.

    Raises:
        WeightsError: there are more or fewer labels than outputs, or no class.
    """
    if len(labels) != outputs:
        raise WeightsError(f"{path}: {len(labels)} labels, and the network has {outputs} outputs; give its own labels")
    columns = [index for index, label in enumerate(labels) if label.lower() != BACKGROUND]
    if not columns:
        raise WeightsError(f"{path}: it names the background alone; a label a line is needed, in the network's order")
    return tuple(labels[index] for index in columns), columns


def split_label(label: str) -> tuple[str, str]:
    """Return the scientific and the common name of ``Scientific name (Common name)``; the second may be empty."""
    name, _, common = label.partition(" (")
    return (name, common[:-1]) if common.endswith(")") else (label, "")
