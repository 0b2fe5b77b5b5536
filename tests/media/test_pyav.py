"""The PyAV reader: seeks, memory, clocks that start again, what damage hides."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cards import box, cut, damage, encode, number_on
from resident import grown
from vtk.media.frames import Decoded
from vtk.media.pyav import PyavReader
from vtk.media.sampling import NATIVE, Size
from vtk.media.timeline import Timeline
from vtk.media.truncation import missing_bytes

COUNT = 160
UNEVEN = [int(step) for step in np.cumsum([0, *np.random.default_rng(1).choice([7, 10, 40, 200], COUNT - 1)])]
OPEN_GOP = {"bframes": 3, "options": {"x264-params": "open-gop=1:bframes=3:b-adapt=0"}}
REFRESH = {"bframes": 0, "options": {"x264-params": "intra-refresh=1"}}
FAST_VP9 = {"options": {"deadline": "realtime", "cpu-used": "8"}}
HIDDEN = {"options": {"deadline": "good", "cpu-used": "4", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "300k"}}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "b-frames.mp4": ("libx264", {}), "open-gop.mp4": ("libx264", OPEN_GOP), "open-gop.ts": ("libx264", OPEN_GOP),
    "open-gop.mkv": ("libx264", OPEN_GOP), "vfr.mp4": ("libx264", {"ticks": UNEVEN}),
    "vfr.mkv": ("libx264", {"ticks": UNEVEN}), "closed.ts": ("libx264", {}), "mpeg2.ts": ("mpeg2video", {}),
    "b-frames.avi": ("libx264", {}), "mpeg4.avi": ("mpeg4", {}), "hevc.mp4": ("libx265", {}),
    "hevc.ts": ("libx265", {}), "vp9.webm": ("libvpx-vp9", FAST_VP9), "hidden.webm": ("libvpx", HIDDEN),
    "refresh.mkv": ("libx264", REFRESH), "program.mpg": ("mpeg2video", {}), "raw.h264": ("libx264", {}),
}
CANNOT_SEEK = {"b-frames.avi", "program.mpg", "raw.h264"}


def everything(index: int, t: float) -> bool:
    """Choose every frame."""
    return True


def state(frame: Decoded) -> tuple[int, int | None, float, str]:
    """Return all that a frame is: index, timestamp, time, pixels."""
    return frame.index, frame.pts, frame.t, hashlib.sha256(frame.image()).hexdigest()


@pytest.fixture(scope="module")
def sequential(folder: Path) -> Iterator[dict[str, list[tuple[int, int | None, float, str]]]]:
    """Return what gives each clip's frames decoded in order, made once."""
    known: dict[str, list[tuple[int, int | None, float, str]]] = {}

    class Frames(dict):  # type: ignore[type-arg]
        def __missing__(self, name: str) -> list[tuple[int, int | None, float, str]]:
            codec, options = KINDS[name]
            path = encode(folder / f"seek-{name}", COUNT, codec, gop=30, **options)
            frames = list(PyavReader(str(path)).frames([], everything))
            assert [number_on(frame.image()) for frame in frames] == list(range(COUNT))
            self[name] = [state(frame) for frame in frames]
            return self[name]

    yield Frames(known)


@pytest.mark.parametrize("name", KINDS)
def test_frames_sought_equal_frames_decoded_in_order(name: str, sequential: Any, folder: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    """Index, timestamp, time and pixels: frames far apart, near, beside key frames, and the last."""
    expected = sequential[name]
    sought: list[int] = []
    seek = PyavReader._seek
    monkeypatch.setattr(PyavReader, "_seek", lambda reader, stamp: sought.append(stamp) or seek(reader, stamp))
    for wanted in ([0], [COUNT - 1], [29, 30, 31, 118, 120], [1, 58, 62, 63, 150], [5, 90, COUNT, COUNT + 200]):
        reader = PyavReader(str(folder / f"seek-{name}"))
        assert [state(frame) for frame in reader.at(wanted, [])] == [expected[k] for k in wanted if k < COUNT]
        assert reader.errors == []
    assert bool(sought) != (name in CANNOT_SEEK)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("share", [0.0, 0.2, 0.51, 0.97, 1.5])
def test_a_start_gives_the_frames_from_that_time_on(name: str, share: float, sequential: Any, folder: Path) -> None:
    """The same frames as all of them, less those before."""
    expected = sequential[name]
    start = expected[-1][2] * share
    reader = PyavReader(str(folder / f"seek-{name}"))
    frames = [state(frame) for frame in reader.frames([], everything, start=start, end=start + 1.0)]
    assert frames == [frame for frame in expected if start - 1e-6 <= frame[2] < start + 1.0]


def test_indices_are_pulled_one_by_one(folder: Path) -> None:
    """A frame comes before the next index is asked for, so that records can stream."""
    reader = PyavReader(str(encode(folder / "pulled.mp4", 100)))
    asked: list[int] = []

    def wanted() -> Iterator[int]:
        for index in (3, 50, 51):
            asked.append(index)
            yield index

    for count, frame in enumerate(reader.at(wanted(), [NATIVE]), 1):
        assert len(asked) == count and frame.index == asked[-1]


def test_frames_are_scaled_to_what_is_asked(folder: Path) -> None:
    """Each size holds the frame, read only, and is converted once."""
    reader = PyavReader(str(encode(folder / "sizes.mp4", 6)))
    sizes = [NATIVE, Size("long", 64), Size("short", 48), Size("exact", 200, 100)]
    frame = list(reader.frames(sizes, everything))[5]
    for size, shape in zip(sizes, [(96, 128, 3), (48, 64, 3), (48, 64, 3), (100, 200, 3)]):
        image = frame.image(size)
        assert image.shape == shape and image.dtype == np.uint8 and image.flags.c_contiguous
        assert not image.flags.writeable and image is frame.image(size) and number_on(image) == 5


MEMORY = """
from vtk.media.pyav import PyavReader
from vtk.media.sampling import NATIVE
for frame in PyavReader(sys.argv[1]).frames([NATIVE], lambda index, t: True):
    if frame.index in (1_000, 9_999):
        look()
"""


def test_memory_stays_flat_over_ten_thousand_frames(folder: Path) -> None:
    """From frame 1,000 to the last less than 4 MB come on top (measured: 0.1 MB)."""
    assert grown(MEMORY, encode(folder / "long.mp4", 10_000, gop=50)) < 4_096


def test_files_put_one_behind_the_other_go_on(folder: Path) -> None:
    """The second file's clock starts again; indices and times go on."""
    path = folder / "joined.ts"
    path.write_bytes(encode(folder / "part.ts", 40).read_bytes() * 2)
    frames = list(PyavReader(str(path)).frames([], everything))
    assert [frame.index for frame in frames] == list(range(80))
    assert [number_on(frame.image()) for frame in frames] == [*range(40), *range(40)]
    assert [frame.t for frame in frames] == pytest.approx([index / 25 for index in range(80)], abs=1e-6)


def test_a_recording_that_begins_between_key_frames(folder: Path) -> None:
    """What comes before the first key frame cannot be decoded and is no damage; frame 0 is that key frame."""
    data = encode(folder / "whole.ts", 40).read_bytes()
    path = folder / "begun.ts"
    path.write_bytes(data[188 * 20:])
    reader = PyavReader(str(path))
    frames = [(frame.index, number_on(frame.image())) for frame in reader.frames([], everything)]
    assert frames == [(index, index + 10) for index in range(30)] and reader.errors == []


def test_a_damaged_start_keeps_later_indices(folder: Path) -> None:
    """Frames after a first group that was hit stand where they stood."""
    whole = encode(folder / "start.mp4", 40, muxer={"movflags": "faststart"})
    path = damage(whole, folder / "start_hit.mp4", 0.09, 1500)
    reader = PyavReader(str(path))
    frames = {frame.index: (number_on(frame.image()), frame.t) for frame in reader.frames([], everything)}
    assert reader.errors and all(frames[k] == (k, pytest.approx(k / 25)) for k in range(10, 40))


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
@pytest.mark.parametrize("name", ["lost.ts", "lost.mkv"])
def test_packets_that_vanish_shift_no_index(name: str, share: float, folder: Path) -> None:
    """Demuxers drop what they cannot parse; at a steady rate the gap says how many frames it took."""
    options = {"cluster_time_limit": "200"} if name.endswith("mkv") else {}
    whole = encode(folder / name, 60, muxer=options)
    reader = PyavReader(str(damage(whole, folder / f"hit-{share}-{name}", share, 900)))
    frames = [(frame.index, number_on(frame.image()), frame.t) for frame in reader.frames([], everything)]
    right = [(index, number) for index, number, _ in frames if index == number]
    hit = int(60 * share)
    assert reader.errors and len(frames) < 60
    assert {index for index, _ in right} >= {*range(0, hit - 8), *range(hit + 22, 60)}
    assert [t for _, _, t in frames] == pytest.approx([index / 25 for index, _, _ in frames], abs=1e-6)


def test_a_cluster_that_stops_the_demuxer_is_told(folder: Path) -> None:
    """Where Matroska's index knows of more key frames than came, there is an error."""
    whole = encode(folder / "stop.webm", 40, "libvpx-vp9", **FAST_VP9)
    reader = PyavReader(str(damage(whole, folder / "stopped.webm", 0.5, 600)))
    frames = [(frame.index, number_on(frame.image())) for frame in reader.frames([], everything)]
    assert len(frames) < 40 and all(index == number for index, number in frames)
    assert any("reading stops before the end" in str(error) for error in reader.errors)


def test_reading_goes_on_at_the_next_key_frame(folder: Path) -> None:
    """An MP4 whose index points nowhere for one chunk loses the frames up to the next key frame, and no more."""
    path = encode(folder / "astray.mp4", 60, audio=True, muxer={"movflags": "faststart"})
    data = bytearray(path.read_bytes())
    start, _ = box(data, b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stco")
    chunks = struct.unpack_from(">I", data, start + 4)[0]
    struct.pack_into(">I", data, start + 8 + 4 * (chunks // 3), 0x7FFFFFFF)
    path.write_bytes(data)
    reader = PyavReader(str(path))
    frames = [(frame.index, number_on(frame.image()), frame.t) for frame in reader.frames([], everything)]
    again = [(index, number) for index, number, t in frames if t > frames[-1][2] - 0.38]
    assert 40 < len(frames) < 60 and again == [(k, k) for k in range(50, 60)]
    assert [str(error).split(" (")[0] for error in reader.errors][0] == "reading stops before the end"


def test_a_timeline_is_filled_only_at_a_steady_rate() -> None:
    """Holes of a steady clock are filled at its step; an uneven clock stays as it is."""
    steady = Timeline([0, 33, 67, 100, *range(400, 1000, 33)], [0])
    assert steady.filled().rank(400) == 12 and steady.filled().stamps[:4] == [0, 33, 67, 100]
    assert steady.varies and not Timeline([0, 33, 67, 100, 133], [0]).varies
    uneven = Timeline([0, 7, 207, 217, 257, 457], [0])
    assert uneven.filled() == uneven and Timeline([5], [5]).filled() == Timeline([5], [5])


@pytest.mark.parametrize("name", ["size.mp4", "size.avi", "size.mkv", "size.ts"])
def test_missing_bytes(name: str, folder: Path) -> None:
    """A whole file lacks none; a cut one what was cut, where its headers can tell."""
    whole = encode(folder / name, 20, muxer={"movflags": "faststart"} if name.endswith("mp4") else {})
    assert missing_bytes(str(whole)) == 0
    short = cut(whole, folder / f"short-{name}", 0.7)
    lost = whole.stat().st_size - short.stat().st_size
    assert missing_bytes(str(short)) == (0 if name.endswith("ts") else lost)
