"""Thresholds found on labelled faces, as a small JSON file that says which detector and model they belong to."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vtk.errors import UsageError
from vtk.liveness.decision import DEFAULT, Thresholds

FORMAT = "vtk face-antispoof calibration 1"


@dataclass(frozen=True, slots=True)
class Maker:
    """What made the scores: they depend on the box and on the arithmetic, so all of it has to be the same.

    Attributes:
        detector: name and sha256 of what found the faces, ``rfb-320@34cd7e60aeff``.
        model: name and sha256 of the network.
        precision: what the network computed in: fp32, bf16, fp16.
    """

    detector: str
    model: str
    precision: str


@dataclass(frozen=True, slots=True)
class Calibration:
    """Thresholds of single faces and of tracks of faces.

    Attributes:
        maker: what made the scores that it was found on.
        face: of a face in one picture.
        track: of the fused score of a track.
        track_scale: what the fused log-odds of a track are multiplied by before ``track`` applies: frames of one face
            err together, so that their mean is surer than it should be.
        report: how it was found, for people: counts, targets, rates with intervals, seed.
    """

    maker: Maker
    face: Thresholds
    track: Thresholds
    track_scale: float = 1.0
    report: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return it as a JSON object, as ``read`` takes it."""
        return {
            "format": FORMAT, **asdict(self.maker),
            "face": [self.face.spoof_below, self.face.live_from],
            "track": [self.track.spoof_below, self.track.live_from], "track_scale": self.track_scale,
            "report": self.report}

    def check(self, maker: Maker) -> None:
        """Refuse to judge scores of another ``maker``.

        Records do not say which weights found the faces: a detector without a hash is compared by its name.

        Raises:
            UsageError: detector, model or precision differ; the message has both.
        """
        for what in ("detector", "model", "precision"):
            wanted, found = getattr(self.maker, what), getattr(maker, what)
            if (wanted if "@" in found or what != "detector" else wanted.partition("@")[0]) != found:
                raise UsageError(f"--calibration: its thresholds are for {what} {wanted}, and this is {found}: scores "
                                 "of the two do not compare; run vtk calibrate face-antispoof with these options")


def uncalibrated(maker: Maker, thresholds: Thresholds = DEFAULT) -> Calibration:
    """Return ``thresholds`` for faces and tracks alike, where there is no calibration."""
    return Calibration(maker, thresholds, thresholds)


def read(path: Path) -> Calibration:
    """Return the calibration in a file.

    Raises:
        UsageError: it cannot be read, or is none.
    """
    try:
        data = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"--calibration {path}: {error.strerror}") from None
    except ValueError:
        raise UsageError(f"--calibration {path}: not a JSON file") from None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise UsageError(f"--calibration {path}: no file of vtk calibrate face-antispoof")
    try:
        maker = Maker(*(_text(data[key]) for key in ("detector", "model", "precision")))
        face, track = (_thresholds(key, data[key]) for key in ("face", "track"))
        scale = _number(data["track_scale"])
    except KeyError as error:
        raise UsageError(f"--calibration {path}: damaged: it has no {error.args[0]}") from None
    except (TypeError, ValueError, UsageError) as error:
        raise UsageError(f"--calibration {path}: damaged: {error}") from None
    if not 0 < scale <= 100:
        raise UsageError(f"--calibration {path}: damaged: track_scale is {scale:g}, not above 0 and up to 100")
    report = data.get("report")
    return Calibration(maker, face, track, scale, report if isinstance(report, dict) else {})


def _thresholds(name: str, value: object) -> Thresholds:
    if not isinstance(value, list) or len(value) != 2:
        raise TypeError(f"{name} is {value!r:.60}, not two scores")
    return Thresholds(*map(_number, value))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r:.60} is no text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{value!r:.60} is no number")
    return float(value)
