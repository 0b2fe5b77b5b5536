"""The writer: frames at their own times, sound in step with them, and a file that is whole or not there."""

from __future__ import annotations

import itertools
import os
import resource
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from cards import HEIGHT, RED, WIDTH, card, encode, number_on
from vtk.errors import MediaError, UsageError
from vtk.media.video import open_media
from vtk.media.writer import MUXERS, VideoWriter

# Even distances, a pause, frames close together and another pause, as a camera on a bad line gives.
UNEVEN = [0.0, 0.04, 0.08, 0.11, 0.2, 0.5, 0.52, 1.0, 1.04, 2.0]


def write(path: Path | str, times: list[float], size: tuple[int, int] = (WIDTH, HEIGHT),
          **options: object) -> VideoWriter:
    """Write one card for each time and return the closed writer."""
    with VideoWriter(path, *size, 25.0, **options) as writer:
        for number, t in enumerate(times):
            writer.write(card(number, *size), t)
    return writer


def seen(path: Path | str) -> tuple[list[int], list[float]]:
    """Return the number that each frame of a file shows, and its seconds."""
    reader = open_media(os.fspath(path))
    frames = [(number_on(frame.image()), frame.t) for frame in reader.frames([], lambda index, t: True)]
    assert reader.errors == []
    reader.close()
    return [number for number, _ in frames], [t for _, t in frames]


@pytest.mark.parametrize("suffix", [name for name in MUXERS if name != ".avi"])
def test_frames_keep_their_numbers_and_their_times(tmp_path: Path, suffix: str) -> None:
    write(tmp_path / f"a{suffix}", UNEVEN)
    numbers, times = seen(tmp_path / f"a{suffix}")
    assert numbers == list(range(len(UNEVEN)))
    # Half a tick: 1/90000 s, in Matroska and WebM 1 ms.
    assert times == pytest.approx(UNEVEN, abs=0.00051 if suffix in (".mkv", ".webm") else 6e-6)
    with av.open(os.fspath(tmp_path / f"a{suffix}")) as file:
        assert file.streams.video[0].codec_context.pix_fmt == "yuv420p"
        assert file.streams.video[0].codec_context.name == ("vp9" if suffix == ".webm" else "h264")
        assert file.duration / av.time_base == pytest.approx(UNEVEN[-1] + 0.04, abs=0.002)


def test_avi_puts_frames_on_the_grid_of_its_rate(tmp_path: Path) -> None:
    write(tmp_path / "a.avi", UNEVEN)
    numbers, times = seen(tmp_path / "a.avi")
    assert numbers == list(range(len(UNEVEN)))
    # Multiples of 0.04: 0.11 goes to 0.12, and 0.5 and 0.52, at 12.5 and 13 steps, to 12 and 13.
    assert times == pytest.approx([0.0, 0.04, 0.08, 0.12, 0.2, 0.48, 0.52, 1.0, 1.04, 2.0], abs=1e-6)


def test_the_file_begins_with_its_first_frame(tmp_path: Path) -> None:
    write(tmp_path / "a.mp4", [7.5, 7.54, 8.0])
    assert seen(tmp_path / "a.mp4")[1] == pytest.approx([0.0, 0.04, 0.5], abs=6e-6)
    with av.open(os.fspath(tmp_path / "a.mp4")) as file:
        assert file.start_time == 0


def test_times_that_do_not_rise_are_put_a_tick_apart(tmp_path: Path) -> None:
    write(tmp_path / "a.mkv", [0.0, 0.1, 0.1, 0.05, 0.2])
    numbers, times = seen(tmp_path / "a.mkv")
    assert numbers == [0, 1, 2, 3, 4]
    assert times == pytest.approx([0.0, 0.1, 0.101, 0.102, 0.2], abs=1e-6)


@pytest.mark.parametrize("size", [(131, 97), (130, 97), (131, 96)])
def test_an_odd_side_repeats_its_last_row_or_column(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path / "a.mp4", [0.0, 0.04], size, crf=10)
    reader = open_media(os.fspath(tmp_path / "a.mp4"))
    assert (reader.info.width, reader.info.height) == (size[0] + size[0] % 2, size[1] + size[1] % 2)
    (image,) = [frame.image() for frame in reader.at([1], [])]
    assert number_on(image[: size[1], : size[0]]) == 1
    # The red strip goes on, not black: away from the card's noise at its lower left, by what crf 10 loses.
    assert np.abs(image[-1, size[0] // 4:].astype(int) - RED).max() < 12
    assert np.abs(image[size[1] * 3 // 4:, -1].astype(int) - RED).max() < 12


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".webm"])
def test_colours_come_back(tmp_path: Path, suffix: str) -> None:
    """Written with the other matrix, of BT.601 and BT.709, the green patch is off by 25 levels; measured."""
    patches = np.zeros((96, 128, 3), np.uint8)
    colours = [(220, 40, 40), (40, 200, 60), (40, 60, 210), (200, 200, 60)]
    for place, colour in enumerate(colours):
        patches[:, place * 32:(place + 1) * 32] = colour
    with VideoWriter(tmp_path / f"a{suffix}", 128, 96, 25.0, crf=12) as writer:
        writer.write(patches, 0.0)
    (frame,) = open_media(os.fspath(tmp_path / f"a{suffix}")).frames([], lambda index, t: True)
    for place, colour in enumerate(colours):
        patch = frame.image()[20:76, place * 32 + 8:place * 32 + 24].reshape(-1, 3).mean(0)
        assert np.abs(patch - colour).max() < 6  # 3 levels measured: 8-bit YUV of limited range, and coding


def test_the_index_stands_in_front(tmp_path: Path) -> None:
    for suffix in (".mp4", ".mov", ".m4v"):
        write(tmp_path / f"a{suffix}", UNEVEN)
        data = (tmp_path / f"a{suffix}").read_bytes()
        assert data.index(b"moov") < data.index(b"mdat")


def test_images_that_cannot_be_written_to_are_taken(tmp_path: Path) -> None:
    image = card(5)
    image.flags.writeable = False
    with VideoWriter(tmp_path / "a.mp4", WIDTH, HEIGHT, 25.0) as writer:
        writer.write(image, 0.0)
        writer.write(card(6, WIDTH * 2)[:, ::2], 0.04)  # not contiguous
    assert seen(tmp_path / "a.mp4")[0] == [5, 6]


def beeps(path: Path, codec: str, seconds: int = 3, delay: float = 0.0) -> Path:
    """Write a clip whose sound beeps for 0.1 s at each whole second of its frames, which start ``delay`` late."""
    rate = 48000 if codec == "libopus" else 44100
    with av.open(os.fspath(path), "w") as out:
        video, sound = out.add_stream("libx264", rate=25), out.add_stream(codec, rate=rate)
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.options = {"preset": "ultrafast"}
        for number in range(seconds * 25):
            frame = av.VideoFrame.from_ndarray(card(number))
            frame.pts, frame.time_base = number + round(delay * 25), Fraction(1, 25)
            out.mux(video.encode(frame))
        out.mux(video.encode(None))
        t = np.arange(int(rate * (seconds + delay))) / rate - delay
        wave = np.where((t >= 0) & (t % 1 < 0.1), 0.8 * np.sin(2000 * np.pi * t), 0).astype(np.float32)
        for start in range(0, len(wave), 1024):
            block = av.AudioFrame.from_ndarray(np.tile(wave[start:start + 1024], (2, 1)), "fltp", "stereo")
            block.sample_rate, block.pts, block.time_base = rate, start, Fraction(1, rate)
            out.mux(sound.encode(block))
        out.mux(sound.encode(None))
    return path


def heard(path: Path) -> tuple[list[float], float]:
    """Return when beeps begin and when the sound ends, in seconds from the first video frame."""
    with av.open(os.fspath(path)) as file:
        video, sound = file.streams.video[0], file.streams.audio[0]
        origin = float((video.start_time or 0) * video.time_base)
        resampler = av.AudioResampler("fltp", "mono", 48000)
        begins: list[float] = []
        loud, end = -1.0, 0.0
        for frame in itertools.chain.from_iterable(resampler.resample(frame) for frame in file.decode(sound)):
            begin = float(frame.pts * frame.time_base) - origin
            for place in np.flatnonzero(np.abs(frame.to_ndarray()[0]) > 0.2):
                t = begin + place / 48000
                if t - loud > 0.3:
                    begins.append(t)
                loud = t
            end = begin + frame.samples / 48000
    return begins, end


@pytest.mark.parametrize("start", [0.0, 1.52])
@pytest.mark.parametrize(("name", "codec", "delay", "into", "how"), [
    ("a.mp4", "aac", 0.0, ".mp4", "copied"), ("b.mp4", "aac", 0.6, ".mkv", "copied"),
    ("c.ts", "aac", 0.6, ".mp4", "copied"), ("d.mkv", "libopus", 0.0, ".webm", "copied"),
    ("e.mkv", "flac", 0.0, ".mov", "encoded"), ("f.mkv", "pcm_s16le", 0.0, ".mp4", "encoded"),
    ("g.mp4", "aac", 0.0, ".webm", "encoded"), ("h.mp4", "aac", 0.6, ".avi", "encoded")])
def test_sound_stays_in_step_with_the_frames(tmp_path: Path, name: str, codec: str, delay: float, into: str, how: str,
                                             start: float) -> None:
    source = beeps(tmp_path / name, codec, delay=delay)
    first = round(start * 25)
    with VideoWriter(tmp_path / f"out{into}", WIDTH, HEIGHT, 25.0, audio_from=os.fspath(source)) as writer:
        for number in range(first, 60):
            writer.write(card(number), number / 25)
    assert writer.audio == how
    assert (writer.audio_note is None) == (how == "copied")
    begins, end = heard(tmp_path / f"out{into}")
    expected = [second - start for second in range(3) if second >= start and second < 2.4]
    # A packet lasts up to 26 ms; AVI, which counts from 0, is put off by MP3's priming or early by a packet: one frame.
    assert begins == pytest.approx(expected, abs=0.04 if into == ".avi" else 0.003)
    assert end == pytest.approx(2.4 - start, abs=0.06)  # with the last frame, to a packet


def test_sound_that_is_copied_is_the_same_packets(tmp_path: Path) -> None:
    source = beeps(tmp_path / "a.mp4", "aac")
    write(tmp_path / "b.mp4", [number / 25 for number in range(75)], audio_from=os.fspath(source))

    def packets(path: Path) -> list[bytes]:
        with av.open(os.fspath(path)) as file:
            return [bytes(packet) for packet in file.demux(audio=0) if packet.size]

    assert len(packets(tmp_path / "b.mp4")) > 100
    assert packets(tmp_path / "b.mp4") == packets(source)[: len(packets(tmp_path / "b.mp4"))]


def test_sound_lies_among_the_frames_in_the_file(tmp_path: Path) -> None:
    """The clip is longer than the 10 s for which FFmpeg's muxers sort packets by themselves."""
    source = beeps(tmp_path / "a.mp4", "aac", seconds=30)
    write(tmp_path / "b.mkv", [number / 25 for number in range(740)], audio_from=os.fspath(source), preset="ultrafast")
    reached = {"video": 0.0, "audio": 0.0}
    with av.open(os.fspath(tmp_path / "b.mkv")) as file:
        for packet in file.demux():
            if packet.size:
                reached[packet.stream.type] = float(packet.dts * packet.time_base)
                assert abs(reached["video"] - reached["audio"]) < 1.0
    assert min(reached.values()) > 29.0


@pytest.mark.parametrize(("source", "note"), [
    ("silent.mp4", "has no sound"), ("missing.mp4", "cannot be opened for its sound: No such file"),
    ("webcam:0", "no file with sound"), ("rtsp://127.0.0.1:9/x", "no file with sound"), (None, "no sound was asked")])
def test_why_there_is_no_sound_is_said(tmp_path: Path, source: str | None, note: str) -> None:
    encode(tmp_path / "silent.mp4", 3)
    name = os.fspath(tmp_path / source) if source and source.endswith(".mp4") else source
    writer = write(tmp_path / "a.mp4", [0.0, 0.04], audio_from=name)
    assert writer.audio == "none" and note in str(writer.audio_note)
    assert seen(tmp_path / "a.mp4")[0] == [0, 1]


def test_damaged_sound_does_not_cost_the_video(tmp_path: Path) -> None:
    data = bytearray(beeps(tmp_path / "a.ts", "aac").read_bytes())
    middle = len(data) // 2
    data[middle:middle + 20_000] = np.random.default_rng(3).integers(0, 256, 20_000, np.uint8).tobytes()
    (tmp_path / "a.ts").write_bytes(data)
    for into in ("b.mkv", "b.webm"):
        write(tmp_path / into, [number / 25 for number in range(75)], audio_from=os.fspath(tmp_path / "a.ts"))
        assert seen(tmp_path / into)[0] == list(range(75))


def test_the_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(b"old")
    writer = VideoWriter(path, WIDTH, HEIGHT, 25.0)
    writer.write(card(0), 0.0)
    assert path.read_bytes() == b"old" and sorted(os.listdir(tmp_path)) == ["a.mp4", "a.mp4.part"]
    writer.close()
    writer.close()
    assert os.listdir(tmp_path) == ["a.mp4"] and seen(path)[0] == [0]
    writer.abort()
    assert os.listdir(tmp_path) == ["a.mp4"]


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_an_error_in_the_block_or_abort_leaves_nothing(tmp_path: Path, name: str) -> None:
    with pytest.raises(KeyError), VideoWriter(tmp_path / name, WIDTH, HEIGHT, 25.0) as writer:
        for number in range(60):
            writer.write(card(number), number / 25)
        raise KeyError("x")
    assert os.listdir(tmp_path) == []
    writer = VideoWriter(tmp_path / name, WIDTH, HEIGHT, 25.0)
    writer.abort()
    assert os.listdir(tmp_path) == []
    with pytest.raises(ValueError, match="after it was closed"):
        writer.write(card(0), 0.0)


def test_no_frame_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="not one frame came") as failed, VideoWriter(tmp_path / "a.mp4", 8, 8, 25.0):
        pass
    assert failed.value.code == "E_ENCODE" and os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["full.mp4", "full.mkv", "full.avi"])
def test_a_full_disk_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    noise = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    with pytest.raises(MediaError, match=f"cannot write .*{name}: No space left on device") as failed:
        with VideoWriter(tmp_path / name, WIDTH, HEIGHT, 25.0) as writer:
            for number in range(60):
                writer.write(np.roll(noise, number, 0), number / 25)
    assert failed.value.code == "E_ENCODE" and "\n" not in str(failed.value)
    assert os.listdir(tmp_path) == [name] and Path("/dev/full").is_char_device()


def test_a_disk_that_fills_on_the_way_leaves_nothing(tmp_path: Path) -> None:
    """A bound on the size of files, in a process of its own, stands for the disk."""
    script = (
        "import sys, numpy as np\n"
        "from vtk.errors import MediaError\n"
        "from vtk.media.writer import VideoWriter\n"
        "noise = np.random.default_rng(0).integers(0, 256, (96, 128, 3), np.uint8)\n"
        "try:\n"
        "    with VideoWriter(sys.argv[1], 128, 96, 25.0) as writer:\n"
        "        for n in range(200):\n"
        "            writer.write(np.roll(noise, n * 7, 1), n / 25)\n"
        "except MediaError as error:\n"
        "    print(error.code, error)\n")
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "a.mp4"], capture_output=True, text=True,
                          timeout=60, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)))
    assert done.stdout == f"E_ENCODE cannot write {tmp_path}/a.mp4: File too large\n" and done.returncode == 0
    assert done.stderr == "" and os.listdir(tmp_path) == []


def test_a_missing_folder_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MediaError, match="cannot write .*no/a.mp4: No such file or directory") as failed:
        VideoWriter(tmp_path / "no" / "a.mp4", 8, 8, 25.0)
    assert failed.value.code == "E_ENCODE"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(MediaError, match="Permission denied"):
        VideoWriter(tmp_path / "a.mp4", 8, 8, 25.0)


def test_what_cannot_be_asked_for_is_refused_before_a_file_is_made(tmp_path: Path) -> None:
    for name, options, message in [("a.flv", {}, "ends in .mp4"), ("a", {}, "ends in .mp4"),
                                   ("a.mp4", {"preset": "quick"}, "preset 'quick' is none of"),
                                   ("a.mp4", {"crf": 52}, "crf 52")]:
        with pytest.raises(UsageError, match=message):
            VideoWriter(tmp_path / name, 8, 8, 25.0, **options)
    for width, height, fps in [(0, 8, 25.0), (8, 8, 0.0), (8, 8, float("nan")), (8, 8, float("inf"))]:
        with pytest.raises(ValueError, match="positive"):
            VideoWriter(tmp_path / "a.mp4", width, height, fps)
    assert os.listdir(tmp_path) == []
    (tmp_path / "a.mp4").write_bytes(b"old")
    with pytest.raises(UsageError, match="exists: --overwrite"):
        VideoWriter(tmp_path / "a.mp4", 8, 8, 25.0, overwrite=False)
    assert (tmp_path / "a.mp4").read_bytes() == b"old"


def test_frames_of_another_shape_or_time_are_refused(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", WIDTH, HEIGHT, 25.0) as writer:
        writer.write(card(0), 0.0)
        for image in (card(1).T, card(1)[..., 0], card(1).astype(np.float32)):
            with pytest.raises(ValueError, match=r"uint8 \(96, 128, 3\) is expected"):
                writer.write(image, 0.1)
        with pytest.raises(ValueError, match="t is nan"):
            writer.write(card(1), float("nan"))
        writer.write(card(1), 0.2)
    assert seen(tmp_path / "a.mp4")[0] == [0, 1]


@pytest.mark.parametrize("name", [b"caf\xe9.mp4", b"12:30.mp4", b"a\nb\"%03d.mkv"])
def test_any_name_can_be_written(tmp_path: Path, name: bytes) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/" + name)
    source = beeps(tmp_path / "s.mp4", "aac", seconds=1)
    os.rename(source, path + ".mp4")
    assert write(path, [0.0, 0.04], audio_from=path + ".mp4").audio == "copied"
    assert seen(path)[0] == [0, 1]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.mp4").write_bytes(b"old")
    (tmp_path / "link.mp4").symlink_to("real.mp4")
    write(tmp_path / "link.mp4", [0.0])
    assert (tmp_path / "link.mp4").is_symlink() and seen(tmp_path / "real.mp4")[0] == [0]


@pytest.mark.parametrize("sound", [False, True])
def test_memory_stays_flat(tmp_path: Path, sound: bool) -> None:
    """In a process of its own: a thousand frames more take no memory that a hundred did not."""
    source = os.fspath(beeps(tmp_path / "s.mp4", "aac", seconds=44)) if sound else ""
    script = (
        "import resource, sys, numpy as np\n"
        "from vtk.media.writer import VideoWriter\n"
        "image = np.zeros((360, 640, 3), np.uint8)\n"
        "with VideoWriter(sys.argv[1], 640, 360, 25.0, audio_from=sys.argv[2] or None, preset='ultrafast') as writer:\n"
        "    for n in range(1100):\n"
        "        writer.write(image, n / 25)\n"
        "        if n == 100:\n"
        "            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n")
    done = subprocess.run([sys.executable, "-c", script, tmp_path / "a.mp4", source], capture_output=True, text=True,
                          timeout=120, check=True)
    # A thousand frames are 690 MB as RGB; 20 MB is what the allocator may round.
    assert int(done.stdout) < 20_000 and done.stderr == ""
