"""How the camera moved between frames, from the flow of background corners, and what that does to tracks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

CORNERS = 200  # at most; a transform has four unknowns, and the time grows with each
QUALITY = 0.01  # share of the best corner's response under which none is taken
SPACING = 0.015  # of the long side: corners stand apart, so that one rich texture cannot fill the list
# Working pixels, and halvings of the picture. Measured between windows cut from KITTI-17 and TUD-Campus: shifts of up
# to 97 and 80 working pixels are found, 50 with OpenCV's default of 21 and 3, which takes a fifth longer.
WINDOW, HALVINGS = (15, 15), 4
MARGIN = 0.1  # of a box's width and height: the rim around it that is no background either
RETURN = 0.5  # working pixels: how near a corner must come back to itself when followed there and back
RESIDUAL = 1.0  # working pixels: how far a corner may lie from where the transform takes it
LEAST = 12  # corners that must agree
SHARE = 0.2  # of the corners looked for that must agree; measured: over 208 cuts between clips at most 0.015 did
SCALE = 1.35  # at most, and at least its inverse
TURN = np.deg2rad(20)
# A camera stands still where this share of the corners followed has moved no further than so many working pixels.
# Leaves, waves and people without a box move on their own, and would outvote a background of few corners.
STILL, STANDING = 0.3, 0.4
# Frames for which a camera that stands still is compared with the same picture, so that a slow pan adds up until it
# shows instead of vanishing below STILL frame by frame.
PATIENCE = 25


@dataclass(slots=True)
class _Past:
    """The picture that the next ones are compared with.

    Attributes:
        gray: (H, W) uint8, the working picture.
        corners: (C, 1, 2) float32, background corners in it, x and y in working pixels.
        age: frames since it was taken.
    """

    gray: np.ndarray
    corners: np.ndarray
    age: int = 0


class CameraMotion:
    """How the camera moved between frames, by sparse optical flow on the background. One for each source.

    Corners outside the boxes are followed from picture to picture by Lucas and Kanade's flow and back again; RANSAC
    finds the similarity (shift, scale, turn) that most of those which came back agree on. It is the identity where it
    cannot be told: too few corners or too few that agree (a cut), or a scale or turn no camera makes in a frame.

    Args:
        long_side: pixels of the long side that pictures are scaled down to.

    Source: Aharon et al., BoT-SORT, 2022, section 3.2: sparse flow and RANSAC. The masked boxes, the check backwards,
    the gates and the standing camera are ours.
    """

    def __init__(self, long_side: int = 480) -> None:
        if long_side < 64:
            raise ValueError(f"long_side must be 64 or more pixels, got {long_side}")
        self.long_side = long_side
        self._past: _Past | None = None

    def update(self, image: np.ndarray, scale: tuple[float, float], boxes: np.ndarray) -> np.ndarray:
        """Return the transform that takes the background of the previous picture to this one.

        Args:
            image: (H, W, 3) uint8 RGB, the next picture in any size; a change of size starts afresh.
            scale: (sx, sy), what its pixels are multiplied by to give source pixels.
            boxes: (N, 4) xyxy in source pixels, what does not belong to the background of this picture.

        Returns:
            (2, 3) float64 in source pixels: [[a, -b, x], [b, a, y]]; exactly the identity while the camera stands.

        Raises:
            ValueError: an array has another shape or dtype, or a box is not finite.
        """
        boxes = _checked(image, scale, boxes)
        gray, past = self._reduced(image), self._past
        height, width = gray.shape
        # Source pixels for each working pixel.
        unit = np.array([scale[0] * image.shape[1] / width, scale[1] * image.shape[0] / height])
        if past is None or past.gray.shape != gray.shape:
            self._past = _Past(gray, _corners(gray, boxes / np.tile(unit, 2)))
            return np.eye(2, 3)
        before, after = _followed(past, gray)
        least = max(LEAST, SHARE * len(past.corners))
        told = len(before) >= least
        stands = told and (np.abs(after - before).max(axis=1) < STILL).mean() >= STANDING
        past.age += 1
        if not stands or past.age >= PATIENCE:
            self._past = _Past(gray, _corners(gray, boxes / np.tile(unit, 2)))
        return np.eye(2, 3) if stands or not told else _similarity(before, after, unit, least)

    def _reduced(self, image: np.ndarray) -> np.ndarray:
        """Return the working picture (h, w) uint8 of ``image``."""
        height, width = image.shape[:2]
        ratio = min(1.0, self.long_side / max(height, width))
        size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
        return gray if ratio == 1 else cv2.resize(gray, size, interpolation=cv2.INTER_AREA)


def warp(tracks: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Return track states as the moved camera sees them.

    Centres move by the transform, their velocities by its linear part, width, height and their velocities by its
    scale, and every variance by the square of the scale. The last is exact for a shift and a zoom; a turn by some
    degrees would mix the variances of x and y a little, which are alike anyway, and that is left out.

    Args:
        tracks: (T, 4, 5) float64: value, velocity, variance of the value, covariance, variance of the velocity of
            centre x, centre y, width, height in source pixels.
        motion: (2, 3) float64, a similarity as ``CameraMotion.update`` returns it.

    Raises:
        ValueError: a shape is not as above.
    """
    if tracks.ndim != 3 or tracks.shape[1:] != (4, 5) or motion.shape != (2, 3):
        raise ValueError(f"tracks (T, 4, 5) and motion (2, 3) are needed, got shapes {tracks.shape} and {motion.shape}")
    linear = motion[:, :2]
    scale = np.hypot(linear[0, 0], linear[1, 0])
    moved = np.empty(tracks.shape)
    moved[:, :2, :2] = linear @ tracks[:, :2, :2]
    moved[:, :2, 0] += motion[:, 2]
    moved[:, 2:, :2] = tracks[:, 2:, :2] * scale
    moved[:, :, 2:] = tracks[:, :, 2:] * scale**2
    return moved


def _checked(image: np.ndarray, scale: tuple[float, float], boxes: np.ndarray) -> np.ndarray:
    """Return ``boxes`` as float64."""
    boxes = np.asarray(boxes, dtype=np.float64)
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
        raise ValueError(f"image must be (H, W, 3) uint8, got {image.shape} {image.dtype}")
    if boxes.ndim != 2 or boxes.shape[1] != 4 or not np.isfinite(boxes).all():
        raise ValueError(f"boxes must be (N, 4) and finite, got shape {boxes.shape}")
    if not min(scale) > 0:
        raise ValueError(f"scale must be positive, got {scale}")
    return boxes


def _corners(gray: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Return the corners (C, 1, 2) float32 of ``gray`` outside ``boxes`` (N, 4) xyxy in its pixels."""
    height, width = gray.shape
    background = np.full(gray.shape, 255, np.uint8)
    margin = MARGIN * (boxes[:, 2:] - boxes[:, :2])
    grown = np.concatenate([np.floor(boxes[:, :2] - margin), np.ceil(boxes[:, 2:] + margin)], axis=1)
    for x1, y1, x2, y2 in np.clip(grown, 0, [width, height] * 2).astype(np.int64):
        background[y1:y2, x1:x2] = 0
    found = cv2.goodFeaturesToTrack(gray, CORNERS, QUALITY, max(1.0, SPACING * max(height, width)), mask=background)
    return np.empty((0, 1, 2), np.float32) if found is None else found


def _followed(past: _Past, gray: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return where corners were in ``past`` and are in ``gray``: (K, 2) float64 each, in working pixels."""
    if not len(past.corners):
        return np.empty((0, 2)), np.empty((0, 2))
    there, found, _ = cv2.calcOpticalFlowPyrLK(past.gray, gray, past.corners, None, winSize=WINDOW, maxLevel=HALVINGS)
    back, refound, _ = cv2.calcOpticalFlowPyrLK(gray, past.gray, there, None, winSize=WINDOW, maxLevel=HALVINGS)
    astray = np.abs(back - past.corners).max(axis=(1, 2))
    kept = (found.ravel() > 0) & (refound.ravel() > 0) & (astray < RETURN)
    return past.corners[kept, 0].astype(np.float64), there[kept, 0].astype(np.float64)


def _similarity(before: np.ndarray, after: np.ndarray, unit: np.ndarray, least: float) -> np.ndarray:
    """Return the transform (2, 3) in source pixels that takes most of ``before`` to ``after``.

    Args:
        before, after: (K, 2) float64 in working pixels, K from ``least`` on.
        unit: (2,) source pixels for each working pixel.
        least: how many must agree.

    Returns:
        the identity where too few agree, or where the scale or the turn is out of bounds.
    """
    # OpenCV puts whole numbers at the centres of pixels, boxes count from the corner of the first one.
    before, after = (before + 0.5) * unit, (after + 0.5) * unit
    # OpenCV seeds this search the same way in each call: the same pictures give the same transform.
    motion, agree = cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC,
                                                ransacReprojThreshold=RESIDUAL * float(unit.mean()))
    if motion is None or agree.sum() < least:
        return np.eye(2, 3)
    zoom, turn = np.hypot(motion[0, 0], motion[1, 0]), np.arctan2(motion[1, 0], motion[0, 0])
    return motion if 1 / SCALE < zoom < SCALE and abs(turn) < TURN else np.eye(2, 3)
