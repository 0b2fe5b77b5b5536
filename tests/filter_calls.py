"""How filters are called in tests."""

from __future__ import annotations

import pytest

from conftest import SHARED

# How each filter is called here: with a model that needs no weights, where it has one. A new filter adds its row.
CALLS: dict[str, tuple[str, ...]] = {
    "detect": ("detect", "--model", "motion"),
    "track": ("track", "--detector", "motion"),
    "spot-text": ("spot-text",),
    "reid": ("reid", "--detector", "motion", "--classes", "motion", "--model", "colour",
             "--threshold", "0.9"),
    "detect-copy": ("detect-copy", "--within", "--descriptor", "dct"),
    "face-antispoof": ("face-antispoof", "--frames"),
    # One network, not the three that answer by default: half the time.
    "classify-species": ("classify-species", "--classes", "motion", "--frames", "--model", "imagenet"),
    "recognize-scene": ("recognize-scene", "--shots-only"),
    "probe": ("probe",),
    "sort": ("sort",),
}
# They make records of files of other tools: no records come in to them.
READ_NO_RECORDS = {"import"}
# Nobody's package ships their weights.
WITH_WEIGHTS = {"classify-species", "face-antispoof"}
HAS_WEIGHTS = pytest.mark.skipif(not (SHARED / "models").is_dir(), reason="its weights are absent (set VTK_SHARED)")
