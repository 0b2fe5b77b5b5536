"""Names of identities, each given once: what was given stays given, though nobody is called so any more."""

from __future__ import annotations

import re
import uuid
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from vtk.library import Entry, Library, Space

_SPACE = Space("names", "0" * 64, 1)  # a library keeps vectors; a name has none to speak of
_HERE = np.ones(1, np.float32)
NUMBERED = re.compile(r"p(\d{6,})")


def number_of(name: str) -> int:
    """Return the number in a name such as ``p000123``; 0 for a name that a user gave."""
    match = NUMBERED.fullmatch(name)
    return int(match[1]) if match else 0


class Names:
    """The names that were given in a gallery, in a library of their own inside its folder.

    A claim is one commit, so two processes never get one name, on object storage neither.

    Args:
        uri: of the gallery, which exists.
    """

    def __init__(self, uri: str) -> None:
        parts = urlsplit(uri)
        inner = (f"{uri.rstrip('/')}/names" if "://" not in uri
                 else urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/names")))
        self._library = Library.open(inner, _SPACE)

    def claim(self, count: int, taken: Iterable[str] = ()) -> list[str]:
        """Return ``count`` new names, ``p000001`` on, in order.

        Args:
            count: how many.
            taken: names that are in use, should this list of names be lost.
        """
        mine = uuid.uuid4().hex
        claimed: list[str] = []
        last = max(map(number_of, taken), default=0)
        while len(claimed) < count:
            last = max(last, *(number_of(entry.id) for entry in self._library.read(vectors=False)), 0)
            wanted = [f"p{last + 1 + place:06d}" for place in range(count - len(claimed))]
            self._library.add([Entry(name, _HERE, "given", source=mine) for name in wanted], batch=len(wanted))
            found = self._library.get(wanted, vectors=False)
            claimed += [name for name in wanted if found[name].source == mine]
        return claimed

    def take(self, name: str) -> bool:
        """Return whether ``name``, a user's, was free until now; it is taken from now on."""
        return self._library.add([Entry(name, _HERE, "given", source=uuid.uuid4().hex)]) == 1

    def copy_to(self, other: Names, taken: Iterable[str] = ()) -> None:
        """Have ``other`` know all names that were given here, and ``taken``."""
        given = {entry.id for entry in self._library.read(vectors=False)} | set(taken)
        other._library.add([Entry(name, _HERE, "given") for name in sorted(given)], batch=max(1, len(given)))

    def keep(self, used: Collection[str]) -> None:
        """Forget the names that users gave, but for those ``used``: they may say who it is. Numbers stay taken."""
        idle = [entry.id for entry in self._library.read(vectors=False)
                if not number_of(entry.id) and entry.id not in used]
        if idle:
            self._library.remove(ids=idle)

    def compact(self) -> None:
        """Clear the files of what was forgotten."""
        self._library.compact()
