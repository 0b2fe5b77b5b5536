"""Videos compared as pictures: x264's macroblock tree may weigh blocks by memory that nobody set.

The same pictures encoded 25 times in one process, the heap stirred between, gave three files (x264 165, one thread or
several, 192 × 128 pixels with flat regions); without its assembly, or without the macroblock tree, they gave one. Of
others three files of 300 differed.
"""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

# Grey levels, on average over a frame, and over a block of so many pixels square: the files above differ by 0.05 and
# 0.25, and a letter that was painted otherwise by 20 in its block.
STRAY, IN_BLOCK, SIDE = 0.5, 4, 16


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
        apart = np.abs(before - after).mean(axis=2)
        assert apart.mean() < STRAY and _blocks(apart).max() < IN_BLOCK, f"{one} and {other} differ at {time} s"


def _blocks(values: np.ndarray) -> np.ndarray:
    """Return the means of blocks of (H, W) values; those at the edges have zeros beyond them."""
    height, width = (-side % SIDE for side in values.shape)
    whole = np.pad(values, ((0, height), (0, width)))
    return whole.reshape(whole.shape[0] // SIDE, SIDE, -1, SIDE).mean(axis=(1, 3))
