"""Counts as text of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from vtk.stats.lettering import WIDTH, bar, columns_of, counted, lasting, shown, sized, steps, table

_BAR = 24


def lines_of(whole: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a summary (vtk.stats.summing): errors first, then what there is, part by part."""
    yield f"{counted(whole['records'])} records, {_many(whole['sources']['count'], 'source')}"
    for title, part in (("Errors", _errors), ("Records", _types), ("Sources", _sources), ("Commands", _commands),
                        ("Labels", _labels), ("Scores, from 0 to 1 in tenths", _scores),
                        ("Boxes, root of the area in pixels", _sizes), ("How long", _lengths), ("Verdicts", _verdicts),
                        ("Texts", _texts), ("Identities", _identities), ("Copies", _copies)):
        lines = list(part(whole))
        if lines:
            yield ""
            yield title
            yield from lines


def grouped_lines(whole: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a summary by keys (vtk.stats.grouping)."""
    groups, scored = whole["groups"], any("score" in row for row in whole["groups"])
    rows = [[*map(str, whole["by"]), "records", "share", "sources", *(["score"] if scored else [])]]
    rows += [[*(_worded(row[key]) for key in whole["by"]), counted(row["records"]),
              f"{row['records'] / whole['records']:.1%}", counted(row["sources"]),
              *([f"{row['score']:.3f}" if "score" in row else ""] if scored else [])] for row in groups]
    yield from table(rows, len(whole["by"]), indent="")
    if whole["others"]:
        yield f"and {counted(whole['others'])} records of {_more(whole['distinct'] - len(groups))}"
    if whole["without"]:
        yield f"and {counted(whole['without'])} records without {' or '.join(whole['by'])}"


def _errors(whole: dict[str, Any]) -> Iterator[str]:
    for row in whole.get("errors", ()):
        where = f" in {_many(row['sources'], 'source')}" if row["sources"] else ""
        yield f"  {shown(row['code'], 12)} {counted(row['count'])}{where}{', the first' if row['count'] > 1 else ''}:"
        yield f"    {shown(row['message'], WIDTH - 4)}".rstrip()


def _types(whole: dict[str, Any]) -> Iterator[str]:
    rows = whole["types"]
    lines = table([[row["type"], counted(row["records"]), _many(row["sources"], "source")] for row in rows],
                  width=WIDTH - _BAR - 2)
    yield from _barred(list(lines), [row["records"] for row in rows])


def _sources(whole: dict[str, Any]) -> Iterator[str]:
    some = whole["sources"]
    if not some["count"]:
        return
    yield "  " + ", ".join(f"{counted(count)} {status}" for status, count in some["status"].items())
    if "kinds" in some:
        parts = [_many(count, kind) for kind, count in some["kinds"].items()]
        parts += [lasting(some["duration"])] if "duration" in some else []
        parts += [sized(some["size"])] if "size" in some else []
        for key, unit in (("resolutions", ""), ("fps", " frames/s"), ("codecs", "")):
            found = some.get(key, {})
            parts += [f"{name}{unit}" + (f" ({counted(count)})" if len(found) > 1 else "")
                      for name, count in found.items()]
        yield from _wrapped("  ", parts)
    rows = [["", "", "length", "frames", "looked at", "records"]]
    rows += [[row["source"], row["status"], lasting(row["duration"]) if "duration" in row else "",
              counted(row["frames"]), counted(row["processed"]) if row["processed"] else "", counted(row["records"])]
             for row in some["top"]]
    yield from table(rows, 2)
    yield from _beyond(some["count"] - len(some["top"]))


def _commands(whole: dict[str, Any]) -> Iterator[str]:
    keys = ("sources", "ok", "partial", "failed", "processed", "records")
    found = whole.get("commands", ())
    if found:
        yield from table([["", *(name if name != "processed" else "looked at" for name in keys)], *([row["by"], *(counted(row[key]) for key in keys)] for row in found)])


def _labels(whole: dict[str, Any]) -> Iterator[str]:
    rows = whole.get("labels", ())
    if not rows:
        return
    cells = [[row["type"], row["label"], counted(row["records"]), f"{row['score']:.3f}" if "score" in row else ""]
             for row in rows]
    yield from _barred(list(table(cells, 2, width=WIDTH - _BAR - 2)), [row["records"] for row in rows])
    yield from _beyond(whole.get("labels_beyond", 0))


def _barred(lines: list[str], counts: list[int]) -> Iterator[str]:
    """Yield lines with a bar behind each, the longest for the largest count."""
    room = max(map(columns_of, lines), default=0)
    for line, count in zip(lines, counts, strict=True):
        yield f"{shown(line, room)}  {bar(count / max(counts), _BAR)}"


def _scores(whole: dict[str, Any]) -> Iterator[str]:
    rows = whole.get("scores", ())
    lines = table([[row["type"], counted(row["count"]), f"mean {row['score']:.3f}"] for row in rows])
    for line, row in zip(lines, rows, strict=False):
        yield f"{line}  │{steps(row['bins'])}│"


def _sizes(whole: dict[str, Any]) -> Iterator[str]:
    for row in whole.get("sizes", ()):
        parts = [f"{each['from'] or 'below'}{'–' if each['from'] else ' '}{2 * each['from'] or 1} "
                 f"{each['count'] / row['count']:.0%}" for each in row["bins"]]
        yield from _wrapped(f"  {row['type']}: ", parts)


def _lengths(whole: dict[str, Any]) -> Iterator[str]:
    for row in whole.get("lengths", ()):
        name = f"{row['type']} {row['label']}" if "label" in row else row["type"]
        yield (f"  {shown(name, 34).rstrip()}: {counted(row['count'])}, mean {lasting(row['mean'])}, longest "
               f"{lasting(row['longest'])}, {lasting(row['seconds'])} in all")
        if row["count"] > 1:
            most = max(each["count"] for each in row["bins"])
            for each in row["bins"]:
                start = f"{each['from']:g}" if each["from"] else "0"
                end = f"{2 * each['from'] or 0.125:g}"
                yield f"    {start:>7} – {end:>7} s {counted(each['count']):>11}  {bar(each['count'] / most, _BAR)}"
    yield from _beyond(whole.get("lengths_beyond", 0))
    if "transitions" in whole:
        yield "  " + ", ".join(f"{name} {counted(count)}" for name, count in whole["transitions"].items())


def _verdicts(whole: dict[str, Any]) -> Iterator[str]:
    for kind, counts in whole.get("verdicts", {}).items():
        yield f"  {kind}: " + ", ".join(f"{verdict} {counted(count)}" for verdict, count in counts.items())


def _texts(whole: dict[str, Any]) -> Iterator[str]:
    yield from _named(whole.get("texts"), "text", "on screen")


def _identities(whole: dict[str, Any]) -> Iterator[str]:
    yield from _named(whole.get("identities"), "identity", "")


def _named(some: dict[str, Any] | None, key: str, lasted: str) -> Iterator[str]:
    if some is None:
        return
    what = "tracks" if key == "identity" else "times"
    yield (f"  {counted(some['distinct'])}{' or more' if 'beyond' in some else ''}, of "
           f"{_many(some['records'], what.removesuffix('s'))}; {counted(some['several_sources'])} in several sources")
    rows = [["", what, "sources", *([lasted] if lasted else [])]]
    rows += [[row[key], counted(row["count"]), counted(row["sources"]), *([lasting(row["seconds"])] if lasted else [])]
             for row in some["top"]]
    yield from table(rows)
    yield from _beyond(some["distinct"] - len(some["top"]))


def _copies(whole: dict[str, Any]) -> Iterator[str]:
    some = whole.get("copies")
    if some is None:
        return
    yield (f"  {_many(some['records'], 'span')}, {lasting(some['seconds'])}, of {_many(some['refs'], 'reference')} in "
           f"{_many(some['sources'], 'source')}")
    rows = [["", "shows", "spans", "length"]]
    rows += [[row["source"], row["ref"], counted(row["count"]), lasting(row["seconds"])] for row in some["top"]]
    yield from table(rows, 2)
    yield from _beyond(some["pairs"] - len(some["top"]))


def _wrapped(head: str, parts: list[str]) -> Iterator[str]:
    """Yield parts joined by commas, in as many lines as they need."""
    line = head
    for place, part in enumerate(parts):
        piece = part + ("," if place < len(parts) - 1 else "")
        if len(line) + len(piece) > WIDTH:
            yield line.rstrip()
            line = " " * len(head)
        line += f"{piece} "
    yield line.rstrip()


def _beyond(count: int) -> Iterator[str]:
    if count > 0:
        yield f"  and {_more(count)}"


def _more(count: int) -> str:
    return f"{counted(count)} more" if count > 0 else "others that were not held"


def _many(count: int, one: str) -> str:
    return f"{counted(count)} {one}{'' if count == 1 else 's'}"


def _worded(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)
