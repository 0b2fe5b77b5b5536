"""Which spans are cut, and what their files are called."""

from __future__ import annotations

import pytest

from vtk.clipping.spans import Choice, Span, clip_name, merged, span_of


def span(start: float, end: float, label: str = "person", **keys: object) -> Span:
    return Span(start, end, type="tracklet", label=label, **keys)  # type: ignore[arg-type]


def test_records_without_a_span_give_none() -> None:
    told = {"type": "species", "frame": 3, "t": 0.2, "topk": []}
    assert span_of(told) is None
    assert span_of({"type": "scene", "start": 2.0, "end": 2.0}) is None
    found = span_of({"type": "copy", "start": 1, "end": 2, "ref": "films/../a film.mp4", "start_frame": 20,
                     "end_frame": 40})
    assert found == Span(1.0, 2.0, (20, 40), "copy", "a film.mp4")


def test_spans_of_a_label_are_merged_over_gaps() -> None:
    told = [span(5, 6), span(0, 2, track_id=1), span(2.5, 4, track_id=2), span(1, 9, "car"), span(4.5, 4.6, track_id=1)]
    assert merged(told, 0.5) == [span(0, 6), span(1, 9, "car")]
    assert merged(told[:2], 0.5) == [span(0, 2, track_id=1), span(5, 6)]


def test_what_is_chosen_is_bounded_in_order() -> None:
    told = [span(4, 9), span(0.5, 1), span(4, 9), span(3, 3.2), span(0, 9, "car")]
    choice = Choice(classes=("person",), margin=1.0, least=0.5, most=4.0)
    assert choice.spans(told) == [span(0, 2), span(3, 7)]
    assert Choice(start=4.5, end=6).spans(told) == [span(4.5, 6), span(4.5, 6, "car")]
    framed = span(2, 3, frames=(20, 30))
    assert Choice().spans([framed]) == [framed]
    assert Choice(margin=0.5).spans([framed])[0].frames is None, "seconds say which frames, where they were changed"


@pytest.mark.parametrize("label", ["../../etc/passwd", "a/b\x00c", "..", "ÄÖ 人" * 60, "\ud800", "-", ""])
def test_names_stay_in_their_folder(label: str) -> None:
    taken: set[str] = set()
    names = [clip_name(span(1, 2.5, label), ".mp4", taken) for _ in range(3)]
    assert len(set(names)) == 3
    for name in names:
        assert "/" not in name and "\0" not in name and name.startswith("000001.000-000002.500")
        assert len(name.encode("utf-8", "replace")) < 160
    assert clip_name(span(1, float("inf"), "x", track_id=7), ".mkv", set()) == "000001.000-end-x-7.mkv"
