"""decord and OpenCV behind the reader interface: the same table, with their faults as they are stated in their help."""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from cards import cut, damage, encode, number_on, rotate_flag
from vtk.errors import MediaError, UsageError
from vtk.media.sampling import Sampling, Size
from vtk.media.video import open_media

COUNT = 60
UNEVEN = [int(step) for step in np.cumsum([0, *np.random.default_rng(1).choice([7, 10, 40, 200], COUNT - 1)])]


@dataclass(frozen=True)
class Seen:
    """What a decoder makes of a file: the number that each frame shows, their times, and its errors."""

    shows: list[int]
    indices: list[int]
    times: list[float]
    errors: list[MediaError]


def read(path: Path, decoder: str) -> Seen:
    """Read a whole file."""
    reader = open_media(os.fspath(path), decoder=decoder)
    frames = [(number_on(frame.image()), frame.index, frame.t) for frame in reader.frames([], lambda index, t: True)]
    reader.close()
    assert reader.info.decoder == decoder and reader.decoded >= len(frames)
    return Seen(*([list(part) for part in zip(*frames, strict=True)] if frames else ([], [], [])), reader.errors)


def vfr(folder: Path) -> Path:
    return encode(folder / "decoders-vfr.mp4", COUNT, ticks=UNEVEN)


def lying(folder: Path) -> Path:
    """Make an AVI whose headers say 444 frames."""
    path = encode(folder / "decoders-lying.avi", COUNT, "mjpeg", pix_fmt="yuvj420p")
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"avih") + 8 + 16, 444)
    struct.pack_into("<I", data, data.index(b"strh") + 8 + 32, 444)
    path.write_bytes(data)
    return path


def turned(folder: Path) -> Path:
    return rotate_flag(encode(folder / "decoders-90.mp4", COUNT, turn=np.rot90), 90)


WHOLE: dict[str, Callable[[Path], Path]] = {
    "h264": lambda folder: encode(folder / "decoders.mp4", COUNT),
    "hevc 10-bit": lambda folder: encode(folder / "decoders-hevc.mp4", COUNT, "libx265", pix_fmt="yuv420p10le"),
    "vp9": lambda folder: encode(folder / "decoders.webm", COUNT, "libvpx-vp9", options={
        "deadline": "realtime", "cpu-used": "8"}),
    "rotated": turned,
    "lying header": lying,
    "one frame": lambda folder: encode(folder / "decoders-one.mp4", 1),
    "colon in name": lambda folder: Path(shutil.copy(encode(folder / "colon.mp4", COUNT), folder / "12:30%03d.mp4")),
}


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
@pytest.mark.parametrize("kind", WHOLE)
def test_whole_files_come_whole(kind: str, decoder: str, folder: Path) -> None:
    path = WHOLE[kind](folder)
    seen = read(path, decoder)
    count = 1 if kind == "one frame" else COUNT
    assert seen.shows == seen.indices == list(range(count))
    # 1e-5: decord keeps seconds in 32 bits.
    assert seen.times == pytest.approx([index / 25 for index in range(count)], abs=1e-5)
    assert seen.errors == []


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
def test_variable_frame_rates_keep_their_times(decoder: str, folder: Path) -> None:
    seen = read(vfr(folder), decoder)
    assert seen.shows == list(range(COUNT))
    assert seen.times == pytest.approx([tick / 1000 for tick in UNEVEN], abs=1e-4)


def test_mpeg_ts_is_right_by_opencv_and_wrong_by_decord(folder: Path) -> None:
    path = encode(folder / "decoders.ts", COUNT)
    assert read(path, "opencv").shows == list(range(COUNT))
    seen = read(path, "decord")
    assert seen.errors == [] and seen.shows != list(range(COUNT))  # silently


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
def test_time_never_goes_back_where_files_were_put_one_behind_the_other(decoder: str, folder: Path) -> None:
    path = folder / "decoders-joined.ts"
    path.write_bytes(2 * encode(folder / "decoders.ts", COUNT).read_bytes())
    seen = read(path, decoder)
    assert len(seen.times) > COUNT and seen.times == sorted(seen.times)


def test_av1_opens_in_neither(folder: Path) -> None:
    path = encode(folder / "decoders-av1.mp4", COUNT, "libsvtav1", options={"preset": "10", "svtav1-params": "lp=1"})
    with pytest.raises(MediaError, match="by decord.*--decoder pyav reads more"):
        open_media(os.fspath(path), decoder="decord")
    try:
        assert read(path, "opencv").shows == list(range(COUNT))  # a build of OpenCV with an AV1 decoder
    except MediaError as error:
        assert "no frame could be decoded by OpenCV" in str(error)  # one without: it opens and gives nothing


def test_cut_and_damaged_files_end_silently_in_opencv(folder: Path) -> None:
    whole = encode(folder / "decoders-first.mp4", COUNT, muxer={"movflags": "faststart"})
    seen = read(cut(whole, folder / "decoders-cut.mp4", 0.6), "opencv")
    assert 10 < len(seen.shows) < COUNT and seen.shows == list(range(len(seen.shows))) and seen.errors == []
    seen = read(damage(whole, folder / "decoders-bad.mp4", 0.5, 2000), "opencv")
    assert 0 < len(seen.shows) < COUNT and seen.errors == []


def test_cut_files_do_not_open_in_decord_and_damage_ends_them_with_an_error(folder: Path) -> None:
    whole = encode(folder / "decoders-first2.mp4", COUNT, muxer={"movflags": "faststart"})
    with pytest.raises(MediaError, match="cannot be opened by decord: .*; --decoder pyav reads more") as refused:
        open_media(os.fspath(cut(whole, folder / "decoders-cut2.mp4", 0.6)), decoder="decord")
    assert refused.value.code == "E_OPEN" and "\n" not in str(refused.value) and "/workspace/" not in str(refused.value)
    seen = read(damage(whole, folder / "decoders-bad2.mp4", 0.5, 2000), "decord")
    assert 0 < len(seen.shows) < COUNT
    assert len(seen.errors) == 1 and str(seen.errors[0]).startswith(f"reading stops before frame {len(seen.shows)}: ")


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
@pytest.mark.parametrize(("name", "content", "code"), [
    ("empty.mp4", b"", "E_EMPTY"), ("text.mp4", b"no video\n" * 99, "E_OPEN"), ("absent.mp4", None, "E_OPEN")])
def test_what_is_no_video_is_refused(decoder: str, name: str, content: bytes | None, code: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(MediaError) as refused:
        open_media(os.fspath(tmp_path / name), decoder=decoder)
    assert refused.value.code == code and "\n" not in str(refused.value)


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
def test_audio_alone_is_refused(decoder: str, folder: Path) -> None:
    path = encode(folder / f"{decoder}-audio.m4a", 20, audio=True, video=False, fmt="mp4")
    with pytest.raises(MediaError, match=f"(?i)by {decoder}"):
        open_media(os.fspath(path), decoder=decoder)


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
def test_a_name_that_is_not_utf8_never_reaches_them(decoder: str, folder: Path) -> None:
    """OpenCV would end the interpreter, decord raise UnicodeEncodeError."""
    path = os.fsdecode(os.fsencode(folder) + f"/{decoder}".encode() + b"\xe9.mp4")
    shutil.copy(encode(folder / f"{decoder}-name.mp4", 5), path)
    with pytest.raises(MediaError, match="not UTF-8.*--decoder pyav can"):
        open_media(path, decoder=decoder)
    with pytest.raises(MediaError, match="not UTF-8"):
        open_media("file:" + os.fspath(folder) + f"/{decoder}%E9.mp4", decoder=decoder)


@pytest.mark.parametrize("decoder", ["opencv", "decord"])
def test_sampling_at_and_sizes_are_those_of_the_default_reader(decoder: str, folder: Path) -> None:
    path = os.fspath(encode(folder / f"{decoder}-sampled.mp4", COUNT))
    size = Size("long", 64)

    def sampled(decoder: str) -> list[tuple[int, float, int, tuple[int, ...]]]:
        reader = open_media(path, decoder=decoder)
        chooser = Sampling("fps", fps=4, start=0.5, end=2.0).chooser()
        return [(frame.index, round(frame.t, 4), number_on(frame.image(size)), frame.image(size).shape)
                for frame in reader.frames([size], chooser, start=0.5, end=2.0)]

    assert sampled(decoder) == sampled("pyav") and len(sampled(decoder)) == 6
    at = [(frame.index, number_on(frame.image())) for frame in open_media(path, decoder=decoder).at(
        iter([0, 5, 6, 40, COUNT - 1, COUNT]), [])]
    assert at == [(number, number) for number in (0, 5, 6, 40, COUNT - 1)]


def test_an_unknown_decoder_and_an_absent_camera() -> None:
    with pytest.raises(UsageError, match="--decoder is 'ffmpeg'"):
        open_media("a.mp4", decoder="ffmpeg")
    with pytest.raises(MediaError, match="camera 73") as refused:
        open_media("webcam:73")
    assert refused.value.code == "E_OPEN"
