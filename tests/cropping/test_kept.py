"""The best crops of a track: few, apart in time, their bytes on disk and no more than twice what is held."""

from __future__ import annotations

import random

import pytest

from vtk.cropping.kept import Best, Spool
from vtk.errors import VtkError


def filled(most: int, worths: dict[float, float], spool: Spool) -> Best:
    """Return the best of crops by time, whose bytes say the time."""
    best = Best(most, spool)
    for t, worth in worths.items():
        moment = best.place(worth, t)
        if moment is not None:
            best.put(moment, worth, {"t": t}, f"{t}".encode())
    return best


def test_the_best_of_distant_moments_are_chosen() -> None:
    spool = Spool()
    worths = {place / 10: 0.5 for place in range(100)} | {2.0: 0.9, 2.1: 0.8, 7.5: 0.7}
    chosen = filled(2, worths, spool).chosen()
    assert [kept.row["t"] for kept in chosen] == [2.0, 7.5], "2.1 is of the moment of 2.0"
    assert [spool.get(kept.start, kept.length) for kept in chosen] == [b"2.0", b"7.5"]


def test_a_long_track_holds_few() -> None:
    spool = Spool()
    chance = random.Random(1)
    best = filled(3, {float(place): chance.random() for place in range(5000)}, spool)
    assert len(best._moments) <= 6
    assert [spool.get(kept.start, kept.length) for kept in best.chosen()] == [
        f"{kept.row['t']}".encode() for kept in best.chosen()]
    times = sorted(kept.row["t"] for kept in best.chosen())
    assert times[1] - times[0] > 300 and times[2] - times[1] > 300


def test_bytes_that_go_make_room_for_others() -> None:
    spool = Spool()
    held: dict[int, bytes] = {}
    chance = random.Random(2)
    most = 0
    for place in range(2000):
        data = bytes([place % 251]) * chance.randint(1, 5000)
        start = spool.put(data)
        assert all(start + len(data) <= other or start >= other + len(kept) for other, kept in held.items())
        held[start] = data
        if len(held) > 20:
            gone = chance.choice(sorted(held))
            spool.drop(gone, len(held.pop(gone)))
        most = max(most, sum(map(len, held.values())))
    assert all(spool.get(start, len(data)) == data for start, data in held.items())
    assert spool._size < 4 * most, "by classes of sizes, each at its own peak"


def test_a_full_disk_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*given: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.pwrite", full)
    with pytest.raises(VtkError, match="No space left on device; TMPDIR names another folder"):
        Spool().put(b"x")
