"""How well copies are found on generated ones: ``python -m vtk.copies.table SET --distractors PICTURES``.

SET is a folder that ``python -m vtk.copies.generate`` made. Its references, and hours of frames that nothing was
copied from (``vtk.copies.table_distractors``), make a library in memory, in which each query is looked for by each
descriptor and each aligner as ``vtk detect-copy`` does it; then by what others do. A JSON line comes for each of
these; ``--markdown FILE`` gets tables. Queries without a copy say what is found where nothing is.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from vtk.copies.collecting import Views
from vtk.copies.crops import read_crops
from vtk.copies.descriptors import DEFAULT
from vtk.copies.finding import Search, find
from vtk.copies.footprint import Footprint, FramePlan, Query
from vtk.copies.lookers import FileLookers
from vtk.copies.matches import Match
from vtk.copies.matching import ALIGNERS, MIN_SCORE
from vtk.copies.table_distractors import FRAMES, Distractors, drawn
from vtk.copies.table_footprints import Describer, Remembered
from vtk.copies.table_pages import Way, page
from vtk.copies.table_rivals import Hashed, by_frames, by_whole, film, load_pdqhash, looped
from vtk.copies.table_scores import Found, Row, above, scored
from vtk.copies.table_set import CopySet, load_set
from vtk.errors import VtkError

app = typer.Typer(add_completion=False, rich_markup_mode=None)


@app.command()
def table(
    folder: Annotated[Path, typer.Argument(help="Generated queries.")],
    pictures: Annotated[list[Path], typer.Option("--distractors", help="Folder of pictures, of which distractors are "
                                                 "made; again for another.")],
    hours: Annotated[float, typer.Option(min=0, help="Of distractors, a frame a second.")] = 20.0,
    descriptors: Annotated[str, typer.Option(help="Names, comma-separated.")] = f"dct,pdq,mobilenet,{DEFAULT}",
    aligners: Annotated[str, typer.Option(help="Names, comma-separated.")] = ",".join(ALIGNERS),
    crops: Annotated[str, typer.Option(help="Parts of queries that the default is tried with, too.")] = "",
    queries: Annotated[int | None, typer.Option(min=1, help="At most; by default all.")] = None,
    frames: Annotated[str, typer.Option(help="Which frames are described.")] = "uniform:1",
    rivals: Annotated[bool, typer.Option(help="Compare with vPDQ and videohash.")] = True,
    extras: Annotated[bool, typer.Option(help="Try the default with mirrored frames, crops, refined ends.")] = True,
    cache: Annotated[Path | None, typer.Option(help="Folder that keeps footprints for another run.")] = None,
    markdown: Annotated[Path | None, typer.Option(help="File for tables.")] = None,
) -> None:
    """Print a JSON line of figures for each way to look for the copies of a set."""
    try:
        if rivals:
            load_pdqhash()
        bench = Bench(load_set(folder, queries), drawn(pictures, hours),
                      FramePlan.parse(frames), descriptors.split(","), tuple(read_crops(crops)[1:]), cache)  # fmt: skip
        rows: dict[Way, Row] = {}
        for way, row in bench.rows(aligners.split(","), rivals, extras):
            typer.echo(json.dumps(_line(way, row, bench)))
            rows[way] = row
    except (VtkError, ValueError) as error:
        sys.stderr.write(f"vtk.copies.table: {error}\n")
        raise typer.Exit(2) from None
    if markdown is not None:
        markdown.write_text(page(rows), "utf-8")


class Bench:
    """A set, its library, and what is described of both."""

    def __init__(self, copies: CopySet, distractors: Distractors, plan: FramePlan, descriptors: list[str],
                 crops: tuple[str, ...], cache: Path | None) -> None:
        """Describe all queries, references and distractors."""
        self.copies, self.distractors, self.names, self.crops = copies, distractors, descriptors, crops
        if cache is not None:
            cache.mkdir(parents=True, exist_ok=True)
        parts = sorted({"dct", "pdq", *(part for name in descriptors for part in name.split("+"))})  # two at least
        begin = time.perf_counter()
        self.describer = Describer(parts, plan, cache)
        self.queries = {each.path: self.describer.of(each.path, Views(crops, True)) for each in copies.queries}
        self.references = [self.describer.of(path).whole for path in copies.references]
        self.others = list(self.describer.of_distractors(distractors))
        self.seconds = time.perf_counter() - begin

    @property
    def library(self) -> int:
        """How many videos the library holds."""
        return len(self.references) + len(self.others)

    def rows(self, aligners: list[str], rivals: bool, extras: bool) -> Iterator[tuple[Way, Row]]:
        """Yield each way to look for copies, and what it came to."""
        for name in self.names:
            references, queries = self._by(name)
            for aligner in aligners:
                yield Way(name, aligner), self._row(queries, references, Search(aligner))
            if extras and name == DEFAULT:
                yield from self._extras(queries, references)
        if rivals:
            yield from self._rivals()

    def _by(self, name: str) -> tuple[Remembered, dict[str, Query]]:
        """Return the library and the queries by one descriptor."""
        references = Remembered(self.describer.descriptor(name))
        for footprint in (*self.references, *self.others):
            references.add(self._only(footprint, name))
        queries = {path: self.describer.only(query, name) for path, query in self.queries.items()}
        references.expect(query.whole for query in queries.values())
        return references, queries

    def _only(self, footprint: Footprint, name: str) -> Footprint:
        return self.describer.only(Query(footprint), name).whole

    def _extras(self, queries: dict[str, Query], references: Remembered) -> Iterator[tuple[Way, Row]]:
        """Yield what the default comes to with options that cost more."""
        how = Search()
        references.expect(view for query in queries.values() for view in (query.mirrored, *query.crops) if view)
        yield Way(DEFAULT, how.aligner, "--hflip"), self._row(queries, references, how, mirrored=True)
        if self.crops:
            yield (Way(DEFAULT, how.aligner, f"--hflip --crops {','.join(self.crops)}"),
                   self._row(queries, references, how, mirrored=True, crops=True))
        yield Way(DEFAULT, how.aligner, "refined ends"), self._row(queries, references, how, refined=True)

    def _row(self, queries: dict[str, Query], references: Remembered, how: Search, *, mirrored: bool = False,
             crops: bool = False, refined: bool = False) -> Row:
        """Return what ``find`` comes to; what scores below its least score counts for µAP alone."""
        kept: dict[str, list[Match]] = {}
        ranked: dict[str, list[Match]] = {}
        for path, query in queries.items():
            asked = Query(query.whole, query.crops if crops else (), query.mirrored if mirrored else None)
            ranked[path] = find(asked, references, replace(how, min_score=0.0))
            kept[path] = find(asked, references, how, FileLookers(path, references) if refined else None)
        return scored(self.copies, kept, ranked, self.library)

    def _rivals(self) -> Iterator[tuple[Way, Row]]:
        """Yield what vPDQ and videohash come to; where they have no threshold, by the best there is on this set."""
        library = [film(path) for path in self.copies.references]
        library += [video for number in self.distractors.drawn for video in looped(self.distractors, number)]
        queries: list[Hashed] = [film(query.path) for query in self.copies.queries]
        ranked = dict(by_frames(queries, library, documented=False))
        yield (Way("vPDQ", "80 % of the reference"),
               scored(self.copies, dict(by_frames(queries, library, documented=True)), ranked, self.library))
        yield Way("vPDQ", "best share"), self._at_best(ranked)
        yield Way("videohash", "best distance"), self._at_best(dict(by_whole(queries, library)))

    def _at_best(self, ranked: Found) -> Row:
        """Return what was found above the least score with which F is highest on this very set."""
        best = scored(self.copies, ranked, ranked, self.library).best_at
        return scored(self.copies, above(ranked, best), ranked, self.library)


def _line(way: Way, row: Row, bench: Bench) -> dict[str, object]:
    """Return the JSON line of a way."""
    families = {family: _rounded(asdict(each)) for family, each in row.families.items()}
    return {"descriptor": way.descriptor, "aligner": way.aligner, "options": way.options,
            "queries": len(bench.copies.queries), "references": len(bench.references),
            "distractor_hours": round(len(bench.others) * FRAMES / 3600, 1), "min_score": MIN_SCORE,
            "mean_f": round(100 * row.mean_f, 1), "mean_ap": round(100 * row.mean_ap, 1),
            "all": _rounded(asdict(row.all)), "false_of_negatives": row.false, "pairs_of_negatives": row.others,
            "best_f": round(100 * row.best_f, 1), "best_at": row.best_at, "families": families}  # fmt: skip


def _rounded(figures: dict[str, float]) -> dict[str, float | None]:
    """Return shares in percent; None where there is none."""
    return {key: value if isinstance(value, int) else None if np.isnan(value) else round(100 * value, 1)
            for key, value in figures.items()}  # fmt: skip


if __name__ == "__main__":
    app()
