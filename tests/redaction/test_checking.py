"""The check tells what is hidden from what is shown, whatever hid it."""

from __future__ import annotations

import numpy as np
import pytest

from vtk.redaction.checking import SURVIVES, bounds, look
from vtk.redaction.coverage import lacking
from vtk.redaction.hiding import HOWS, How, box_of, hidden
from vtk.redaction.plan import Region

WIDTH, HEIGHT = 200, 160
BOX = Region((40.0, 30.0, 100.0, 110.0))
LINE = Region((20.0, 20.0, 140.0, 90.0), np.array([[20, 40], [130, 20], [140, 70], [30, 90]], np.float32))
MARGIN = 0.15


@pytest.fixture
def picture() -> np.ndarray:
    """Return a picture with detail of all sizes, as natural ones have: noise that is stronger the coarser it is."""
    rng = np.random.default_rng(5)
    image = np.zeros((HEIGHT, WIDTH, 3))
    for cell in (2, 4, 8, 16, 32):
        few = rng.normal(0, cell * 1.5, (HEIGHT // cell + 1, WIDTH // cell + 1, 3))
        image += few.repeat(cell, axis=0).repeat(cell, axis=1)[:HEIGHT, :WIDTH]
    return np.clip(image + 120, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("region", [BOX, LINE], ids=["box", "outline"])
def test_what_is_hidden_does_not_survive(how: How, region: Region, picture: np.ndarray) -> None:
    kept = picture.copy()
    made = hidden(picture, [region], how, MARGIN)
    assert np.array_equal(picture, kept), "the frame is shared"
    verdict = look(picture, made, [region], how, MARGIN)
    assert verdict.survives < SURVIVES / 2
    assert verdict.stain == 0
    assert verdict.likeness == 100
    noisy = np.clip(made + np.random.default_rng(1).normal(0, 5, made.shape), 0, 255).astype(np.uint8)
    verdict = look(picture, noisy, [region], how, MARGIN)
    assert verdict.survives < SURVIVES / 2 and verdict.stain < bounds(20)[1] and verdict.likeness > bounds(20)[0]


@pytest.mark.parametrize("how", HOWS)
def test_what_is_shown_is_found(how: How, picture: np.ndarray) -> None:
    assert look(picture, picture, [BOX], how, MARGIN).survives > 2 * SURVIVES
    faint = (picture * 0.5 + 60).astype(np.uint8)
    assert look(picture, faint, [BOX], how, MARGIN).survives > SURVIVES
    away = hidden(picture, [Region((120.0, 30.0, 180.0, 110.0))], how, MARGIN)
    assert look(picture, away, [BOX], how, MARGIN).survives > 2 * SURVIVES, "another place was hidden"
    one = hidden(picture, [BOX], how, MARGIN)
    assert look(picture, one, [BOX, Region((120.0, 30.0, 180.0, 110.0))], how, MARGIN).survives > 2 * SURVIVES


def test_a_fill_of_plain_things_is_told_from_none(picture: np.ndarray) -> None:
    plain = np.full_like(picture, 200)
    assert look(plain, plain, [BOX], "fill", MARGIN).survives < 1e-6
    assert look(plain, plain, [BOX], "fill", MARGIN).stain > bounds(35)[1]


def test_what_is_not_hidden_has_to_stay(picture: np.ndarray) -> None:
    made = hidden(picture, [BOX], "fill", MARGIN)
    moved = np.roll(made, 2, axis=1)
    assert look(picture, moved, [BOX], "fill", MARGIN).likeness < bounds(20)[0]


@pytest.mark.parametrize("how", ["pixelate", "blur"])
@pytest.mark.parametrize("side", [14, 40, 150])
def test_blocks_are_no_finer_than_a_sixth(how: How, side: int, picture: np.ndarray) -> None:
    """All that is left of a region are the means of so many blocks: pictures with the same means give the same."""
    region = Region((10.0, 5.0, 10.0 + side, 5.0 + side))
    x1, y1, x2, y2 = box_of(region, 0.0, WIDTH, HEIGHT) or (0, 0, 0, 0)
    blocks = max(1, min(6, int((x2 - x1) / 6)))
    made = hidden(picture, [region], how, 0.0)[y1:y2, x1:x2].astype(float)
    if how == "pixelate":
        assert len(np.unique(made.reshape(-1, 3), axis=0)) <= blocks * max(1, min(6, int((y2 - y1) / 6)))
    else:
        steps = np.abs(np.diff(made, 2, axis=1)).max(axis=(0, 2))  # bent at the middles of blocks alone
        assert (steps > 2).sum() <= 3 * (blocks + 1)


def test_regions_end_at_the_frame(picture: np.ndarray) -> None:
    over = Region((-30.0, -10.0, 20.0, 400.0))
    assert box_of(over, 0.1, WIDTH, HEIGHT) == (0, 0, 25, HEIGHT)
    assert box_of(Region((300.0, 0.0, 340.0, 20.0)), 0.1, WIDTH, HEIGHT) is None
    made = hidden(picture, [over, Region((300.0, 0.0, 340.0, 20.0))], "fill", 0.1)
    assert (made[:, :25] == 16).all() and np.array_equal(made[:, 25:], picture[:, 25:])
    assert look(picture, picture, [over], "blur", 0.1).survives > SURVIVES


def ledger(by: str = "detect/x", decoded: int = 100, processed: int = 100, types: tuple[str, ...] = ("detection",),
           status: str = "ok") -> dict[str, object]:
    return {"type": "end", "by": by, "status": status, "types": list(types), "records": 5,
            "frames": {"decoded": decoded, "processed": processed, "skipped": decoded - processed}}


@pytest.mark.parametrize(("ledgers", "step", "said"), [
    ([ledger()], 1, None),
    ([], 1, "no end record"),
    ([ledger(types=("scene",))], 1, "no end record"),
    ([ledger(status="partial")], 1, "ended partial"),
    ([ledger(), ledger("probe", types=("media",), status="failed")], 1, "probe ended failed"),
    ([ledger(decoded=99, processed=99)], 1, "looked at 99 of 100 frames"),
    ([ledger(decoded=0, processed=40)], 1, "looked at 0 of 100"),
    ([ledger(processed=20)], 5, None),
    ([ledger(processed=20)], 1, None),
    ([ledger(processed=10)], 10, "every 10th frame, 0.40 s apart"),
    ([ledger(processed=50)], 9, "every 9th frame"),
    ([ledger(), ledger("track", 0, 40, ("track", "tracklet"))], 1, None),
    ([ledger(), ledger("face", 40, 40, ("face", "face_track"))], 1, None),
    ([ledger(decoded=50), ledger("track", 0, 40, ("track", "tracklet"))], 1, "detect/x looked at 50"),
    ([ledger(), ledger("detect/y", 10, 10)], 1, "detect/y looked at 10"),
    ([ledger(), ledger("spot-text", 10, 10, ("text", "text_track"))], 1, "spot-text looked at 10"),
    ([ledger(), ledger("face", 100, 100, ("face", "face_track"))], 9, "looked at every 9th frame"),
])
def test_ledgers_say_whether_all_was_looked_at(ledgers: list[dict[str, object]], step: int, said: str | None) -> None:
    why = lacking(ledgers, ("detection", "track", "text", "face"), 100, step, lambda gap: gap * 0.04, 0.3)
    assert why is None if said is None else why is not None and said in why


def test_what_is_found_among_others_is_looked_for_where_those_are() -> None:
    chain = [ledger(), ledger("track", 0, 40, ("track", "tracklet")), ledger("face", 40, 40, ("face", "face_track"))]
    for types in (("track",), ("face",)):
        assert lacking(chain, types, 100, 1, lambda gap: gap * 0.04, 0.3) is None
        why = lacking([ledger(decoded=50), *chain[1:]], types, 100, 1, lambda gap: gap * 0.04, 0.3)
        assert why is not None and "detect/x looked at 50 of 100" in why
    assert "no end record" in (lacking(chain[:1], ("face",), 100, 1, lambda gap: gap * 0.04, 0.3) or "")
