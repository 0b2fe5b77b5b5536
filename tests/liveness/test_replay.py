"""Filmed faces and replays: the truth fits the frames, the same seed gives the same clip, bad input is one line."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import make_clip

from vtk.errors import UsageError
from vtk.liveness.filming import Hand, corners, empty, live, placed, replayed
from vtk.liveness.replay import FORMAT, Plan, _there_and_back, film, main, pictures, truth_of, truth_path
from vtk.media.image import write_image
from vtk.media.sampling import NATIVE
from vtk.media.video import open_media

SMALL = Plan(width=160, height=120, fps=10, seconds=0.5, gap=0.2)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Return a picture with a green square, a third of its width, in its middle."""
    image = np.full((90, 60, 3), 70, np.uint8)
    image[35:55, 20:40] = (0, 255, 0)
    write_image(tmp_path / "square.png", image)
    return tmp_path / "square.png"


def frames_of(path: Path) -> list[np.ndarray]:
    reader = open_media(str(path))
    found = [np.array(frame.image(NATIVE)) for frame in reader.frames([NATIVE], lambda index, t: True)]
    reader.close()
    return found


def test_the_truth_says_where_the_picture_is(picture: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    truth = film([str(picture)], clip, SMALL)
    frames = frames_of(clip)
    assert len(frames) == 2 * (5 + 2)
    assert [(take["kind"], take["start_frame"], take["end_frame"]) for take in truth["takes"]] == [
        ("live", 0, 5), ("replay", 7, 12)]
    for take in truth["takes"]:
        assert take["source"] == "square.png" and len(take["corners"]) == 5
        for frame, there in zip(range(take["start_frame"], take["end_frame"]), take["corners"], strict=True):
            red, green, blue = frames[frame].astype(int).transpose(2, 0, 1)
            ys, xs = np.nonzero(green - np.maximum(red, blue) > 50)
            # The square is in the picture's middle, so it is in the clip's, but for what codec and blur do to its
            # edges; its mirror images are outside of the corners.
            left, right = np.min(there, axis=0)[0], np.max(there, axis=0)[0]
            own = (xs > left) & (xs < right)
            middle = np.mean(there, axis=0)
            assert np.hypot(np.mean(xs[own]) - middle[0], np.mean(ys[own]) - middle[1]) < 2.5


def test_the_same_seed_films_the_same_and_another_does_not(picture: Path) -> None:
    image = pictures(str(picture), 1)[0]
    for filmed in (live, replayed):
        one, two, other = (filmed(image, Hand.of(160, 120, seed), 3, 0.3) for seed in (1, 1, 2))
        assert np.array_equal(one[0], two[0]) and np.array_equal(one[1], two[1])
        assert not np.array_equal(one[0], other[0])


def test_a_screen_shows_its_pixels_and_a_live_take_does_not() -> None:
    grey = np.full((120, 120, 3), 120, np.uint8)
    hand = Hand.of(320, 240, 0)

    def unevenness(image: np.ndarray) -> float:
        """Return how uneven the middle is beyond slow changes of light."""
        middle = image[90:150, 130:190].astype(np.float32)
        return float((middle - cv2.GaussianBlur(middle, (0, 0), 8)).std())

    assert unevenness(replayed(grey, hand, 0, 0.0)[0]) > 3 * unevenness(live(grey, hand, 0, 0.0)[0])


def test_a_screen_is_bluer_and_its_bezel_is_black() -> None:
    grey = np.full((200, 200, 3), 120, np.uint8)
    image, there = replayed(grey, Hand.of(320, 240, 0), 0, 0.0)
    middle = image[110:140, 150:180].mean(axis=(0, 1))
    assert middle[2] > 1.1 * middle[0]
    left = int(there[:, 0].min())
    assert image[100:140, left - 5:left - 2].mean() < 60 < image[100:140, 2:20].mean()


def test_at_rest_a_picture_fills_the_frame_without_being_stretched() -> None:
    hand = Hand.of(320, 240, 0)
    assert corners(np.zeros((120, 80, 3)), placed(np.zeros((120, 80, 3)), hand)) == pytest.approx(
        np.array([(80, 0), (240, 0), (240, 240), (80, 240)]))


def test_an_empty_room_is_what_a_replay_has_around_the_phone() -> None:
    """But for the camera's noise and what it softens; in the middle, where the phone was, is the wall."""
    hand = Hand.of(320, 240, 0)
    image = empty(hand, 0, 0.0)
    assert image.shape == (240, 320, 3) and image.dtype == np.uint8
    shown = replayed(np.full((120, 120, 3), 250, np.uint8), hand, 0, 0.0)[0]
    apart = np.abs(image.astype(int) - shown)
    assert apart[:, :8].mean() < 5 < 20 < apart[100:140, 140:180].mean()


def test_a_video_runs_forth_and_back(tmp_path: Path) -> None:
    assert [int(image[0]) for image in _there_and_back(list(np.arange(3)[:, None]), 8)] == [0, 1, 2, 1, 0, 1, 2, 1]
    assert len(list(_there_and_back([np.zeros(1)], 3))) == 3, "one picture stands still"
    source = tmp_path / "three.mp4"
    make_clip(source, frames=3, width=64, height=64)
    truth = film([str(source)], tmp_path / "clip.mp4", SMALL)
    assert [take["source"] for take in truth["takes"]] == ["three.mp4"] * 2
    assert len(pictures(str(source), 2)) == 2


def test_the_command_writes_the_clip_and_its_truth(picture: Path, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    assert main([str(picture), "-o", str(clip), "--size", "160x120", "--fps", "10", "--seconds", "0.3"]) == 0
    assert clip.is_file() and truth_of(clip)["format"] == FORMAT
    assert json.loads(truth_path(clip).read_bytes())["width"] == 160


@pytest.mark.parametrize(("options", "said"), [
    (["--size", "wide"], "WIDTHxHEIGHT"), (["--size", "8x8"], "64 to 4096"), (["--fps", "0"], "--fps 0")])
def test_what_cannot_be_filmed_is_said_in_one_line(
        options: list[str], said: str, picture: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(picture), "-o", str(tmp_path / "clip.mp4"), *options]) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1
    assert not (tmp_path / "clip.mp4").exists()


def test_a_file_that_is_no_picture_leaves_no_clip(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "none.jpg").write_bytes(b"no picture")
    assert main([str(tmp_path / "none.jpg"), "-o", str(tmp_path / "clip.mp4")]) == 1
    assert capsys.readouterr().err.startswith("replay: ")
    assert not (tmp_path / "clip.mp4").exists()


def test_a_clip_without_its_truth_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"vtk\.liveness\.replay"):
        truth_of(tmp_path / "clip.mp4")
