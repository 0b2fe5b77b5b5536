"""Shots by TransNet V2, streamed, with a stand-in network that sees exactly what is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from vtk.models.transnet import SIZE
from vtk.scenes.tiling import Shot
from vtk.scenes.transnet import LATE_FRAMES, Told, TransNetShots, changes


class Drawn:
    """Stands for the network: a frame's red says whether it is the middle of a transition, its green whether of one."""

    size = SIZE

    def __init__(self) -> None:
        self.windows: list[int] = []

    def likelihoods(self, window: Sequence[np.ndarray]) -> np.ndarray:
        """Return (50, 2), what the frames in the middle say of themselves."""
        assert len(window) == 100 and all(each.shape == (27, 48, 3) for each in window)
        self.windows.append(len(window))
        return np.stack([each[0, 0, :2] / 255 for each in window[25:75]])


def picture(middle: bool, part: bool) -> np.ndarray:
    """Return a frame that says what it is."""
    return np.full((27, 48, 3), (255 * middle, 255 * part, 7), np.uint8)


def shots(text: str, shortest: float = 0.0, fps: float = 25.0, step: int = 1) -> list[Shot]:
    """Return the shots of a film, a letter a frame: M the middle of a transition, p a part of one, . neither."""
    finder = TransNetShots(Drawn(), shortest)
    found = []
    for number, letter in enumerate(text):
        over = finder.add(number * step, number * step / fps, picture(letter == "M", letter in "Mp"))
        assert all(number * step - shot.end_frame <= (LATE_FRAMES + 60) * step for shot in over)
        found += over
    return found + finder.finish()


def starts(found: Sequence[Shot]) -> list[int]:
    """Return where shots start, having checked that they tile the film."""
    assert all(one.end_frame == other.start_frame and one.end == other.start and one.after is other.before
               for one, other in zip(found, found[1:], strict=False))
    return [shot.start_frame for shot in found]


def film(length: int, *cuts: int) -> str:
    """Return a film whose shots start at ``cuts``."""
    return "".join("M" if number + 1 in cuts else "." for number in range(length))


@pytest.mark.parametrize("cut", [1, 24, 25, 26, 49, 50, 51, 74, 75, 76, 99, 100, 101, 149, 150, 199])
def test_a_cut_is_found_wherever_windows_meet(cut: int) -> None:
    found = shots(film(200, cut))
    assert starts(found) == [0, cut] and found[-1].end_frame == 200 and found[-1].end == 8.0
    change = found[0].after
    assert change.kind == "cut" and change.start_frame == change.end_frame == change.frame == cut
    assert change.t == cut / 25 and found[1].before is change and found[1].after is None


@pytest.mark.parametrize("length", [1, 2, 3, 49, 50, 51, 75, 76, 100, 125, 126, 150])
def test_films_of_any_length_are_told_to_their_end(length: int) -> None:
    assert starts(shots(film(length))) == [0] and shots(film(length))[0].end_frame == length
    if length > 2:
        assert starts(shots(film(length, length - 1))) == [0, length - 1]
    assert starts(shots("." * (length - 1) + "M")) == [0]  # nothing follows: no shot begins there


def test_many_cuts() -> None:
    cuts = [3, 6, 30, 31, 60, 120, 121, 122, 260]
    # Frames that are all the middle of something are one transition.
    assert starts(shots(film(300, *cuts))) == [0, 3, 6, 31, 60, 122, 260]
    assert starts(shots(film(300, *range(20, 290, 9)))) == [0, *range(20, 290, 9)]


def test_gradual_transitions() -> None:
    found = shots("." * 40 + "pppMMppp" + "." * 40)
    assert starts(found) == [0, 45]
    change = found[0].after
    assert (change.kind, change.start_frame, change.end_frame, change.frame) == ("gradual", 40, 48, 45)
    assert change.start == 1.6 and change.end == pytest.approx(1.92) and found[0].clear == (0, 40)
    assert starts(shots("." * 40 + "p" * 20 + "." * 40)) == [0, 50]  # too slow for a clear middle
    assert starts(shots("." * 40 + "pppp" + "." * 40)) == [0]
    # A fade that shows nothing for a while is one change; a longer while is a shot.
    one = shots("." * 40 + "ppMpp" + "." * 10 + "ppMpp" + "." * 40)
    assert starts(one) == [0, 50] and (one[0].after.start_frame, one[0].after.end_frame) == (40, 60)
    assert starts(shots("." * 40 + "ppMpp" + "." * 13 + "ppMpp" + "." * 40)) == [0, 43, 61]
    assert starts(shots("." * 40 + "ppMpp" + "." * 10 + "M" + "." * 40)) == [0, 43, 56]  # a cut is one of its own


def test_short_shots_do_not_count() -> None:
    text = film(200, 50, 55, 120, 198)
    assert starts(shots(text)) == [0, 50, 55, 120, 198]
    assert starts(shots(text, shortest=0.4)) == [0, 50, 120]
    assert starts(shots(text, shortest=100.0)) == [0]


def test_chosen_frames_keep_their_numbers_and_seconds() -> None:
    found = shots(film(120, 60), step=5)
    assert starts(found) == [0, 300] and found[0].end == 12.0 and found[1].end_frame == 600
    assert found[1].end == pytest.approx(24.0)


def test_larger_pictures_are_scaled_and_others_refused() -> None:
    finder = TransNetShots(Drawn())
    finder.add(0, 0.0, np.full((108, 192, 3), 9, np.uint8))
    for bad in (np.zeros((27, 48), np.uint8), np.zeros((27, 48, 3), np.float32), np.zeros((0, 48, 3), np.uint8)):
        with pytest.raises(ValueError, match=r"image: got .*expected uint8 \(H, W, 3\)"):
            finder.add(1, 1.0, bad)
    for index, t in ((0, 1.0), (1, -1.0), (1, float("nan"))):
        with pytest.raises(ValueError, match="came after frame 0 at 0.0 s"):
            finder.add(index, t, picture(False, False))
    for shortest in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="shortest: got"):
            TransNetShots(Drawn(), shortest)
    assert TransNetShots(Drawn()).finish() == []


def test_little_is_held_however_long_the_film() -> None:
    drawn = Drawn()
    finder = TransNetShots(drawn)
    for number in range(1000):
        finder.add(number, number / 25, picture(False, False))
        assert len(finder._window) <= 100 and len(finder._waiting) <= 75 and len(finder._run) <= 1
    assert len(drawn.windows) == 19 and len(finder.finish()) == 1 and len(drawn.windows) == 20


@pytest.mark.parametrize("noise", [".", "p"])
def test_a_montage_is_told_while_it_lasts(noise: str) -> None:
    """Cuts follow each other too fast for half a second of quiet: what is before one is over all the same."""
    text = "".join("M" if number % 9 == 8 else noise if number % 9 == 3 else "." for number in range(900))
    finder, found = TransNetShots(Drawn()), []
    for number, letter in enumerate(text):
        found += finder.add(number, number / 25, picture(letter == "M", letter in "Mp"))
        assert len(finder._run) <= 12
        if found:
            assert number - found[-1].end_frame <= LATE_FRAMES
    assert len(found) > 80
    assert starts(found + finder.finish()) == [*range(0, 900, 9)]
    joined = ("." * 40 + "ppMpp" + "." * 5 + "pp" + "." * 3 + "ppMpp" + "." * 40)
    assert starts(shots(joined)) == [0, 50], "what counts for nothing parts no fade"


def test_a_run_by_hand() -> None:
    told = [Told(number, number / 10, middle, part) for number, (middle, part) in enumerate(
        [(False, True), (True, True), (False, False), (False, False)])]
    [change] = changes(told)
    assert change.kind == "cut" and change.frame == 2 and change.t == 0.2
    assert changes([]) == [] and changes(told[2:]) == []


def test_the_bench_has_a_row_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from vtk.media.writer import VideoWriter
    from vtk.metrics.shots import Truth
    from vtk.scenes import bench

    class Blind(Drawn):
        """Sees nothing."""

        name = "transnetv2"

        def likelihoods(self, window: Sequence[np.ndarray]) -> np.ndarray:
            """Return (50, 2) zeros."""
            return np.zeros((50, 2), np.float32)

    path = str(tmp_path / "film.mp4")
    with VideoWriter(path, 64, 64, 25.0) as writer:
        for number in range(30):
            writer.write(np.full((64, 64, 3), 30 if number < 15 else 220, np.uint8), number / 25)
    monkeypatch.setattr(bench, "RIVALS", ())
    ours, theirs = bench.quality([bench.Case(path, Truth((15,), (), 30))], Blind())
    assert ours["implementation"] == "vtk" and ours["cuts"]["recall"] == 100
    assert theirs["implementation"] == "transnetv2" and theirs["cuts"] == {"recall": 0, "precision": 100, "F": 0, "there": 1}
