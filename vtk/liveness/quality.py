"""What the picture of a face is like, in numbers, and which of them forbid a verdict on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vtk.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

REASONS = ("cut", "small", "blurred", "dark", "bright", "flat", "grey", "turned", "covered", "doubtful")

_CORE = 0.7  # of a box's width and height: the face, without most of what is behind it
_SIDE = 48  # pixels that the face is scaled to before its edges are measured: about the smallest that is judged
_BURNT, _BLACK = 250, 5  # luma levels from which on, and up to which, a pixel has lost what it showed
# Half a side of the patch around a point, as a share of the distance of the eyes: for its texture, and for its colour.
_REACH, _SPOT = 0.3, 0.2
_STRANGE = 8.0  # a chromaticity of the mouth 0.1 off the brow's is 0.8 of a cover
# Width to height of a whole face's box: of 154 of rfb-320's 90 % are above the one and 86 % below the other.
_NARROW, _WIDE = 0.65, 0.8
_EDGE = 0.1  # of a box's side: boxes of cut faces end so near to the edge, seldom right at it


@dataclass(frozen=True, slots=True)
class Gates:
    """Bounds of what is judged; outside of any of them a face is ``unsure``, and the reason is said.

    The figures are of 141 real faces of a benchmark, 46 to 393 pixels wide (measured, tests/liveness/test_quality.py):
    with these defaults none of them is flagged; of the same blurred by a Gaussian whose sigma is 1/64, 1/32 or 1/16 of
    the box's width 1, 87 and 99 %; with a third or an eighth of their light 6 and 97 %. What such wear does to scores
    says python -m vtk.liveness.bench wear.

    Attributes:
        min_size: shorter side of the box, pixels. Of faces that minifasnet calls live 92 % stay so at 40 pixels, 56 % at
            20, where 11 % are called spoofs.
        min_sharpness: of edges to contrast, see ``measure``. Real faces have 0.33 and more; blurred by 1/64 of their
            width 0.18 to 0.46, by 1/32 0.09 to 0.28: there a quarter of live faces are called spoofs.
        brightness: least and greatest mean luma in [0, 1]. Real faces have 0.13 to 0.64, and scores hold with a third
            of that light. It is kept wide, since dark skin is darker: it is to catch faces of which the sensor saw next
            to nothing, not people.
        min_contrast: least standard deviation of luma in [0, 1]. Real faces have 0.036 and more.
        min_colour: least saturation, see ``measure``. Real faces have 0.18 and more. Without colour minifasnet calls 23 %
            of live faces live and 38 % spoofs, with a tenth of it (0.02 to 0.08) about as many, with a fifth (0.04 to
            0.15) 85 % live and none a spoof: pictures of night cameras are not what it learned from.
        max_turn: degrees that the head may be turned aside or rolled, where points are known: profiles are not what
            the networks learned from.
        max_cut: share of the face that may lie outside of the picture, see ``measure``: the networks look around the
            box, too. Of 140 real faces whole beside an edge 0.2 % are flagged, of those cut by 30, 40, 50 % that
            rfb-320 still finds 33, 77, 93 %.
        min_score: least score of the detector; the only sign of something before the face, where it gives no points.
        max_covered: of an eye or the mouth, where points are known, see ``measure``. Of 16 of the real faces whose
            points were set by hand, those behind a mask, a veil, a phone and a sheet of paper have 0.85 and more, the
            others less than 0.62; a few, and by one hand.

    Raises:
        UsageError: a bound is out of range; the message names it.
    """

    min_size: float = 40.0
    min_sharpness: float = 0.2
    brightness: tuple[float, float] = (0.05, 0.9)
    min_contrast: float = 0.02
    min_colour: float = 0.08
    max_turn: float = 45.0
    max_cut: float = 0.25
    min_score: float = 0.8
    max_covered: float = 0.8

    def __post_init__(self) -> None:
        _within("min_size", self.min_size, 0, 1e6, "a number of pixels")
        _within("min_sharpness", self.min_sharpness, 0, 10, "a ratio")
        low, high = self.brightness
        if not 0 <= low < high <= 1:
            raise UsageError(f"--gates brightness={low:g}:{high:g}: two shares of white from 0 to 1 are needed, "
                             "the lower one first")
        _within("min_contrast", self.min_contrast, 0, 1, "a share of white")
        _within("min_colour", self.min_colour, 0, 1, "a saturation")
        _within("max_turn", self.max_turn, 0, 180, "an angle in degrees")
        _within("max_cut", self.max_cut, 0, 1, "a share of the box")
        _within("min_score", self.min_score, 0, 1, "a score")
        _within("max_covered", self.max_covered, 0, 1, "a share")


def measure(image: np.ndarray, xyxy: Any, points: np.ndarray | None = None,
            score: float | None = None) -> dict[str, float]:
    """Return what the picture of a face is like, by name; what cannot be measured is left out.

    ``size`` is the shorter side of the box in pixels, ``cut`` the share of the face outside of the picture: of a box
    that reaches beyond it, the part that does. Detectors cut their boxes to the picture, though, so that of a box that
    ends at an edge (within a tenth of its side) it is a lower bound by the box's shape: by how much it is narrower than
    0.65 of its height at the left or right, or lower than its width over 0.8 at the top or bottom.

    Of the luma (Rec. 601) of the middle of the box, in [0, 1]: ``brightness`` its mean, ``contrast`` its standard
    deviation, ``clipped`` the share of pixels burnt or black. ``sharpness`` is the standard deviation of the Laplacian
    of the middle, scaled to 48 by 48 pixels, over the luma's: of edges to contrast, whatever the face's size and
    exposure. Noise passes for edges, so that a noisy blurred face may pass for a sharp one. ``colour`` is the saturation
    of the middle of the box: the sum of what the largest of red, green and blue has over the least, to that of the
    largest. 0 is grey; a grey picture with a tint passes for a coloured one.

    Of points: ``roll`` degrees clockwise from upright, ``turn`` degrees that the nose points aside (unsigned), and
    ``covered``, evidence of something before the face, 0 to 1: how far the least textured of eyes and mouth falls short
    of the face's contrast, or how far the mouth's colour is off that between the eyes, whichever is more. A mask, a
    veil or paper shows; a bare hand, clear glass or a mask of the skin's colour does not. ``score`` is the detector's,
    as given.

    Args:
        image: (H, W, 3) uint8 RGB, the whole picture.
        xyxy: (4,) [x1, y1, x2, y2] in its pixels; it may lie outside of it.
        points: (5, 2) right eye, left eye, nose, right and left corner of the mouth, [x, y] in its pixels. Points that
            are not finite or whose eyes coincide tell nothing.
        score: the detector's confidence.

    Raises:
        ValueError: the picture is not (H, W, 3) uint8, the box not four finite numbers, or the points not (5, 2).

    Source: variance of the Laplacian as a measure of focus, Pech-Pacheco et al., ICPR 2000; the fixed size and the
    division by contrast are ours. The angle of ``turn`` takes the nose's tip to stand as far before the eyes as half of
    their distance, about so in an adult. Chromaticities are shares of red, green and blue, so that light and skin of
    any tone cancel; the bound is from the faces named in ``Gates``.
    """
    import numpy as np

    box = np.asarray(xyxy, np.float64)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8:
        raise ValueError(f"expected an (H, W, 3) uint8 picture, got {image.shape} {image.dtype}")
    if box.shape != (4,) or not np.isfinite(box).all():
        raise ValueError(f"expected a box of four finite numbers, got {xyxy!r:.80}")
    width, height = max(0.0, float(box[2] - box[0])), max(0.0, float(box[3] - box[1]))
    measures = {"size": round(min(width, height), 2), "cut": round(float(_cut(box, image.shape)), 4)}
    core = _middle(image, box)
    if core is not None:
        measures |= _seen(core)
        if points is not None:
            measures |= _posed(image, np.asarray(points, np.float64), measures["contrast"])
    if score is not None:
        measures["score"] = round(float(score), 4)
    return measures


def reasons(measures: Mapping[str, float], gates: Gates) -> tuple[str, ...]:
    """Return why a face of such ``measures`` is not judged, in the order of ``REASONS``; none where it may be."""
    def of(name: str, otherwise: float) -> float:
        return measures.get(name, otherwise)

    low, high = gates.brightness
    tilted = max(of("turn", 0), abs(of("roll", 0)))
    failed = {
        "cut": of("cut", 0) > gates.max_cut, "small": of("size", math.inf) < gates.min_size,
        "blurred": of("sharpness", math.inf) < gates.min_sharpness, "dark": of("brightness", low) < low,
        "bright": of("brightness", high) > high, "flat": of("contrast", math.inf) < gates.min_contrast,
        "grey": of("colour", math.inf) < gates.min_colour, "turned": tilted > gates.max_turn,
        "covered": of("covered", 0) > gates.max_covered,
        "doubtful": of("score", 1) < gates.min_score}
    return tuple(name for name in REASONS if failed[name])


def _within(name: str, value: float, low: float, high: float, unit: str) -> None:
    """Refuse a value out of range, or one that is no number."""
    if not low <= value <= high:
        raise UsageError(f"--gates {name}={value:g}: {unit}, from {low:g} to {high:g}, is needed")


def _cut(box: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return the share of a face outside of a picture, by its box; 1 for a box without area."""
    area = max(0.0, box[2] - box[0]) * max(0.0, box[3] - box[1])
    if not area > 0:
        return 1.0
    width, height = min(box[2], shape[1]) - max(box[0], 0.0), min(box[3], shape[0]) - max(box[1], 0.0)
    return max(1.0 - max(0.0, width) * max(0.0, height) / area, _hidden(box, shape))


def _hidden(box: np.ndarray, shape: tuple[int, ...]) -> float:
    """Return the least share of a face that its box leaves out where it ends at an edge, by boxes' usual shape."""
    wide, high = box[2] - box[0], box[3] - box[1]
    aside = min(box[0], shape[1] - box[2]) <= _EDGE * wide
    above = min(box[1], shape[0] - box[3]) <= _EDGE * high
    return max(0.0, 1 - wide / (_NARROW * high) if aside else 0.0, 1 - _WIDE * high / wide if above else 0.0)


def _middle(image: np.ndarray, box: np.ndarray) -> np.ndarray | None:
    """Return the (h, w, 3) pixels of the middle of a box; None where nothing of the box is in the picture."""
    x1, y1, x2, y2 = box
    inset = (1 - _CORE) / 2
    dx, dy = inset * (x2 - x1), inset * (y2 - y1)
    core = _pixels(image, (x1 + dx, y1 + dy, x2 - dx, y2 - dy))
    return core if core is not None else _pixels(image, (x1, y1, x2, y2))


def _luma(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray | None:
    """Return the (h, w) uint8 luma of the pixels that a box touches; None where it touches none."""
    part = _pixels(image, box)
    return None if part is None else _grey(part)


def _grey(pixels: np.ndarray) -> np.ndarray:
    """Return the (h, w) uint8 luma of (h, w, 3) pixels."""
    import cv2
    import numpy as np

    return cv2.cvtColor(np.ascontiguousarray(pixels), cv2.COLOR_RGB2GRAY)


def _pixels(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray | None:
    """Return the (h, w, 3) pixels that a box touches; None where it touches none."""
    height, width = image.shape[:2]
    left, top = max(0, math.floor(box[0])), max(0, math.floor(box[1]))
    right, bottom = min(width, math.ceil(box[2])), min(height, math.ceil(box[3]))
    return image[top:bottom, left:right] if right > left and bottom > top else None


def _seen(pixels: np.ndarray) -> dict[str, float]:
    """Return what the (h, w, 3) pixels of the middle of a face tell."""
    import cv2
    import numpy as np

    core = _grey(pixels)
    small = cv2.resize(core, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    # A spread of less than one level is the rounding's, no edges.
    edges = float(cv2.Laplacian(small, cv2.CV_32F).std()) / max(1.0, float(small.std()))
    lost = np.count_nonzero((core >= _BURNT) | (core <= _BLACK)) / core.size
    most, least = (int(side(pixels, axis=2).sum(dtype=np.int64)) for side in (np.max, np.min))
    return {"sharpness": round(edges, 4), "brightness": round(float(core.mean()) / 255, 4),
            "contrast": round(float(core.std()) / 255, 4), "clipped": round(lost, 4),
            "colour": round((most - least) / max(1, most), 4)}


def _posed(image: np.ndarray, points: np.ndarray, contrast: float) -> dict[str, float]:
    """Return what five points tell of a face of that ``contrast``; nothing where they tell nothing."""
    import numpy as np

    if points.shape != (5, 2):
        raise ValueError(f"expected (5, 2) points, got {points.shape}")
    right, left, nose = points[:3]
    across = left - right
    distance = float(np.hypot(*across))
    if not np.isfinite(points).all() or not distance > 0:
        return {}
    aside = abs(float((nose - (right + left) / 2) @ across)) / distance
    roll = math.degrees(math.atan2(across[1], across[0]))
    found = {"turn": round(math.degrees(math.atan2(aside, distance / 2)), 1), "roll": round(roll, 1)}
    found |= _covered(image, points, _REACH * distance, _SPOT * distance, contrast)
    return found


def _covered(image: np.ndarray, points: np.ndarray, reach: float, spot: float, contrast: float) -> dict[str, float]:
    """Return the evidence that something is before eyes or mouth; nothing where none of them is in the picture."""
    import numpy as np

    right, left, mouth = points[0], points[1], (points[3] + points[4]) / 2
    patches = [_luma(image, _square(middle, reach)) for middle in (right, left, mouth)]
    textures = [float(patch.std()) / 255 for patch in patches if patch is not None]
    if not textures or not contrast > 0:
        return {}
    smooth = 1 - min(textures) / contrast
    brow, lips = (_shares(image, _square(middle, spot)) for middle in ((right + left) / 2, mouth))
    strange = 0.0 if brow is None or lips is None else _STRANGE * float(np.abs(brow - lips).max())
    return {"covered": round(min(1.0, max(0.0, smooth, strange)), 4)}


def _square(middle: np.ndarray, reach: float) -> tuple[float, float, float, float]:
    """Return the box of all that is at most ``reach`` from ``middle``, by either axis."""
    x, y = map(float, middle)
    return x - reach, y - reach, x + reach, y + reach


def _shares(image: np.ndarray, box: tuple[float, float, float, float]) -> np.ndarray | None:
    """Return (3,) the shares of red, green and blue in a box; None where it has no light or no pixel."""
    part = _pixels(image, box)
    if part is None:
        return None
    light = part.reshape(-1, 3).mean(axis=0)
    return light / light.sum() if light.sum() > 0 else None
