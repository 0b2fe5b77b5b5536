"""The C library's heap, kept small: few arenas, and memory that was freed given back to the system."""

from __future__ import annotations

import ctypes
import os
import sys

from vtk import threads

# Sources between two trims: of 5,000 clips probed, one after another, the process kept 160 MB more without, 2 MB with.
EVERY = 200
_ARENA_MAX = -8  # M_ARENA_MAX of glibc's malloc.h


def share() -> None:
    """Have all threads take memory from as many arenas as there are processors, where the C library has arenas.

    By default it has eight times as many, and frames that one thread makes and another drops leave holes in each: to
    draw on 700 frames of 1080p took 770 to 1,130 MB so, on two processors, and 580 with two arenas, in the same time.
    MALLOC_ARENA_MAX in the environment is left in force.
    """
    if sys.platform.startswith("linux") and "MALLOC_ARENA_MAX" not in os.environ:
        tune = getattr(ctypes.CDLL(None), "mallopt", None)
        if tune is not None:
            tune(_ARENA_MAX, max(2, threads.available()))


def trim(done: int = 0) -> None:
    """Give memory back, where ``done`` sources are so many that it is time, and the C library has a way to.

    After none it is time, too: of 300 frames of 1080p in a detector, a tracker and an embedder 425 MB were left behind.
    """
    if done % EVERY or not sys.platform.startswith("linux"):
        return
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if give_back is not None:
        give_back(0)
