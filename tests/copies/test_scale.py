"""Hours are looked for in hours without the map of all their frames."""

from __future__ import annotations

import json

import numpy as np
import pytest

from vtk.copies import scale


def test_memory_does_not_grow_with_the_map(capfd: pytest.CaptureFixture[str]) -> None:
    """An hour and a half in as much: the map takes 117 MB as float32, and all is done in 80.

    What it takes grows with the frames, not with their product: 27 MB for an hour, 72 for four.
    """
    assert scale.main(["--hours", "1.5", "--aligners", "diagonal,dp"]) == 0
    rows = {row["aligner"]: row for row in map(json.loads, capfd.readouterr().out.splitlines())}
    assert set(rows) == {"diagonal", "dp"}
    for row in rows.values():
        assert row["map_mb"] > 115 and row["frames"] == [5400, 5400]
        if row["growth_mb"] is None:
            pytest.skip("this system doesn't tell a process's peak memory")
        assert row["growth_mb"] < 80, row
    found = rows["diagonal"]
    assert found["found"] == 1 and min(found["precision"], found["recall"]) > 0.99


def test_a_pair_shows_what_it_is_said_to() -> None:
    query, reference = scale.pair(400, 100)
    opposite = (query.vectors[150:250] * reference.vectors[100:200]).sum(axis=1)
    np.testing.assert_allclose(opposite, 0.97, atol=0.02)
    others = query.vectors[:150] @ reference.vectors.T
    # Two shots of one scene are alike, and still no copy.
    assert np.quantile(others, 0.999) > 0.1 and others.max() < 0.6


def test_options_that_make_no_sense_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--aligners", "best"], ["--hours", "0"]):
        with pytest.raises(SystemExit):
            scale.main(argv)
        assert "expected some of" in capsys.readouterr().err
