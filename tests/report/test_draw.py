"""``DrawStage`` driven by hand: frames and records in, a playable file out."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from vtk.driver.stage import Frame, Source
from vtk.errors import MediaError, RecordError, UsageError
from vtk.media.info import MediaInfo
from vtk.media.sampling import Sampling
from vtk.report.draw import DrawStage
from vtk.report.palette import colour_of

WIDTH, HEIGHT = 160, 120
VIDEO = MediaInfo("video", WIDTH, HEIGHT, fps=10.0)
IMAGE = MediaInfo("image", WIDTH, HEIGHT)


def track(index, x=40.0, track_id=1):
    return {"v": 1, "type": "track", "by": "track/x", "source": "a.mp4", "frame": index, "t": index / 10,
            "track_id": track_id, "xyxy": [x, 40.0, x + 40, 100.0], "score": 0.9, "label": "person"}


def frames(source, count, records=track):
    """Return grey, read-only frames with one record each."""
    grey = np.full((HEIGHT, WIDTH, 3), 128, np.uint8)
    grey.flags.writeable = False
    return [Frame(source, index, index / 10, image=grey, records=[records(index)] if records else [])
            for index in range(count)]


def drawn(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def draw(stage, source, count=5, records=track, ok=True):
    stage.prepare()
    assert stage.sampling(source).mode == "all"
    state = stage.start(source)
    assert stage.frames(state, frames(source, count, records)) == [[] for _ in range(count)]
    assert stage.end(state, ok) == []


def test_writes_a_video_with_what_was_painted(tmp_path):
    out = tmp_path / "out.mp4"
    draw(DrawStage(output=out), Source("a.mp4", "records", VIDEO))
    pictures = drawn(out)
    assert len(pictures) == 5 and pictures[0].shape == (HEIGHT, WIDTH, 3)
    # The left edge of the box, in the colour of track 1 as far as 4:2:0 and a thin line let it through.
    assert np.abs(pictures[2][60:90, 38:43].astype(int) - 128).max() > 40
    assert np.abs(pictures[2][60:90, 100:150].astype(int) - 128).max() < 12
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_without_records_the_plain_video_comes_out(tmp_path):
    out = tmp_path / "out.mp4"
    draw(DrawStage(output=out), Source("a.mp4", "media", VIDEO), records=None)
    assert np.abs(np.array(drawn(out)).astype(int) - 128).max() < 6


def test_frames_are_left_as_they_are(tmp_path):
    source = Source("a.mp4", "records", VIDEO)
    stage = DrawStage(output=tmp_path / "out.mp4")
    state, given = stage.start(source), frames(source, 3)
    stage.frames(state, given)  # they are read-only: painting on one raises
    stage.end(state)
    assert all((frame.image == 128).all() for frame in given)


def test_a_source_that_broke_off_still_plays(tmp_path):
    out = tmp_path / "out.mp4"
    draw(DrawStage(output=out), Source("a.mp4", "records", VIDEO), count=3, ok=False)
    assert len(drawn(out)) == 3


def test_a_bad_record_leaves_what_there_was(tmp_path):
    out = tmp_path / "out.mp4"
    stage, source = DrawStage(output=out), Source("a.mp4", "records", VIDEO)
    state = stage.start(source)
    batch = frames(source, 3)
    batch[2].records = [{"type": "track", "track_id": 1}]
    with pytest.raises(RecordError, match="no 'xyxy'"):
        stage.frames(state, batch)
    stage.end(state, ok=False)
    assert len(drawn(out)) == 2


def test_a_source_without_frames_leaves_no_file(tmp_path):
    draw(DrawStage(output=tmp_path / "out.mp4"), Source("a.mp4", "records", VIDEO), count=0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_an_image_gives_an_image(tmp_path, suffix):
    from PIL import Image

    out = tmp_path / f"out{suffix}"
    draw(DrawStage(output=out), Source("a.jpg", "records", IMAGE), count=1)
    picture = np.asarray(Image.open(out).convert("RGB")).astype(int)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    column = picture[60:90, 39:42].mean(axis=(0, 1))
    assert np.abs(column - colour_of(1)).max() < 90 and np.abs(picture[60:90, 120:] - 128).max() < 12


def test_a_folder_takes_one_file_a_source(tmp_path):
    stage = DrawStage(out_dir=tmp_path / "drawn")
    for name, info in (("clips/a.mp4", VIDEO), ("clips/a.avi", VIDEO), ("b.jpg", IMAGE), ("c.tiff", IMAGE)):
        draw(stage, Source(name, "records", info), count=1)
    assert sorted(str(path.relative_to(tmp_path / "drawn")) for path in tmp_path.rglob("*.*")) == [
        "b.jpg", "c.tiff.png", "clips/a.avi.mp4", "clips/a.mp4"]


def test_sources_interleave(tmp_path):
    stage = DrawStage(out_dir=tmp_path)
    sources = [Source(name, "records", VIDEO) for name in ("a.mp4", "b.mp4")]
    states = [stage.start(source) for source in sources]
    for index in range(3):
        for source, state in zip(sources, states, strict=True):
            stage.frames(state, frames(source, 3)[index:index + 1])
    for state in states:
        stage.end(state)
    assert [len(drawn(tmp_path / name)) for name in ("a.mp4", "b.mp4")] == [3, 3]


def test_types_choose_what_is_painted(tmp_path):
    draw(DrawStage(output=tmp_path / "a.mp4", types=("detection",)), Source("a.mp4", "records", VIDEO))
    assert np.abs(np.array(drawn(tmp_path / "a.mp4")).astype(int) - 128).max() < 6


def test_an_output_that_exists_is_refused_before_any_work(tmp_path):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"mine")
    with pytest.raises(UsageError, match="--overwrite replaces it"):
        DrawStage(output=out).prepare()
    with pytest.raises(UsageError, match="--overwrite replaces it"):
        DrawStage(out_dir=tmp_path).start(Source("out.mp4", "records", VIDEO))
    assert out.read_bytes() == b"mine"
    draw(DrawStage(output=out, overwrite=True), Source("a.mp4", "records", VIDEO))
    assert len(drawn(out)) == 5


def test_a_source_is_never_written_over(tmp_path):
    out = tmp_path / "a.mp4"
    draw(DrawStage(output=out), Source("x.mp4", "records", VIDEO))
    with pytest.raises(UsageError, match="is the source itself"):
        DrawStage(output=out, overwrite=True).start(Source(str(out), "records", VIDEO))


def test_one_file_takes_one_source(tmp_path):
    stage = DrawStage(output=tmp_path / "out.mp4", overwrite=True)
    draw(stage, Source("a.mp4", "records", VIDEO))
    with pytest.raises(UsageError, match="holds a.mp4 already, and b.mp4 came too: give --out-dir"):
        stage.start(Source("b.mp4", "records", VIDEO))


@pytest.mark.parametrize(("given", "words"), [
    ({}, "needs either -o"),
    ({"output": Path("a.mp4"), "out_dir": Path("b")}, "needs either -o"),
    ({"output": Path("a.gif")}, "ends in .mp4"),
    ({"output": Path("a.mp4"), "types": ("boxes",)}, "nothing paints 'boxes'"),
    ({"output": Path("a.mp4"), "trail": -1.0}, "--trail -1"),
    ({"output": Path("a.mp4"), "crf": 52}, "--crf 52"),
    ({"output": Path("a.mp4"), "preset": "turbo"}, "--preset turbo"),
])
def test_refuses_options(given, words):
    with pytest.raises(UsageError, match=words):
        DrawStage(**given)


def test_refuses_places(tmp_path):
    with pytest.raises(UsageError, match="no folder"):
        DrawStage(output=tmp_path / "nowhere" / "a.mp4").prepare()
    (tmp_path / "b.mp4").mkdir()
    with pytest.raises(UsageError, match="is a folder"):
        DrawStage(output=tmp_path / "b.mp4").prepare()
    for name, info, words in (("a.mp4", IMAGE, "is an image"), ("a.png", VIDEO, "is a video")):
        with pytest.raises(UsageError, match=words):
            DrawStage(output=tmp_path / name).start(Source("x", "records", info))
    (tmp_path / "file").write_bytes(b"")
    stage, source = DrawStage(out_dir=tmp_path / "file"), Source("sub/a.mp4", "records", VIDEO)
    with pytest.raises(MediaError, match="cannot make folder"):
        stage.frames(stage.start(source), frames(source, 1))


def test_times_are_kept_when_frames_are_left_out(tmp_path):
    source = Source("a.mp4", "media", VIDEO)
    stage = DrawStage(output=tmp_path / "a.mp4", sampling=Sampling("every", every=5))
    state = stage.start(source)
    stage.frames(state, frames(source, 16, None)[::5])
    stage.end(state)
    with av.open(str(tmp_path / "a.mp4")) as container:
        times = [round(frame.time, 2) for frame in container.decode(video=0)]
    assert times == [0.0, 0.5, 1.0, 1.5]


SUBTITLES = "1\n00:00:00,200 --> 00:00:00,500\nfirst\n\n2\n00:00:00,400 --> 00:00:00,700\nsecond\n"


def written(path: Path) -> list[list[int]]:
    """Return the rows in which there is white ink, in eighths of the height, of each frame."""
    rows = [(picture.min(axis=2) > 220).sum(axis=1).reshape(8, -1).sum(axis=1) for picture in drawn(path)]
    return [np.flatnonzero(row > 3).tolist() for row in rows]


def test_subtitles_come_and_go_by_time_and_stack(tmp_path):
    (tmp_path / "a.srt").write_text(SUBTITLES)
    stage = DrawStage(output=tmp_path / "out.mp4", subtitles=tmp_path / "a.srt")
    draw(stage, Source("a.mp4", "media", VIDEO), count=10, records=None)
    rows = written(tmp_path / "out.mp4")
    assert [bool(row) for row in rows] == [False] * 2 + [True] * 5 + [False] * 3
    # The second one stands above the first while both are there, then takes its place.
    assert min(rows[4]) < min(rows[2]) == min(rows[6]) >= 6
    picture = drawn(tmp_path / "out.mp4")[2]
    columns = np.flatnonzero((picture.min(axis=2) > 220).any(axis=0))
    assert abs((columns.min() + columns.max()) / 2 - WIDTH / 2) < 3, "centred"
    assert picture[90:].min() < 60, "outlined in black"


def test_subtitles_and_records_are_drawn_together(tmp_path):
    (tmp_path / "a.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\n" + "many words " * 60)
    draw(DrawStage(output=tmp_path / "out.mp4", subtitles=tmp_path / "a.vtt"), Source("a.mp4", "records", VIDEO))
    picture = drawn(tmp_path / "out.mp4")[2]
    assert np.abs(picture[60:90, 38:43].astype(int) - 128).max() > 40, "the box"
    assert min(written(tmp_path / "out.mp4")[2]) <= 4, "wrapped over many lines"


def test_a_folder_has_subtitles_by_name(tmp_path):
    subtitles = tmp_path / "subs"
    (subtitles / "talks").mkdir(parents=True)
    (subtitles / "talks" / "a.vtt").write_text("WEBVTT\n\n00:00.000 --> 00:01.000\nx")
    (subtitles / "b.srt").write_text(SUBTITLES)
    stage = DrawStage(out_dir=tmp_path / "out", subtitles=subtitles)
    for name in ("talks/a.mp4", "talks/b.mp4"):
        draw(stage, Source(name, "media", VIDEO), count=4, records=None)
    assert written(tmp_path / "out" / "talks" / "a.mp4")[0] and not written(tmp_path / "out" / "talks" / "b.mp4")[0]
    with pytest.raises(MediaError, match="has no subtitles of talks/c.mp4: none of talks/c.srt, c.srt, talks/c.vtt, c"):
        stage.start(Source("talks/c.mp4", "media", VIDEO))


def test_subtitles_that_cannot_be_are_said(tmp_path):
    (tmp_path / "a.srt").write_text("hello")
    stage = DrawStage(out_dir=tmp_path, subtitles=tmp_path / "a.srt")
    stage.prepare()
    with pytest.raises(RecordError, match="a.srt, line 1: the times of a cue"):
        stage.start(Source("a.mp4", "media", VIDEO))
    with pytest.raises(UsageError, match="went into a.mp4 already, and b.mp4 came too: give a folder"):
        stage.start(Source("b.mp4", "media", VIDEO))
    with pytest.raises(UsageError, match="--subtitles gone.srt: there is no such file or folder"):
        DrawStage(output=tmp_path / "x.mp4", subtitles=Path("gone.srt")).prepare()
    with pytest.raises(UsageError, match="--font .*a.srt: .*TrueType"):
        DrawStage(output=tmp_path / "x.mp4", font=tmp_path / "a.srt").prepare()
