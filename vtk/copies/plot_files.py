"""Where pictures of pairs are written: a folder a source, a file a pair, and none in the place of another.

    drawing = Plots(Path("plots")).drawing()
    matches = find(query, references, seen=drawing.seen)
    drawing.write(matches)
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vtk.driver.inputs import output_path
from vtk.errors import UsageError

if TYPE_CHECKING:
    from vtk.copies.footprint import Footprint
    from vtk.copies.matches import Match
    from vtk.copies.plot import Map
    from vtk.copies.similarity import Entries

LONGEST = 200  # bytes of a folder's name; disks take 255, and files in folders of one name have their own


class Plots:
    """The pictures of a run.

    Args:
        folder: has the pictures of a source in a folder that is called as its file of ``--out-dir`` is.
        overwrite: whether pictures that exist are replaced.
    """

    def __init__(self, folder: Path, overwrite: bool = False) -> None:
        self._folder, self._overwrite = folder, overwrite

    def prepare(self) -> None:
        """Make the folder. Raises UsageError where that cannot be."""
        _make(self._folder, self._folder)

    def check(self, sources: Iterable[str], references: Callable[[str], Sequence[str]], own: bool = False) -> None:
        """Raise UsageError where a picture that may be drawn is there already and may not be replaced.

        Args:
            sources: the queries.
            references: gives the names of what a source is compared with; asked where there are pictures of it.
            own: whether each source is compared with itself, too.
        """
        from vtk.copies.plot import key_of, keys_in

        names: Sequence[str] | None = None
        known = set[str]()
        for source in sources if not self._overwrite else ():
            folder, key = self.place(source), key_of(source)
            for name in _names(folder):
                keys = keys_in(name)
                if keys is None or keys[0] != key:
                    continue
                if (others := references(source)) is not names:  # mostly the same for all
                    names, known = others, set(map(key_of, others))
                if keys[1] in known or (own and keys[1] == key):
                    raise UsageError(f"{folder / name} exists: --overwrite replaces it")

    def place(self, source: str) -> Path:
        """Return the folder of the pictures of a source."""
        parts = (os.fsdecode(os.fsencode(part)[:LONGEST]) for part in output_path(source).split("/"))
        return self._folder.joinpath(*parts)

    def drawing(self) -> Drawing:
        """Return what draws the pictures of one query."""
        return Drawing(self)

    def write(self, found: Map, matches: Sequence[Match], mirrored: bool) -> None:
        """Write the picture of a pair. Raises UsageError where that cannot be."""
        import cv2

        from vtk.copies.plot import plot, plot_name

        folder = self.place(found.query)
        _make(folder, self._folder)
        image = cv2.cvtColor(plot(found, matches), cv2.COLOR_RGB2BGR)
        try:
            path = folder / plot_name(found.query, found.reference, mirrored)
            path.write_bytes(cv2.imencode(".png", image)[1].tobytes())
        except OSError as error:
            raise UsageError(f"--plot {self._folder}: {error.strerror}") from None


class Drawing:
    """The pictures of one query: the maps of its pairs, until its matches are known."""

    def __init__(self, plots: Plots) -> None:
        self._plots = plots
        self._maps: dict[tuple[str, bool], Map] = {}  # a pair that is looked at again is there once

    def seen(self, query: Footprint, reference: Footprint, entries: Entries, mirrored: bool) -> None:
        """Take the map of a pair that was compared; what is kept of it is as large as its picture."""
        from vtk.copies.plot import mapped

        self._maps[reference.source, mirrored] = mapped(query, reference, entries)

    def write(self, matches: Sequence[Match]) -> None:
        """Write the pictures of all pairs, each with those of the matches that are its own.

        Raises:
            UsageError: one cannot be written.
        """
        for (reference, mirrored), found in self._maps.items():
            own = [match for match in matches if match.ref == reference and match.hflip == mirrored]
            self._plots.write(found, own, mirrored)


def _names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):  # where it cannot be made that is said then
        return []
    except OSError as error:
        raise UsageError(f"--plot: cannot look into {folder}: {error.strerror}") from None


def _make(folder: Path, plots: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--plot {plots}: {error.strerror}; name a folder") from None
