"""The stage behind ``vtk detect-copy``: media in, spans of references that they show out."""

from __future__ import annotations

import pickle
from collections.abc import Container, Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vtk.copies.clusters import cluster_records
from vtk.copies.collecting import Collector, Views, query_of
from vtk.copies.finding import Search, Seen, find
from vtk.copies.footprint import Query
from vtk.copies.lookers import FileLookers
from vtk.copies.matches import Match, clipped
from vtk.copies.pairs import Pairs, twins
from vtk.copies.plot_files import Drawing, Plots
from vtk.copies.sought import Place, Sought, open_references, same_file
from vtk.driver.link import error_record, first_of
from vtk.driver.stage import Frame, Opening, Source, Stage
from vtk.errors import MediaError, UsageError, VtkError
from vtk.media.sampling import ON_DEMAND, Sampling
from vtk.records import Record, make, score

if TYPE_CHECKING:
    from vtk.copies.fast import Found

# Frames a call: they are cheap, most are only counted.
BATCH = 16


@dataclass(frozen=True, slots=True)
class Work:
    """What is done with each source.

    Attributes:
        search: what a match is.
        views: what of its frames is looked for besides the whole.
        refine: whether the ends of matches are looked at more closely.
        fast: whether key frames are looked at first, and the rest where they give cause.
        all_pairs: whether the run's sources are the references of each other.
        plot: a folder for pictures of similarity; None: none.
        overwrite: whether pictures that exist are replaced.
    """

    search: Search = Search()
    views: Views = Views()
    refine: bool = True
    fast: bool = False
    all_pairs: bool = False
    plot: Path | None = None
    overwrite: bool = False


@dataclass(slots=True)
class State:
    """One open source."""

    source: Source
    collector: Collector | None = None
    taken: int = 0
    last: float = 0.0  # seconds of the last frame that came
    found: Found | None = None  # by key frames


@dataclass(frozen=True, slots=True)
class _Itself:
    """The names of references that are one file."""

    name: str
    root: str | None

    def __contains__(self, other: object) -> bool:
        return same_file(str(other), self.name, self.root)


class CopyStage(Stage):
    """Find which seconds of which references sources show.

    Args:
        place: where references are.
        work: what is done with each source.
        sampling: the span of sources that is looked at; which frames of it is ``place.plan``'s to say.

    Raises:
        UsageError: options that do not go together.
    """

    name = "detect-copy"

    def __init__(self, place: Place = Place(), work: Work = Work(), sampling: Sampling = Sampling()) -> None:
        if sampling.mode != "all":
            raise UsageError("--every and --fps do not choose frames here: --frames uniform:RATE does")
        if place.library is None and not place.files and not (work.all_pairs or work.search.within):
            raise UsageError("nothing to look in: name --library LIBRARY, --refs FOLDER, --all-pairs or --within")
        if work.all_pairs and (place.library is not None or place.files):
            raise UsageError("--all-pairs compares the inputs with each other: it goes without --library and --refs")
        if work.fast and (work.all_pairs or work.search.within or place.plan is not None or sampling.limit is not None):
            raise UsageError("--fast goes without --all-pairs, --within, --frames and --limit")
        self._place, self._work, self._sampling = place, work, sampling
        self._opened: Sought | VtkError | None = None
        self._pairs = Pairs()
        self._plots = Plots(work.plot, work.overwrite) if work.plot is not None else None
        self._known: dict[str, None] = {}  # sources whose pictures replace nothing
        self._names: list[str] | None = None  # of the library's references
        self._left: list[tuple[Query, Source]] | None = None  # of a mapper: the source that was done last
        self._twins: dict[str, str] = {}  # of a mapper: sources that are the files of others before them

    def __getstate__(self) -> dict[str, Any]:
        """Leave what is open behind: another process opens its own."""
        return {**self.__dict__, "_opened": None, "_pairs": Pairs()}

    @property
    def by(self) -> str:
        """The maker that its records name."""
        if isinstance(self._opened, Sought):
            return f"{self.name}/{self._opened.name}"
        try:
            return f"{self.name}/{self._place.descriptor_name()}"
        except VtkError:  # said where it is opened
            return self.name

    @property
    def writes(self) -> frozenset[str]:  # type: ignore[override]
        """The types of its records."""
        return frozenset({"copy", "cluster"}) if self._work.all_pairs else frozenset({"copy"})

    @property
    def late_writes(self) -> frozenset[str]:  # type: ignore[override]
        """The types that only the run's end gives."""
        return self.writes if self._work.all_pairs else frozenset()

    @property
    def across(self) -> bool:
        """Whether one process has to see all sources: those that describe references do that once."""
        return self._left is None and (self._work.all_pairs or bool(self._place.files))

    @property
    def why_across(self) -> str:
        """Why several processes could not do it, in words."""
        return "each process would describe all of --refs again" if self._place.files else super().why_across

    @property
    def deferral(self) -> str:  # type: ignore[override]
        """How the user can do it otherwise, in words."""
        if self._place.files:
            return "vtk library add describes them once, and --library with --jobs looks in what it keeps"
        return "vtk library add keeps what it sees of videos, and --library looks for others in it"

    @property
    def batch(self) -> int:  # type: ignore[override]
        """How many frames a call of ``frames`` gets."""
        return BATCH

    def options(self, mode: str = "media") -> Record:
        """Return the options that change results; what there is to be found among them."""
        how = self._work.search
        found: Record = {
            "aligner": how.aligner, "min_score": how.min_score, "min_seconds": how.min_seconds,
            "speeds": list(how.speeds), "within": how.within, "crops": list(self._work.views.crops),
            "hflip": self._work.views.mirrored, "refine": self._work.refine, "fast": self._work.fast,
            "all_pairs": self._work.all_pairs, "sampling": str(self._sampling),
            "precision": self._place.options.runtime.precision, "framerate": self._place.opening.framerate}
        try:
            sought = self._sought()
        except VtkError:  # said of each source
            return found
        found |= {"space": sought.references.space, "frames": str(sought.plan)}
        return found if self._work.all_pairs else found | {"references": sought.digest()}

    def check(self) -> None:
        """Refuse a library that is none."""
        self._place.check()

    def prepare(self, mode: str = "media") -> None:
        """Open the references, or describe them."""
        self._sought()
        if self._plots is not None:
            self._plots.prepare()

    def expect(self, sources: Sequence[str]) -> None:
        """Refuse pictures that exist of what will be compared."""
        self._known |= dict.fromkeys(sources)
        if self._plots is not None:
            self._plots.check(sources, self._compared, self._work.search.within)

    def sampling(self, source: Source) -> Sampling:
        """Return all frames, pictures of those alone that the plan chooses; none where key frames are read first."""
        return replace(self._sampling, limit=0 if self._work.fast else self._sampling.limit, size=ON_DEMAND)

    def start(self, source: Source) -> State:
        """Return the state of a newly opened source."""
        sought = self._sought()
        if source.name not in self._known:  # it came as a record
            self.expect([source.name])
        if source.info is None or self._work.fast:
            return State(source)
        span = self._sampling.start or 0.0, self._sampling.end or source.info.duration
        collector = Collector(sought.references.descriptor, sought.plan, source.info, self._work.views,
                              span=(span[0], span[1]) if span[1] is not None else None)
        return State(source, collector)

    def frames(self, state: State, batch: Sequence[Frame]) -> list[list[Record]]:
        """Describe the frames that the plan chooses."""
        collector = state.collector
        if collector is not None:
            for frame in batch:
                state.taken, state.last = state.taken + 1, frame.t
                if collector.wants(frame.index, frame.t):
                    collector.take(frame.index, frame.t, frame.sized)
        return [[] for _ in batch]

    def end(self, state: State, ok: bool = True) -> list[Record]:
        """Return the copies in a source, in order of its time."""
        name = state.source.name
        if not ok or (state.collector is not None and not state.taken) or self._is_beyond(state.source):
            return []
        if state.source.info is not None and state.source.info.kind == "image":
            return [error_record(self.by, self.name, MediaError("a picture has no seconds: nothing is looked for in it",
                                                                code="E_PICTURE"), name)]  # fmt: skip
        sought, opening = self._sought(), state.source.opening
        span = self._sampling.start, self._sampling.end if self._sampling.limit is None else state.last
        lookers = FileLookers(name, sought.references, opening, span=span)
        skip, closer = _Itself(name, opening.root), lookers if self._work.refine else None
        drawing, seen = self._drawing()
        if self._work.fast:
            from vtk.copies.fast import fast_look

            def look(skip: Container[str]) -> list[Match]:
                found = fast_look(name, sought.references, self._work.search, opening, closer, skip, seen,
                                  self._work.views, span)
                state.found = state.found or found
                return found.matches

            return self._records(name, sought.find(look, skip, lookers.forget), lookers, drawing)
        query = self._query(state, opening)
        if self._work.all_pairs:
            return self._added(state, query)
        found = sought.find(lambda skip: find(query, sought.references, self._work.search, closer, skip, seen), skip,
                            lookers.forget)  # fmt: skip
        return self._records(name, found, lookers, drawing)

    def own_reading(self, state: State) -> tuple[int, Sequence[VtkError]]:
        """Return how many frames were decoded where key frames were read first, and what was lost of them."""
        found = state.found
        return (0, ()) if found is None else (found.decoded or len(found.query.whole), first_of(found.damage))

    def finish(self) -> list[Record]:
        """Return the copies among the run's sources and which of them are one video; and which references failed."""
        if self._opened is None or isinstance(self._opened, VtkError):
            return []
        if not self._work.all_pairs:
            return [error_record(self.by, self.name, MediaError(f"reference {source}: {error}", code=error.code))
                    for source, error in self._opened.lost]
        references = self._opened.references
        made: dict[str, list[Record]] = {}
        pairs: list[tuple[str, Match]] = []
        for query, skip in self._pairs.queries(references):
            name = query.whole.source
            lookers = FileLookers(name, references, self._pairs.opening,
                                  span=(self._sampling.start, self._sampling.end))  # fmt: skip
            drawing, seen = self._drawing()
            found = find(query, references, self._work.search, lookers if self._work.refine else None, skip, seen)
            pairs += [(name, match) for match in found]
            made[name] = self._records(name, found, lookers, drawing)
        return [*(record for name in reversed(made) for record in made[name]),
                *(record for each in self._pairs.clusters(pairs) for record in cluster_records(each, self.by))]

    def mapper(self, sources: Sequence[str]) -> CopyStage | None:
        """Return a stage that describes each source, and leaves that; None where it would describe references, too."""
        if not self._work.all_pairs:
            return None
        alone = copy(self)
        alone._left, alone._twins = [], twins(sources, self._place.opening.root)
        alone._known = dict.fromkeys(sources)
        return alone

    def left(self) -> bytes:
        """Return the footprint of the source that was done last."""
        left, self._left = self._left, None if self._left is None else []
        return pickle.dumps(left[0]) if left else b""

    def reduce(self, left: Iterable[bytes]) -> list[Record]:
        """Return the copies among the run's sources; what mappers left comes from processes of this run."""
        references = self._sought().references
        for part in left:
            query, source = pickle.loads(part)
            source.opening = replace(source.opening, threads=self._place.opening.threads)  # now there is but one process
            self._pairs.add(references, query, source)
        return self.finish()

    def _added(self, state: State, query: Query) -> list[Record]:
        """Add a source to those that are compared; return a note where it is one of them under another name."""
        source = state.source
        if self._left is None:
            same = self._pairs.add(self._sought().references, query, source)
        elif (same := self._twins.get(source.name)) is None:
            self._left = [(query, source)]
        if same is None:
            return []
        return [error_record(self.by, self.name, MediaError(f"it is the same file as {same}: it was compared once",
                                                            code="E_SAME"), source.name)]  # fmt: skip

    def _is_beyond(self, source: Source) -> bool:
        """Tell whether a source is known to end before the span that is looked at."""
        length = source.info.duration if source.info is not None else None
        return length is not None and self._sampling.start is not None and self._sampling.start >= length

    def _query(self, state: State, opening: Opening) -> Query:
        """Return the footprints of a source whose frames have all come."""
        collector = state.collector
        if collector is None:
            raise ValueError(f"{state.source.name}: got no frames, expected some")
        sought, again = self._sought(), collector.missing
        if again:  # how long it is was known only at its end
            return query_of(state.source.name, sought.references.descriptor, sought.plan, opening,
                            self._work.views, span=(self._sampling.start, self._sampling.end), places=again)
        return collector.footprints(state.source.name)

    def _records(self, name: str, found: Sequence[Match], lookers: FileLookers,
                 drawing: Drawing | None) -> list[Record]:
        made = []
        spanned = [each for each in (clipped(match, *lookers.bounds) for match in found) if each is not None]
        if drawing is not None:
            drawing.write(spanned)
        for match in sorted(spanned, key=lambda each: (each.start, -each.score, each.ref, each.ref_start)):
            keys: Record = {
                "start": round(match.start, 3), "end": round(match.end, 3), "ref": match.ref,
                "ref_start": round(match.ref_start, 3), "ref_end": round(match.ref_end, 3),
                "score": score(match.score), "transform": {"speed": round(match.speed, 3), "hflip": match.hflip}}
            if match.ref in lookers.notes:
                keys["note"] = lookers.notes[match.ref]
            made.append(make("copy", self.by, name, **keys))
        return made

    def _compared(self, source: str) -> Sequence[str]:
        """Return the names of what a source is compared with: of all pairs those before it."""
        if self._work.all_pairs:
            return list(self._known)[:list(self._known).index(source)]
        if self._place.library is None:
            return self._place.files
        if self._names is None:
            self._names = [each.source for each in self._sought().references.list()]
        return self._names

    def _drawing(self) -> tuple[Drawing | None, Seen | None]:
        """Return what draws the pairs of a query, and what tells it of them, where that is asked for."""
        if self._plots is None:
            return None, None
        drawing = self._plots.drawing()
        return drawing, drawing.seen

    def _sought(self) -> Sought:
        if self._opened is None:
            try:
                self._opened = open_references(self._place)
            except VtkError as error:
                self._opened = error  # the next source fails the same way, without another try
        if isinstance(self._opened, VtkError):
            raise self._opened
        return self._opened
