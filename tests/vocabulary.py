"""Hypothesis strategies of records: any type of the vocabulary, any legal values, unknown keys and types among them."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
from hypothesis import strategies as st

from vtk.records import MAX_INTEGER, TYPES, Record, key_of

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
COUNTS = st.integers(0, MAX_INTEGER)
UNITS = st.one_of(st.floats(0, 1), st.sampled_from([0, 1]))
# A whole number that no double holds, too.
NUMBERS = st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**62), 2**62))
PIXELS = st.one_of(st.floats(0, 4000), st.integers(0, 4000))
POINTS = st.lists(PIXELS, min_size=2, max_size=2)
JSON = st.recursive(st.one_of(st.none(), st.booleans(), st.integers(-(2**62), 2**62), TEXTS,
                              st.floats(allow_nan=False, allow_infinity=False)),
                    lambda some: st.one_of(st.lists(some, max_size=3), st.dictionaries(NAMES, some, max_size=3)),
                    max_leaves=6)


def _box(values: list[float]) -> list[float]:
    x1, x2, y1, y2 = *sorted(values[:2]), *sorted(values[2:])
    return [x1, y1, x2, y2]


def _embedding(length: int) -> Any:
    vector = np.linspace(-1, 1, length).astype("<f2").tobytes()
    return st.fixed_dictionaries(
        {"dtype": st.sampled_from(["f16", "float16"]), "shape": st.just([length]), "norm": UNITS,
         "b64": st.just(base64.b64encode(vector).decode())})


def _object(required: dict[str, Any], optional: dict[str, Any]) -> Any:
    """Return objects of these parts, now and then with one that the vocabulary does not name."""
    return st.fixed_dictionaries(required, optional={**optional, "unheard_of": JSON})


BOXES = st.lists(PIXELS, min_size=4, max_size=4).map(_box)
POLYGONS = st.lists(POINTS, min_size=3, max_size=5)
SHAPES = {
    "version": st.just(1), "name": NAMES, "text": TEXTS, "flag": st.booleans(),
    "integer": st.integers(-MAX_INTEGER, MAX_INTEGER), "count": COUNTS, "positive": st.integers(1, MAX_INTEGER),
    "number": NUMBERS, "seconds": NUMBERS, "unit": UNITS, "box": BOXES, "polygon": POLYGONS,
    "points": st.lists(POINTS, min_size=5, max_size=5), "pair": st.lists(UNITS, min_size=2, max_size=2),
    "object": st.dictionaries(NAMES, JSON, max_size=3), "names": st.lists(NAMES, max_size=3),
    "text_or_count": st.one_of(TEXTS, COUNTS), "verdict": st.sampled_from(["live", "spoof", "unsure"]),
    "kind": st.sampled_from(["video", "image", "sequence", "stream"]),
    "status": st.sampled_from(["ok", "partial", "failed"]),
    "best": _object({"frame": COUNTS}, {"xyxy": BOXES, "poly": POLYGONS}),
    "ranking": st.lists(_object({"label": TEXTS, "score": UNITS}, {}), max_size=3),
    "nearest": st.lists(_object({"source": TEXTS, "track_id": COUNTS, "score": UNITS}, {"why": TEXTS}), max_size=2),
    "embedding": st.one_of(_embedding(4), _embedding(3), _object({"dtype": TEXTS, "shape": st.just([512])},
                                                                 {"ref": TEXTS, "row": COUNTS})),
    "error": _object({"code": NAMES, "stage": TEXTS, "message": TEXTS, "fatal": st.booleans()}, {}),
    "ledger": _object({"decoded": COUNTS, "processed": COUNTS, "skipped": COUNTS}, {}),
}


@st.composite
def records(draw: Any) -> Record:
    """Draw a record of any type, its keys in any order."""
    if draw(st.integers(0, 9)) == 0:
        return {"type": draw(NAMES.filter(lambda name: name not in TYPES)), **draw(st.dictionaries(
            NAMES.filter(lambda name: name not in ("v", "type", "source", "frame")), JSON, max_size=3))}
    kind = TYPES[draw(st.sampled_from(sorted(TYPES)))]
    names = ["v", "by", *(["source"] if kind.about_media else []), *kind.required,
             *(name for name in kind.optional if draw(st.booleans()))]
    record: Record = {"type": kind.name}
    for name in dict.fromkeys(names):
        record[name] = draw(SHAPES[key_of(kind.name, name).shape] if name != "source" else NAMES)
    known = {*kind.required, *kind.optional, "v", "type", "by", "source"}
    record |= draw(st.dictionaries(NAMES.filter(lambda name: name not in known and key_of(kind.name, name) is None),
                                   JSON, max_size=2))
    return dict(draw(st.permutations(list(record.items()))))
