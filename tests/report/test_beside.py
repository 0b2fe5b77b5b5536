"""A source beside what it copies: every frame of every clip says which it is, and is read back from the picture."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from encoded import assert_same_video

from vtk.driver.run import run
from vtk.media.writer import VideoWriter
from vtk.records import Record, make
from vtk.report.draw import DrawStage
from vtk.report.opposite import Opposite

BARS = 14
DARK = 45  # of 255: the ground and empty panes are below, bars of clips above


def barred(clip: int, index: int, width: int = 168, height: int = 96) -> np.ndarray:
    """Return a frame that says its clip (of 8) and its number (of 512) in bars, (height, width, 3) uint8 RGB."""
    bits = [1, *((clip << 9 | index) >> bit & 1 for bit in range(12)), 0]
    row = np.array(bits)[np.arange(width) * BARS // width] * 140 + 70
    return np.broadcast_to(row[None, :, None], (height, width, 3)).astype(np.uint8)


def write(path: Path, clip: int, frames: int, fps: float, size: tuple[int, int] = (168, 96), hflip: bool = False,
          audio_from: str | None = None) -> Path:
    with VideoWriter(path, *size, fps, crf=10, preset="ultrafast", audio_from=audio_from) as writer:
        for index in range(frames):
            image = barred(clip, index, *size)
            writer.write(image[:, ::-1] if hflip else image, index / fps)
    return path


def read(pane: np.ndarray) -> tuple[int, int] | None:
    """Return the clip and the number that a pane shows; None where it is dark, mirrored (-1, -1)."""
    lit = pane.mean(axis=2) > DARK
    rows, columns = np.flatnonzero(lit.mean(axis=1) > 0.3), np.flatnonzero(lit.mean(axis=0) > 0.3)
    if not len(rows) or not len(columns):
        return None
    image = pane[rows[0]:rows[-1] + 1, columns[0]:columns[-1] + 1].mean(axis=(0, 2))
    bits = [int(image[round((bar + 0.5) * len(image) / BARS)] > 140) for bar in range(BARS)]
    if (bits[0], bits[-1]) != (1, 0):
        return -1, -1
    value = sum(bit << place for place, bit in enumerate(bits[1:-1]))
    return value >> 9, value & 511


def panes(path: Path, width: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the left and the right pane of each frame of a drawn video, from what is lit on the left."""
    with av.open(str(path)) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    rows = np.flatnonzero((pictures[0][:, 10:width - 10].mean(axis=2) > DARK).all(axis=1))
    rows = rows[rows - np.arange(len(rows)) == rows[0]]  # below them is the line of time
    return [(picture[rows[0]:rows[-1] + 1, :width], picture[rows[0]:rows[-1] + 1, -width:]) for picture in pictures]


def copy(source: Path | str, ref: Path | str, span: tuple[float, float], ref_span: tuple[float, float],
         score: float = 0.9, **keys: Any) -> Record:
    return make("copy", "detect-copy/x", str(source), start=span[0], end=span[1], ref=str(ref), ref_start=ref_span[0],
                ref_end=ref_span[1], score=score, **keys)


def found(source: Path | str, *copies: Record) -> list[Record]:
    """Return what detect-copy gives of a source."""
    return [make("media", "detect-copy/x", str(source), kind="video", width=168, height=96), *copies,
            make("end", "detect-copy/x", str(source), status="ok", records=len(copies), types=["copy"],
                 frames={"decoded": 9, "processed": 9, "skipped": 0})]


def draw(out: Path, records: Iterable[Record], **options: Any) -> list[Record]:
    """Draw into a file, or a folder; return the error records."""
    place = {"out_dir": out} if not out.suffix else {"output": out}
    made = list(run([DrawStage(**place, tee=True, crf=14, preset="ultrafast", **options)], records=records))
    return [record for record in made if record["type"] == "error"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """Return a reference: clip 1, 100 frames, 4 s."""
    return write(tmp_path / "film.mp4", 1, 100, 25)


@pytest.mark.parametrize(("fps", "span", "ref_span", "speed"), [
    (10, (0.5, 3.0), (1.0, 3.5), None), (25, (0.0, 4.0), (0.0, 4.0), 1.0), (10, (0.5, 2.0), (0.5, 3.5), 2.0),
    (30, (0.4, 2.0), (3.0, 3.8), 0.5), (25, (1.0, 2.0), (2.007, 3.012), None),
])
def test_the_right_side_shows_what_the_line_says(tmp_path: Path, film: Path, fps: float, span: tuple[float, float],
                                                 ref_span: tuple[float, float], speed: float | None) -> None:
    query = write(tmp_path / "query.mp4", 0, 40, fps)
    keys = {} if speed is None else {"transform": {"speed": speed, "hflip": False}}
    assert not draw(tmp_path / "out.mp4", found(query, copy(query, film, span, ref_span, **keys)))
    drawn = panes(tmp_path / "out.mp4", 168)
    assert [read(left) for left, _ in drawn] == [(0, index) for index in range(40)]
    share = (ref_span[1] - ref_span[0]) / (span[1] - span[0])
    for index, (_, right) in enumerate(drawn):
        t = index / fps
        if span[0] - 1e-6 <= t < span[1] - 1e-6:
            clip, number = read(right) or (None, -9)
            assert clip == 1 and abs(number - (ref_span[0] + share * (t - span[0])) * 25) <= 0.51, (index, number)
        else:
            assert read(right) is None and right.max() > 90, "dark, with a quiet label"


def test_a_mirrored_copy_is_mirrored_back(tmp_path: Path, film: Path) -> None:
    query = write(tmp_path / "query.mp4", 1, 25, 25, hflip=True)
    draw(tmp_path / "out.mp4", found(query, copy(query, film, (0, 1), (0, 1), transform={"speed": 1.0, "hflip": True})))
    for index, (left, right) in enumerate(panes(tmp_path / "out.mp4", 168)):
        assert read(left) == read(right) == (-1, -1) and read(right[:, ::-1]) == (1, index)
        assert np.abs(left.astype(int) - right).mean() < 8, "both look alike"


def test_several_references_come_and_go_and_the_best_is_shown(tmp_path: Path, film: Path) -> None:
    query, other = write(tmp_path / "query.mp4", 0, 40, 10), write(tmp_path / "other.mp4", 2, 100, 50)
    records = found(query, copy(query, film, (0, 1), (2, 3)), copy(query, film, (1, 2), (0, 1)),
                    copy(query, other, (0.5, 1.5), (0, 1), score=0.95), copy(query, film, (2, 3), (2.5, 3.5)),
                    copy(query, other, (2, 4), (0, 2), score=0.2))
    draw(tmp_path / "out.mp4", records)
    drawn = [read(right) for _, right in panes(tmp_path / "out.mp4", 168)]
    expected = [(1, 50 + 2.5 * n) for n in range(5)] + [(2, 5 * n) for n in range(10)]
    expected += [(1, 12.5 + 2.5 * n) for n in range(5)] + [(1, 62.5 + 2.5 * n) for n in range(10)]
    expected += [(2, 50 + 5 * n) for n in range(10)]
    for place, ((clip, number), shown) in enumerate(zip(expected, drawn, strict=True)):
        assert shown is not None and shown[0] == clip and abs(shown[1] - number) <= 0.51, place
    with av.open(str(tmp_path / "out.mp4")) as container:
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    right = [picture[16:29, 168 + 65:].max() for picture in pictures]  # behind the score
    assert all((right[place] > 90) == (5 <= place < 15 or 20 <= place < 30) for place in range(40)), "others are named"


def test_a_reference_that_is_gone_leaves_its_half_dark(tmp_path: Path, film: Path) -> None:
    query = write(tmp_path / "query.mp4", 0, 30, 10)
    (tmp_path / "broken.mp4").write_bytes(b"no video")
    records = found(query, copy(query, tmp_path / "gone.mp4", (0, 1), (0, 1)), copy(query, film, (1, 2), (1, 2)),
                    copy(query, tmp_path / "broken.mp4", (2, 3), (0, 1)),
                    copy(query, "rtsp://nowhere/x", (2.5, 3), (0, 1), 1.0))
    errors = draw(tmp_path / "out.mp4", records)
    told = [error["error"]["message"] for error in errors]
    assert len(told) == 3 and f"reference {tmp_path / 'gone.mp4'} cannot be opened: No such file" in told[0]
    assert "broken.mp4" in told[1] + told[2] and "rtsp://nowhere/x is live" in told[1] + told[2]
    assert not any(error["error"]["fatal"] for error in errors)
    drawn = [read(right) for _, right in panes(tmp_path / "out.mp4", 168)]
    assert drawn[:10] == drawn[20:] == [None] * 10 and [shown[0] for shown in drawn[10:20] if shown] == [1] * 10


def test_a_reference_that_ended_shows_its_last_frame_and_then_nothing(tmp_path: Path, film: Path) -> None:
    query = write(tmp_path / "query.mp4", 0, 20, 10)
    assert not draw(tmp_path / "out.mp4", found(query, copy(query, film, (0, 1), (3.5, 4.5)),
                                                copy(query, film, (1, 2), (50, 51))))
    drawn = [read(right) for _, right in panes(tmp_path / "out.mp4", 168)]
    assert drawn[5:10] == [(1, 99)] * 5 and drawn[10:] == [None] * 10


@pytest.mark.parametrize("size", [(161, 119), (96, 168), (56, 40), (300, 120)])
@pytest.mark.parametrize("ref_size", [(168, 96), (97, 181), (640, 64)])
def test_nothing_is_stretched_and_sizes_are_even(tmp_path: Path, size: tuple[int, int],
                                                 ref_size: tuple[int, int]) -> None:
    query, film = write(tmp_path / "query.mkv", 0, 4, 10, size), write(tmp_path / "film.mkv", 1, 4, 10, ref_size)
    with av.open(str(query)) as container:  # an odd side is padded
        size = container.streams.video[0].width, container.streams.video[0].height
    with av.open(str(film)) as container:
        ref_size = container.streams.video[0].width, container.streams.video[0].height
    draw(tmp_path / "out.mp4", found(query, copy(query, film, (0, 1), (0, 1))))
    with av.open(str(tmp_path / "out.mp4")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert picture.shape[0] % 2 == picture.shape[1] % 2 == 0 and picture.shape[1] >= 2 * size[0]
    _, right = panes(tmp_path / "out.mp4", size[0])[0]
    assert right.shape[:2] == (size[1], size[0])
    lit = right.mean(axis=2) > DARK
    lit = lit[:, lit.any(axis=0)]
    high = int((lit.mean(axis=1) > 0.5).sum())
    scale = min(size[0] / ref_size[0], size[1] / ref_size[1])
    assert abs(lit.shape[1] - ref_size[0] * scale) <= 2.5 and abs(high - ref_size[1] * scale) <= 2.5


@pytest.mark.parametrize("records", [(), ("late",), ("types",)])
def test_without_copies_the_video_is_as_it_was(tmp_path: Path, film: Path, records: tuple[str, ...]) -> None:
    """Without any, with some that come too late, and where others are asked for."""
    query = write(tmp_path / "query.mp4", 0, 10, 10)
    assert not draw(tmp_path / "plain.mp4", found(query)[:1])
    seen = make("detection", "detect/x", str(query), frame=0, t=0.0, xyxy=[0, 0, 9, 9], score=0.5)
    one = copy(query, film, (0, 1), (0, 1))
    head, *_, end = found(query)
    stream = [head, seen, one, end] if "late" in records else [head, one, end] if "types" in records else [head, end]
    types = ("text",) if "types" in records or "late" in records else ()
    errors = draw(tmp_path / "out.mp4", stream, types=(*types, "copy") if "late" in records else types)
    assert_same_video(tmp_path / "out.mp4", tmp_path / "plain.mp4")
    assert [error["error"]["code"] for error in errors] == (["E_LATE"] if "late" in records else [])
    assert not errors or "vtk sort puts them first" in errors[0]["error"]["message"]


def test_copies_alone_before_the_frames_and_of_a_run_are_all_drawn(tmp_path: Path, film: Path) -> None:
    query = write(tmp_path / "query.mp4", 0, 10, 10)
    one, (head, end) = copy(query, film, (0, 1), (0, 1)), found(query)
    seen = make("detection", "detect/x", str(query), frame=0, t=0.0, xyxy=[0, 0, 9, 9], score=0.5)
    streams = {"alone": [one], "first": [head, one, seen | {"frame": 4, "t": 0.4}, end],
               "run": [make("run", "detect-copy/x", late=["cluster", "copy"]), head, seen, end, one,
                       make("run", "detect-copy/x", late=["cluster", "copy"], status="ok", records=1)]}
    streams["cut"] = [record for record in streams["run"] if record is not end]
    for name, stream in streams.items():
        assert not draw(tmp_path / f"{name}.mp4", stream, types=("copy",))
    for name in streams:
        assert_same_video(tmp_path / f"{name}.mp4", tmp_path / "run.mp4")
    assert [read(right) for _, right in panes(tmp_path / "run.mp4", 168)][3] in ((1, 7), (1, 8))


def test_several_sources_and_one_without_copies(tmp_path: Path, film: Path) -> None:
    queries = [write(tmp_path / f"{name}.mp4", 0, 10, 10) for name in "abc"]
    records = itertools.chain(found(queries[0], copy(queries[0], film, (0, 1), (0, 1))), found(queries[1]),
                              found(queries[2], copy(queries[2], queries[0], (0, 1), (0, 1))))
    assert not draw(tmp_path / "out", records)
    widths = []
    for path in sorted((tmp_path / "out").rglob("*.mp4")):
        with av.open(str(path)) as container:
            widths.append(container.streams.video[0].width)
    assert [width > 300 for width in widths] == [True, False, True]


def test_a_copy_that_lasts_no_time_is_said(tmp_path: Path, film: Path) -> None:
    query = write(tmp_path / "query.mp4", 0, 10, 10)
    errors = draw(tmp_path / "out.mp4", found(query, *[copy(query, film, (0, 1), (2, 2))] * 2))
    assert [error["error"]["code"] for error in errors] == ["E_RECORD"]
    assert len(panes(tmp_path / "out.mp4", 168)) == 10


def test_one_reference_is_open_and_far_moments_are_sought(film: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.mp4", 2, 500, 25)
    opposite = Opposite()
    for ref, t in [(other, 0.0), (other, 0.1), (film, 1.0), (film, 1.04), (other, 19.0), (other, 0.5), (other, 19.5)]:
        frame = opposite.frame(str(ref), t)
        assert frame is not None and abs(frame.t - t) <= 0.021
    assert opposite._reader is not None and opposite._reader.decoded < 300, "not all of what lies before"
    assert opposite.size == (168, 96)
    opposite.close()
    with pytest.raises(ValueError, match="no reference is open"):
        _ = opposite.size
