"""Records of a whole run, gathered for the page: tables, spans, sums and troubles, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vtk.errors import RecordError
from vtk.records import TYPES, Record, check
from vtk.report.page.columns import Meta, plain
from vtk.report.page.notes import Density, Notes
from vtk.report.page.spans import Spans
from vtk.report.page.tables import Table

BATCH = 2048  # records of a type that become rows at a time
BINS = 50  # of a histogram of scores
LETTERS = 64_000_000  # of different texts in all tables; beyond it they take no rows
MOST_TROUBLES = 200  # errors that are kept whole
MOST_LABELS = 2000  # that are counted apart, of a type
BOXED = frozenset({"detection", "track", "text", "face", "species"})
# Last those that tell how the run went, first what a person looks for.
_ORDER = {kind: place for place, kind in enumerate(TYPES)}


class Gathered:
    """What came in.

    Args:
        rows: of a table, at most.

    Attributes:
        sources: what is noted of each, by name, in order of coming.
        spans: of all of them.
        troubles: the first errors.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self.sources: dict[str, Notes] = {}
        self.spans = Spans(rows)
        self.troubles: list[Record] = []
        self._tables: dict[str, Table] = {}
        self._waiting: dict[str, list[Record]] = {}
        self._scores: dict[str, list[int]] = {}
        self._labels: dict[str, Counter[str]] = {}
        self._makers: dict[str, Counter[str]] = {}
        self._full = False

    def notes(self, name: str) -> Notes:
        """Return what is noted of a source, new where it is."""
        found = self.sources.get(name)
        if found is None:
            found = self.sources[name] = Notes(name, len(self.sources))
        return found

    def frame(self, notes: Notes, records: Sequence[Record]) -> None:
        """Take the records of a frame."""
        boxed = Counter[str]()
        t = 0.0
        for record in records:
            self.add(record)
            if record["type"] in BOXED and "xyxy" in record:  # others may have a t that is no number
                boxed[record["type"]] += 1
                t = record.get("t", t)
                notes.see(record, t)
        if boxed:
            notes.last = max(notes.last, t)
            notes.density = notes.density or Density()
            notes.density.add(t, max(boxed.values()))
            notes.frames += 1

    def unframed(self, notes: Notes, records: Sequence[Record]) -> None:
        """Take records of a source that are of no frame."""
        for record in records:
            self.add(record)
            self.spans.take(record, notes)
            if record["type"] == "media":
                notes.media = notes.media or record
            elif record["type"] == "error":
                notes.fatal |= record["error"]["fatal"]

    def overheard(self, record: Record) -> None:
        """Take a record that nobody checked: an error, a ledger, or one that is of the whole run."""
        try:
            check(record)
        except RecordError as error:
            self.trouble(str(error), error.code, record.get("source"))
            return
        self.add(record)
        if record["type"] == "end":
            notes = self.notes(record["source"])
            before = notes.ledgers.get(record["by"], "ok")
            notes.ledgers[record["by"]] = max(before, record["status"], key=("ok", "partial", "failed").index)
        elif record["type"] == "error" and isinstance(record.get("source"), str):
            self.notes(record["source"]).fatal |= record["error"]["fatal"]

    def trouble(self, message: str, code: str, source: str | None = None) -> None:
        """Note an error of our own."""
        about = {"source": source} if isinstance(source, str) else {}
        self.add({"type": "error", "by": "report", **about,
                  "error": {"code": code, "stage": "report", "message": message, "fatal": False}})

    def add(self, record: Record) -> None:
        """Count a record, and give it a row of its table."""
        if record["type"] == "error" and len(self.troubles) < MOST_TROUBLES:
            self.troubles.append(record)
        waiting = self._waiting.setdefault(record["type"], [])
        waiting.append(record)
        if len(waiting) >= BATCH:
            self._flush(record["type"])

    def _flush(self, kind: str) -> None:
        """Make rows of the records of a type that wait, and add them to its sums."""
        records = self._waiting.pop(kind, [])
        table = self._tables.get(kind)
        if table is None:
            table = self._tables[kind] = Table(kind, 0 if self._full else self._rows)
        table.take(records)
        for name, count in Counter(record.get("source") for record in records).items():
            if isinstance(name, str):
                self.notes(name).counts[kind] += count
        self._makers.setdefault(kind, Counter()).update(str(record.get("by", "")) for record in records)
        if kind in TYPES:
            self._sum(kind, records)
        if not self._full and sum(table.letters for table in self._tables.values()) > LETTERS:
            self._full = True
            for table in self._tables.values():
                table.close()

    def _sum(self, kind: str, records: Sequence[Record]) -> None:
        """Add records of a known type to its scores and labels."""
        key = "live_score" if kind in ("face", "face_track") else "score"
        scores = [record[key] for record in records if key in record]
        if scores:
            bins = self._scores.setdefault(kind, [0] * BINS)
            for place, count in Counter(min(BINS - 1, int(score * BINS)) for score in scores).items():
                bins[place] += count
        labels = self._labels.setdefault(kind, Counter())
        labels.update(record["label"] for record in records if "label" in record)
        if len(labels) > 2 * MOST_LABELS:
            rest = sum(count for _, count in labels.most_common()[MOST_LABELS:])
            self._labels[kind] = Counter(dict(labels.most_common(MOST_LABELS)))
            self._labels[kind][""] += rest  # those that are not named

    def settle(self) -> None:
        """Make rows of all that waits: nothing more comes."""
        for kind in list(self._waiting):
            self._flush(kind)

    @property
    def total(self) -> int:
        """Records that came, of any type."""
        return sum(table.total for table in self._tables.values())

    def count(self, kind: str) -> int:
        """Return how many records of a type came."""
        return self._tables[kind].total if kind in self._tables else 0

    def packed(self) -> tuple[Meta, bytes]:
        """Return what the page's script reads, and the columns that it points into; call ``settle`` first."""
        blob = bytearray()
        kinds = sorted(self._tables, key=lambda kind: (_ORDER.get(kind, len(_ORDER)), kind))
        meta: Meta = {
            "sources": [_source(notes) for notes in self.sources.values()],
            "tables": [self._tables[kind].packed(blob) for kind in kinds],
            "makers": {kind: dict(self._makers[kind].most_common(20)) for kind in kinds},
            "spans": self.spans.packed(blob),
            "scores": {kind: self._scores[kind] for kind in kinds if kind in self._scores},
            "labels": {kind: [(plain(name), count) for name, count in self._labels[kind].most_common(30)] for kind in kinds if self._labels.get(kind)},
            "different": {kind: len(self._labels[kind]) for kind in kinds if self._labels.get(kind)},
            "total": self.total,
        }
        return meta, bytes(blob)


def _source(notes: Notes) -> Meta:
    """Return what the script is told of a source."""
    media = notes.media or {}
    found: Meta = {"name": plain(notes.name), "status": notes.status, "counts": dict(notes.counts), "last": notes.last,
                   "makers": notes.ledgers, "frames": notes.frames}
    found |= {name: media[name] for name in ("kind", "width", "height", "fps", "duration", "codec") if name in media}
    if notes.density is not None:
        found |= {"bin": notes.density.width, "density": notes.density.means()}
    if notes.unnoted:
        found["unnoted"] = notes.unnoted
    return found
