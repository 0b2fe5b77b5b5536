"""A folder of generated copies, as ``vtk.copies.generate`` writes it, read back to be scored."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vtk.copies.generate import MANIFEST, SOURCES, TRUTH
from vtk.copies.plans import NEGATIVE
from vtk.errors import UsageError


@dataclass(frozen=True, slots=True)
class Asked:
    """A query and what is true of it.

    Attributes:
        path: of its file.
        family: of its edits; ``negative`` where it copies nothing.
        boxes: path of a reference → (N, 4) float64 [q0, r0, q1, r1] in seconds, what it copies of it.
    """

    path: str
    family: str
    boxes: Mapping[str, np.ndarray]

    @property
    def is_negative(self) -> bool:
        """Whether it copies nothing."""
        return self.family == NEGATIVE


@dataclass(frozen=True, slots=True)
class CopySet:
    """Queries, and the paths of the references that they were copied from."""

    queries: tuple[Asked, ...]
    references: tuple[str, ...]

    @property
    def families(self) -> tuple[str, ...]:
        """The families that copy something, as the queries have them first."""
        return tuple(dict.fromkeys(query.family for query in self.queries if not query.is_negative))


def load_set(folder: Path, most: int | None = None) -> CopySet:
    """Return the queries of ``folder``, the first ``most`` of them.

    Raises:
        UsageError: the folder holds no such set, or its truth names a reference that its sources do not.
    """
    try:
        lines = [json.loads(line) for line in (folder / MANIFEST).read_bytes().splitlines()][:most]
        copies = [json.loads(line) for line in (folder / TRUTH).read_bytes().splitlines()]
        references = tuple(json.loads((folder / SOURCES).read_bytes())["references"])
        families = {line["query"]: line["family"] for line in lines}
        spans = [(copy["source"], copy["ref"], [copy[key] for key in ("start", "ref_start", "end", "ref_end")])
                 for copy in copies]  # fmt: skip
    except OSError as error:
        raise UsageError(f"{folder} cannot be read ({error.strerror}: {error.filename}): a folder that "
                         "python -m vtk.copies.generate made is needed") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{folder} holds no set of copies ({error!r}): make it anew") from None
    paths = {os.path.basename(path): path for path in references}
    boxes: dict[str, dict[str, list[list[float]]]] = {query: {} for query in families}
    for query, ref, box in spans:
        if ref not in paths:
            raise UsageError(f"{folder / TRUTH} names {ref}, which is no reference of {SOURCES}")
        if query in boxes:
            boxes[query].setdefault(paths[ref], []).append(box)
    return CopySet(tuple(Asked(str(folder / query), family, {ref: np.array(rows) for ref, rows in boxes[query].items()})
                         for query, family in families.items()), references)  # fmt: skip
