"""Thresholds of verdicts from labelled scores: by hand, on scores of a known distribution, and where it is refused."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from face_records import drawn, face, face_track

from vtk.errors import UsageError
from vtk.liveness.calibrating import Targets, calibrate, checked, collected, fit_scale, live_from, spoof_below
from vtk.liveness.calibration import Calibration, Maker, read
from vtk.liveness.decision import Thresholds
from vtk.liveness.fusion import Fusion, log_odds
from vtk.liveness.labelled import Labelled
from vtk.liveness.presentations import FaceLanes
from vtk.metrics.liveness import LIVE, operating_curve

MAKER = Maker("rfb-320@1", "minifasnet@2", "fp32")


def pictures(live: Sequence[float], **attacks: Sequence[float]) -> tuple[FaceLanes, list[Labelled]]:
    """Return faces of pictures with these scores, and their labels."""
    lanes, labels = FaceLanes(), []
    for kind, scores in {"": live, **attacks}.items():
        for number, score in enumerate(scores):
            name = f"{kind or 'real'}{number}.jpg"
            labels.append(Labelled(name, Path(name), not kind, kind or None))
            lanes.take([face(name, float(score))])
    return lanes, labels


def found(live: Sequence[float], targets: Targets = Targets(), **attacks: Sequence[float]) -> Calibration:
    return calibrate(*pictures(live, **attacks), MAKER, targets)


def test_thresholds_by_hand() -> None:
    """Of 20 prints one may pass: 0.61 does not suffice, 0.6001 does. Of 20 live one may be lost: that of 0.3."""
    live = [0.3, 0.4, *np.linspace(0.7, 0.99, 18)]
    prints = [*np.linspace(0.01, 0.5, 18), 0.6, 0.9]
    made = found(live, print=prints)
    assert made.face == Thresholds(0.4, 0.6001)
    face_report = made.report["face"]
    assert (face_report["APCER"], face_report["BPCER"], face_report["unsure_live"]) == (5, 5, 5), "0.4 is unsure"
    assert face_report["attacks"]["print"] == {"sources": 20, "APCER": 5, "unsure": 100 * sum(
        0.4 <= score < 0.6001 for score in prints) / 20}
    low, high = face_report["interval"]["live_from"]
    assert low < 0.6001 < high == 0.9001, "resamples with both of 0.6 and 0.9 need more than 0.9"
    assert made.maker == MAKER and made.report["targets"] == {"APCER": 5, "BPCER": 5}


def test_the_worst_type_decides() -> None:
    live, weak, strong = np.linspace(0.5, 1, 20), np.linspace(0, 0.3, 20), np.linspace(0.4, 0.79, 20).round(4)
    assert found(live, print=weak).face.live_from < found(live, print=weak, mask=strong).face.live_from
    assert found(live, print=weak, mask=strong).face.live_from == found(live, mask=strong).face.live_from


def test_where_thresholds_cross_one_in_the_middle_keeps_both() -> None:
    made = found(np.linspace(0.8, 1, 20), print=np.linspace(0, 0.2, 20).round(4))
    assert made.face.spoof_below == made.face.live_from == pytest.approx((0.1896 + 0.8105) / 2, abs=1e-3)
    assert made.report["face"]["APCER"] == made.report["face"]["BPCER"] == made.report["face"]["unsure_live"] == 0
    assert any("one threshold in the middle keeps both" in note for note in made.report["notes"])
    low, high = made.report["face"]["interval"]["APCER"]
    assert low == 0 and high == pytest.approx(100 * (1 - 0.025 ** (1 / 20)), abs=1e-3), "none of 20 is up to 17 %"


@pytest.mark.parametrize("seed", range(2))
def test_targets_are_kept_on_others_of_the_same_kind(seed: int) -> None:
    """Log-odds of live are N(1.5, 1.5), of attacks N(-1.5, 1.5): at 5 % the thresholds lie at -0.967 and 0.967."""
    made = found(drawn(2 * seed, 2000, 1.5), print=drawn(2 * seed + 1, 2000, -1.5))
    assert log_odds(made.face.spoof_below) == pytest.approx(1.5 - 1.5 * 1.645, abs=0.2)
    assert log_odds(made.face.live_from) == pytest.approx(-1.5 + 1.5 * 1.645, abs=0.2)
    interval = made.report["face"]["interval"]
    for name, threshold in (("live_from", made.face.live_from), ("spoof_below", made.face.spoof_below)):
        assert interval[name][0] <= threshold <= interval[name][1] and np.ptp(interval[name]) < 0.1
    other = checked(made, *pictures(drawn(100 + seed, 2000, 1.5), print=drawn(200 + seed, 2000, -1.5)))["face"]
    # Four standard errors of a share of 5 % of 2,000, once for the thresholds and once for the check.
    assert other["APCER"] == pytest.approx(5, abs=2.8) and other["BPCER"] == pytest.approx(5, abs=2.8)


def test_equal_scores_of_a_source_are_one_row() -> None:
    """An hour of frames weighs as one picture, and takes no more memory than its different scores."""
    lanes, labels = pictures(np.linspace(0.5, 1, 20), print=np.linspace(0, 0.2, 19))
    labels.append(Labelled("film.mp4", Path("film.mp4"), False, "print"))
    lanes.take([face("film.mp4", 0.6 if frame % 4 else 0.1, frame) for frame in range(400)])
    scores, _ = collected(lanes, labels)
    assert len(scores.scores) == 20 + 19 + 2 and scores.sources == {None: 20, "print": 20}
    assert sorted(scores.weights[-2:].tolist()) == [0.25, 0.75]


@pytest.mark.parametrize(("apcer", "live_from"), [(0.05, 0.1001), (0.03, 0.2001), (0.02, 0.5001)])
def test_a_video_counts_as_much_as_a_picture(apcer: float, live_from: float) -> None:
    """Nineteen pictures at 0.1, and a video of ten frames, half at 0.2 and half at 0.5: 2.5 % each."""
    lanes, labels = pictures([0.05, *np.linspace(0.6, 1, 19)], print=[0.1] * 19)
    labels.append(Labelled("film.mp4", Path("film.mp4"), False, "print"))
    lanes.take([face("film.mp4", 0.5 if frame % 2 else 0.2, frame) for frame in range(10)])
    made = calibrate(lanes, labels, MAKER, Targets(apcer, 0.01, few=True))
    assert made.face == Thresholds(0.05, live_from)
    assert made.report["face"]["attacks"]["print"]["sources"] == 20
    assert made.report["face"]["APCER"] == {0.1001: 5, 0.2001: 2.5, 0.5001: 0}[live_from]


def test_faces_that_quality_rules_out_are_left_out() -> None:
    lanes, labels = pictures(np.linspace(0.5, 1, 20), print=np.linspace(0, 0.2, 20))
    labels.append(Labelled("dark.jpg", Path("dark.jpg"), False, "print"))
    lanes.take([face("dark.jpg", 1.0, reasons=["dark"])])
    made = calibrate(lanes, labels, MAKER)
    assert made.report["face"]["gated"] == 1 and made.report["face"]["attacks"]["print"]["sources"] == 20
    assert made.face.live_from < 0.5


@pytest.mark.parametrize(("live", "attacks", "targets", "said"), [
    (19, 20, Targets(), "19 live faces: 20 at least are needed to tell 5 % from none; give more, a larg"),
    (20, 19, Targets(), "19 attacks of type print: 20 at least .* a larger --target-apcer, or --allow-few"),
    (20, 0, Targets(few=True), "no attacks that can be judged"), (0, 20, Targets(few=True), "no live faces that can"),
    (100, 99, Targets(0.01, 0.01), "99 attacks of type print: 100"),
])
def test_sets_that_are_too_small(live: int, attacks: int, targets: Targets, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        found([0.9] * live, targets, print=[0.1] * attacks)


def test_few_are_taken_with_a_note() -> None:
    made = found([0.9] * 5, Targets(few=True), print=[0.1] * 3)
    assert made.report["notes"][:2] == [
        "5 live faces: fewer than the 20 with which 5 % can be told from none",
        "3 attacks of type print: fewer than the 20 with which 5 % can be told from none"]
    assert made.report["face"]["interval"]["APCER"][1] > 50, "none of three says little"


def test_the_interval_of_apcer_is_of_all_types() -> None:
    """One of 60 prints passes, none of 20 masks: the interval is no print's taken for 20, and knows of the masks."""
    prints = [0.01 * (number % 20) for number in range(59)] + [0.999]
    made = found(np.linspace(0.5, 0.99, 60), print=prints, mask=np.linspace(0, 0.2, 20))
    report = made.report["face"]
    assert report["APCER"] == pytest.approx(100 / 60, abs=1e-4)
    assert report["interval"]["APCER"] == [0, pytest.approx(100 * (1 - 0.025 ** (1 / 20)), abs=1e-3)]


def test_what_no_threshold_can_do() -> None:
    with pytest.raises(UsageError, match="no threshold keeps APCER at 5 %: 10.0 % of the faces of print score 1.0"):
        found([0.9] * 20, print=[0.1] * 18 + [1.0] * 2)
    for wrong in (0, 1, -0.1, float("nan")):
        with pytest.raises(UsageError, match="--target-apcer"):
            Targets(apcer=wrong)


def films(live: Sequence[float], attacks: Sequence[float]) -> tuple[FaceLanes, list[Labelled]]:
    """Return face tracks of videos with these fused scores, each with two frames of the score's half log-odds."""
    lanes, labels = FaceLanes(), []
    for kind, scores in (("real", live), ("replay", attacks)):
        for number, score in enumerate(scores):
            name = f"{kind}{number}.mp4"
            labels.append(Labelled(name, Path(name), kind == "real", None if kind == "real" else kind))
            single = round(float(1 / (1 + np.exp(-log_odds(score) / 2))), 4)
            lanes.take([face(name, single, 0), face(name, single, 1), face_track(name, score)])
    return lanes, labels


def test_tracks_get_a_scale_that_makes_their_odds_true() -> None:
    """Log-odds of N(2 k, 2 k) are true at scale 1 for k = 1; three times as sure, at a third."""
    rng = np.random.default_rng(0)
    odds = rng.normal(2, 2, 4000)
    live = rng.random(4000) < 1 / (1 + np.exp(-odds))
    balanced = np.concatenate([odds[live], odds[~live]])
    truth = np.array([True] * live.sum() + [False] * (~live).sum())
    prior = np.log(live.sum() / (~live).sum())  # both classes weigh the same in the fit: odds are shifted by as much
    one = fit_scale(1 / (1 + np.exp(-(balanced - prior))), truth)
    three = fit_scale(1 / (1 + np.exp(-3 * (balanced - prior))), truth)
    assert one == pytest.approx(1, abs=0.1) and three == pytest.approx(1 / 3, abs=0.04)


def test_tracks_where_there_are_enough() -> None:
    scores = drawn(0, 60, 6, 4.0), drawn(1, 60, -6, 4.0)
    made = calibrate(*films(*scores), MAKER, Targets(0.05, 0.05))
    assert 0.1 < made.track_scale < 1.5 and made.track != made.face
    report = made.report["track"]
    assert report["live"] == 60 and report["APCER"] <= 5 and report["BPCER"] <= 5
    fewer = calibrate(*films(scores[0][:19], scores[1]), MAKER, Targets(few=True))
    assert (fewer.track_scale, fewer.track) == (1, fewer.face) and "track" not in fewer.report
    assert any("19 live videos and 60 of attacks with a track, 20 of each" in note for note in fewer.report["notes"])


def test_tracks_that_no_scale_fits_keep_theirs() -> None:
    made = calibrate(*films([0.9, 0.95] * 15, [0.1, 0.05] * 15), MAKER)
    assert made.track_scale == 1 and any("no scale fits" in note for note in made.report["notes"])
    assert fit_scale(np.array([0.1, 0.9]), np.array([True, False])) is None, "upside down"


def test_tracks_without_faces_are_refused() -> None:
    lanes = FaceLanes()
    lanes.take([face_track("a.mp4", 0.9)])
    with pytest.raises(UsageError, match="face tracks and no faces: vtk face-antispoof --frames gives both"):
        calibrate(lanes, [Labelled("a.mp4", Path("a.mp4"), True)], MAKER)


def test_it_is_read_again_and_the_same_for_a_seed(tmp_path: Path) -> None:
    import orjson

    def made(seed: int) -> dict[str, Any]:
        lanes, labels = pictures(drawn(0, 60, 1.5), print=drawn(1, 60, -1.5))
        return calibrate(lanes, labels, MAKER, seed=seed).to_json()

    first = made(3)
    assert first == made(3) and first["report"]["face"]["interval"] != made(4)["report"]["face"]["interval"]
    (tmp_path / "c.json").write_bytes(orjson.dumps(first))
    again = read(tmp_path / "c.json")
    again.check(MAKER)
    assert [again.face.spoof_below, again.face.live_from] == first["face"]


def test_thresholds_of_no_need_and_of_no_score() -> None:
    curve = operating_curve(np.array([0.2, 0.7, 1.0]), np.array([0, LIVE, 0]), 1)
    assert live_from(curve, 0.5) == 0.2001 and live_from(curve, 0.4) == 1.0001
    assert spoof_below(curve, 0.5) == 0.7
    curve = operating_curve(np.array([0.25, 0.123456, 0.5]), np.array([0, LIVE, LIVE]), 1)
    assert spoof_below(curve, 0) == 0.1234, "four decimals as in records, and not above the score"
