"""OpenTimelineIO's JSON: a timeline with one video track, a clip a piece, its label as name and as a marker.

Pieces stand where they are in the film, with gaps between, or ``packed`` end to end. Written as Timeline.1, Track.1,
Clip.1 and Marker.2 are documented, the first versions of each, which every version of OpenTimelineIO reads.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from vtk.export.timeline import Event

_KEPT = ("label", "score", "topk", "indoor", "path", "transition", "by")  # of a record, as metadata of its clip

Object = dict[str, Any]


def otio_lines(title: str, url: str, events: Sequence[Event], rate: Fraction, length: int | None,
               packed: bool = False) -> list[str]:
    """Return the lines of a timeline.

    Args:
        title: what it is called.
        url: what opens the film.
        events: in order.
        rate: frames a second.
        length: frames of the film; None where it is not known.
        packed: whether pieces follow each other without gaps.
    """
    children: list[Object] = []
    place = 0
    for event in events:
        if not packed and event.start > place:
            children.append(_object("Gap.1", name="", source_range=_span(0, event.start - place, rate), effects=[],
                                    markers=[]))
        place = event.end
        children.append(_clip(event, url, rate, length))
    track = _object("Track.1", name="V1", kind="Video", source_range=None, effects=[], markers=[], children=children)
    stack = _object("Stack.1", name="tracks", source_range=None, effects=[], markers=[], children=[track])
    whole = _object("Timeline.1", name=title, global_start_time=None, tracks=stack)
    return json.dumps(whole, indent=4, ensure_ascii=False).splitlines()


def _clip(event: Event, url: str, rate: Fraction, length: int | None) -> Object:
    record = event.record
    marked = _object("Marker.2", name=event.name, color="GREEN", marked_range=_span(event.start, 0, rate),
                     comment=event.comment)
    media = _object("ExternalReference.1", name="", target_url=url,
                    available_range=None if length is None else _span(0, max(length, event.end), rate))
    clip = _object("Clip.1", name=event.name, source_range=_span(event.start, event.end - event.start, rate),
                   effects=[], markers=[marked] if "label" in record else [], media_reference=media)
    clip["metadata"] = {"vtk": {key: record[key] for key in _KEPT if key in record}}
    return clip


def _object(schema: str, **keys: Any) -> Object:
    return {"OTIO_SCHEMA": schema, "metadata": {}, **keys}


def _span(start: int, duration: int, rate: Fraction) -> Object:
    """Return frames as a TimeRange."""
    def time(frames: int) -> Object:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate), "value": float(frames)}

    return {"OTIO_SCHEMA": "TimeRange.1", "start_time": time(start), "duration": time(duration)}
