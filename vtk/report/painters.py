"""How each type of record is painted: one function a type, in ``PAINTERS``."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vtk.errors import RecordError
from vtk.records import Record
from vtk.report.canvas import Canvas
from vtk.report.palette import UNKNOWN, Colour, colour_of, colour_of_identity
from vtk.schema import matches

Painter = Callable[[Canvas, Record], None]

# By verdict: blue, vermilion and yellow of Okabe and Ito, which nobody confuses.
VERDICTS: dict[str, Colour] = {"live": (86, 180, 233), "spoof": (213, 94, 0), "unsure": (240, 228, 66)}


def paint_detection(canvas: Canvas, record: Record) -> None:
    """Paint a box with its label and score, in the colour of its label."""
    _box(canvas, record, colour_of(str(record.get("label", ""))), _named(record))


def paint_track(canvas: Canvas, record: Record) -> None:
    """Paint a box with its id, label and score, in the colour of its id; of who it is, where that is known.

    ``identity`` is who, a name or a number; None where that is not known of this one, though it is of others. ``named``
    goes before the label: the species that the whole track shows.
    """
    track_id, who = _need(record, "track_id", "count"), _who(record)
    name = str(record.get("named", _named(record)))
    parts = (f"{track_id}", name) if who is None else (who,) if isinstance(who, str) else (name, f"#{who}")
    _box(canvas, record, colour_of_track(record), " ".join(part for part in parts if part))


def colour_of_track(record: Record) -> Colour:
    """Return the colour of a ``track`` record: of its ``identity`` where it has one, else of its id."""
    who = _who(record)
    if who is not None:
        return colour_of_identity(who)
    return UNKNOWN if "identity" in record and record["identity"] is None else colour_of(record["track_id"])


def _who(record: Record) -> int | str | None:
    """Return the ``identity`` of a record, None without a usable one."""
    who = record.get("identity")
    if not matches("text_or_count", who) or who == "":
        return None
    return who if isinstance(who, str) else int(who)


def paint_text(canvas: Canvas, record: Record) -> None:
    """Paint the outline of a piece of text with what it says beside it, so that it can still be read itself."""
    key = record.get("track_id", record.get("text", ""))
    colour = colour_of(key if isinstance(key, int) else str(key))
    if "poly" in record:
        points = _need(record, "poly", "polygon")
    else:
        x1, y1, x2, y2 = _need(record, "xyxy", "box")
        points = [[x1, y1], [x2, y1], [x2, y2], [x1, y2]]
    canvas.polygon(points, colour)
    columns, rows = zip(*points, strict=True)
    canvas.keep_clear((min(columns), min(rows), max(columns), max(rows)))
    text = _scored(canvas, str(record.get("text", "")), record.get("score"))
    if canvas.style.labels and text:
        canvas.transcript(text, points, colour)


def paint_face(canvas: Canvas, record: Record) -> None:
    """Paint a face with its verdict and score, its points, and why it was not judged where it was not.

    Blue where it is live, vermilion where it is not, yellow where that is unsure.
    """
    verdict, track_id = str(record.get("verdict", "unsure")), record.get("track_id")
    box, colour = _need(record, "xyxy", "box"), colour_of_face(record)
    canvas.box(box, colour)
    if "points" in record:
        canvas.dots(_need(record, "points", "points"), colour)
    reasons = record.get("reasons")
    words = [f"{track_id}" if type(track_id) is int else "", _scored(canvas, verdict, record.get("live_score")),
             ", ".join(reasons) if matches("names", reasons) else ""]
    if canvas.style.labels:
        canvas.label(" ".join(filter(None, words)), box, colour)


def colour_of_face(record: Record) -> Colour:
    """Return the colour of a ``face`` record's verdict."""
    return VERDICTS.get(str(record.get("verdict")), VERDICTS["unsure"])


def paint_species(canvas: Canvas, record: Record) -> None:
    """Paint what lives in a box, or in the whole frame: its label, else its best guess with a question mark.

    What no model covers is painted by its group.
    """
    topk = _need(record, "topk", "ranking")
    if "label" in record:
        label, sure = str(record.get("common", record["label"])), record.get("score", next(iter(topk), {}).get("score"))
    elif topk:
        label, sure = f"{record.get('common', topk[0]['label'])}{'?' if record.get('covered') else ''}", topk[0]["score"]
    else:
        label, sure = unanswered(record), record.get("group_score")
    colour = colour_of(label)
    if "xyxy" in record:
        _box(canvas, record | {"score": sure}, colour, label)
    elif canvas.style.labels and label:
        canvas.caption(_scored(canvas, label, sure), colour)


def unanswered(record: Record) -> str:
    """Return in a few words why a ``species`` record names nothing: its group, else the first that its note says."""
    group = record.get("group")
    if isinstance(group, str) and not record.get("covered"):
        return "nothing living" if group == "none" else f"{group}, not covered"
    return str(record.get("note", "")).partition(";")[0]


def paint_scene(canvas: Canvas, record: Record) -> None:
    """Paint where a frame was filmed, in its corner."""
    label = str(record.get("label", ""))
    if canvas.style.labels and label:
        canvas.caption(_scored(canvas, label, record.get("score")), colour_of(label))


# A later command adds its type here, and one function.
PAINTERS: dict[str, Painter] = {
    "detection": paint_detection,
    "track": paint_track,
    "text": paint_text,
    "face": paint_face,
    "species": paint_species,
    "scene": paint_scene,
}


def paint(canvas: Canvas, records: Sequence[Record]) -> None:
    """Paint the records of one frame; a box that a track or a face describes is not painted again as what it was."""
    tracked = {_place(record, "det_xyxy") for record in records if record["type"] == "track"}
    judged = {repr(record.get("xyxy")) for record in records if record["type"] == "face"}
    for record in records:
        known = ((record["type"] == "detection" and _place(record, "xyxy") in tracked)
                 or (record["type"] in ("detection", "track") and repr(record.get("xyxy")) in judged))
        if not known:
            PAINTERS[record["type"]](canvas, record)


def _place(record: Record, name: str) -> tuple[str, str]:
    """Return what a detection and the track made of it share: the label, and the detector's box."""
    return str(record.get("label", "")), repr(record.get(name, record.get("xyxy")))


def _named(record: Record) -> str:
    return str(record.get("label", record.get("class_id", "")))


def _box(canvas: Canvas, record: Record, colour: Colour, label: str, score: str = "score") -> None:
    box = _need(record, "xyxy", "box")
    canvas.box(box, colour)
    _label(canvas, record, label, box, colour, score)


def _label(canvas: Canvas, record: Record, label: str, box: Sequence[float], colour: Colour,
           score: str = "score") -> None:
    text = _scored(canvas, label, record.get(score))
    if canvas.style.labels and text:
        canvas.label(text, box, colour)


def _scored(canvas: Canvas, label: str, score: object) -> str:
    """Return ``label`` with a score behind it, where scores are wanted and there is one."""
    return f"{label} {score:.2f}".lstrip() if canvas.style.scores and type(score) in (int, float) else label


def _need(record: Record, name: str, shape: str) -> object:  # type: ignore[return]
    value = record.get(name)
    if name not in record:
        raise RecordError(f"{record['type']} has no '{name}' (it has {', '.join(record)}): it cannot be drawn")
    if not matches(shape, value):
        raise RecordError(f"{record['type']}'s '{name}' is {value!r:.60}: it cannot be drawn")
    return value
