"""The JSONL vocabulary: every type, every key, its unit; made, written, read and checked in one place."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson

from vtk.errors import RecordError

if TYPE_CHECKING:
    import numpy as np

VERSION = 1
MAX_INTEGER = 2**53  # the largest range in which every JSON reader keeps integers exact
MAX_COORDINATE = 1e6  # pixels; beyond it a unit was mistaken or a number went wrong

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Key:
    """A key of the vocabulary: its shape (a name in ``vtk.schema``) and what it means, with the unit."""

    name: str
    shape: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Type:
    """A record type: who makes it, its keys beside those of every record, and what it stands for."""

    name: str
    made_by: str
    meaning: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()
    about_media: bool = True


KEYS: dict[str, Key] = {key.name: key for key in (
    Key("v", "version", "Version of the vocabulary."),
    Key("type", "name", "Record type."),
    Key("by", "name", "The command and model that made the record, command/model."),
    Key("source", "text", "Path or URL as the user typed it; a name that is not UTF-8 as a file: URI."),
    Key("frame", "count", "0-based index of the frame in the original stream; 0 for an image."),
    Key("pts", "integer", "Timestamp of the frame in stream ticks."),
    Key("t", "seconds", "Seconds from the first frame; 0 for an image."),
    Key("step", "positive", "Frames since the previous frame that was looked at; absent means 1."),
    Key("start", "seconds", "Start of the span, in seconds from the first frame."),
    Key("end", "seconds", "End of the span in seconds, exclusive."),
    Key("start_frame", "count", "First frame of the span."),
    Key("end_frame", "count", "Frame after the last of the span."),
    Key("xyxy", "box", "[x1, y1, x2, y2] in pixels of the displayed frame."),
    Key("det_xyxy", "box", "The detector's box, in pixels, where xyxy is a filtered one."),
    Key("poly", "polygon", "[[x, y], …] clockwise, in pixels of the displayed frame."),
    Key("score", "unit", "Confidence in [0, 1]."),
    Key("det_score", "unit", "The detector's confidence in [0, 1]."),
    Key("filled", "flag", "Whether the box was filled in between two that were seen."),
    Key("raw_score", "number", "A score as another tool wrote it, of any range."),
    Key("live_score", "unit", "Probability in [0, 1] that the face is live."),
    Key("label", "text", "Name of the class."),
    Key("class_id", "count", "Index of the class in the model's list."),
    Key("track_id", "count", "Number of the track, unique per source and maker."),
    Key("identity", "text_or_count", "Name or number of who it is, across sources."),
    Key("observations", "count", "Number of frames in which it was seen."),
    Key("best", "best", "The frame and box (or polygon) that shows it best."),
    Key("text", "text", "What is written there."),
    Key("raw_text", "text", "What was read there, where the vocabulary has it otherwise."),
    Key("script", "text", "Script of most of its letters, ISO 15924."),
    Key("language", "text", "Language, BCP 47, where the script alone tells it."),
    Key("topk", "ranking", "The best labels with their scores, best first."),
    Key("embedding", "embedding", "Vector: dtype, shape, norm and b64 (little-endian float16), or ref and row."),
    Key("space", "text", "Model and hash of the embedding's space; spaces are never mixed."),
    Key("crops", "positive", "Number of crops that the vector is the mean of."),
    Key("camera", "text", "The camera that filmed it."),
    Key("nearest", "nearest", "The tracklets most alike, and what kept each from being the same identity."),
    Key("ref", "text", "The reference video that was copied."),
    Key("ref_start", "seconds", "Start of the span in the reference, seconds."),
    Key("ref_end", "seconds", "End of the span in the reference, seconds, exclusive."),
    Key("transform", "object", "Change from reference to copy: speed (ratio), hflip."),
    Key("cluster", "name", "Short hash of all videos of the cluster: the same on each of its records."),
    Key("videos", "positive", "Number of videos of the whole cluster, those on its other records among them."),
    Key("sources", "names", "Videos that are one, or pictures of one observation; of many a part, the others on "
        "further records of it."),
    Key("keep", "text", "The video that is best kept: of most pixels, then of the highest bitrate, then the longest."),
    Key("note", "text", "What to know of the record, in words."),
    Key("verdict", "verdict", "live, spoof or unsure."),
    Key("thresholds", "pair", "[spoof below, live from], two scores in [0, 1]."),
    Key("points", "points", "Right eye, left eye, nose, right and left corner of the mouth, [x, y] in pixels."),
    Key("quality", "object", "What the picture of the face is like: measures by name."),
    Key("reasons", "names", "Why a verdict is unsure whatever the score says: small, blurred, dark and the like."),
    Key("used", "count", "Number of the observations whose scores count."),
    Key("common", "text", "Common name."),
    Key("rank", "text", "Taxonomic rank of the label."),
    Key("taxon", "object", "Taxonomic path by rank."),
    Key("adjusted_by", "text", "What changed the answer beside the picture: place, date, filter, prior, cost, text."),
    Key("group", "text", "Group of living things that the picture shows: bird, insect, snake and the like."),
    Key("group_score", "unit", "Probability in [0, 1] that the picture shows the group."),
    Key("covered", "flag", "Whether a model knows species of the group; false: there is no answer."),
    Key("candidates", "ranking", "The species that hold the right one with probability coverage, best first."),
    Key("coverage", "unit", "Share of answers whose candidates hold the right species, as calibrated."),
    Key("cost", "number", "Expected cost of the answer, by the table of costs."),
    Key("observation", "text", "The observation that several pictures belong to."),
    Key("latitude", "number", "Degrees north of where it was filmed."),
    Key("longitude", "number", "Degrees east of where it was filmed."),
    Key("country", "text", "Country of where it was filmed, two letters of ISO 3166-1."),
    Key("date", "text", "Day on which it was filmed, YYYY-MM-DD."),
    Key("indoor", "flag", "Whether the scene is indoors."),
    Key("path", "names", "What the label belongs to, from the top down to itself."),
    Key("transition", "name", "How the shot came from the one before: cut, dissolve, wipe, fade, or gradual."),
    Key("kind", "kind", "video, image, sequence or stream."),
    Key("width", "positive", "Width of the displayed frame in pixels."),
    Key("height", "positive", "Height of the displayed frame in pixels."),
    Key("fps", "number", "Average frames per second."),
    Key("duration", "seconds", "Duration in seconds, as the container states it."),
    Key("codec", "text", "Name of the video codec."),
    Key("rotation", "integer", "Degrees clockwise that were applied."),
    Key("vfr", "flag", "Whether frame intervals vary."),
    Key("size", "count", "Bytes of the file."),
    Key("fingerprint", "text", "Short hash of the file's size, head and tail."),
    Key("decoder", "text", "The reader that read it."),
    Key("error", "error", "code, stage, message and whether it was fatal to the source."),
    Key("line", "positive", "Line number of the record concerned, from 1."),
    Key("status", "status", "ok, partial or failed."),
    Key("records", "count", "Number of records that this command made for the source; in run, of late ones."),
    Key("types", "names", "Record types that this command makes of a source, found or not."),
    Key("options", "text", "Hash of the options that change results, model sha256 among them."),
    Key("late", "names", "Record types that this command gives only after the run's last source."),
)}

# The key "frames" means two things by type: declared frames of media, and the ledger of an end record.
FRAMES_OF = {
    "media": Key("frames", "count", "Frames that the container declares; it may lie."),
    "end": Key("frames", "ledger", "Frames decoded, processed and skipped by this command."),
}

_AT = ("pts", "step")
_SPAN = ("start_frame", "end_frame")
_SPECIES = ("label", "score", "common", "rank", "taxon", "group", "group_score", "covered", "candidates", "coverage",
            "cost", "note", "adjusted_by", "observation", "observations", "latitude", "longitude", "country", "date")
SPANS = (("start", "end"), _SPAN, ("ref_start", "ref_end"))  # names of what spans begin and end with
_OF_SPANS = frozenset(name for span in SPANS for name in span)

TYPES: dict[str, Type] = {kind.name: kind for kind in (
    Type("media", "the first command that opens the source", "What is known of a source; enrichment only.",
         ("kind", "width", "height"),
         ("fps", "duration", "codec", "rotation", "vfr", "frames", "size", "fingerprint", "decoder")),
    Type("detection", "detect, import", "An object in a frame.",
         ("frame", "t", "xyxy", "score"), ("label", "class_id", "raw_score", "points", "embedding", "space", *_AT)),
    Type("track", "track, import", "An object in a frame, with the id that it keeps.",
         ("frame", "t", "xyxy", "score", "track_id"),
         ("label", "class_id", "det_xyxy", "filled", "raw_score", "points", "embedding", "space", *_AT)),
    Type("tracklet", "track, when a track ends", "A whole track: its span and its best frame.",
         ("track_id", "start", "end", "score", "observations", "best"), ("label", "class_id", *_SPAN)),
    Type("text", "spot-text", "A piece of text in a frame.",
         ("frame", "t", "poly", "xyxy", "text", "score"), ("raw_text", "det_score", "track_id", *_AT)),
    Type("text_track", "spot-text", "A piece of text over the time that it was on screen.",
         ("track_id", "start", "end", "text", "score", "observations"), ("raw_text", "script", "language", "best", *_SPAN)),
    Type("embedding", "reid, detect-copy", "The descriptor of a tracklet, a frame or a box.",
         ("embedding", "space"), ("track_id", "start", "end", "camera", "crops", "frame", "t", "xyxy", "label", *_AT)),
    Type("identity", "reid", "Who a track is, across sources.", ("track_id", "identity", "score"), ("nearest",)),
    Type("scene", "recognize-scene", "Where a shot or a window was filmed.",
         ("start", "end", "label", "score"),
         ("topk", "indoor", "path", "transition", "observations", "adjusted_by", *_SPAN)),
    Type("shot", "recognize-scene --shots-only", "A span without a cut, dissolve, wipe or fade in it.",
         ("start", "end"), ("transition", *_SPAN)),
    Type("copy", "detect-copy", "A span that was copied from a span of a reference.",
         ("ref", "start", "end", "ref_start", "ref_end", "score"), ("transform", "note")),
    Type("cluster", "detect-copy, at the run's end", "Videos that are one, by the copies between them.",
         ("cluster", "videos", "keep", "sources"), (), False),
    Type("face", "face-antispoof", "A face in a frame, live or not.",
         ("frame", "t", "xyxy", "live_score", "verdict", "thresholds"),
         ("score", "track_id", "points", "quality", "reasons", *_AT)),
    Type("face_track", "face-antispoof", "A face over the time that it was on screen, live or not.",
         ("track_id", "start", "end", "live_score", "verdict", "thresholds", "observations", "used"),
         ("best", "reasons", *_SPAN)),
    Type("species", "classify-species", "What lives in a frame, a box, a track or a span.",
         ("topk",), ("frame", "t", "start", "end", "xyxy", "track_id", *_SPECIES, *_AT, *_SPAN)),
    Type("observation", "classify-species --group, at the run's end", "What several pictures of one observation show.",
         ("observation", "sources", "topk"), _SPECIES, False),
    Type("error", "all", "Something went wrong, and the run went on.", ("error",), ("source", "line"), False),
    Type("end", "all, one per source and command", "The ledger: this command is done with the source.",
         ("status", "frames", "records"), ("types", "fingerprint", "options")),
    Type("run", "reid, before all else of its own and after it",
         "What comes only at the run's end, so that who can use it waits; with a status: it has come.",
         ("late",), ("status", "records"), False),
)}

# They name a source and are of the whole run: they may stand before it or after it, and open none. So are, of other
# types, those that a ``run`` record announced.
OF_RUN = frozenset({"identity"})


def announced(record: Record) -> frozenset[str]:
    """Return the types that a ``run`` record says are given at the run's end; none for another record."""
    late = record.get("late") if record["type"] == "run" else None
    return frozenset(kind for kind in late if isinstance(kind, str)) if isinstance(late, list) else frozenset()


def key_of(kind: str, name: str) -> Key | None:
    """Return the vocabulary's entry for key ``name`` in a record of type ``kind``, or None if it has none."""
    return FRAMES_OF[kind] if name == "frames" and kind in FRAMES_OF else KEYS.get(name)


def make(kind: str, by: str, source: str | None = None, /, **keys: Any) -> Record:
    """Return a record of type ``kind`` made by ``by``, its keys in the order given."""
    if source is None:
        return {"v": VERSION, "type": kind, "by": by, **keys}
    return {"v": VERSION, "type": kind, "by": by, "source": source, **keys}


def score(value: float) -> float:
    """Return a score with the four decimals that records carry."""
    return round(float(value), 4)


def boxes(array: np.ndarray) -> list[list[float]]:
    """Return boxes (N, 4) in pixels as lists of floats with the two decimals that records carry."""
    return array.astype("float64").round(2).tolist()


def dump(record: Record) -> bytes:
    """Return the record as one line, without its newline.

    Raises:
        ValueError: a value is NaN, infinite or None, an integer beyond 64 bits, or no JSON type.
    """
    try:
        line = orjson.dumps(record)
    except (TypeError, orjson.JSONEncodeError) as error:
        raise ValueError(f"record cannot be written as JSON: {error}; got {record!r:.200}") from None
    # orjson writes NaN and infinity as null: the cheap test finds every such line, the slow one names the key.
    if b"null" in line and (bad := _absent(record, "")):
        raise ValueError(f"record value is null, NaN or infinite at {bad}; absent is absent: leave the key out")
    return line


def _absent(value: Any, path: str) -> str | None:
    """Return the path of the first None, NaN or infinity inside ``value``."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return path or "the top"
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, (list, tuple)):
        items = enumerate(value)
    return next((bad for key, item in items if (bad := _absent(item, f"{path}.{key}".lstrip(".")))), None)


def parse(line: bytes) -> Record:
    """Return the record on a line, its envelope checked: an object, a type, a version, a source, a frame.

    Raises:
        RecordError: E_JSON, E_RECORD or E_VERSION; the message says what was found.
    """
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise RecordError(f"not JSON: {error} in {_excerpt(line)}", code="E_JSON") from None
    check_envelope(record)
    return record


def check_envelope(record: Any) -> None:
    """Raise RecordError unless ``record`` is an object whose type, version, source and frame can be relied on."""
    if not isinstance(record, dict):
        raise RecordError(f"not an object: a record is a JSON object, this line is {_kind_of(record)}")
    kind = record.get("type")
    if not isinstance(kind, str):
        raise RecordError(f"record has no 'type' (it has {_names(record)})" if kind is None
                          else f"'type' is {_kind_of(kind)}, a string is needed")
    version = record.get("v", VERSION)
    if type(version) is not int or version < 1:
        raise RecordError(f"'v' is {version!r:.40}, a whole number from 1 is needed")
    if version > VERSION:
        raise RecordError(f"record of version {version}, this vtk reads version {VERSION}: upgrade vidtk",
                          code="E_VERSION")
    source = record.get("source")
    known = TYPES.get(kind)
    if source is None:
        if known is not None and known.about_media:
            raise RecordError(f"{kind} record has no 'source' (it has {_names(record)})")
    elif not isinstance(source, str) or not source:
        raise RecordError(f"'source' is {_kind_of(source)}, a path or URL is needed")
    frame = record.get("frame")
    if frame is not None and (type(frame) is not int or not 0 <= frame <= MAX_INTEGER):
        raise RecordError(f"'frame' is {frame!r:.40}, a whole number from 0 to 2^53 is needed")


def check(record: Record) -> None:
    """Raise RecordError unless the record is of the vocabulary: every required key there, every key of its shape.

    Unknown types and unknown keys are legal.
    """
    # Nearly every record has the keys of one before it, and passes: this is the hot path of every filter.
    if type(record) is dict and type(kind := record.get("type")) is str:
        tests = _tests(kind, tuple(record))
        for name, passes in tests:
            if not passes(record[name]):
                break
        else:
            if tests:
                return
    _check_by_name(record)


@lru_cache(maxsize=1024)
def _tests(kind: str, names: tuple[str, ...]) -> tuple[tuple[str, Callable[[Any], bool]], ...]:
    """Return the tests of a record with these keys, by name; none for an unknown type or where a key is missing."""
    from vtk.schema import test_of

    known = TYPES.get(kind)
    if known is None or not {"by", *known.required, *(("source",) if known.about_media else ())} <= set(names):
        return ()
    shape = test_of("box")
    beyond = _BEYOND_SHAPE | dict.fromkeys(("xyxy", "det_xyxy"), lambda value: shape(value) and is_box(value))
    keys = {name: key for name in names if (key := key_of(kind, name)) is not None and name != "type"}
    return tuple((name, beyond.get(name) or test_of(key.shape)) for name, key in keys.items())


def check_whole(record: Record) -> None:
    """Raise RecordError as ``check`` does, and where a span begins or ends before 0, or ends before its start.

    For those who judge records; filters do with ``check``, which looks at one key at a time.
    """
    check(record)
    if _OF_SPANS.isdisjoint(record) or record["type"] not in TYPES:
        return
    for span in SPANS:
        given = [(name, record[name]) for name in span if name in record]
        for name, value in given:
            if value < 0:
                raise RecordError(f"{record['type']} record's '{name}' is {value!r:.40}, 0 or more is needed")
        if len(given) == 2 and given[1][1] < given[0][1]:
            raise RecordError(f"{record['type']} record's '{span[1]}' is {given[1][1]!r:.40}, before its '{span[0]}', "
                              f"{given[0][1]!r:.40}")


def is_box(value: Any) -> bool:
    """Return whether a value of the shape of a box has its corners in order and within MAX_COORDINATE."""
    x1, y1, x2, y2 = value
    return -MAX_COORDINATE <= x1 <= x2 <= MAX_COORDINATE and -MAX_COORDINATE <= y1 <= y2 <= MAX_COORDINATE


# What is asked beyond the shapes: whole numbers of the envelope are written as such, and a name is not empty. A box has
# its corners in order besides.
_BEYOND_SHAPE: dict[str, Callable[[Any], bool]] = {
    "v": lambda value: type(value) is int and value == VERSION,
    "source": lambda value: type(value) is str and value != "",
    "frame": lambda value: type(value) is int and 0 <= value <= MAX_INTEGER,
}


def _check_by_name(record: Record) -> None:
    """Check a record key by key, and raise RecordError with the name of the first that is wrong."""
    from vtk.schema import matches

    check_envelope(record)
    kind = TYPES.get(record["type"])
    if kind is None:
        return
    missing = [name for name in ("by", *kind.required) if name not in record]
    if missing:
        raise RecordError(f"{kind.name} record has no {', '.join(map(repr, missing))} (it has {_names(record)})")
    for name, value in record.items():
        key = key_of(kind.name, name)
        if key is not None and not matches(key.shape, value):
            raise RecordError(f"{kind.name} record's '{name}' is {value!r:.60}: {key.meaning}")
        if key is not None and key.shape == "box" and not is_box(value):
            raise RecordError(f"{kind.name} record's '{name}' is {value!r:.60}: x1 <= x2 and y1 <= y2, within "
                              f"{MAX_COORDINATE:.0f} pixels, are needed")


def _names(record: Record) -> str:
    return ", ".join(list(record)[:12]) or "nothing"


def _kind_of(value: Any) -> str:
    names = {dict: "an object", list: "an array", str: f"the string {value!r:.40}", bool: f"{value}".lower(),
             type(None): "null"}
    return names.get(type(value), f"the number {value!r:.40}")


def _excerpt(line: bytes) -> str:
    text = line.strip().decode("utf-8", "replace")
    return repr(text if len(text) <= 60 else text[:57] + "…")
