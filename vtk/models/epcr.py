"""The liveness models ``cdcn-epcr`` and ``transfas``, experimental until there are weights."""

from __future__ import annotations

from dataclasses import replace

from vtk.models.face_crops import clipped
from vtk.models.face_scorer import FaceScorer, Views
from vtk.models.runtime import RuntimeOptions
from vtk.models.torch_net import Made, torch_net
from vtk.models.weights import Weights
from vtk.models.zoo import Model

SCALE = 1.5  # sides of the crop, in sides of the face's box


def build(model: Model, weights: Weights, runtime: RuntimeOptions) -> FaceScorer:
    """Return a scorer with the weights of a file, as ``epcr_weights.write`` makes them; central differences folded.

    Precision auto is fp32 on every device: thresholds must not depend on the machine.

    Raises:
        WeightsError: the file is none of this network's.
    """

    def make() -> Made:
        from vtk.models.epcr_weights import read

        net = read(weights.paths[0], model.arch).fold()
        return Made(net, (3, net.plan.side, net.plan.side), {"side": net.plan.side})

    exact = replace(runtime, precision="fp32") if runtime.precision == "auto" else runtime
    net, about = torch_net(str(weights.sha256), model.arch, exact, make)
    takes = replace(model.input, height=about["side"], width=about["side"])
    return FaceScorer(model.name, str(weights.sha256), net, takes, Views(clipped, (SCALE,)))
