"""``vtk validate``: spans that are none, which one key at a time does not show."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vtk.cli import load
from vtk.errors import UsageError
from vtk.records import SPANS, TYPES, Record, dump, make

COPY = {"ref": "b.mp4", "start": 1.0, "end": 5.0, "ref_start": 2.0, "ref_end": 6.0, "score": 0.9}
# A record of each type that must have a span, and of one that may have one.
SPANNED = {
    "copy": COPY,
    "scene": {"start": 1.0, "end": 5.0, "start_frame": 25, "end_frame": 125, "label": "street", "score": 0.9},
    "text_track": {"track_id": 1, "start": 1.0, "end": 5.0, "start_frame": 25, "end_frame": 125, "text": "EXIT",
                   "score": 0.9, "observations": 9},
    "tracklet": {"track_id": 1, "start": 1.0, "end": 5.0, "start_frame": 25, "end_frame": 125, "score": 0.9,
                 "observations": 9, "best": {"frame": 30, "xyxy": [0, 0, 1, 1]}},
    "embedding": {"embedding": {"dtype": "float16", "shape": [4]}, "space": "osnet@1", "start": 1.0, "end": 5.0},
    "face_track": {"track_id": 1, "start": 1.0, "end": 5.0, "start_frame": 25, "end_frame": 125, "live_score": 0.9,
                   "verdict": "live", "thresholds": [0.2, 0.8], "observations": 9, "used": 7},
    "species": {"topk": [], "start": 1.0, "end": 5.0},
    "shot": {"start": 1.0, "end": 5.0, "start_frame": 25, "end_frame": 125, "transition": "cut"},
}
Validate = Callable[..., "tuple[int, list[Record], str]"]


@pytest.fixture
def validate(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> Validate:
    """Return a function that validates records and gives the exit code, the errors and what was said."""

    def run(*records: Record) -> tuple[int, list[Record], str]:
        path = tmp_path / "records.jsonl"
        path.write_bytes(b"".join(dump(record) + b"\n" for record in records))
        try:
            code = load("validate").main([str(path)], prog_name="vtk validate", standalone_mode=False) or 0
        except SystemExit as left:
            code = int(left.code or 0)
        out, said = capfdbinary.readouterr()
        return code, list(map(json.loads, out.splitlines())), said.decode()

    return run


@pytest.mark.parametrize("kind", SPANNED)
def test_spans_that_are_none_are_wrong_in_one_line_each(kind: str, validate: Validate) -> None:
    good = make(kind, "x", "a.mp4", **SPANNED[kind])
    spans = [span for span in SPANS if span[1] in good]
    back = [{**good, last: good[first] - 1} for first, last in spans]
    early = [{**good, first: -0.5} for first, last in spans if first != "start_frame"]
    code, errors, said = validate(good, *back, *early, good)
    assert code == 1 and [each["line"] for each in errors] == list(range(2, 2 + len(back) + len(early)))
    messages = [each["error"]["message"] for each in errors]
    for message, (first, last) in zip(messages, spans, strict=False):
        assert message == f"{kind} record's '{last}' is {good[first] - 1}, before its '{first}', {good[first]}"
    assert messages[len(back):] == [f"{kind} record's '{first}' is -0.5, 0 or more is needed" for first, _ in spans
                                    if first != "start_frame"]  # fmt: skip
    assert said.count("\n") == len(errors) and all(each["source"] == "a.mp4" for each in errors)


def test_every_type_with_a_span_is_looked_at() -> None:
    needing = {name for name, kind in TYPES.items() if {"start", "ref_start"} & set(kind.required)}
    assert needing and needing <= set(SPANNED)


def test_spans_of_no_length_and_half_spans_are_right(validate: Validate) -> None:
    still = make("copy", "x", "a.mp4", **(COPY | {"end": 1.0, "ref_start": 0, "ref_end": -0.0}))
    half = make("species", "x", "a.mp4", topk=[], end=3.0)
    unknown = {"type": "weather", "source": "a.mp4", "start": 9, "end": -3}
    assert validate(still, half, unknown) == (0, [], "")


def test_an_output_that_exists_is_not_gone_on_with(tmp_path: Path, validate: Validate) -> None:
    (tmp_path / "out.jsonl").touch()
    with pytest.raises(UsageError, match="out.jsonl exists: --overwrite replaces it$"):
        load("validate").main(["-o", str(tmp_path / "out.jsonl"), str(tmp_path / "none")], standalone_mode=False)


def test_of_two_faults_of_a_record_one_is_said(validate: Validate) -> None:
    code, errors, said = validate(make("copy", "x", "a.mp4", **(COPY | {"start": -3, "end": -4, "ref_end": 1})))
    assert (code, len(errors), said.count("\n")) == (1, 1, 1)
    assert errors[0]["error"]["message"] == "copy record's 'start' is -3, 0 or more is needed"
