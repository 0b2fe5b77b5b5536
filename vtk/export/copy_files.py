"""Files of copied segments, VCSL's JSON, VSC22's csv and lists of pairs in JSON: read whole, and checked.

    rows = read_copies("gt.json")           # CopyRows(query, ref, boxes, score, pairs)
    read_pairs("pairs.csv")                 # [("query", "ref"), …]
    read_sets("sets.json")                  # {("query", "ref"): "set", …}
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from vtk.errors import MediaError, RecordError
from vtk.export.copies import VSC_SPANS, CopyRows, Pair, split_key
from vtk.media.names import source_name

_REF_NAMES = ("ref_id", "reference_id", "ref", "reference")


def read_copies(path: str | os.PathLike[str], known: Iterable[Pair] = ()) -> CopyRows:
    """Return the segments of a file of VCSL, of VSC22 or a list of pairs, told apart by what is in it.

    Args:
        known: pairs whose VCSL keys are understood though names have hyphens.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_COPIES, it is of another format, or something in it is wrong; the message says where.
    """
    where, text = source_name(os.fspath(path)), read_text(path)
    if text.lstrip()[:1] not in ("{", "["):
        return _from_csv(where, text)
    data = parse_json(where, text)
    if isinstance(data, dict) and isinstance(data.get("pairs"), list):
        return _from_list(where, data["pairs"])
    if isinstance(data, dict) and all(isinstance(value, list) for value in data.values()):
        return _from_vcsl(where, data, known)
    raise _wrong(where, 'no copies in it: {"query-reference": [[q0, r0, q1, r1], …]} or {"pairs": […]} is needed')


def read_pairs(path: str | os.PathLike[str]) -> list[Pair]:
    """Return the pairs that a csv names in its columns query_id and reference_id, as VCSL lists those of a split.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_COPIES, a column is missing, or a pair is named twice.
    """
    where, found = source_name(os.fspath(path)), dict[Pair, None]()
    for number, row in _table(where, read_text(path), ("query_id",)):
        pair = row["query_id"], row["ref_id"]
        if pair in found:
            raise _wrong(f"{where}, line {number}", f"the pair {pair[0]}, {pair[1]} is there already")
        found[pair] = None
    return list(found)


def read_sets(path: str | os.PathLike[str], known: Iterable[Pair] = ()) -> dict[Pair, str]:
    """Return the query set of each pair, from VCSL's JSON of sets: {"set": ["query-reference", …], …}.

    Raises:
        MediaError: E_OPEN, the file cannot be read.
        RecordError: E_COPIES, it is of another form, or a pair is in two sets.
    """
    where = source_name(os.fspath(path))
    data, joined = parse_json(where, read_text(path)), {"-".join(pair): pair for pair in known}
    found: dict[Pair, str] = {}
    if not isinstance(data, dict) or not all(isinstance(keys, list) for keys in data.values()):
        raise _wrong(where, 'no sets in it: {"set": ["query-reference", …], …} is needed')
    for name, keys in data.items():
        for key in keys:
            try:
                pair = split_key(str(key), joined)
            except ValueError as error:
                raise _wrong(where, str(error)) from None
            if pair in found:
                raise _wrong(where, f"the pair {key!r:.80} is in the sets {found[pair]!r:.40} and {name!r:.40}")
            found[pair] = name
    return found


def read_text(path: str | os.PathLike[str]) -> str:
    """Return a file's text without its byte order mark. Raises MediaError (E_OPEN), RecordError (E_COPIES)."""
    where = source_name(os.fspath(path))
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise MediaError(f"cannot read {where}: {error.strerror}", code="E_OPEN") from None
    if not data.strip():
        raise _wrong(where, "the file is empty")
    try:
        if b"\0" not in data:
            return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass  # said below
    raise _wrong(where, "it is no text of UTF-8: VCSL's JSON or VSC's csv is needed")


def parse_json(where: str, text: str) -> Any:
    """Return what a JSON text says, NaN as it is. Raises RecordError: it is none, or an object has a key twice."""

    def once(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            names = [name for name, _ in items]
            again = next(name for place, name in enumerate(names) if name in names[:place])
            raise _wrong(where, f"{again!r:.80} is there twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=once)
    except (ValueError, RecursionError) as error:
        raise _wrong(where, f"it is no JSON: {error}") from None


def _from_vcsl(where: str, data: Mapping[str, list[Any]], known: Iterable[Pair]) -> CopyRows:
    rows, joined = CopyRows(where), {"-".join(pair): pair for pair in known}
    for key, segments in data.items():
        try:
            pair = split_key(key, joined)
        except ValueError as error:
            raise _wrong(where, str(error)) from None
        rows.pairs.setdefault(pair)
        for place, segment in enumerate(segments, 1):
            try:
                if not isinstance(segment, list) or len(segment) not in (4, 5):
                    raise ValueError(f"it is {segment!r:.60}, [q0, r0, q1, r1] is needed, or a score behind them")
                rows.add(pair, segment[:4], segment[4] if len(segment) == 5 else None)
            except ValueError as error:
                raise _wrong(where, f"segment {place} of {key!r:.80}: {error}") from None
    return rows


def _from_list(where: str, pairs: Sequence[Any]) -> CopyRows:
    rows = CopyRows(where)
    for number, one in enumerate(pairs, 1):
        try:
            pair = str(one["query"]), str(one["reference" if "reference" in one else "ref"])
            rows.pairs.setdefault(pair)
            for segment in one["segments"]:
                q0, q1, r0, r1 = (segment[name] for name in VSC_SPANS)
                rows.add(pair, (q0, r0, q1, r1), segment.get("score"))
        except KeyError as error:
            raise _wrong(where, f"pair {number} has no {error}") from None
        except (TypeError, ValueError, AttributeError) as error:
            raise _wrong(where, f"pair {number}: {error}") from None
    return rows


def _from_csv(where: str, text: str) -> CopyRows:
    rows = CopyRows(where)
    for number, row in _table(where, text, ("query_id", *VSC_SPANS)):
        q0, q1, r0, r1 = (row[name] for name in VSC_SPANS)
        try:
            rows.add((row["query_id"], row["ref_id"]), [_cell(value) for value in (q0, r0, q1, r1)],
                     _cell(row["score"]) if "score" in row else None)
        except ValueError as error:
            raise _wrong(f"{where}, line {number}", str(error)) from None
    return rows


def _table(where: str, text: str, needed: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows of a csv with their line's number; the reference's column is ``ref_id`` whatever it was."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip() for name in next(reader)]
        ref = next((name for name in _REF_NAMES if name in header), "ref_id")
        missing = [name for name in (*needed, ref) if name not in header]
        if missing or len(set(header)) < len(header):
            raise _wrong(where, f"its header is {','.join(header)!r:.80}: "
                                + (f"{', '.join(missing)} is missing" if missing else "a name is there twice"))
        names = ["ref_id" if name == ref else name for name in header]
        for cells in reader:
            if not "".join(cells).strip():
                continue
            row = dict(zip(names, map(str.strip, cells), strict=False))
            if len(cells) != len(names):
                raise _wrong(f"{where}, line {reader.line_num}", f"{len(cells)} columns, the header has {len(names)}")
            if not row["query_id"] or not row["ref_id"]:
                raise _wrong(f"{where}, line {reader.line_num}", "query_id or ref_id is empty")
            yield reader.line_num, row
    except csv.Error as error:
        raise _wrong(f"{where}, line {reader.line_num}", f"it is no csv: {error}") from None


def _cell(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"{text!r:.40} is no number") from None


def _wrong(where: str, what: str) -> RecordError:
    return RecordError(f"{where}: {what}", code="E_COPIES")
