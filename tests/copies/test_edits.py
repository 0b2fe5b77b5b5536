"""Edits of pictures and of times, by values worked out by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from vtk.copies import edits

GREY = np.full((40, 60, 3), 100, np.uint8)


@dataclass(frozen=True)
class Tick:
    t: float


def textured(seed: int = 0, height: int = 40, width: int = 60) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def frames(count: int, fps: float, first: float = 0.0) -> list[Tick]:
    return [Tick(first + index / fps) for index in range(count)]


@pytest.mark.parametrize(("name", "parameters"), [
    ("crop", {"box": [0.1, 0.2, 0.8, 0.9]}), ("border", {"box": [0.1, 0.1, 0.9, 0.9]}),
    ("picture_in_picture", {"box": [0.5, 0.5, 0.9, 0.9]}), ("caption", {"text": "hello", "box": [0, 0.7, 1, 0.9]}),
    ("recolour", {"contrast": 1.3, "saturation": 0.5}), ("blur", {"radius": 0.02}),
    ("noise", {"deviation": 12.0, "seed": [3]}), ("hflip", {})])
def test_an_edit_changes_a_copy_of_its_size(name: str, parameters: dict[str, object]) -> None:
    image = textured()
    image.flags.writeable = False  # as decoded frames are: an edit in place would raise
    out = edits.edited(image, [(name, parameters)], frame=4, backdrop=textured(9))
    assert out.shape == image.shape and out.dtype == np.uint8
    assert (out != image).any()
    assert np.array_equal(out, edits.edited(image, [(name, parameters)], frame=4, backdrop=textured(9)))


def test_every_edit_has_its_name() -> None:
    with pytest.raises(ValueError, match="edit is 'melt': one of crop, border"):
        edits.edited(GREY, [("melt", {})])


def test_crop_shows_what_is_in_the_box() -> None:
    image = GREY.copy()
    image[20:, 30:] = 200
    assert (edits.crop(image, [0.5, 0.5, 1, 1]) == 200).all()
    assert (edits.crop(image, [0, 0, 0.5, 0.5]) == 100).all()


def test_a_border_stands_around_the_whole_picture() -> None:
    out = edits.border(GREY, [0.1, 0.25, 0.9, 0.75], (1, 2, 3))
    assert (out[10:30, 6:54] == 100).all()
    assert (out[:10] == (1, 2, 3)).all() and (out[30:] == (1, 2, 3)).all() and (out[:, :6] == (1, 2, 3)).all()


def test_a_picture_in_a_picture_stands_over_its_backdrop() -> None:
    backdrop = textured(5)
    out = edits.picture_in_picture(GREY, backdrop, [0.5, 0.5, 1, 1])
    assert (out[20:, 30:] == 100).all()
    assert np.array_equal(out[:20], backdrop[:20]) and np.array_equal(out[:, :30], backdrop[:, :30])
    with pytest.raises(ValueError, match="the picture's shape, is expected"):
        edits.picture_in_picture(GREY, backdrop[:10], [0, 0, 1, 1])


def test_a_caption_hides_its_box_alone() -> None:
    out = edits.caption(GREY, "LIVE", [0.1, 0.5, 0.9, 0.9], band=1.0)
    assert (out[:20] == 100).all() and (out[36:] == 100).all() and (out[:, :6] == 100).all()
    inside = out[20:36, 6:54]
    assert inside.min() == 0 and inside.max() > 200  # the band, and letters on it


def test_colours_by_hand() -> None:
    assert (edits.recolour(GREY, brightness=0.1) == round(100 + 25.5)).all()
    assert (edits.recolour(GREY, gains=(1.2, 1.0, 0.5))[0, 0] == (120, 100, 50)).all()
    assert (edits.recolour(GREY, contrast=0.0) == 128).all()
    assert (edits.recolour(GREY, gamma=2.0) == round(100 ** 2 / 255)).all()
    red = np.full((4, 4, 3), (255, 0, 0), np.uint8)
    assert np.ptp(edits.recolour(red, saturation=0.0)[0, 0]) == 0
    assert np.array_equal(edits.recolour(textured()), textured())


def test_blur_and_noise_keep_the_mean_and_move_the_deviation() -> None:
    image = np.clip(textured().astype(int) // 2 + 60, 0, 255).astype(np.uint8)
    blurred = edits.blur(image, 0.05)
    assert abs(blurred.mean() - image.mean()) < 1 and blurred.std() < image.std() / 2
    noisy = edits.noise(GREY, 10.0, [1, 2]).astype(float) - 100
    # 7200 samples: the deviation of their mean is 0.12, that of their deviation 0.08; four of each.
    assert abs(noisy.mean()) < 0.48 and abs(noisy.std() - 10) < 0.34
    assert (edits.noise(GREY, 10.0, [1, 3]) != edits.noise(GREY, 10.0, [1, 2])).any()


def test_a_mirror_of_a_mirror_is_the_picture() -> None:
    image = textured()
    assert np.array_equal(edits.hflip(image)[:, 0], image[:, -1])
    assert np.array_equal(edits.hflip(edits.hflip(image)), image)


def test_fitted_keeps_the_shape_of_things() -> None:
    out = edits.fitted(GREY, 60, 80)
    assert out.shape == (80, 60, 3)
    assert (out[20:60] == 100).all() and (out[:20] == 0).all() and (out[60:] == 0).all()
    assert edits.fitted(GREY, 60, 40) is GREY


@pytest.mark.parametrize("box", [[0.5, 0, 0.5, 1], [0, 0, 1.2, 1], [-0.1, 0, 1, 1], [0, 0.9, 1, 0.1]])
def test_a_box_that_is_none_is_refused(box: list[float]) -> None:
    with pytest.raises(ValueError, match="0 <= x1 < x2 <= 1"):
        edits.crop(GREY, box)


@pytest.mark.parametrize("speed", [0.5, 1.0, 1.37, 2.0])
@pytest.mark.parametrize(("have", "fps"), [(25.0, 25.0), (6.0, 25.0), (60.0, 12.0), (29.97, 24.0)])
def test_resampled_takes_the_nearest_frame(speed: float, have: float, fps: float) -> None:
    given = frames(100, have, first=3.0)
    got = list(edits.resampled(iter(given), fps, speed))
    assert got[0] == (3.0, given[0])
    assert np.allclose(np.diff([wanted for wanted, _ in got]), speed / fps)
    assert max(abs(frame.t - wanted) for wanted, frame in got) <= 0.5 / have + 1e-9
    # As many as end before the last frame does, and begin before its second half.
    assert len(got) == 1 + int((100 / have - max(speed / fps, 0.5 / have)) * fps / speed + 1e-6)


def test_resampled_reads_no_further_than_it_must() -> None:
    def endless() -> object:
        index = 0
        while True:
            taken.append(index)
            yield Tick(index / 10)
            index += 1

    taken: list[int] = []
    got = list(edits.resampled(endless(), 10.0, limit=20))
    assert [frame.t for _, frame in got] == [index / 10 for index in range(20)]
    assert len(taken) <= 22


def test_resampled_of_too_little_is_empty() -> None:
    assert list(edits.resampled([], 10.0)) == []
    assert list(edits.resampled([Tick(0.0)], 10.0)) == []  # nobody knows how long it lasts


def test_kept_drops_about_its_share_and_never_the_ends() -> None:
    left = edits.kept(2000, 0.3, [1, 2])
    assert left[0] and left[-1]
    assert abs(left.mean() - 0.7) < 4 * (0.3 * 0.7 / 2000) ** 0.5
    assert edits.kept(50, 0.0, [0]).all()
    assert np.array_equal(left, edits.kept(2000, 0.3, [1, 2]))
