"""Films are what their truth says, and the same from the same seed."""

from __future__ import annotations

import numpy as np

from vtk.scenes.films import HEIGHT, WIDTH, Join, Plan, Take, plan


def levels(*tones: int, frames: int = 20) -> tuple[np.ndarray, ...]:
    """Return clips of one level each."""
    return tuple(np.full((frames, HEIGHT, WIDTH, 3), tone, np.uint8) for tone in tones)


def film(join: Join) -> tuple[Plan, np.ndarray]:
    """Return a film of two level clips with one join, and its frames' levels (N, WIDTH) along the middle row."""
    made = Plan((Take(1, 20, clip=0), Take(2, 20, clip=1)), (join,), clips=levels(100, 200))
    return made, np.stack([image[HEIGHT // 2, :, 0] for image in made.frames()]).astype(int)


def test_a_cut_is_between_two_frames() -> None:
    made, rows = film(Join("cut"))
    assert made.truth.cuts == (20,) and made.truth.graduals == () and made.truth.frames == len(rows) == 40
    assert (rows[:20] == 100).all() and (rows[20:] == 200).all()


def test_a_dissolve_mixes_from_its_first_frame_to_its_last() -> None:
    made, rows = film(Join("dissolve", 9))
    assert made.truth.graduals == ((11, 20),) and made.truth.frames == len(rows) == 31
    assert (rows[:11] == 100).all() and (rows[20:] == 200).all()
    assert rows[11:20, 0].tolist() == [110, 120, 130, 140, 150, 160, 170, 180, 190]


def test_a_wipe_goes_from_left_to_right() -> None:
    made, rows = film(Join("wipe", 3))
    (start, end), = made.truth.graduals
    assert [(row == 200).sum() for row in rows[start - 1 : end + 1]] == [0, 64, 128, 192, 256]


def test_a_fade_goes_out_stays_black_and_comes_in() -> None:
    made, rows = film(Join("fade", 4, 3, 0))
    assert made.truth.graduals == ((16, 27),) and made.truth.frames == len(rows) == 43
    assert rows[15:28, 0].tolist() == [100, 80, 60, 40, 20, 0, 0, 0, 40, 80, 120, 160, 200]


def test_a_seed_tells_all_of_a_film() -> None:
    one, other = plan(3, shots=3), plan(3, shots=3)
    assert one == other != plan(4, shots=3)
    frames = list(one.frames())
    assert len(frames) == one.truth.frames
    assert all(image.shape == (HEIGHT, WIDTH, 3) and image.dtype == np.uint8 for image in frames)
    assert all((a == b).all() for a, b in zip(frames, other.frames(), strict=True))


def test_truth_lies_in_the_film_in_order() -> None:
    for seed in range(20):
        truth = plan(seed).truth
        edges = sorted([(cut, cut) for cut in truth.cuts] + list(truth.graduals))
        assert len(edges) == 7
        assert all(one[1] < other[0] for one, other in zip(edges, edges[1:], strict=False))
        assert edges[0][0] > 0 and edges[-1][1] < truth.frames
