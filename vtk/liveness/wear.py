"""What blur, distance, compression, light and the loss of colour do to scores and verdicts of the same faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np

from vtk.liveness.decision import DEFAULT
from vtk.liveness.quality import Gates, measure, reasons
from vtk.models.liveness import Face, Liveness

# What is done to a picture with a face so many pixels wide; the box goes along by the picture's new size.
Worn = Callable[[np.ndarray, float], np.ndarray]


def _smaller(side: int) -> Worn:
    """Return what shrinks a picture until its face is ``side`` pixels wide; smaller ones stay."""
    def worn(image: np.ndarray, width: float) -> np.ndarray:
        ratio = min(1.0, side / width)
        return cv2.resize(image, None, fx=ratio, fy=ratio, interpolation=cv2.INTER_AREA)
    return worn


def _compressed(quality: int) -> Worn:
    """Return what writes a picture as a JPEG of ``quality`` and reads it back."""
    def worn(image: np.ndarray, width: float) -> np.ndarray:
        _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
        return cv2.imdecode(data, cv2.IMREAD_COLOR)  # channels come back as they went in
    return worn


def _blurred(share: float) -> Worn:
    """Return a Gaussian blur whose sigma is a ``share`` of the face's width."""
    return lambda image, width: cv2.GaussianBlur(image, (0, 0), share * width)


def _lit(gain: float) -> Worn:
    """Return what multiplies the light."""
    return lambda image, width: cv2.convertScaleAbs(image, alpha=gain)


def _grey(image: np.ndarray, width: float) -> np.ndarray:
    """Return the picture without its colours."""
    return np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[:, :, None], 3, axis=2)


WEAR: dict[str, Worn] = {
    "as it is": lambda image, width: image, "grey": _grey,
    "80 pixels": _smaller(80), "60 pixels": _smaller(60), "40 pixels": _smaller(40), "20 pixels": _smaller(20),
    "JPEG 50": _compressed(50), "JPEG 20": _compressed(20), "JPEG 10": _compressed(10),
    "blur 1/64": _blurred(1 / 64), "blur 1/32": _blurred(1 / 32), "blur 1/16": _blurred(1 / 16),
    "half the light": _lit(0.5), "a third of the light": _lit(1 / 3), "twice the light": _lit(2),
}


def worn(faces: Sequence[Face], network: Liveness) -> Iterator[dict[str, Any]]:
    """Yield a row for each kind of wear: verdicts at the default thresholds, by the score alone and with gates.

    ``of_live`` are the shares, in percent, of the faces that are called live as they are and now live, unsure or spoof
    by the score alone; ``gated`` the share of all faces that the gates take out now.
    """
    before = [DEFAULT.verdict(float(score)) for score in network.scores(faces)]
    live = [place for place, verdict in enumerate(before) if verdict == "live"]
    for name, wear in WEAR.items():
        now = [_worn(face, wear) for face in faces]
        verdicts = [DEFAULT.verdict(float(score)) for score in network.scores(now)]
        kept = [verdicts[place] for place in live]
        gated = sum(bool(reasons(measure(face.image, face.xyxy), Gates())) for face in now)
        yield {"wear": name, "faces": len(faces), "live_before": len(live),
               "of_live": {verdict: round(100 * kept.count(verdict) / max(1, len(kept)), 1)
                           for verdict in ("live", "unsure", "spoof")},
               "gated": round(100 * gated / max(1, len(now)), 1)}


def _worn(face: Face, wear: Worn) -> Face:
    """Return a face in the worn picture."""
    x1, y1, x2, y2 = face.xyxy
    image = wear(face.image, x2 - x1)
    across, down = image.shape[1] / face.image.shape[1], image.shape[0] / face.image.shape[0]
    return Face(image, (x1 * across, y1 * down, x2 * across, y2 * down))
