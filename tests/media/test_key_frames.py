"""Key frames alone: the same frames, indices and times as when everything is decoded, and little else decoded."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from cards import card, cut, damage, encode, number_on
from resident import grown
from servers import serving
from vtk.media.container import video_stream
from vtk.media.decoding import Decoding
from vtk.media.frames import Decoded
from vtk.media.image import write_image
from vtk.media.marks import Places
from vtk.media.pyav import PyavReader
from vtk.media.sampling import NATIVE, Size
from vtk.media.video import Reader, open_media

COUNT, GOP = 160, 30
UNEVEN = [int(step) for step in np.cumsum([0, *np.random.default_rng(1).choice([7, 10, 40, 200], COUNT - 1)])]
OPEN_GOP = {"bframes": 3, "options": {"x264-params": "open-gop=1:bframes=3:b-adapt=0"}}
FAST_VP9 = {"options": {"deadline": "realtime", "cpu-used": "8"}}
HIDDEN = {"options": {"deadline": "good", "cpu-used": "4", "auto-alt-ref": "1", "lag-in-frames": "16", "b": "300k"}}
REFRESH = {"bframes": 0, "options": {"x264-params": "intra-refresh=1"}}
MARKED: dict[str, tuple[str, dict[str, Any]]] = {
    "b-frames.mp4": ("libx264", {}), "open-gop.mp4": ("libx264", OPEN_GOP), "open-gop.ts": ("libx264", OPEN_GOP),
    "open-gop.mkv": ("libx264", OPEN_GOP), "vfr.mkv": ("libx264", {"ticks": UNEVEN}), "hevc.ts": ("libx265", {}),
    "mpeg4.avi": ("mpeg4", {}), "mpeg4.mp4": ("mpeg4", {}), "mpeg2.ts": ("mpeg2video", {}),
    "vp9.webm": ("libvpx-vp9", FAST_VP9), "hidden.webm": ("libvpx", HIDDEN),
}
# B-frames in AVI, MPEG program streams and raw H.264 do not say when frames are shown; refreshed streams mark
# frames that are no pictures of their own.
UNMARKED: dict[str, tuple[str, dict[str, Any]]] = {
    "b-frames.avi": ("libx264", {}), "program.mpg": ("mpeg2video", {}), "raw.h264": ("libx264", {}),
    "refresh.mkv": ("libx264", REFRESH),
}
State = tuple[int, int | None, float, str]


def everything(index: int, t: float) -> bool:
    """Choose every frame."""
    return True


def state(frame: Decoded) -> State:
    """Return all that a frame is: index, timestamp, time, pixels."""
    return frame.index, frame.pts, frame.t, hashlib.sha256(frame.image()).hexdigest()


def decoded(path: Path) -> list[State]:
    """Return every frame of a file, decoded in order."""
    return [state(frame) for frame in PyavReader(os.fspath(path)).frames([], everything)]


def key_numbers(path: Path) -> list[int]:
    """Return the numbers of the frames that FFmpeg says are key frames when it decodes them all."""
    with av.open(os.fspath(path)) as container:
        return [number for number, frame in enumerate(container.decode(video_stream(container))) if frame.key_frame]


def clip(folder: Path, name: str) -> Path:
    """Return the clip ``name``, made once."""
    path = folder / f"keys-{name}"
    codec, options = (MARKED | UNMARKED)[name]
    return path if path.exists() else encode(path, COUNT, codec, gop=GOP, **options)


@pytest.mark.parametrize("name", MARKED)
def test_key_frames_are_those_of_all_frames(name: str, folder: Path) -> None:
    """Index, timestamp, time and pixels; nothing else is decoded."""
    path = clip(folder, name)
    everyone, numbers = decoded(path), key_numbers(path)
    assert len(everyone) == COUNT and len(numbers) >= COUNT // GOP
    reader = PyavReader(os.fspath(path))
    before = reader.decoded
    assert [state(frame) for frame in reader.key_frames([])] == [everyone[number] for number in numbers]
    assert reader.decoded - before == len(numbers) and reader.errors == []
    times = [everyone[number][2] for number in numbers] + [everyone[-1][2]]
    # One interval more: MP4's index has times of decoding, and there B-frames move the last frame.
    assert reader.key_spacing() == pytest.approx(max(np.diff(times)), abs=0.21 if "vfr" in name else 0.13)


@pytest.mark.parametrize("name", MARKED)
def test_a_span_and_a_least_distance_leave_out_key_frames(name: str, folder: Path) -> None:
    """Of the key frames in the span each that lies far enough from the one before."""
    path = clip(folder, name)
    everyone, numbers = decoded(path), key_numbers(path)
    start, end, closest = everyone[-1][2] * 0.2, everyone[-1][2] * 0.9, everyone[-1][2] * 0.3
    expected: list[State] = []
    for number in numbers:
        frame = everyone[number]
        if start <= frame[2] < end and (not expected or frame[2] >= expected[-1][2] + closest - 1e-6):
            expected.append(frame)
    assert expected
    reader = PyavReader(os.fspath(path))
    before = reader.decoded
    assert [state(frame) for frame in reader.key_frames([], start, end, closest)] == expected
    assert reader.decoded - before == len(expected)


@pytest.mark.parametrize("name", MARKED)
def test_frames_come_between_key_frames_that_lie_far_apart(name: str, folder: Path) -> None:
    """Each gap is filled from its key frame on; the frames are those of all."""
    path = clip(folder, name)
    everyone, numbers, furthest = decoded(path), set(key_numbers(path)), 0.5
    expected: list[State] = []
    for number, frame in enumerate(everyone):
        if number in numbers or frame[2] >= expected[-1][2] + furthest - 1e-6:
            expected.append(frame)
    reader = PyavReader(os.fspath(path))
    assert [state(frame) for frame in reader.key_frames([], furthest=furthest)] == expected
    assert reader.errors == []
    near = PyavReader(os.fspath(path))
    before = near.decoded
    assert [frame.index for frame in near.key_frames([], furthest=30.0)] == sorted(numbers)
    assert near.decoded - before == len(numbers)


@pytest.mark.parametrize("name", UNMARKED)
@pytest.mark.parametrize(("options", "step", "span"), [
    ({}, 1.0, (0.0, 99.0)), ({"furthest": 0.6}, 0.6, (0.0, 99.0)), ({"closest": 2.0}, 2.0, (0.0, 99.0)),
    ({"start": 2.0, "end": 4.9}, 1.0, (2.0, 4.9))])
def test_unmarked_streams_are_decoded_and_sampled(name: str, options: dict[str, float], step: float,
                                                  span: tuple[float, float], folder: Path) -> None:
    """Indices stay those of all frames; a stream that proves unmarked on the way leaves no errors behind."""
    path = clip(folder, name)
    expected: list[State] = []
    for frame in decoded(path):
        if span[0] <= frame[2] < span[1] and (not expected or frame[2] >= expected[-1][2] + step - 1e-6):
            expected.append(frame)
    reader = PyavReader(os.fspath(path))
    assert [state(frame) for frame in reader.key_frames([], **options)] == expected and len(expected) > 1
    assert reader.errors == []
    if name != "refresh.mkv":  # what its packets mark proves wrong when they are decoded
        assert reader.key_spacing() is None


def test_a_clock_that_starts_again_is_followed_by_decoding_all(folder: Path) -> None:
    path = folder / "keys-joined.ts"
    path.write_bytes(encode(folder / "keys-part.ts", 40).read_bytes() * 2)
    everyone = decoded(path)
    frames = [state(frame) for frame in PyavReader(os.fspath(path)).key_frames([])]
    assert set(frames) <= set(everyone) and [frame[0] for frame in frames] == sorted({frame[0] for frame in frames})
    assert frames[0][0] == 0 and frames[-1][2] > 2.0 and max(np.diff([frame[2] for frame in frames])) < 1.0 + 1e-6


@pytest.mark.parametrize("kind", ["mp4", "ts", "mkv", "avi"])
def test_damage_in_the_middle_costs_what_it_hits(kind: str, folder: Path) -> None:
    """Key frames before and after come with the number that they show; what is lost or damaged is told."""
    codec = "mpeg4" if kind == "avi" else "libx264"
    whole = encode(folder / f"keys-whole.{kind}", COUNT, codec, gop=10,
                   muxer={"movflags": "faststart"} if kind == "mp4" else None)
    path = damage(whole, folder / f"keys-bad.{kind}", 0.5, 1500 if kind == "avi" else 5000)  # an AVI is small
    reader, everyone = PyavReader(os.fspath(path)), {frame[0]: frame[1:3] for frame in decoded(path)}
    frames = list(reader.key_frames([]))
    assert reader.errors and len({frame.index for frame in frames}) == len(frames)
    for frame in frames:
        assert everyone[frame.index] == (frame.pts, frame.t)
        hit = any(f"frame {frame.index} is damaged" in str(error) for error in reader.errors)
        # What decoding all gives after the damage up to the next key frame is wrong, too.
        assert hit or 50 <= frame.index < 110 or number_on(frame.image()) == frame.index
        assert hit or frame.index % 10 or number_on(frame.image()) == frame.index
    indices = [frame.index for frame in frames]
    if kind in ("mp4", "ts"):
        assert set(range(0, COUNT, 10)) - set(indices) <= {70, 80, 90} and not any(index % 10 for index in indices)
    else:  # packets are gone without a word: all is decoded from there on, and sampled
        assert indices[:3] == [0, 10, 20] and max(np.diff([frame.t for frame in frames])) < 2.0


def test_a_cut_file_says_so(folder: Path) -> None:
    whole = encode(folder / "keys-first.mp4", COUNT, muxer={"movflags": "faststart"})
    reader = PyavReader(os.fspath(cut(whole, folder / "keys-cut.mp4", 0.6)))
    shown = [(frame.index, number_on(frame.image())) for frame in reader.key_frames([])]
    assert len(shown) > 5 and shown == [(number, number) for number in range(0, len(shown) * 10, 10)]
    assert "the file is cut" in str(reader.errors[0])
    early = PyavReader(os.fspath(folder / "keys-cut.mp4"))
    assert [frame.index for frame in early.key_frames([], end=1.0)] == [0, 10, 20] and early.errors == []


def test_closed_early(folder: Path) -> None:
    """The frames that came are whole, the file is let go, and little was decoded."""
    path = encode(folder / "keys-long.mp4", 3000, gop=10)
    reader = PyavReader(os.fspath(path), threads=2)
    frames = reader.key_frames([Size("long", 64)])
    first = [next(frames), next(frames)]
    frames.close()
    reader.close()
    assert [number_on(frame.image(Size("long", 64))) for frame in first] == [0, 10] and 2 <= reader.decoded < 20
    held = [os.path.realpath(f"/proc/self/fd/{number}") for number in os.listdir("/proc/self/fd")]
    assert os.fspath(path) not in held


MEMORY = """
from vtk.media.pyav import PyavReader
from vtk.media.sampling import NATIVE
reader = PyavReader(sys.argv[1])
look()
assert [frame.index for frame in reader.key_frames([NATIVE])] == [0]
look()
assert abs(reader.key_spacing() - 10_000 / 25) < 0.1
"""


def test_memory_stays_flat_in_one_group_without_end(folder: Path) -> None:
    """10,000 frames behind one key frame, which are not kept: less than 4 MB come on top."""
    path = encode(folder / "keys-endless.mp4", 10_000, gop=10_000, bframes=0,
                  options={"x264-params": "scenecut=0:keyint=10000"})
    assert grown(MEMORY, path) < 4_096


def test_a_group_without_end_is_not_held_until_a_late_start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vtk.media.keys.HELD_MOST", 50)
    path = clip(folder, "b-frames.mp4")
    frames = PyavReader(os.fspath(path)).key_frames([], start=1.0, furthest=3.0)
    assert [frame.index for frame in frames] == [30, 60, 90, 120, 150]
    endless = encode(folder / "keys-one.mp4", COUNT, gop=1000)
    frames = PyavReader(os.fspath(endless)).key_frames([], start=4.0, furthest=1.0)
    assert [number_on(frame.image()) for frame in frames] == [125, 150]


def test_over_http(folder: Path) -> None:
    """One connection more, read once through."""
    path = encode(folder / "keys-served.mp4", COUNT, gop=GOP, muxer={"movflags": "faststart"})
    with serving(path) as server:
        reader = open_media(server.url, timeout=5.0)
        assert [(frame.index, number_on(frame.image())) for frame in reader.key_frames([])] == [
            (number, number) for number in range(0, COUNT, GOP)]
        assert reader.key_spacing() is None and reader.errors == []


@pytest.mark.parametrize("name", ["bikes.mp4", "mma_demo.mp4", "torchcodec_nasa_13013.mp4", "Megamind.avi"])
def test_real_clips(name: str, shared: Path) -> None:
    """As by full decoding; Megamind has B-frames in AVI, and is decoded and sampled."""
    path = shared / "data/detect-copy" / name
    everyone = decoded(path)
    reader = PyavReader(os.fspath(path))
    before = reader.decoded
    frames = [state(frame) for frame in reader.key_frames([])]
    assert frames == [everyone[frame[0]] for frame in frames] and reader.errors == []
    if name == "Megamind.avi":
        assert [int(frame[2]) for frame in frames] == list(range(12)) and reader.key_spacing() is None
    else:
        assert [frame[0] for frame in frames] == key_numbers(path)[:len(frames)] and len(frames) >= 2
        assert reader.decoded - before == len(frames)
    sampled = list(PyavReader(os.fspath(path)).key_frames([], closest=1.0, furthest=1.0))
    assert [round(frame.t) for frame in sampled] == list(range(len(sampled))) and sampled[-1].t > everyone[-1][2] - 1.0


@pytest.mark.parametrize(("decoder", "expected"), [
    ("decord", [0, 13, 26, 30, 43, 56, 60, 73, 86, 90, 103, 116, 120, 133, 146, 150]),
    ("opencv", [0, 13, 26, 39, 52, 65, 78, 91, 104, 117, 130, 143, 156])])
def test_other_decoders(decoder: str, expected: list[int], folder: Path) -> None:
    """decord knows key frames; OpenCV does not, and decodes all."""
    reader = open_media(os.fspath(clip(folder, "b-frames.mp4")), decoder=decoder)
    assert [(frame.index, number_on(frame.image())) for frame in reader.key_frames([], furthest=0.5)] == [
        (number, number) for number in expected]
    spacing = open_media(os.fspath(clip(folder, "b-frames.mp4")), decoder=decoder).key_spacing()
    assert spacing == (pytest.approx(1.2, abs=1e-4) if decoder == "decord" else None)


def test_images_are_key_frames(tmp_path: Path) -> None:
    for number in range(12):
        write_image(tmp_path / f"{number}.png", card(number))
    (tmp_path / "4.png").write_bytes(b"\x89PNG no image")
    sequence = open_media(f"seq:{tmp_path}", framerate=4.0)
    shown = [(frame.index, number_on(frame.image())) for frame in sequence.key_frames([], closest=1.0, start=0.5)]
    assert shown == [(2, 2), (6, 6), (10, 10)] and sequence.decoded == 3 and sequence.key_spacing() == 0.25
    lost = open_media(f"seq:{tmp_path}", framerate=4.0)
    assert [frame.index for frame in lost.key_frames([], closest=1.0)] == [0, 5, 9] and len(lost.errors) == 1
    picture = open_media(os.fspath(tmp_path / "7.png"))
    assert [number_on(frame.image()) for frame in picture.key_frames([])] == [7] and picture.key_spacing() is None


@pytest.mark.parametrize(("options", "what"), [
    ({"closest": -1.0}, "closest is -1.0"), ({"closest": float("nan")}, "closest is nan"),
    ({"furthest": 0.0}, "furthest is 0.0"), ({"closest": 2.0, "furthest": 1.0}, "not below closest")])
@pytest.mark.parametrize("decoder", ["pyav", "opencv", "decord"])
def test_intervals_that_make_no_sense_are_refused(decoder: str, options: dict[str, float], what: str,
                                                  folder: Path) -> None:
    reader: Reader = open_media(os.fspath(clip(folder, "b-frames.mp4")), decoder=decoder)
    with pytest.raises(ValueError, match=what):
        list(reader.key_frames([], **options))


def test_places_in_any_order_that_a_codec_stores() -> None:
    """Groups of an anchor and up to 15 frames shown before it: each place is known 16 packets later."""
    rng = np.random.default_rng(5)
    stored: list[int] = [0]
    while len(stored) < 3000:
        size = int(rng.integers(1, 16))
        first = len(stored)
        stored += [first + size, *(first + rng.permutation(size)).tolist()]
    places = Places()
    for number, stamp in enumerate(stored):
        assert places.add(stamp * 7, back=10_000)
        if number >= 16:
            assert places.of(stored[number - 16] * 7) == stored[number - 16]
    assert not places.add(stored[-1] * 7, back=10_000)
    assert not places.add(0, back=10_000)
    assert len(places._recent) < 100 and places.count == len(stored)


def test_the_benchmark_compares_ways(folder: Path) -> None:
    path = encode(folder / "keys-bench.mp4", 100, gop=50)
    result = subprocess.run([sys.executable, "-m", "vtk.media.bench", "--keys", "--size", "64", "--turns", "2", path],
                            capture_output=True, check=True)
    rows = {row["implementation"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert {name: row["given"] for name, row in rows.items()} == {"1-fps": 4, "key-frames": 2, "key-frames-filled": 4}
    assert rows["key-frames"]["decoded"] < 5 and rows["1-fps"]["decoded"] == 100 and rows["1-fps"]["ratio"] == 1
    for row in rows.values():
        assert row["spacing"] == pytest.approx(2.0, abs=0.1) and row["seconds"] == 4.0 and row["size"] == [64, 48]
        assert row["realtime"] > 0 and row["cpu_s"] > 0


def test_only_wanted_packets_reach_the_decoder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entered: list[bool] = []
    enter = Decoding._enter

    def watched(decoding: Decoding, packet: Any) -> None:
        entered.append(packet.is_keyframe)
        enter(decoding, packet)

    monkeypatch.setattr(Decoding, "_enter", watched)
    reader = PyavReader(os.fspath(clip(folder, "b-frames.mp4")))
    entered.clear()
    assert len(list(reader.key_frames([]))) == 6 and entered == [True] * 6
