"""Readers that are closed let go of what they held, at once."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from clips import make_clip
from vtk.media.video import open_media

TASKS = Path("/proc/self/task")


def decoding_threads() -> int:
    """Return how many threads FFmpeg's decoders have in this process."""
    return sum((task / "comm").read_text().startswith("av:") for task in TASKS.iterdir())


@pytest.mark.skipif(not TASKS.is_dir(), reason="this system does not name threads in /proc")
def test_a_closed_reader_waits_for_no_garbage_collector(tmp_path: Path) -> None:
    """Decoders hold threads and pictures: a run over many files must not gather them."""
    clip = make_clip(tmp_path / "clip.mp4")
    gc.collect()
    before = decoding_threads()
    gc.disable()
    try:
        for _ in range(3):
            reader = open_media(str(clip), threads=2)
            frames = reader.frames([], lambda index, t: True)
            next(frames)
            assert decoding_threads() > before, "it decodes in threads of its own"
            reader.close()
            del frames
        assert decoding_threads() == before
        reader.close()
    finally:
        gc.enable()
