"""Files over HTTP and live streams over TCP and RTSP: they break off, come back, fall silent."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from cards import encode, number_on
from conftest import run_vtk
from servers import Broadcast, Camera, rtp_packets, serving
from vtk.errors import MediaError, UsageError
from vtk.media.frames import Decoded
from vtk.media.video import Reader, open_media

COUNT = 200
TIMEOUT = 1.0  # seconds


def everything(index: int, t: float) -> bool:
    """Choose every frame."""
    return True


def numbers(reader: Reader) -> list[int]:
    """Return what the frames show, in order."""
    return [number_on(frame.image()) for frame in reader.frames([], everything)]


@pytest.fixture(scope="module")
def clip(folder: Path) -> Path:
    """Return an MP4 whose index comes first."""
    return encode(folder / "served.mp4", COUNT, muxer={"movflags": "faststart"})


@pytest.fixture(scope="module")
def transport(folder: Path) -> Path:
    """Return an MPEG-TS of 50 frames."""
    return encode(folder / "broadcast.ts", 50)


@pytest.mark.parametrize(("breaks", "gone"), [((), 0.0), ((60_000,), 0.0), ((60_000, 50_000), 0.3)],
                         ids=["whole", "one break", "gone and back twice"])
def test_http_is_taken_up_where_it_broke(breaks: tuple[int, ...], gone: float, clip: Path) -> None:
    """Every frame comes, whatever the server did in between."""
    with serving(clip, breaks, gone) as server:
        reader = open_media(server.url, timeout=5.0)
        assert (reader.info.kind, reader.info.width, reader.info.fingerprint) == ("video", 128, None)
        assert numbers(reader) == list(range(COUNT)) and reader.errors == []
        assert len(server.requests) >= 1 + len(breaks) and not server.breaks


def test_http_that_stays_away_ends_in_time(clip: Path) -> None:
    """The frames that came, then an error, no later than --timeout after the last byte."""
    with serving(clip, [100_000], gone=float("inf")) as server:
        reader = open_media(server.url, timeout=TIMEOUT)
        begin = time.monotonic()
        shown = numbers(reader)
        assert time.monotonic() - begin < TIMEOUT + 1.0
        assert 50 < len(shown) < COUNT and shown == list(range(len(shown)))
        assert (reader.errors[0].code, str(reader.errors[0]).split(" (after")[0]) == (
            "E_TIMEOUT", "nothing more came in time (--timeout)")


def test_http_on_the_command_line(clip: Path) -> None:
    """A partial end, an error record of code E_TIMEOUT, exit code 1."""
    with serving(clip, [100_000], gone=float("inf")) as server:
        done = run_vtk("detect", "--model", "motion", "--timeout", str(TIMEOUT), server.url)
    *_, error, end = [json.loads(line) for line in done.stdout.splitlines()]
    assert error["error"]["code"] == "E_TIMEOUT" and not error["error"]["fatal"]
    assert end["status"] == "partial" and end["frames"]["decoded"] > 50 and "fingerprint" not in end
    assert done.returncode == 1 and len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/x.mp4", "tcp://127.0.0.1:9", "rtsp://127.0.0.1:9/x"])
def test_no_one_there(url: str) -> None:
    """One line, within --timeout."""
    begin = time.monotonic()
    with pytest.raises(MediaError, match="cannot be opened: (Connection refused|nothing came in time)") as caught:
        open_media(url, timeout=TIMEOUT)
    assert caught.value.code in {"E_OPEN", "E_TIMEOUT"} and time.monotonic() - begin < TIMEOUT + 1.0


def check_order(frames: list[Decoded]) -> None:
    """Ask that indices count on and that times never run back."""
    assert [frame.index for frame in frames] == list(range(len(frames)))
    assert all(before.t <= after.t for before, after in zip(frames, frames[1:]))


def test_a_stream_that_breaks_is_connected_to_again(transport: Path) -> None:
    """Both connections' frames, counted through; the pause passes on the clock."""
    with Broadcast([transport.read_bytes()] * 2, pause=0.3) as sender:
        reader = open_media(sender.url, timeout=TIMEOUT)
        frames = list(reader.frames([], everything))
        assert sender.connections == 2
    check_order(frames)
    assert [number_on(frame.image()) for frame in frames] == [*range(50), *range(50)]
    assert 0.3 <= frames[50].t - frames[49].t < 2.0
    assert [frame.t - frames[50].t for frame in frames[50:]] == pytest.approx([k / 25 for k in range(50)], abs=1e-3)
    assert [(error.code, str(error)) for error in reader.errors] == [
        ("E_TIMEOUT", f"the stream ended, and nothing came for {TIMEOUT:g} s (--timeout)")]
    assert reader.info.kind == "stream" and reader.decoded == 100


def test_a_stream_that_breaks_within_a_packet(transport: Path) -> None:
    """What came before the break, and all of what came after it."""
    data = transport.read_bytes()
    with Broadcast([data[:len(data) // 2 + 50], data]) as sender:
        frames = list(open_media(sender.url, timeout=TIMEOUT).frames([], everything))
    check_order(frames)
    shown = [number_on(frame.image()) for frame in frames]
    again = len(shown) - 50
    assert again > 15 and shown[again:] == list(range(50)) and shown[:again - 2] == list(range(again - 2))


def test_a_stream_that_falls_silent(transport: Path) -> None:
    """Its frames, and an error once --timeout has passed, not twice that."""
    with Broadcast([transport.read_bytes()], linger=30.0) as sender:
        reader = open_media(sender.url, timeout=TIMEOUT)
        begin = time.monotonic()
        shown = numbers(reader)
        assert TIMEOUT * 0.5 < time.monotonic() - begin < TIMEOUT * 1.5 + 0.5
    assert shown[:48] == list(range(48)) and len(shown) <= 50  # FFmpeg's parser keeps the last picture
    assert [(error.code, str(error)) for error in reader.errors] == [
        ("E_TIMEOUT", f"the stream fell silent, and nothing came for {TIMEOUT:g} s (--timeout)")]


def test_a_stream_that_says_nothing() -> None:
    """It is given up after --timeout."""
    with Broadcast([b""], linger=30.0) as sender, pytest.raises(MediaError, match="nothing came for") as caught:
        open_media(sender.url, timeout=TIMEOUT)
    assert caught.value.code == "E_TIMEOUT"


def test_a_slow_stage_is_not_a_silent_stream(transport: Path) -> None:
    """Time that the model takes does not count as silence."""
    with Broadcast([transport.read_bytes()]) as sender:
        frames = open_media(sender.url, timeout=TIMEOUT).frames([], everything)
        next(frames)
        time.sleep(TIMEOUT * 1.2)
        assert len(list(frames)) == 49


def test_rtsp_plays_and_is_connected_to_again(transport: Path) -> None:
    """A camera over RTSP, RTP within TCP: all frames of both connections."""
    packets = rtp_packets(transport)
    with Camera([packets, packets]) as camera:
        reader = open_media(camera.url, timeout=TIMEOUT)
        frames = list(reader.frames([], everything))
    check_order(frames)
    assert [number_on(frame.image()) for frame in frames] == [*range(50), *range(50)]
    assert reader.info.codec == "h264" and {error.code for error in reader.errors} == {"E_TIMEOUT"}


def test_a_live_stream_passes_once(transport: Path) -> None:
    """Stored frames cannot be fetched from it; a limit ends it without an error."""
    with Broadcast([transport.read_bytes()], linger=30.0) as sender:
        reader = open_media(sender.url, timeout=TIMEOUT)
        with pytest.raises(UsageError, match="a live stream cannot be read again"):
            reader.at([3], [])
        frames = reader.frames([], everything, end=0.5)
        assert len(list(frames)) == 13 and reader.errors == []
        reader.close()
