"""Pieces of text followed from one picture to a later one, by registration of what is inside each."""

from __future__ import annotations

import cv2
import numpy as np

CORNERS = 24  # of a piece at most; a similarity has four unknowns
QUALITY = 0.05  # of the piece's best corner's response under which none is taken
LEAST = 6  # corners that a piece needs, and that must agree: with fewer a turn is guessed from noise
# Working pixels, and halvings of the picture: see vtk.tracking.camera, which measured them.
WINDOW, HALVINGS = (15, 15), 4
RETURN = 0.7  # working pixels: how near a corner must come back to itself when followed there and back
RESIDUAL = 1.5  # working pixels: how far a corner may lie from where the transform takes it
SCALE = 1.5  # at most, and at least its inverse
TURN = np.deg2rad(30)
PATCH = (96, 24)  # width and height that a piece is straightened to, to be compared with itself
FLAT = 4.0  # gray levels of standard deviation under which a piece shows nothing that could be found again
SURE = 0.5  # confidence from which flow is not checked by correlation
REACH = 1.0  # of a piece's height, beside SLACK working pixels: how far around it correlation looks
SLACK = 24
# A peak of correlation that means nothing, for small pieces find something alike anywhere: over 82 words and 10 cuts
# between pictures of ICDAR 2015, 95 % of the peaks are below 0.66 and none above 0.75; of words that moved, above 0.9.
CHANCE = 0.6
TALL = 24  # pixels of height that a piece is reduced to for correlation


class Follower:
    """Moves quadrilaterals from picture to picture with what is inside them. One for each source.

    Corners inside each piece are followed by Lucas and Kanade's flow and back again; RANSAC finds the similarity
    (shift, scale, turn) that most of those which came back agree on. Where there are too few corners, or too few
    agree, normalised correlation of the reduced piece looks for it around where it was, for a shift alone. Whatever
    moved a piece, it is straightened before and after and the two are correlated.

    Args:
        long_side: pixels of the long side that pictures are scaled down to.

    Source: Lucas and Kanade, IJCAI 1981, in Bouguet's pyramids; the check backwards is that of Kalal et al., Forward-
    backward error, ICPR 2010. The gates were chosen on made pictures (tests/text/test_following.py).
    """

    def __init__(self, long_side: int = 960) -> None:
        if long_side < 64:
            raise ValueError(f"long_side: got {long_side}, expected 64 or more pixels")
        self.long_side = long_side
        self._past: np.ndarray | None = None
        self._shape: tuple[int, ...] = ()

    def start(self, image: np.ndarray) -> None:
        """Take ``image``, (H, W, 3) uint8 RGB or (H, W) uint8 gray, as the picture that the next is compared with."""
        self._past, self._shape = self._reduced(image), image.shape[:2]

    def follow(self, image: np.ndarray, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return where quadrilaterals of the previous picture are in this one, which the next is compared with.

        Args:
            image: (H, W, 3) uint8 RGB or (H, W) uint8 gray; of another size than the one before nothing is found.
            quads: (N, 4, 2) float, x and y of the corners in pixels of the previous picture, in order around.

        Returns:
            (N, 4, 2) float64 in pixels of this picture; a quadrilateral that was not found again stays where it was.
            (N,) float64 confidence in [0, 1]: the correlation of what is inside before and after, or where less, the
            share of the corners followed that agree on the motion (by correlation alone: its peak above chance); 0
            where it was not found again, left the picture, or shows nothing that could be. What stands still before
            a piece, such as a bar that hides it in both pictures, is followed as if it were the piece.

        Raises:
            ValueError: an array has another shape or dtype, a corner is not finite, or ``start`` was not called.
        """
        quads = np.asarray(quads, np.float64)
        if quads.ndim != 3 or quads.shape[1:] != (4, 2) or not np.isfinite(quads).all():
            raise ValueError(f"quads: got shape {quads.shape}, expected finite quadrilaterals (N, 4, 2)")
        if self._past is None:
            raise ValueError("got a picture to follow into before the first one, expected start() to be called")
        past, shape = self._past, self._shape
        self.start(image)
        moved, confidence = quads.copy(), np.zeros(len(quads))
        if self._shape != shape or not len(quads):
            return moved, confidence
        # Pixels of the working picture for each of the image.
        unit = np.array(self._past.shape[::-1]) / shape[::-1]
        pieces = quads * unit
        for index, (piece, motion, share) in enumerate(_motions(past, self._past, pieces)):
            after = piece @ motion[:, :2].T + motion[:, 2]
            if share > 0 and _inside(after, self._past):
                moved[index] = after / unit
                confidence[index] = min(share, _likeness(past, self._past, piece, after))
        moved[confidence == 0] = quads[confidence == 0]
        return moved, confidence

    def _reduced(self, image: np.ndarray) -> np.ndarray:
        """Return the working picture (h, w) uint8 of ``image``."""
        colour = image.ndim == 3 and image.shape[2] == 3
        if not (colour or image.ndim == 2) or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"image: got {image.dtype} {image.shape}, expected uint8 (H, W, 3) or (H, W)")
        height, width = image.shape[:2]
        gray = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if colour else np.ascontiguousarray(image)
        ratio = self.long_side / max(height, width)
        if ratio < 1:
            size = (max(1, round(width * ratio)), max(1, round(height * ratio)))
            gray = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
        return gray


def _motions(past: np.ndarray, now: np.ndarray, pieces: np.ndarray) -> list[tuple[np.ndarray, np.ndarray, float]]:
    """Return each piece with its motion (2, 3) float64 and the share of what speaks for it, in working pixels."""
    corners = [_corners(past, piece) for piece in pieces]
    before, after, kept = _flow(past, now, np.concatenate(corners))
    ends = np.cumsum([len(each) for each in corners])
    result = []
    for piece, found, end in zip(pieces, corners, ends, strict=True):
        mine = slice(end - len(found), end)
        motion, share = _similarity(before[mine][kept[mine]], after[mine][kept[mine]], len(found))
        if share < SURE:
            motion, share = max((motion, share), _correlation(past, now, piece), key=lambda each: each[1])
        result.append((piece, motion, share))
    return result


def _window(gray: np.ndarray, piece: np.ndarray, margin: float) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the box around ``piece`` and a margin, within the picture."""
    height, width = gray.shape
    low = np.clip(np.floor(piece.min(axis=0) - margin), 0, (width, height)).astype(int)
    high = np.clip(np.ceil(piece.max(axis=0) + margin), 0, (width, height)).astype(int)
    return int(low[0]), int(low[1]), int(high[0]), int(high[1])


def _corners(gray: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Return the corners (C, 2) float32 inside ``piece``, as OpenCV counts: whole numbers at centres of pixels."""
    left, top, right, bottom = _window(gray, piece, 0)
    none = np.empty((0, 2), np.float32)
    if right - left < 3 or bottom - top < 3:
        return none
    crop = gray[top:bottom, left:right]
    mask = np.zeros(crop.shape, np.uint8)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(piece - (left + 0.5, top + 0.5)).astype(np.int32)), 255)
    # Spread over the whole piece, for a turn and a zoom show at its ends.
    spacing = max(2.0, 0.6 * float(np.sqrt(mask.sum(dtype=np.int64) / 255 / CORNERS)))
    found = cv2.goodFeaturesToTrack(crop, CORNERS, QUALITY, spacing, mask=mask, blockSize=3)
    return none if found is None else found[:, 0] + np.float32([left, top])


def _flow(past: np.ndarray, now: np.ndarray, corners: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return corners (C, 2) before and after, float64, and which of them came back to themselves."""
    if not len(corners):
        return np.empty((0, 2)), np.empty((0, 2)), np.empty(0, bool)
    start = corners[:, None]
    there, found, _ = cv2.calcOpticalFlowPyrLK(past, now, start, None, winSize=WINDOW,
                                               maxLevel=HALVINGS)
    back, refound, _ = cv2.calcOpticalFlowPyrLK(now, past, there, None, winSize=WINDOW,
                                                maxLevel=HALVINGS)
    kept = (np.abs(back - start).max(axis=(1, 2)) < RETURN) & (found.ravel() > 0) & (refound.ravel() > 0)
    # Boxes count from the corner of the first pixel.
    return corners + 0.5, there[:, 0].astype(np.float64) + 0.5, kept


def _similarity(before: np.ndarray, after: np.ndarray, looked_for: int) -> tuple[np.ndarray, float]:
    """Return the motion (2, 3) that most corners agree on, and their share of all looked for; 0 where it is none."""
    if len(before) < LEAST:
        return np.eye(2, 3), 0.0
    # OpenCV seeds this search the same way in each call: the same pictures give the same transform.
    motion, agree = cv2.estimateAffinePartial2D(before, after, method=cv2.RANSAC, ransacReprojThreshold=RESIDUAL,
                                                maxIters=200)
    if motion is None or agree.sum() < LEAST:
        return np.eye(2, 3), 0.0
    zoom, turn = np.hypot(motion[0, 0], motion[1, 0]), np.arctan2(motion[1, 0], motion[0, 0])
    if not (1 / SCALE < zoom < SCALE and abs(turn) < TURN):
        return np.eye(2, 3), 0.0
    return motion, float(agree.sum()) / looked_for


def _correlation(past: np.ndarray, now: np.ndarray, piece: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the shift (2, 3) to where the box around ``piece`` is found again nearby, and how surely, from 0 to 1."""
    left, top, right, bottom = _window(past, piece, 1)
    nothing = np.eye(2, 3), 0.0
    if right - left < 4 or bottom - top < 4 or past[top:bottom, left:right].std() < FLAT:
        return nothing
    reach = SLACK + REACH * (bottom - top)
    far = _window(now, np.array([[left, top], [right, bottom]], float), reach)
    ratio = min(1.0, TALL / min(bottom - top, right - left))
    template, field = past[top:bottom, left:right], now[far[1] : far[3], far[0] : far[2]]
    if ratio < 1:
        template, field = (cv2.resize(each, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
                           for each in (template, field))
    # What the sizes were rounded to.
    ratio = np.array([field.shape[1] / (far[2] - far[0]), field.shape[0] / (far[3] - far[1])])
    if template.shape[0] > field.shape[0] or template.shape[1] > field.shape[1]:
        return nothing
    scores = cv2.matchTemplate(field, template, cv2.TM_CCOEFF_NORMED)
    _, peak, _, (x, y) = cv2.minMaxLoc(scores)
    found = np.array([x + _between(scores[y], x), y + _between(scores[:, x], y)]) / ratio + far[:2]
    motion = np.eye(2, 3)
    motion[:, 2] = found - (left, top)
    return motion, float(np.clip((peak - CHANCE) / (1 - CHANCE), 0, 1))


def _between(scores: np.ndarray, peak: int) -> float:
    """Return where between samples the maximum lies, from that at ``peak``: the vertex of a parabola."""
    if not 0 < peak < len(scores) - 1:
        return 0.0
    before, at, after = map(float, scores[peak - 1 : peak + 2])
    bend = before - 2 * at + after
    return (before - after) / (2 * bend) if bend < 0 else 0.0


def _inside(piece: np.ndarray, gray: np.ndarray) -> bool:
    """Tell whether the middle of ``piece`` lies in the picture."""
    x, y = piece.mean(axis=0)
    return bool(0 <= x < gray.shape[1] and 0 <= y < gray.shape[0])


def _likeness(past: np.ndarray, now: np.ndarray, before: np.ndarray, after: np.ndarray) -> float:
    """Return the correlation, at least 0, of the piece ``before`` in ``past`` and ``after`` in ``now``."""
    one, other = _straightened(past, before), _straightened(now, after)
    spread = float(one.std()), float(other.std())
    if min(spread) < FLAT:
        return 0.0
    return max(0.0, min(1.0, float(((one - one.mean()) * (other - other.mean())).mean()) / (spread[0] * spread[1])))


def _straightened(gray: np.ndarray, piece: np.ndarray) -> np.ndarray:
    """Return ``piece`` as an upright patch, float32."""
    width, height = PATCH
    # Three corners decide: what is a perspective view before is one after, too.
    source = (piece[[0, 1, 3]] - 0.5).astype(np.float32)
    target = np.float32([[0, 0], [width - 1, 0], [0, height - 1]])
    inverse = cv2.getAffineTransform(target, source)
    return cv2.warpAffine(gray, inverse, PATCH, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
