"""The benchmark runner: a row for each implementation and library, and none where an implementation is wrong."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from vtk.kernels import bench
from vtk.kernels.case import families
from vtk.kernels.pairwise_iou import cpu
from vtk.kernels.timing import alternate, peak_memory


@pytest.fixture(autouse=True)
def _without_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VTK_KERNELS", raising=False)


def test_rows(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["pairwise_iou", "--quick"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"reference", "cpu", "torchvision"} <= {row["implementation"] for row in rows}
    rows = [row for row in rows if row["function"] == "pairwise_iou"]
    for row in rows:
        assert row["case"] == "1000 x 1000"
        assert 0 < row["p10_ms"] <= row["median_ms"] <= row["p90_ms"]
        assert {"device", "versions", "date", "gb_per_s", "copy_gb_per_s"} <= set(row)
        # Two lists of boxes in, one matrix out.
        moved = 2 * 16_000 + 4_000_000
        assert row["gb_per_s"] == pytest.approx(moved / row["median_ms"] / 1e6, rel=0.05, abs=0.01)
    (ours,) = (row for row in rows if row["implementation"] == "cpu")
    assert ours["times_ours"] == 1


def test_wrong_kernels_are_not_timed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    right = cpu.pairwise_iou
    monkeypatch.setattr(cpu, "pairwise_iou", lambda a, b: right(a, b) + np.float32(1e-6))
    assert bench.main(["pairwise_iou", "--quick"]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert "not timed, for it is wrong: pairwise_iou.cpu.pairwise_iou, size 1" in err


@pytest.mark.parametrize("argv", [["bogus"], ["nms", "--quick", "--all"]])
def test_usage(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        bench.main(argv)
    assert stopped.value.code == 2
    if argv == ["bogus"]:
        assert f"got family bogus, expected some of {', '.join(families())}" in capsys.readouterr().err


def test_turns_are_timed_per_call() -> None:
    timing = alternate({"short": lambda: time.sleep(0.0005), "long": lambda: time.sleep(0.01)}, turns=3)
    assert 0.5 <= timing["short"].median < 10 <= timing["long"].median
    assert timing["long"].turns == 3


def test_peak_memory_sees_what_a_call_takes() -> None:
    peak = peak_memory(lambda: np.ones(4_000_000))
    if peak is None:
        pytest.skip("this system doesn't tell a process's peak memory")
    assert 30e6 < peak < 60e6
