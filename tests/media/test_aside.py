"""Work beside its caller keeps its order, is bounded, and its errors reach who hands over more."""

from __future__ import annotations

import threading

import pytest

from vtk.media.aside import DEPTH, Aside


def test_all_is_done_in_order_in_another_thread() -> None:
    done: list[tuple[int, int]] = []
    aside = Aside("test")
    for number in range(50):
        aside.put(lambda number=number: done.append((number, threading.get_ident())))
    aside.finish()
    assert [number for number, _ in done] == list(range(50))
    assert {thread for _, thread in done}.isdisjoint({threading.get_ident()})


def test_what_goes_wrong_is_raised_once_and_ends_the_work() -> None:
    done: list[int] = []
    aside = Aside("test")
    aside.put(lambda: 1 / 0)
    aside.put(lambda: done.append(1))
    with pytest.raises(ZeroDivisionError):
        aside.finish()
    assert done == []
    aside.abandon()  # after the end it does nothing


def test_who_hands_over_more_than_can_wait_waits() -> None:
    gate, put = threading.Event(), threading.Semaphore(0)
    aside = Aside("test")

    def fill() -> None:
        for _ in range(DEPTH + 2):  # one at work, DEPTH waiting, one too many
            aside.put(gate.wait)
            put.release()

    filler = threading.Thread(target=fill)
    filler.start()
    for _ in range(DEPTH + 1):
        assert put.acquire(timeout=60)
    assert not put.acquire(timeout=0.2), "one more was taken than can wait"
    gate.set()
    filler.join(60)
    aside.finish()


def test_what_waits_when_it_is_abandoned_is_not_done() -> None:
    gate, begun, done = threading.Event(), threading.Event(), []

    def first() -> None:
        begun.set()
        gate.wait(60)

    aside = Aside("test")
    aside.put(first)
    aside.put(lambda: done.append(1))
    assert begun.wait(60)
    ending = threading.Thread(target=aside.abandon)
    ending.start()
    while not aside._stop:
        pass
    gate.set()
    ending.join(60)
    assert done == []
