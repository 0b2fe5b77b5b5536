"""The generator of films with text: what it says of them is where the pixels are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from vtk.media.video import open_media
from vtk.records import check
from vtk.text.scenes import STANDING, UNREADABLE, Moves, Still, drawn, scenes, write_video

ALL = Moves(pan=0.2, zoom=1.5, turn=12, shutter=0.5, bar=0.1)


def marked(seed: int = 0) -> Still:
    """Return a gray picture with one red patch for a word."""
    image = np.full((360, 640, 3), 120, np.uint8)
    image += np.random.default_rng(seed).integers(0, 9, (360, 640, 1), np.uint8)
    image[150:200, 250:400] = (255, 0, 0)
    return Still(image, np.array([[[250, 150], [400, 150], [400, 200], [250, 200]]], float), ("RED",))


def red(image: np.ndarray) -> np.ndarray:
    """Return how red each pixel is, (H, W) from 0 to 1."""
    return np.clip((image[..., 0].astype(float) - image[..., 1]) / 255, 0, 1)


def drawn_mask(quad: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return a mask (H, W) of a quadrilateral, to a 16th of a pixel."""
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round((quad - 0.5) * 16).astype(np.int32), 1, shift=4)
    return mask.astype(bool)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("shutter", [0.0, 1.0])
def test_the_patch_is_where_the_polygon_says(seed: int, shutter: float) -> None:
    moves, seen = replace(ALL, bar=0, shutter=shutter), 0
    for frame in scenes([marked()], seed, frames=40, moves=moves):
        [word] = frame.words
        if (word.quad < 20).any() or (word.quad > (620, 340)).any():
            continue  # some of it, or of its blur, may be outside
        seen += 1
        redness = red(frame.image)
        y, x = (np.indices(redness.shape) + 0.5) * redness / redness.sum()
        # Blur is the same to both sides but for the camera's turn and zoom while the shutter is open.
        np.testing.assert_allclose([x.sum(), y.sum()], word.quad.mean(axis=0), rtol=0, atol=0.2 if shutter else 0.1)
        mask, found = drawn_mask(word.quad, redness.shape), redness > 0.5
        assert (mask & found).sum() / (mask | found).sum() > 0.95
    assert seen >= 15


def test_the_bar_hides_what_it_says() -> None:
    moves, shares = Moves(pan=0, zoom=1, turn=0, shutter=0, bar=0.1), []
    for frame in scenes([marked()], frames=40, moves=moves):
        [word] = frame.words
        hidden = red(frame.image)[150:200, 250:400]
        flat = (np.abs(hidden - 1) < 0.01).mean()
        assert flat == pytest.approx(word.visible, abs=0.03)
        shares.append(word.visible)
    assert shares[0] == shares[-1] == 1
    assert 0.5 < min(shares) < 0.65  # 64 of 150 pixels


def test_words_that_leave_the_frame_are_seen_less_and_then_not_listed() -> None:
    still = Still(marked().image, np.array([[[-60, 10], [60, 10], [60, 40], [-60, 40]],
                                            [[-90, 10], [-10, 10], [-10, 40], [-90, 40]]], float), ("half", "none"))
    [frame] = scenes([still], frames=1, moves=STANDING)
    assert [(word.text, word.visible) for word in frame.words] == [("half", pytest.approx(0.5))]


def test_films_are_the_same_for_a_seed_and_cut_between_stills() -> None:
    stills = [drawn(["EXIT", "Platform 9"], 1), drawn(["Carpark"], 2)]
    one, same, other = (list(scenes(stills, seed, (320, 180), frames=20, moves=Moves()))
                        for seed in (4, 4, 5))
    for a, b in zip(one, same, strict=True):
        np.testing.assert_array_equal(a.image, b.image)
        assert [word.quad.tolist() for word in a.words] == [word.quad.tolist() for word in b.words]
    assert any((a.image != b.image).any() for a, b in zip(one, other, strict=True))
    assert [frame.index for frame in one] == list(range(40))
    assert one[27].t == 27 / 24
    assert {word.id for frame in one[:20] for word in frame.words} <= {1, 2}
    assert {word.id for frame in one[20:] for word in frame.words} == {3}
    steps = [np.abs(a.image.astype(int) - b.image).mean() for a, b in zip(one, one[1:], strict=False)]
    assert np.argmax(steps) == 19


def test_drawn_words_fill_their_polygons() -> None:
    still = drawn(["EXIT", "Platform 9", "Way out"], 3)
    dark = still.image.max(axis=2) < 90
    for quad in still.quads:
        x1, y1, x2, y2 = (*quad.min(axis=0).astype(int), *quad.max(axis=0).astype(int))
        rows, columns = np.nonzero(dark[y1:y2, x1:x2])
        extent = [columns.min(), rows.min(), x2 - x1 - columns.max(), y2 - y1 - rows.max()]
        assert max(extent) <= 5  # the letters reach the edges, but for what the font leaves beside them
        assert 0.05 < dark[y1:y2, x1:x2].mean() < 0.8
    outside = dark.copy()
    for quad in still.quads:
        outside &= ~drawn_mask(quad + [[-1, -1], [1, -1], [1, 1], [-1, 1]], dark.shape)
    assert outside.mean() < 0.001


def test_a_film_and_its_truth_are_written(tmp_path: Path) -> None:
    stills = [drawn(["EXIT", "Platform 9"], 1, (640, 360)), drawn(["Carpark"], 2, (640, 360))]
    film = list(scenes(stills, 1, (320, 180), frames=6, moves=ALL))
    truth = write_video(film, tmp_path / "made.mp4")
    reader = open_media(str(tmp_path / "made.mp4"))
    decoded = list(reader.frames([], lambda index, t: True))
    reader.close()
    assert [each.index for each in decoded] == [frame.index for frame in film]
    assert [each.t for each in decoded] == pytest.approx([frame.t for frame in film], abs=1e-4)
    for record in truth.records:
        check(record)
    words = [word for frame in film for word in frame.words]
    assert [record["track_id"] for record in truth.records] == [word.id for word in words]
    assert list(truth.rows) == [str(number) for number in range(1, 13)]
    for word, row in zip(words, [row for rows in truth.rows.values() for row in rows], strict=True):
        assert row["transcription"] == (word.text if word.visible >= 0.5 else UNREADABLE)
        assert np.abs(np.reshape(row["points"], (4, 2)) - word.quad).max() <= 0.5
        assert row["ID"] == str(word.id)


def test_the_ten_pictures(ten_pictures: list[Still]) -> None:
    stills = ten_pictures
    texts = [text for still in stills for text in still.texts]
    assert len(stills) == 10
    assert len([text for text in texts if text != UNREADABLE]) == 20
    assert {"HarbourFront", "fusionopolis", "NOTHING?"} <= set(texts)
    [frame] = scenes(stills[:1], size=(1280, 720), frames=1, moves=STANDING)
    np.testing.assert_array_equal(frame.image, stills[0].image)
    for word, quad in zip(frame.words, stills[0].quads, strict=True):
        np.testing.assert_allclose(word.quad, quad, rtol=0, atol=1e-9)
