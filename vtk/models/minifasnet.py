"""The liveness model ``minifasnet``: two small networks on crops of two scales, their probabilities averaged."""

from __future__ import annotations

from dataclasses import replace

from vtk.models.face_crops import shifted
from vtk.models.face_scorer import FaceScorer, Views
from vtk.models.runtime import RuntimeOptions
from vtk.models.torch_net import Made, torch_net
from vtk.models.weights import Weights
from vtk.models.zoo import Model
from vtk.threads import asked


def build(model: Model, weights: Weights, runtime: RuntimeOptions) -> FaceScorer:
    """Return the scorer with the networks of the files: the table's two, or what is in a file of the user's own.

    Precision auto is fp32 on every device: thresholds must not depend on the machine.

    Raises:
        WeightsError: the files are none of these networks'.
    """

    def make() -> Made:
        from vtk.models.minifasnet_network import SCALES, SIDE
        from vtk.models.minifasnet_weights import read

        net = read(weights.paths)
        scales = [SCALES[kind] for kind in net.networks]
        return Made(net, (3 * len(scales), SIDE, SIDE), {"scales": scales})

    exact = replace(runtime, precision="fp32") if runtime.precision == "auto" else runtime
    # Layers of microseconds: threads wait for each other. Of two, 0.6 of the faces that one does (measured: 32 faces
    # in turns on 2 shared cores, vtk.models.liveness_bench --threads), and no more in their best moments.
    exact = replace(exact, threads=runtime.threads or asked() or 1)
    net, about = torch_net(str(weights.sha256), "MiniFASNets", exact, make)
    views = Views(shifted, tuple(about["scales"]))
    return FaceScorer(model.name, str(weights.sha256), net, model.input, views)
