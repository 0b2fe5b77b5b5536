"""Counts as one object of JSON types."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from vtk.stats.bins import Boxes

if TYPE_CHECKING:
    from vtk.stats.counting import Statistics


def summary_of(counted: Statistics, top: int) -> dict[str, Any]:
    """Return all that was counted; parts of which nothing came are left out.

    Args:
        counted: the counts.
        top: how many rows of long lists.
    """
    types = _types(counted)
    whole: dict[str, Any] = {"records": sum(row["records"] for row in types), "types": types}
    whole["sources"] = _sources(counted, top)
    whole["errors"] = [{"code": code, **row, "sources": len(row["sources"])} for code, row in sorted(
        counted.errors.items(), key=lambda pair: (-pair[1]["count"], pair[0]))]
    whole["commands"] = [{"by": by, **{key: row[key] for key in (
        "sources", "ok", "partial", "failed", "decoded", "processed", "skipped", "records")}}
        for by, row in counted.makers.items()]
    whole |= _boxes(counted, top)
    ranked = sorted(counted.lengths.items(), key=lambda pair: (-pair[1].total, pair[0]))
    whole["lengths"] = [{"type": kind, **({"label": label} if label else {}), **lengths.table()}
                        for (kind, label), lengths in ranked[:top]]
    whole["lengths_beyond"] = max(0, len(ranked) - top)
    whole["transitions"] = dict(counted.transitions.most_common())
    whole["verdicts"] = {kind: dict(counts.most_common()) for kind, counts in counted.verdicts.items()}
    for key, names, name in (("texts", counted.texts, "text"), ("identities", counted.identities, "identity")):
        whole[key] = names.table(top, name) if names.records else None
    whole["copies"] = counted.copies.table(top) if counted.copies.records else None
    return {key: value for key, value in whole.items() if value or key in ("records", "types", "sources")}


def _types(counted: Statistics) -> list[dict[str, Any]]:
    """Return how many records there are of each type, in how many sources."""
    count, sources = Counter(counted.loose), Counter[str]()
    for row in counted.sources.values():
        count.update(row.types)
        sources.update(row.types.keys())
    return [{"type": kind, "records": number, "sources": sources[kind]}
            for kind, number in sorted(count.items(), key=lambda pair: (-pair[1], pair[0]))]


def _sources(counted: Statistics, top: int) -> dict[str, Any]:
    """Return how many sources there are of each kind and status, and those with the most records."""
    rows = counted.sources
    ranked = sorted(rows, key=lambda name: (-sum(rows[name].types.values()), name))[:top]
    media = [row for row in rows.values() if row.kind]
    whole: dict[str, Any] = {
        "count": len(rows), "status": dict(Counter(row.status for row in rows.values()).most_common()),
        "kinds": dict(Counter(row.kind for row in media).most_common()),
        "duration": round(sum(row.duration for row in media), 3), "size": sum(row.size for row in media),
        "resolutions": dict(Counter(f"{row.width}x{row.height}" for row in media).most_common(top)),
        "fps": dict(Counter(f"{row.fps:g}" for row in media if row.fps).most_common(top)),
        "codecs": dict(Counter(row.codec for row in media if row.codec).most_common(top)),
        "frames": sum(row.frames for row in rows.values()),
        "processed": sum(row.processed for row in rows.values()),
        "top": [rows[name].table(name) for name in ranked]}
    return {key: value for key, value in whole.items() if value or key == "count"}


def _boxes(counted: Statistics, top: int) -> dict[str, Any]:
    """Return counts by label, and the scores and sizes of each type."""
    ranked = sorted(counted.boxes.items(), key=lambda pair: (-pair[1].records, pair[0][0], str(pair[0][1])))
    named = [(key, boxes) for key, boxes in ranked if key[1] is not None]
    kinds: dict[str, Boxes] = {}
    for (kind, _), boxes in ranked:
        kinds.setdefault(kind, Boxes()).add(boxes)
    return {
        "labels": [{"type": kind, "label": label, "records": boxes.records, **_mean(boxes)}
                   for (kind, label), boxes in named[:top]],
        "labels_beyond": max(0, len(named) - top),
        "scores": [{"type": kind, "count": boxes.scored, **_mean(boxes), "bins": boxes.tenths()}
                   for kind, boxes in kinds.items() if boxes.scored],
        "sizes": [{"type": kind, "count": boxes.boxed,
                   "bins": [{"from": 2 ** (place - 1) if place else 0, "count": count}
                            for place, count in enumerate(boxes.sizes) if count]}
                  for kind, boxes in kinds.items() if boxes.boxed]}


def _mean(boxes: Boxes) -> dict[str, float]:
    return {"score": round(boxes.total / boxes.scored, 4)} if boxes.scored else {}
