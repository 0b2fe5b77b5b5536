"""Items that a thread makes ahead: all of them, in order, however fast they come and go."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator

import pytest

from vtk.driver.ahead import LOT, Ahead
from vtk.driver.lines import IDLE

WAIT = 30.0  # seconds after which a test gives up


def paced(count: int, pauses: random.Random | None = None) -> Iterator[int]:
    for n in range(count):
        if pauses is not None and pauses.random() < 0.2:
            time.sleep(pauses.choice((0.0002, 0.002, 0.006)))
        yield n


@pytest.mark.parametrize("depth", [1, 2, LOT, 32])
@pytest.mark.parametrize("seed", range(3))
def test_all_come_in_order(depth: int, seed: int) -> None:
    """Both sides take pauses of their own: none waits for the other for ever."""
    pauses = random.Random(seed)
    ahead, got = Ahead(paced(400, random.Random(seed + 100)), depth), []
    for item in ahead:
        if item is not IDLE:
            got.append(item)
            if pauses.random() < 0.05:
                time.sleep(0.003)
    ahead.close()
    assert got == list(range(400)) and ahead.spent.frames == 400


def test_no_more_than_depth_are_made_ahead() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for n in range(50):
            made.append(n)
            yield n

    ahead = Ahead(items(), 4)
    taken = 0
    for item in ahead:
        if item is not IDLE:
            taken += 1
            time.sleep(0.001)
            assert len(made) <= taken + 4 + 1, "four wait, and one is at hand"
    assert taken == 50


def test_one_that_comes_alone_is_not_kept_for_others() -> None:
    """A live stream gives a few at once, and then none for long."""
    more = threading.Event()

    def items() -> Iterator[int]:
        yield from range(LOT - 1)
        assert more.wait(WAIT)
        yield LOT

    ahead = Ahead(items(), 32)
    found = (item for item in ahead if item is not IDLE)
    assert [next(found) for _ in range(LOT - 1)] == list(range(LOT - 1))
    more.set()
    assert list(found) == [LOT]


def test_idle_is_said_once_before_each_wait() -> None:
    gate = threading.Semaphore(0)

    def items() -> Iterator[int]:
        for n in range(3):
            assert gate.acquire(timeout=WAIT)
            yield n

    got = []
    for item in Ahead(items(), 4):
        got.append(item)
        if item is IDLE:
            gate.release()
    assert [item for item in got if item is not IDLE] == [0, 1, 2]
    assert got[0] is IDLE and all(got[n] is not IDLE or got[n + 1] is not IDLE for n in range(len(got) - 1))


def test_an_error_comes_at_its_place() -> None:
    def items() -> Iterator[int]:
        yield from range(10)
        raise OSError("gone")

    got = []
    with pytest.raises(OSError, match="gone"):
        for item in Ahead(items(), 3):
            got.append(item)
    assert [item for item in got if item is not IDLE] == list(range(10))


@pytest.mark.parametrize("taken", [0, 1, 20])
def test_it_is_closed_at_any_time(taken: int) -> None:
    """Also where the thread waits for room."""
    ahead = Ahead(iter(range(10**9)), 4)
    found = (item for item in ahead if item is not IDLE)
    assert [next(found) for _ in range(taken)] == list(range(taken))
    time.sleep(0.01)
    closing = threading.Thread(target=ahead.close, daemon=True)
    closing.start()
    closing.join(WAIT)
    assert not closing.is_alive() and not ahead._thread.is_alive()
