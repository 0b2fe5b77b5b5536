"""Copied segments of pairs of videos, and their lines in files of VCSL (JSON) and of VSC22 (csv).

    rows.add(("query", "ref"), [q0, r0, q1, r1], score)
    vcsl_lines(rows)                        # {"query-ref": [[q0, r0, q1, r1], …], …}
    vsc_lines(rows)                         # query_id,ref_id,query_start,query_end,ref_start,ref_end,score
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Pair = tuple[str, str]  # query and reference

VSC_SPANS = ("query_start", "query_end", "ref_start", "ref_end")
VSC_COLUMNS = ("query_id", "ref_id", *VSC_SPANS, "score")
MOST = 1e12  # of seconds or a score: beyond it a number went wrong
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


@dataclass(slots=True)
class CopyRows:
    """Segments of pairs of videos, a list a column.

    Attributes:
        where: the file that they came from.
        query, ref: names of videos as written there.
        boxes: [q0, r0, q1, r1] in seconds.
        score: higher is surer; 1 where the file has none.
        scored: whether it has scores.
        pairs: all pairs that it tells of, those without a segment too, in order.
    """

    where: str
    query: list[str] = field(default_factory=list)
    ref: list[str] = field(default_factory=list)
    boxes: list[list[float]] = field(default_factory=list)
    score: list[float] = field(default_factory=list)
    scored: bool = True
    pairs: dict[Pair, None] = field(default_factory=dict)

    def add(self, pair: Pair, box: Sequence[Any], score: Any = None) -> None:
        """Take a segment. Raises ValueError: a number that is none, or an end before its start."""
        numbers = [_number(value) for value in (*box, 1.0 if score is None else score)]
        q0, r0, q1, r1, sure = numbers
        for name, start, end in (("query", q0, q1), ("reference", r0, r1)):
            if end < start:
                raise ValueError(f"the segment of the {name} ends at {end:g}, before its start, {start:g}")
        self.query.append(pair[0])
        self.ref.append(pair[1])
        self.boxes.append([q0, r0, q1, r1])
        self.score.append(sure)
        self.scored = self.scored and score is not None
        self.pairs.setdefault(pair)

    def extend(self, other: CopyRows) -> None:
        """Take all that another has."""
        self.query += other.query
        self.ref += other.ref
        self.boxes += other.boxes
        self.score += other.score
        self.scored = self.scored and (other.scored or not other.boxes)
        self.pairs |= other.pairs

    def twice(self) -> list[tuple[Pair, list[float]]]:
        """Return the segments that are here already, to the digit, in order."""
        seen, again = set[tuple[Any, ...]](), []
        for query, ref, box in zip(self.query, self.ref, self.boxes, strict=True):
            if (key := (query, ref, *box)) in seen:
                again.append(((query, ref), box))
            seen.add(key)
        return again


def split_key(key: str, known: Mapping[str, Pair]) -> Pair:
    """Return query and reference of VCSL's key; %2D stands for a hyphen in a name. Raises ValueError where unclear."""
    if key in known:
        return known[key]
    query, _, ref = key.partition("-")
    if key.count("-") > 1 and len(key) == 73 and _UUID.fullmatch(key[:36]) and _UUID.fullmatch(key[37:]):
        query, ref = key[:36], key[37:]
    elif key.count("-") > 1:
        raise ValueError(f"the key {key!r:.80} has {key.count('-')} hyphens, and nothing says which one stands between "
                         "query and reference: name the pairs in a csv with --pairs, or write %2D for the others")
    if not query or not ref:
        raise ValueError(f"the key {key!r:.80} is no query-reference")
    return _decoded(query), _decoded(ref)


def vcsl_lines(rows: CopyRows) -> Iterator[str]:
    """Yield the lines of VCSL's JSON, a pair a line; it has no scores. A hyphen in a name is written %2D."""
    boxes: dict[Pair, list[list[float]]] = {pair: [] for pair in rows.pairs}
    for query, ref, box in zip(rows.query, rows.ref, rows.boxes, strict=True):
        boxes[query, ref].append(box)
    yield "{" if boxes else "{}"
    for number, (pair, some) in enumerate(boxes.items(), 1):
        key = "-".join(pair if all(map(_UUID.fullmatch, pair)) else map(_encoded, pair))
        yield f"  {json.dumps(key, ensure_ascii=False)}: {json.dumps(some)}{',' if number < len(boxes) else ''}"
    if boxes:
        yield "}"


def vsc_lines(rows: CopyRows) -> Iterator[str]:
    """Yield the lines of VSC22's csv, its header first."""
    yield ",".join(VSC_COLUMNS)
    for query, ref, (q0, r0, q1, r1), score in zip(rows.query, rows.ref, rows.boxes, rows.score, strict=True):
        line = io.StringIO()
        csv.writer(line, lineterminator="\n").writerow([query, ref, q0, q1, r0, r1, score])  # a name with one is quoted
        yield line.getvalue()[:-1]


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= MOST:
        raise ValueError(f"{value!r:.40} is no finite number")
    return float(value)


def _encoded(name: str) -> str:
    return name.replace("%", "%25").replace("-", "%2D")


def _decoded(name: str) -> str:
    return name.replace("%2D", "-").replace("%25", "%")
