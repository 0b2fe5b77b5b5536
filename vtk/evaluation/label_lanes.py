"""What records say of labelled files: one answer for each picture, film or span, of scene or species records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from vtk.errors import RecordError, UsageError
from vtk.evaluation.label_truth import PLACE_LEVELS, Task, Truth, place_levels, taxon_levels
from vtk.evaluation.lanes import BadRecord, records_of
from vtk.liveness.labelled import match
from vtk.records import Record, check_whole
from vtk.species.names import RANKS, key_of
from vtk.species.taxonomy import Taxonomy

MAKERS = {"scene": "recognize-scene", "species": "classify-species"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said of a picture, a film or a span.

    Attributes:
        levels: names by level of what is answered, deepest first; empty: there is no answer.
        score: of the answer; 0 where there is none.
        topk: names of the first level and their scores, best first; may be empty.
        candidates: names of the first level that the right one is among as often as calibrated; None: no set is given.
    """

    levels: Mapping[str, str] = field(default_factory=dict)
    score: float = 0.0
    topk: tuple[tuple[str, float], ...] = ()
    candidates: frozenset[str] | None = None

    @property
    def level(self) -> str | None:
        """The level that is answered: the deepest that has a name; None where there is no answer."""
        return next(iter(self.levels), None)


@dataclass(frozen=True, slots=True)
class Gathered:
    """Labelled files by what records say of them.

    Attributes:
        pairs: what is true and what is answered; of a file that was looked at without a record there is no answer.
        failed: files that could not be read.
        missing: files that no record names, or spans of a film that nothing is said about.
        unlabelled: sources without a label.
        maker: whose answers these are.
    """

    pairs: list[tuple[Truth, Answer]]
    failed: list[str]
    missing: list[str]
    unlabelled: list[str]
    maker: str


class LabelLanes:
    """Takes streams of records and gives the answers of each source.

    Attributes:
        bad: the lines that are no records: number from 1, file, what is wrong.

    Args:
        task: which records.
        by: the maker that counts; None where there is one alone.
        observations: whether the answer about an observation of several sources stands for each of them.
        taxonomy: what species belong to, and what else they are called.
    """

    def __init__(self, task: Task, by: str | None = None, observations: bool = False,
                 taxonomy: Taxonomy | None = None) -> None:
        self.bad: list[BadRecord] = []
        self._task, self._by, self._taxonomy = task, by, taxonomy
        self._joint = observations
        self._records: dict[str, list[Record]] = {}
        self._observed: dict[str, list[Record]] = {}
        self._failed: set[str] = set()
        self._ended: set[str] = set()
        self._makers: dict[str, None] = {}
        self._types: dict[str, None] = {}

    def read(self, name: str | None) -> None:
        """Take the records of a file, or of stdin where ``name`` is ``-`` or None; raises what ``records_of`` does."""
        for record in records_of(name, (self._task, "observation"), self.bad, check_whole):
            self._types.setdefault(record["type"])
            self._take(record)

    def gather(self, truth: Sequence[Truth]) -> Gathered:
        """Return the answers about what is labelled.

        A picture's answer is that about all of it, else about its surest box; a film's that about all of it, else
        about its track of most observations; of several models the one that is surest of the group. A span's scene is
        the one that shares most of it; a whole film's the mean of its scenes by their length.

        Raises:
            RecordError: lines came and not one of them is a record.
            UsageError: there are no answers, or several makers', or no source is labelled.
        """
        maker = self._maker()
        files = list({each.name: each for each in truth}.values())
        sources = {*self._records, *self._failed, *self._ended, *self._observed}
        found = match(files, sorted(sources))  # type: ignore[arg-type]
        if not found:
            raise UsageError("no source of the records is labelled: the labels have "
                             f"{_some(each.name for each in files)}, the records are about {_some(sorted(sources))}; "
                             "name them alike")
        source_of = {label.name: source for source, label in found.items()}
        pairs: list[tuple[Truth, Answer]] = []
        failed: dict[str, None] = {}
        missing: dict[str, None] = {}
        for each in truth:
            source = source_of.get(each.name)
            records = self._of(source, maker) if source is not None else []
            if records and (answer := self._answer(records, each.span)) is not None:
                pairs.append((each, answer))
            elif source in self._failed:
                failed.setdefault(each.name)
            elif source in self._ended and not records:
                pairs.append((each, Answer()))
            else:
                missing.setdefault(each.name)
        return Gathered(pairs, list(failed), list(missing), sorted(sources - set(found)), maker)

    def _take(self, record: Record) -> None:
        kind, source = record["type"], record.get("source")
        by = str(record.get("by", ""))
        if kind == self._task or (kind == "observation" and self._joint):
            self._makers.setdefault(by)
            if kind == "observation":
                for name in record["sources"]:
                    self._observed.setdefault(name, []).append(record)
            else:
                self._records.setdefault(record["source"], []).append(record)
        elif kind == "error" and source is not None and isinstance(record.get("error"), dict):
            if record["error"].get("fatal"):
                self._failed.add(source)
        elif kind == "end" and source is not None:
            if record.get("status") == "failed":
                self._failed.add(source)
            elif by.split("/")[0] == MAKERS[self._task]:
                self._ended.add(source)

    def _maker(self) -> str:
        if self.bad and not self._types:
            number, where, error = self.bad[0]
            raise RecordError(f"{where} holds no record: line {number}: {error}", code=error.code)
        if self._by is not None and self._by not in self._makers:
            raise UsageError(f"--made-by {self._by}: no {self._task} records of this maker; there are those by "
                             f"{', '.join(sorted(self._makers)) or 'nobody'}")
        if self._by is None and len(self._makers) > 1:
            raise UsageError(f"there are {self._task} records by {' and by '.join(sorted(self._makers))}: choose with "
                             "--made-by")
        if not self._makers and not self._ended:
            raise UsageError(f"there is no {self._task} among the records ({', '.join(self._types) or 'none'}): pipe "
                             f"vtk {MAKERS[self._task]} in first")
        return self._by or next(iter(self._makers), MAKERS[self._task])

    def _of(self, source: str, maker: str) -> list[Record]:
        """Return what ``maker`` said of a source."""
        some = self._observed.get(source) or self._records.get(source, ())
        return [record for record in some if record["by"] == maker]

    def _answer(self, records: Sequence[Record], span: tuple[float, float] | None) -> Answer | None:
        """Return the one answer of records; None where none of them is about the span."""
        if self._task == "species":
            record = _chosen(records, span)
            return self._species(record) if span is None or _shared(record, span) > 0 else None
        if span is not None:
            shared = [(min(span[1], record["end"]) - max(span[0], record["start"]), -number)
                      for number, record in enumerate(records)]
            best = max(shared)
            return self._scene([(records[-best[1]], 1.0)]) if best[0] > 0 else None
        lengths = [record["end"] - record["start"] for record in records]
        whole = sum(lengths)
        weights = [length / whole if whole > 0 else 1 / len(records) for length in lengths]
        return self._scene(list(zip(records, weights, strict=True)))

    def _scene(self, weighed: Sequence[tuple[Record, float]]) -> Answer:
        scores: dict[str, float] = {}
        for record, weight in weighed:
            ranked = record.get("topk") or [{"label": record["label"], "score": record["score"]}]
            for one in ranked:
                key = place_levels(one["label"])[PLACE_LEVELS[0]]
                scores[key] = scores.get(key, 0.0) + weight * min(max(float(one["score"]), 0.0), 1.0)
        topk = sorted(scores.items(), key=lambda pair: -pair[1])
        label, score = topk[0]
        if len(weighed) == 1:  # its own label, which what was read may have changed
            label, score = weighed[0][0]["label"], float(weighed[0][0]["score"])
        return Answer(place_levels(label), min(score, 1.0), tuple(topk))

    def _species(self, record: Record) -> Answer:
        topk = tuple((taxon_levels(one["label"], self._taxonomy)["species"], float(one["score"]))
                     for one in record["topk"])
        held = (frozenset(taxon_levels(one["label"], self._taxonomy)["species"] for one in record["candidates"])
                if "candidates" in record else None)
        label = record.get("label")
        if not label:
            return Answer(topk=topk, candidates=held)
        rank = record.get("rank", RANKS[0])
        own = {name: key_of(taxon) for name, taxon in (record.get("taxon") or {}).items()
               if name in RANKS and isinstance(taxon, str)}
        levels = own | {rank: key_of(label)}
        if rank == RANKS[0]:
            known = taxon_levels(label, self._taxonomy)
            accepted = self._taxonomy is not None and self._taxonomy.path(label)[0]
            levels = levels | known if accepted else known | levels
        return Answer({name: levels[name] for name in RANKS if name in levels}, float(record.get("score", 0.0)), topk,
                      held)


def _chosen(records: Sequence[Record], span: tuple[float, float] | None) -> Record:
    """Return the record that answers for a source, or for a span of it: see ``LabelLanes.gather``."""
    def worth(record: Record) -> tuple[float, ...]:
        # A picture is its first frame; of a film that is one look, and what has no frame is about all of it.
        whole = 0 if "xyxy" in record or "track_id" in record or record.get("frame", 0) else 1 + ("frame" not in record)
        return (_shared(record, span) if span is not None else 0.0, whole, "label" in record,
                record.get("observations", 0), record.get("group_score", 0.0), record.get("score", 0.0))

    return max(records, key=worth)


def _shared(record: Record, span: tuple[float, float]) -> float:
    """Return the seconds that a record is about of a span; of a single look next to nothing, but not nothing."""
    start = record.get("start", record.get("t", 0.0))
    return min(span[1], record.get("end", start + 1e-6)) - max(span[0], start)


def _some(names: Iterable[str]) -> str:
    listed = list(names)
    return ", ".join(listed[:3]) + (", …" if len(listed) > 3 else "")
