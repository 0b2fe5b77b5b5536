"""The media table: what must come of each kind of file, good or bad."""

from __future__ import annotations

import json
import os
import re
import shutil
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest

from cards import box, cut, damage, encode, number_on, rotate_flag
from conftest import run_vtk
from vtk.errors import MediaError
from vtk.media.video import open_media

COUNT = 40
UNEVEN = [int(step) for step in np.cumsum([0, *np.random.default_rng(1).choice([7, 10, 40, 200], COUNT - 1)])]
FIRST = {"movflags": "faststart"}


def video(name: str, codec: str = "libx264", **options: object) -> Callable[[Path], Path]:
    """Return what encodes ``name`` in a folder, once."""
    def make(folder: Path) -> Path:
        return folder / name if (folder / name).exists() else encode(folder / name, COUNT, codec, **options)
    return make


def rotated(degrees: int) -> Callable[[Path], Path]:
    """Return what makes a clip that is stored turned and says so."""
    def make(folder: Path) -> Path:
        path = encode(folder / f"turned{degrees}.mp4", COUNT, turn=lambda image: np.rot90(image, degrees // 90))
        return rotate_flag(path, degrees)
    return make


def edited(skip: int) -> Callable[[Path], Path]:
    """Return what makes a clip whose edit list passes over its first ``skip`` frames."""
    def make(folder: Path) -> Path:
        path = encode(folder / "edited.mp4", COUNT)
        data = bytearray(path.read_bytes())
        start, _ = box(data, b"moov", b"trak", b"edts", b"elst")
        duration, begin = struct.unpack_from(">II", data, start + 8)
        struct.pack_into(">II", data, start + 8, duration - skip * 40, begin + skip * 512)
        path.write_bytes(data)
        return path
    return make


def lying(folder: Path) -> Path:
    """Make an AVI whose headers say 444 frames."""
    path = encode(folder / "lying.avi", COUNT, "mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8 + 16, 444)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, 444)
    path.write_bytes(data)
    return path


def named(name: bytes) -> Callable[[Path], Path]:
    """Return what makes a good clip of an awkward name."""
    def make(folder: Path) -> Path:
        path = Path(os.fsdecode(os.fsencode(folder) + b"/" + name))
        shutil.copy(video("h264.mp4")(folder), path)
        return path
    return make


@dataclass(frozen=True)
class Good:
    """A file of which every frame comes: what frame i shows, and when; ``facts`` of its MediaInfo."""

    name: str
    make: Callable[[Path], Path]
    facts: dict[str, object]
    shows: Sequence[int] = range(COUNT)
    times: Sequence[float] = tuple(index / 25 for index in range(COUNT))


GOOD = (
    Good("h264", video("h264.mp4"), {"codec": "h264", "fps": 25.0, "frames": COUNT, "vfr": False, "duration": 1.6}),
    Good("hevc10", video("hevc.mp4", "libx265", pix_fmt="yuv420p10le"), {"codec": "hevc"}),
    Good("vp9", video("vp9.webm", "libvpx-vp9", options={"deadline": "realtime", "cpu-used": "8"}), {"codec": "vp9"}),
    Good("av1", video("av1.mp4", "libsvtav1", options={"preset": "10", "svtav1-params": "lp=1"}), {"codec": "av1"}),
    Good("mpeg-ts", video("h264.ts"), {"codec": "h264", "frames": None}),
    Good("b-frames in avi", video("h264.avi"), {"codec": "h264"}),
    Good("vfr", video("vfr.mp4", ticks=UNEVEN), {"vfr": True}, times=[tick / 1000 for tick in UNEVEN]),
    Good("vfr in matroska", video("vfr.mkv", ticks=UNEVEN), {"vfr": True}, times=[tick / 1000 for tick in UNEVEN]),
    Good("rotated 90", rotated(90), {"rotation": 90, "width": 128, "height": 96}),
    Good("rotated 180", rotated(180), {"rotation": 180, "width": 128, "height": 96}),
    Good("rotated 270", rotated(270), {"rotation": 270, "width": 128, "height": 96}),
    Good("edit list", edited(15), {"duration": 1.0}, range(15, COUNT), [index / 25 for index in range(COUNT - 15)]),
    Good("lying header", lying, {"frames": 444}),
    Good("one frame", lambda folder: encode(folder / "one.mp4", 1), {"frames": 1}, [0], [0.0]),
    Good("with audio", video("sound.mp4", audio=True), {"codec": "h264"}),
    Good("name not UTF-8", named(b"na\xff\xe9me.mp4"), {"codec": "h264"}),
    Good("name with newline", named(b"na\nme \"q'.mp4"), {"codec": "h264"}),
)


@pytest.mark.parametrize("row", GOOD, ids=lambda row: row.name)
def test_every_frame_comes_with_its_index_and_time(row: Good, folder: Path) -> None:
    """Index, content and time of every frame, and nothing to complain about."""
    reader = open_media(str(row.make(folder)))
    frames = [(frame.index, number_on(frame.image()), frame.t) for frame in reader.frames([], lambda index, t: True)]
    assert [index for index, _, _ in frames] == list(range(len(row.shows)))
    assert [number for _, number, _ in frames] == list(row.shows)
    assert [t for _, _, t in frames] == pytest.approx(list(row.times), abs=1e-6)
    assert reader.errors == [] and reader.decoded == len(row.shows)
    assert {key: getattr(reader.info, key) for key in row.facts} == row.facts


@dataclass(frozen=True)
class Damaged:
    """A file that gives what it holds: a whole one after ``harm``, which returns the bad bytes."""

    name: str
    whole: Callable[[Path], Path]
    harm: Callable[[Path, Path], range]
    says: str


def cut_at(share: float) -> Callable[[Path, Path], range]:
    """Return what cuts a file."""
    def harm(whole: Path, to: Path) -> range:
        cut(whole, to, share)
        return range(to.stat().st_size, whole.stat().st_size)
    return harm


def noise_at(share: float, length: int) -> Callable[[Path, Path], range]:
    """Return what overwrites a part of a file."""
    def harm(whole: Path, to: Path) -> range:
        damage(whole, to, share, length)
        start = int(whole.stat().st_size * share)
        return range(start, start + length)
    return harm


HEVC = video("first265.mp4", "libx265", muxer=FIRST)
H264 = video("first.mp4", muxer=FIRST)
DAMAGED = (
    Damaged("cut at 60 %, moov first", H264, cut_at(0.6), r"the file is cut: \d+ bytes are missing at its end, after"),
    Damaged("cut matroska", video("cut.mkv"), cut_at(0.6), r"the file is cut: \d+ bytes are missing at its end, after"),
    Damaged("cut mpeg-ts", video("h264.ts"), cut_at(0.6), r"frame \d+ is damaged|a packet"),
    Damaged("corrupt key frame", H264, noise_at(0.3, 600), r"a packet cannot be decoded|frame \d+ is damaged|lost"),
    Damaged("corrupt in the middle", H264, noise_at(0.7, 600), r"a packet cannot be decoded|frame \d+ is damaged|lost"),
    Damaged("corrupt at the end", H264, noise_at(0.95, 900), r"a packet cannot be decoded|frame \d+ is damaged|lost"),
    Damaged("corrupt hevc", HEVC, noise_at(0.5, 600), r"a packet cannot be decoded|frame \d+ is damaged|lost"),
    Damaged("corrupt motion jpeg", video("m.avi", "mjpeg", pix_fmt="yuvj420p"), noise_at(0.5, 600), r"a packet|lost"),
)


def unharmed(path: Path, bad: range) -> set[int]:
    """Return the frames that no bad byte reaches: a bad packet spoils all up to the next key frame."""
    spoilt, good, stamps = False, [], []
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            if not packet.size:
                continue
            stamp = packet.dts if packet.pts is None else packet.pts
            hit = packet.pos < bad.stop and packet.pos + packet.size > bad.start
            spoilt = hit or (spoilt and not packet.is_keyframe)
            stamps.append(stamp)
            if not spoilt:
                good.append(stamp)
    order = sorted(stamps)
    return {order.index(stamp) for stamp in good}


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("row", DAMAGED, ids=lambda row: row.name)
def test_damage_costs_only_what_it_reaches(row: Damaged, threads: int, folder: Path) -> None:
    """Frames outside the damage come whole, under the index and time that they have in the whole file."""
    whole = row.whole(folder)
    path = folder / f"{row.name}{whole.suffix}"
    bad = row.harm(whole, path)
    reader = open_media(str(path), threads=threads)
    frames = [(frame.index, number_on(frame.image()), frame.t) for frame in reader.frames([], lambda index, t: True)]
    indices = [index for index, _, _ in frames]
    expected = unharmed(whole, bad)
    assert 10 <= len(expected) < COUNT  # the damage is real, and not everything
    assert indices == sorted(set(indices)) and set(indices) >= expected
    assert [(index, number) for index, number, _ in frames if index in expected] == [(i, i) for i in sorted(expected)]
    assert [t for _, _, t in frames] == pytest.approx([index / 25 for index in indices], abs=1e-6)
    assert reader.errors and {error.code for error in reader.errors} == {"E_DECODE"}
    assert any(re.search(row.says, str(error)) for error in reader.errors), reader.errors


@dataclass(frozen=True)
class Hopeless:
    """A file that gives nothing: the error's code and message."""

    name: str
    make: Callable[[Path], Path]
    code: str
    message: str


def written(name: str, content: bytes) -> Callable[[Path], Path]:
    """Return what writes a file that is no media."""
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name
    return make


def moov_lost(folder: Path) -> Path:
    """Cut an MP4 whose index comes last."""
    return cut(video("h264.mp4")(folder), folder / "moov_lost.mp4", 0.6)


HOPELESS = (
    Hopeless("moov lost", moov_lost, "E_OPEN", "cannot be opened: the part that says where its frames are (moov) is "
                                               "missing; the file was cut or never finished"),
    Hopeless("empty", written("empty.mp4", b""), "E_EMPTY", "is an empty file"),
    Hopeless("text", written("text.mp4", b"no video\n" * 50), "E_OPEN",
             "cannot be opened: it is no media, or its header is damaged"),
    Hopeless("audio only", lambda folder: encode(folder / "audio.mp4", video=False, audio=True), "E_OPEN",
             "has no video stream (it has audio)"),
    Hopeless("not there", lambda folder: folder / "absent.mp4", "E_OPEN",
             "cannot be opened: No such file or directory"),
    Hopeless("a folder as a file", lambda folder: folder, "E_OPEN",
             "is a folder; seq:FOLDER reads its images as one video"),
)


@pytest.mark.parametrize("row", HOPELESS, ids=lambda row: row.name)
def test_hopeless_files_say_why(row: Hopeless, folder: Path) -> None:
    """Code and message."""
    with pytest.raises(MediaError) as caught:
        open_media(str(row.make(folder)))
    assert (caught.value.code, str(caught.value)) == (row.code, row.message)


@pytest.mark.parametrize("command", [("probe",), ("detect", "--model", "motion")], ids=lambda command: command[0])
def test_hopeless_files_on_the_command_line(command: tuple[str, ...], folder: Path) -> None:
    """An error record, a failed end, a line on stderr for each; the good file is done; exit code 1."""
    rows = [row for row in HOPELESS if row.name != "a folder as a file"]
    bad = [str(row.make(folder)) for row in rows]
    good = str(video("h264.mp4")(folder))
    done = run_vtk(*command, *bad[:2], good, *bad[2:])
    records = [json.loads(line) for line in done.stdout.splitlines()]
    errors = {record["source"]: record["error"] for record in records if record["type"] == "error"}
    assert errors == {path: {"code": row.code, "stage": command[0], "message": row.message, "fatal": True}
                      for path, row in zip(bad, rows)}
    ends = {record["source"]: record["status"] for record in records if record["type"] == "end"}
    assert ends == {**dict.fromkeys(bad, "failed"), good: "ok"}
    assert done.stderr.decode().splitlines() == [
        f"vtk {command[0]}: {path}: {row.message} [{row.code}]" for path, row in zip(bad, rows)]
    assert done.returncode == 1
    alone = run_vtk(*command, bad[0])
    assert alone.returncode == 3 and b"Traceback" not in alone.stderr


def test_damaged_files_on_the_command_line(folder: Path) -> None:
    """What can be had is looked at; then an error record, a partial end, one line on stderr, exit code 1."""
    whole = H264(folder)
    paths = {str(cut(whole, folder / "cut_cli.mp4", 0.6)): "the file is cut",
             str(damage(whole, folder / "corrupt_cli.mp4", 0.7, 600)): "a packet cannot be decoded"}
    done = run_vtk("detect", "--model", "motion", *paths)
    records = [json.loads(line) for line in done.stdout.splitlines()]
    for path, says in paths.items():
        error, end = [record for record in records if record["source"] == path][-2:]
        assert error["type"] == "error" and error["error"]["code"] == "E_DECODE" and not error["error"]["fatal"]
        assert error["error"]["message"].startswith(says)
        assert end["type"] == "end" and end["status"] == "partial" and end["frames"]["processed"] >= 20
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2 and all(line.startswith(f"vtk detect: {path}: ") for line, path in zip(lines, paths))
    assert done.returncode == 1


@pytest.mark.parametrize("name", [b"na\xff\xe9me.mp4", b"na\nme \"q'.mp4"], ids=["not UTF-8", "newline"])
def test_awkward_names_on_the_command_line(name: bytes, folder: Path) -> None:
    """The source in the record opens the file again."""
    done = run_vtk("probe", named(name)(folder))
    media, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert media["type"] == "media" and end["status"] == "ok" and done.returncode == 0 and done.stderr == b""
    assert open_media(media["source"]).info.fingerprint == media["fingerprint"]


TRAPS = {
    "media/tree.avi": {"count": 68, "declared": 444, "last": 29.533},
    "media/iot_asl_bird.mkv": {"count": 63, "declared": None, "last": 2.067},
    "detect-copy/torchcodec_nasa_13013.mp4": {"count": 390, "declared": 390, "last": 12.980},
    "detect-copy/Megamind_bugy.avi": {"count": 270, "declared": 270, "last": 8.967},
    "detect-copy/Megamind.avi": {"count": 270, "declared": 270, "last": 11.220},
}


@pytest.mark.shared
@pytest.mark.parametrize("name", TRAPS)
def test_known_traps(name: str, shared: Path) -> None:
    """Headers that lie, two video streams, B-frames in AVI: all frames come, their times in order."""
    reader = open_media(str(shared / "data" / name))
    frames = [(frame.index, frame.t) for frame in reader.frames([], lambda index, t: True)]
    assert [index for index, _ in frames] == list(range(TRAPS[name]["count"]))
    assert all(before < after for (_, before), (_, after) in zip(frames, frames[1:]))
    assert frames[0][1] == 0.0 and frames[-1][1] == pytest.approx(TRAPS[name]["last"], abs=1e-3)
    assert reader.info.frames == TRAPS[name]["declared"] and reader.errors == []


@pytest.mark.shared
def test_of_two_video_streams_the_larger_is_read(shared: Path) -> None:
    """As ffmpeg chooses: 480 × 270, not 320 × 180."""
    info = open_media(str(shared / "data" / "detect-copy" / "torchcodec_nasa_13013.mp4")).info
    assert (info.width, info.height) == (480, 270)
