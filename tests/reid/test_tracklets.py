"""Tracklets as records, and the store that spills them to disk."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from vtk.errors import RecordError
from vtk.records import check, dump
from vtk.reid.tracklets import Store, Tracklet, from_record, to_record

LENGTH = 64


def tracklet(number: int, **keys: Any) -> Tracklet:
    vector = np.random.default_rng(number).normal(size=LENGTH).astype(np.float32)
    return Tracklet(**{"source": "a.mp4", "track_id": number, "start": 1.0, "end": 2.5, "space": "net@0123",
                       "vector": vector / np.linalg.norm(vector), **keys})


def test_a_record_carries_a_tracklet() -> None:
    given = tracklet(3, camera="c1", label="person", crops=8)
    record = to_record(given, "reid/net")
    check(record)
    assert len(dump(record)) < 4096
    found = from_record(record)
    assert replace(found, vector=None) == replace(given, vector=None)
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)
    assert found.vector == pytest.approx(given.vector, abs=2 ** -11)  # half of the last place of a float16 below 1
    assert to_record(found, "reid/net")["embedding"]["b64"] == record["embedding"]["b64"], "reading changes nothing"


def test_the_longest_vector_still_fits_a_line() -> None:
    long = np.ones(1024, np.float32) / 32
    assert len(dump(to_record(tracklet(1, vector=long, source="a" * 200), "reid/net"))) < 4096
    with pytest.raises(ValueError, match="1025"):
        to_record(tracklet(1, vector=np.ones(1025, np.float32)), "reid/net")


@pytest.mark.parametrize(("change", "message"), [
    ({"space": None}, "space"),
    ({"start": None}, "'start'"),
    ({"track_id": None}, "'track_id'"),
    ({"embedding": {"dtype": "f32", "shape": [1], "b64": "AAAAAA=="}}, "f16 in b64"),
    ({"embedding": {"dtype": "f16", "shape": [1], "b64": "?"}}, "cannot be read"),
    ({"embedding": {"dtype": "f16", "shape": [3], "b64": "AAA="}}, "1 values and shape"),
    ({"embedding": {"dtype": "f16", "shape": [1], "b64": "AAA="}}, "no direction"),
    ({"embedding": {"dtype": "f16", "shape": [1], "b64": base64.b64encode(b"\x00\x7e").decode()}}, "NaN"),
])
def test_a_record_that_cannot_be_used_is_refused(change: dict[str, Any], message: str) -> None:
    record = to_record(tracklet(1), "reid/net") | change
    with pytest.raises(RecordError, match=message):
        from_record({key: value for key, value in record.items() if value is not None})


@pytest.mark.parametrize("in_memory", [1 << 20, 0, 5 * LENGTH * 4])
def test_a_store_gives_back_what_it_took(in_memory: int) -> None:
    store = Store(in_memory)
    given = [tracklet(number) for number in range(23)]
    for index, each in enumerate(given):
        store.add(each)
        if index == 11:  # to look at it in between does no harm
            assert len(store.vectors()) == 12
    assert np.array_equal(store.vectors(), np.stack([each.vector for each in given]))
    assert [each.key for each in store.tracklets] == [each.key for each in given]
    assert isinstance(store.vectors(), np.memmap) == (in_memory < 1 << 20)
    assert store.space == "net@0123"
    store.close()
    assert (len(store), store.space, len(store.vectors())) == (0, None, 0)
    store.add(tracklet(1))
    assert len(store) == 1


def test_a_store_takes_one_space_and_each_tracklet_once() -> None:
    store = Store()
    store.add(tracklet(1))
    with pytest.raises(RecordError, match=r"a\.mp4 is of net@0123 .* b\.mp4 of other@4567 .* embed both"):
        store.add(tracklet(1, source="b.mp4", space="other@4567"))
    with pytest.raises(RecordError, match=r"\(64 values\).*\(2\)"):
        store.add(tracklet(1, source="b.mp4", vector=np.ones(2, np.float32)))
    with pytest.raises(RecordError, match="two embeddings of track 1 of a.mp4"):
        store.add(tracklet(1))
    with pytest.raises(ValueError, match="expected a vector"):
        store.add(tracklet(9, vector=None))
    assert len(store) == 1
