"""A command ``name-tracks`` that tells at the run's end who each track is: the command line with it, and its stage."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from vtk.driver.stage import Record, Source, Stage
from vtk.options import Common, filter_command
from vtk.records import make


class NameTracks(Stage):
    """Names tracks, in every source alike: track 1 and 2 are 7, 3 and 4 are 8; every fifth stays unknown."""

    name = "name-tracks"
    reads = frozenset({"track"})
    writes = frozenset({"embedding", "identity"})
    late_writes = frozenset({"identity"})
    opens_media = False
    batch = 8

    def __init__(self, dies: bool = False) -> None:
        self.dies = dies
        self.seen: list[tuple[str, int]] = []

    def start(self, source: Source) -> dict[int, str]:
        """Return a place for the tracks of a source, and its name."""
        return {-1: source.name}

    def frames(self, state: dict[int, str], batch: Any) -> list[list[Record]]:
        """Take note of the tracks."""
        for record in (record for frame in batch for record in frame.records):
            state[record["track_id"]] = record["source"]
        return [[] for _ in batch]

    def end(self, state: dict[int, str], ok: bool = True) -> list[Record]:
        """Return a record for each track of the source."""
        source = state.pop(-1)
        self.seen += [(source, track_id) for track_id in sorted(state)]
        return [make("embedding", self.by, source, track_id=track_id, space="none@0",
                     embedding={"dtype": "f16", "shape": [1]}) for track_id in sorted(state)]

    def finish(self) -> list[Record]:
        """Return who the tracks of the run are."""
        if self.dies:
            raise KeyboardInterrupt
        return [make("identity", self.by, source, track_id=track_id, identity=6 + (track_id + 1) // 2, score=0.9)
                for source, track_id in self.seen if track_id % 5]


@filter_command
def run(common: Common, die: Annotated[bool, typer.Option("--die", help="Break off before the names.")] = False) -> None:
    """Name tracks."""
    from functools import partial

    from vtk.driver import drive

    drive(partial(NameTracks, die), common)


if __name__ == "__main__":
    from vtk import cli

    cli.COMMANDS += (("name-tracks", "filter", "Name tracks."),)
    sys.modules["vtk.commands.name_tracks"] = sys.modules[__name__]
    cli.main()
