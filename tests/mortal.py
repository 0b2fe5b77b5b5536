"""A stage that ends its process at chosen sources, for tests of what is done about that."""

from __future__ import annotations

import os
import time
from pathlib import Path

from vtk.driver.stage import Frame, Source, Stage
from vtk.errors import WeightsError
from vtk.media.sampling import Sampling
from vtk.records import Record, make


class MortalStage(Stage):
    """Writes a ``mark`` record for each frame; sources are worked on slowly, and some end the process.

    Args:
        deadly: a source whose name has this in it ends the process that works on it.
        once: a file; where it is there the process lives on, else it is made before the process ends.
        seconds: that each source takes longer.
        unready: whether ``prepare`` refuses.
    """

    name = "mortal"
    writes = frozenset(("mark",))

    def __init__(self, deadly: str = "", once: str = "", seconds: float = 0.0, unready: bool = False) -> None:
        self.deadly, self.once, self.seconds, self.unready = deadly, once, seconds, unready

    def prepare(self, mode: str = "media") -> None:
        """Refuse, where it was asked to."""
        if self.unready:
            raise WeightsError("mortal.pt is not there: vtk models pull mortal")

    def sampling(self, source: Source) -> Sampling:
        """Look at every frame."""
        return Sampling()

    def frames(self, state: None, batch: list[Frame]) -> list[list[Record]]:
        """Write a record a frame."""
        return [[make("mark", self.by, **frame.keys())] for frame in batch]

    def end(self, state: None, ok: bool = True) -> list[Record]:
        """Take its time."""
        time.sleep(self.seconds)
        return []

    def start(self, source: Source) -> None:
        """End the process where the source says so."""
        if self.deadly and self.deadly in source.name and not (self.once and Path(self.once).exists()):
            if self.once:
                Path(self.once).touch()
            os._exit(9)
