"""What a camera makes of a scene, and a screen of a picture: shake, flicker, noise; subpixels, moiré, glare.

Simulated, to have clips whose truth is known to the frame. It is no evidence on how any real screen looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

# A screen's pixel is three stripes wide and three rows high; the last row is the gap to the next pixel.
_CELL = 3
_GAP = 0.55  # light of the gap
_OTHERS = 0.3  # light of one colour's stripe in the other colours, by leaking
_REFRESH = 0.055  # depth of the bands that a rolling shutter makes of a screen's dimming


@dataclass(frozen=True, slots=True)
class Hand:
    """A hand-held camera, the same at every run of a seed.

    Attributes:
        width, height: of its frames, pixels.
        phases: (6,) radians, where its slow movements begin.
        seed: of its noise.
    """

    width: int
    height: int
    phases: np.ndarray
    seed: int

    @staticmethod
    def of(width: int, height: int, seed: int) -> Hand:
        """Return the camera of a seed."""
        return Hand(width, height, np.random.default_rng(seed).uniform(0, 2 * np.pi, 6), seed)

    def view(self, t: float) -> np.ndarray:
        """Return the (3, 3) matrix from where a point is at rest to where the shaking camera sees it at ``t``.

        Two sines of incommensurable rates each for the shift (1 % of the width), the roll (0.6 degrees) and the
        distance (1.5 %).
        """
        slow, fast = np.sin(2 * np.pi * 0.31 * t + self.phases[:3]), np.sin(2 * np.pi * 1.73 * t + self.phases[3:])
        dx, dy, roll = 0.7 * slow + 0.3 * fast
        zoom, angle = 1 + 0.015 * slow[0] * fast[1], np.deg2rad(0.6 * roll)
        cos, sin = zoom * np.cos(angle), zoom * np.sin(angle)
        x, y = self.width / 2, self.height / 2
        shift = 0.01 * self.width * np.array([dx, dy])
        return np.array([(cos, -sin, x - cos * x + sin * y + shift[0]), (sin, cos, y - sin * x - cos * y + shift[1]),
                         (0, 0, 1)])

    def exposed(self, light: np.ndarray, frame: int, t: float) -> np.ndarray:
        """Return a frame as the sensor gives it: (H, W, 3) uint8 of (H, W, 3) float32 in [0, 1].

        The lamp flickers by 4 %; the lens is a little soft and loses focus for some frames about every four seconds;
        in about one frame of nine the hand's jerk smears it. Noise grows with the root of the light.
        """
        rng = np.random.default_rng((self.seed, frame))
        light = light * np.float32(1 + 0.04 * np.sin(2 * np.pi * 2.3 * t + self.phases[1]))
        hunting = max(0.0, float(np.sin(2 * np.pi * 0.24 * t + self.phases[4])) - 0.85) / 0.15
        light = cv2.GaussianBlur(light, (0, 0), 0.5 + 0.006 * self.width * hunting)
        if rng.random() < 1 / 9:
            light = _smeared(light, int(0.012 * self.width * (1 + rng.random())), rng.uniform(0, np.pi))
        noise = rng.standard_normal(light.shape, np.float32) * (0.006 + 0.012 * np.sqrt(light.clip(0, 1)))
        return (255 * (light + noise)).round().clip(0, 255).astype(np.uint8)


def placed(picture: np.ndarray, hand: Hand) -> np.ndarray:
    """Return the (3, 3) matrix that fits a picture into the middle of the frame as a whole."""
    height, width = picture.shape[:2]
    scale = min(hand.width / width, hand.height / height)
    return np.array([(scale, 0, (hand.width - scale * width) / 2), (0, scale, (hand.height - scale * height) / 2),
                     (0, 0, 1)])


def live(picture: np.ndarray, hand: Hand, frame: int, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture as if the camera stood before what it shows, and its (4, 2) corners in the frame.

    Args:
        picture: (h, w, 3) uint8 RGB; beyond its edges it is mirrored.
        hand: the camera.
        frame, t: index and seconds of the frame.
    """
    matrix = hand.view(t) @ placed(picture, hand)
    light = cv2.warpPerspective(_light(picture), matrix, (hand.width, hand.height), flags=cv2.INTER_AREA,
                                borderMode=cv2.BORDER_REFLECT_101)
    return hand.exposed(light, frame, t), corners(picture, matrix)


def replayed(picture: np.ndarray, hand: Hand, frame: int, t: float) -> tuple[np.ndarray, np.ndarray]:
    """Return the picture as the camera films it from a phone's screen, and its (4, 2) corners in the frame.

    Arguments as of ``live``.
    """
    rows = round(0.62 * hand.height)
    shown = _displayed(picture, rows)
    lit = _stripes(shown)
    screen = placed(lit, hand)
    shrink, middle = np.diag([0.82, 0.82, 1.0]), np.array([hand.width / 2, hand.height / 2])
    shrink[:2, 2] = 0.18 * middle
    held = np.array([(1, 0.035, -0.035 * middle[1]), (-0.02, 1, 0.02 * middle[0]), (4e-5, -3e-5, 1)])
    matrix = hand.view(t) @ held @ shrink @ screen
    size = (hand.width, hand.height)
    light = _room(hand, t)
    light = _with_bezel(light, matrix, lit.shape)
    seen = cv2.warpPerspective(lit, matrix, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpPerspective(np.ones(lit.shape[:2], np.float32), matrix, size, flags=cv2.INTER_LINEAR)[..., None]
    rolling = np.sin(2 * np.pi * (np.arange(hand.height) / (0.37 * hand.height) - 1.9 * t), dtype=np.float64)
    seen = seen * (1 + _REFRESH * rolling).astype(np.float32)[:, None, None]
    light = light * (1 - mask) + seen + mask * _glare(hand, matrix, lit.shape, t)
    return hand.exposed(cv2.GaussianBlur(light, (0, 0), 0.45), frame, t), corners(lit, matrix)


def empty(hand: Hand, frame: int, t: float) -> np.ndarray:
    """Return a frame of the room without anybody."""
    return hand.exposed(_room(hand, t), frame, t)


def corners(picture: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Return where the corners of a picture are after ``matrix``: (4, 2) clockwise from the upper left one."""
    height, width = picture.shape[:2]
    rest = np.array([[(0, 0), (width, 0), (width, height), (0, height)]], np.float64)
    return cv2.perspectiveTransform(rest, matrix)[0]


def _light(picture: np.ndarray) -> np.ndarray:
    return picture.astype(np.float32) / 255


def _displayed(picture: np.ndarray, rows: int) -> np.ndarray:
    """Return the (rows, w, 3) pixels of a screen that shows a recording: compressed, bluer, flatter, black lifted."""
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (max(1, round(width * rows / height)), rows), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 60])
    light = _light(cv2.imdecode(data, cv2.IMREAD_COLOR))  # channels as they were put in
    return np.float32([0.94, 1.0, 1.12]) * (0.05 + 0.95 * light ** np.float32(0.9))


def _stripes(pixels: np.ndarray) -> np.ndarray:
    """Return each pixel as its three stripes and the gap below: (3 h, 3 w, 3), as bright on the whole."""
    cell = np.full((_CELL, _CELL, 3), _OTHERS, np.float32)
    for colour in range(3):
        cell[:, colour, colour] = 1
    cell[-1] *= _GAP
    cell /= cell.mean(axis=(0, 1))
    height, width = pixels.shape[:2]
    wide = pixels.repeat(_CELL, axis=0).repeat(_CELL, axis=1)
    return wide * np.tile(cell, (height, width, 1))


def _room(hand: Hand, t: float) -> np.ndarray:
    """Return the room as the camera sees it at ``t``, (H, W, 3) float32."""
    return cv2.warpPerspective(_wall(hand.width, hand.height), hand.view(t), (hand.width, hand.height),
                               borderMode=cv2.BORDER_REFLECT_101)


@lru_cache(maxsize=1)
def _wall(width: int, height: int) -> np.ndarray:
    """Return a wall with a window's light on one side, and a table before it; not to be written to."""
    ys, xs = np.mgrid[0:1:complex(0, height), 0:1:complex(0, width)].astype(np.float32)
    wall = 0.46 + 0.16 * (1 - xs) - 0.1 * ys
    wall = np.where(ys > 0.8, 0.24 + 0.05 * np.sin(60 * ys + 4 * np.sin(5 * xs)), wall)
    return wall[..., None] * np.float32([1.0, 0.95, 0.87])


def _with_bezel(light: np.ndarray, matrix: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the scene with the phone's black front around where the screen is going to be, and a bright rim."""
    height, width = shape[:2]
    side = 0.045 * max(width, height)
    for reach, colour in ((1.25 * side, (0.5, 0.5, 0.52)), (side, (0.03, 0.03, 0.035))):
        rest = np.array([[(-reach, -1.8 * reach), (width + reach, -1.8 * reach), (width + reach, height + 1.8 * reach),
                          (-reach, height + 1.8 * reach)]], np.float64)
        there = cv2.perspectiveTransform(rest, matrix)[0]
        light = cv2.fillConvexPoly(light, (there * 16).round().astype(np.int32), colour, cv2.LINE_AA, 4)
    return light


def _glare(hand: Hand, matrix: np.ndarray, shape: tuple[int, ...], t: float) -> np.ndarray:
    """Return the (H, W, 1) light that the glass throws back: a lamp's spot, and a veil that fades across the screen."""
    height, width = shape[:2]
    spot = np.array([[(0.8 * width + 0.05 * width * np.sin(0.9 * t + hand.phases[5]), 0.16 * height)]])
    x, y = cv2.perspectiveTransform(spot, matrix)[0, 0]
    ys, xs = np.mgrid[0:hand.height, 0:hand.width].astype(np.float32)
    reach = 0.09 * hand.height
    lamp = 0.55 * np.exp(-((xs - x) ** 2 / (2 * (1.6 * reach) ** 2) + (ys - y) ** 2 / (2 * reach ** 2)))
    veil = 0.1 * np.clip((xs - x) / hand.width + 1, 0, 1) ** 2
    return (lamp + veil)[..., None].astype(np.float32)


def _smeared(light: np.ndarray, length: int, angle: float) -> np.ndarray:
    """Return an image smeared along a line of ``length`` pixels."""
    if length < 2:
        return light
    kernel = np.zeros((length | 1, length | 1), np.float32)
    middle, reach = (length | 1) // 2, length / 2
    along = np.array([np.cos(angle), np.sin(angle)]) * reach
    ends = [tuple(round(part) for part in middle + sign * along) for sign in (-1, 1)]
    cv2.line(kernel, *ends, 1.0)
    return cv2.filter2D(light, -1, kernel / kernel.sum())
