"""Videos compared as pictures: x264's macroblock tree may weigh blocks by memory that nobody set.

The same pictures encoded 25 times in one process, the heap stirred between, gave three files (x264 165, one thread or
several, 192 × 128 pixels with flat regions); without its assembly, or without the macroblock tree, they gave one.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

# Grey levels, on average over a frame: the files above differ by 0.05, frames that were painted otherwise by much more.
STRAY = 0.5


def assert_same_video(one: Path, other: Path) -> None:
    """Check that two videos show the same pictures at the same times."""
    if one.read_bytes() == other.read_bytes():
        return
    with av.open(str(one)) as first, av.open(str(other)) as second:
        theirs, ours = ([(frame.time, frame.to_ndarray(format="rgb24").astype(np.int16)) for frame in file.decode(video=0)]
                        for file in (first, second))
    assert [time for time, _ in theirs] == [time for time, _ in ours]
    for (time, before), (_, after) in zip(theirs, ours, strict=True):
        assert before.shape == after.shape
        assert np.abs(before - after).mean() < STRAY, f"{one} and {other} differ at {time} s"
