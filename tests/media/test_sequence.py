"""A folder of images is one video: natural order, its rate, lost images."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image

from cards import card, number_on
from vtk.errors import MediaError
from vtk.media.video import open_media


def everything(index: int, t: float) -> bool:
    return True


@pytest.fixture
def images(tmp_path: Path) -> Path:
    """Return a folder of 12 cards, 1.png to 12.png: by letters 10 would come before 2."""
    for number in range(12):
        Image.fromarray(card(number)).save(tmp_path / f"{number + 1}.png")
    (tmp_path / "notes.txt").write_text("no image")
    (tmp_path / ".hidden.png").write_bytes(b"")
    return tmp_path


def test_natural_order_and_times(images: Path) -> None:
    reader = open_media(f"seq:{images}", framerate=10)
    frames = list(reader.frames([], everything))
    assert [number_on(frame.image()) for frame in frames] == list(range(12))
    assert [frame.index for frame in frames] == list(range(12))
    assert [frame.t for frame in frames] == pytest.approx([number / 10 for number in range(12)])
    info = reader.info
    assert (info.kind, info.frames, info.fps, info.duration, info.codec) == ("sequence", 12, 10, 1.2, "png")
    assert (reader.errors, reader.decoded) == ([], 12)


@pytest.mark.parametrize(("place", "rate"), [(".", 30.0), ("..", 30.0), (None, 25.0)])
def test_the_rate_comes_from_seqinfo_else_it_is_25(images: Path, place: str | None, rate: float) -> None:
    folder = images / "img1"
    folder.mkdir()
    for image in images.glob("*.png"):
        image.rename(folder / image.name)
    if place is not None:
        (folder / place / "seqinfo.ini").write_text("[Sequence]\nname=MOT\nframeRate=30\nseqLength=12\n")
    assert open_media(f"seq:{folder}").info.fps == rate
    assert open_media(f"seq:{folder}", framerate=5).info.fps == 5


def test_at_and_span_equal_sequential_reading(images: Path) -> None:
    reader = open_media(f"seq:{images}", framerate=10)
    at = [(frame.index, number_on(frame.image())) for frame in reader.at(iter([0, 3, 11, 40]), [])]
    assert at == [(0, 0), (3, 3), (11, 11)]
    span = [frame.index for frame in reader.frames([], everything, start=0.3, end=0.6)]
    assert span == [3, 4, 5]


def test_a_damaged_image_is_a_lost_frame_and_the_others_keep_their_numbers(images: Path) -> None:
    (images / "1.png").write_bytes(b"text")
    (images / "5.png").write_bytes((images / "5.png").read_bytes()[:200])
    reader = open_media(f"seq:{images}")
    frames = list(reader.frames([], everything))
    assert [frame.index for frame in frames] == [1, 2, 3, *range(5, 12)]
    assert all(number_on(frame.image()) == frame.index for frame in frames)
    assert [str(error).split(" (")[0] for error in reader.errors] == ["frame 0", "frame 4"]
    assert "'5.png') is lost" in str(reader.errors[1])


def test_images_of_other_sizes_come_in_the_first_ones(images: Path) -> None:
    Image.fromarray(card(5, 256, 192)).save(images / "6.png")
    frames = list(open_media(f"seq:{images}").frames([], everything))
    assert {frame.image().shape for frame in frames} == {(96, 128, 3)}
    assert number_on(frames[5].image()) == 5


def test_names_that_are_not_utf8(images: Path) -> None:
    folder = os.fsdecode(os.fsencode(images) + b"/fr\xe4mes")
    os.mkdir(folder)
    Image.fromarray(card(7)).save(folder + "/a\udce9.png")
    (frame,) = open_media("seq:" + "file:" + os.fspath(images) + "/fr%E4mes").frames([], everything)
    assert number_on(frame.image()) == 7


@pytest.mark.parametrize(("name", "code", "message"), [
    ("empty", "E_EMPTY", "holds no images"), ("missing", "E_OPEN", "No such file or directory"),
    ("broken", "E_DECODE", "none of its 2 images can be read"), ("ini", "E_OPEN", "seqinfo.ini that cannot be read")])
def test_what_is_no_sequence_is_refused(images: Path, name: str, code: str, message: str) -> None:
    folder = images / name
    if name != "missing":
        folder.mkdir()
    if name == "broken":
        (folder / "a.png").write_bytes(b"a")
        (folder / "b.png").write_bytes(b"b")
    if name == "ini":
        (images / "1.png").rename(folder / "1.png")
        (folder / "seqinfo.ini").write_text("[Sequence]\nframeRate=fast\n")
    with pytest.raises(MediaError, match=message) as refused:
        open_media(f"seq:{folder}")
    assert refused.value.code == code and "\n" not in str(refused.value)
