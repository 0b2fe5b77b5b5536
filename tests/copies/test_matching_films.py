"""Real copies among real videos: found at their seconds, all of them, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from vtk.copies.collecting import footprint_of
from vtk.copies.descriptors import DctDescriptor
from vtk.copies.footprint import Footprint, FramePlan
from vtk.copies.matches import Match
from vtk.copies.matching import align
from vtk.copies.references import MemoryReferences
from vtk.copies.refining import refine
from vtk.copies.search import candidates, search
from vtk.copies.similarity import similarity

DCT = DctDescriptor()
REFINED = "mma_part_0.mp4"


@pytest.fixture(scope="module")
def found(shared: Path) -> dict[tuple[str, str], list[Match]]:
    """Return what is found of each video in each other one, a frame a second."""
    references = MemoryReferences(DCT)
    folder = shared / "data" / "detect-copy"
    films = {path.name: replace(footprint_of(str(path), DCT), source=path.name)
             for path in sorted(folder.iterdir()) if path.suffix in (".mp4", ".avi")}  # fmt: skip
    for film in films.values():
        references.add(film)
    matches = {}
    for query in films.values():
        for candidate in candidates(search(query, references), query.weights):
            other = references.list()[candidate.reference].source
            if other != query.source:
                reference = references.footprint(other)
                matches[query.source, other] = align(query, reference, similarity(query, reference, DCT))
    return {pair: some for pair, some in matches.items() if some}


def overlap(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return the intersection over union of two spans."""
    shared = min(one[1], other[1]) - max(one[0], other[0])
    return shared / (max(one[1], other[1]) - min(one[0], other[0]))


def looker(path: Path) -> Callable[[float, float], Footprint]:
    film = footprint_of(str(path), DCT, FramePlan("uniform", 15.0))

    def look(start: float, end: float) -> Footprint:
        kept = (film.times >= start) & (film.times <= end)
        return replace(film, frames=film.frames[kept], times=film.times[kept], vectors=film.vectors[kept],
                       weights=film.weights[kept])

    return look


def test_all_pairs_are_found_and_no_other(shared: Path, found: dict[tuple[str, str], list[Match]]) -> None:
    truth = json.loads((shared / "data" / "detect-copy" / "pairs_gt.json").read_text())["pairs"]
    pairs = {(pair["query"], pair["reference"]) for pair in truth}
    assert set(found) == pairs | {pair[::-1] for pair in pairs}


def test_their_seconds_are_right_on_both_sides(shared: Path, found: dict[tuple[str, str], list[Match]]) -> None:
    folder = shared / "data" / "detect-copy"
    for pair in json.loads((folder / "pairs_gt.json").read_text())["pairs"]:
        (segment,) = pair["segments"]
        (match,) = found[pair["query"], pair["reference"]]
        if pair["query"] == REFINED:  # a second long, of a reference that is looked at twice in that second
            match = refine(match, looker(folder / pair["query"]), looker(folder / pair["reference"]), DCT)
        query = overlap((match.start, match.end), (segment["query_start"], segment["query_end"]))
        reference = overlap((match.ref_start, match.ref_end), (segment["ref_start"], segment["ref_end"]))
        assert query >= 0.8 and reference >= 0.8, (pair["query"], match)
        assert match.score > 0.5
