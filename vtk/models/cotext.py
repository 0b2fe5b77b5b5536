"""The text spotter ``cotext``: CoText's network, which finds, reads and tells texts apart in one."""

from __future__ import annotations

from pathlib import Path

from vtk.errors import UsageError, WeightsError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.cotext_regions import Growth
from vtk.models.ppocr_detection import STRIDE
from vtk.models.runtime import RuntimeOptions, pick_device
from vtk.models.spotter import Spotter


def load_cotext(weights: Path | None = None, runtime: RuntimeOptions = RuntimeOptions(), long_side: int = 640,
                how: Growth = Growth()) -> Spotter:
    """Return CoText with the weights of a file.

    Args:
        weights: as ``cotext_weights.write`` makes them.
        runtime: device and precision; auto is fp32 on the CPU and bf16 on CUDA.
        long_side: that pictures are resized to, in pixels, a multiple of 32.
        how: which texts count.

    Raises:
        UsageError: an option is out of range.
        WeightsError: there are no weights, or they cannot be read.
    """
    if long_side < STRIDE or long_side % STRIDE:
        raise UsageError(f"long side {long_side}: expected a multiple of {STRIDE}, at least {STRIDE}")
    device = pick_device(runtime)
    precision = runtime.precision if runtime.precision != "auto" else "fp32" if device == "cpu" else "bf16"
    if device == "cpu" and precision == "fp16":
        raise UsageError("--precision fp16: cotext computes in fp32 or bf16 on the CPU")
    row = zoo.get("cotext")
    if weights is None and not files.at_hand(row):
        raise WeightsError("cotext has no trained weights yet (experimental): give it a file of your own with "
                           "--weights FILE, or use --model ppocr")
    found = files.resolve(row, weights, offline=runtime.offline, trust=runtime.trust_weights)
    # torch is slow to load: all that can be said without it is said before.
    from vtk.models.cotext_spotter import CoTextSpotter
    from vtk.models.cotext_weights import read

    net, vocabulary = read(found.paths[0])
    return CoTextSpotter(net, vocabulary, long_side, device, precision, how).spotter(str(found.sha256))
