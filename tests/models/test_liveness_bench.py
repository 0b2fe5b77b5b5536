"""The benchmark of liveness models: a row for each batch, and folded beside unfolded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vtk.models import epcr_network, liveness_bench


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VTK_HOME", str(tmp_path))


def rows(capsys: pytest.CaptureFixture[str], *argv: str) -> list[dict]:
    assert liveness_bench.main([*argv, "--turns", "1"]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_rates(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(epcr_network.SIDES, "cdcn-epcr", 32)
    found = rows(capsys, "--model", "cdcn-epcr", "--batch", "1", "3")
    assert [(row["model"], row["batch"], row["precision"]) for row in found] == [("cdcn-epcr", 1, "fp32"),
                                                                                 ("cdcn-epcr", 3, "fp32")]
    for row in found:
        assert row["faces_per_s"] == pytest.approx(row["batch"] / row["median_ms"] * 1e3, rel=0.02)
        assert 0 < row["p10_ms"] <= row["median_ms"] <= row["p90_ms"]


def test_folding(capsys: pytest.CaptureFixture[str]) -> None:
    found = rows(capsys, "--fold", "--side", "32")
    assert [(row["runtime"], row["side"]) for row in found] == [("torch", 32), ("openvino", 32)]
    for row in found:
        assert row["folded_of_unfolded"] == pytest.approx(row["folded_ms"] / row["unfolded_ms"], rel=0.05, abs=0.01)


def test_differences(capsys: pytest.CaptureFixture[str], shared: Path, tmp_path: Path) -> None:
    whole = shared / "data" / "face-antispoof" / "expected_minifasnet_scores.json"
    first = json.loads(whole.read_bytes())[:3]
    first[1][3] = 1 - first[1][3]
    (tmp_path / "benchmarks").symlink_to(whole.parent / "benchmarks")
    (tmp_path / "expected.json").write_text(json.dumps(first))
    [found] = rows(capsys, "--expected", str(tmp_path / "expected.json"))
    assert (found["faces"], found["precision"], found["other_side_of_half"]) == (3, "fp32", 1)
    apart = abs(1 - 2 * first[1][3])
    assert found["greatest_difference"] == pytest.approx(apart, abs=0.001)
    assert found["mean_difference"] == pytest.approx(apart / 3, abs=0.001)
