"""EPCR's networks: a trunk that gives an embedding map, and the heads that training and scores need."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor, nn

from vtk.models.cdcn_network import EMBEDDING, CDCN, fold

SIDES = {"cdcn-epcr": 256, "transfas": 224}  # pixels of the input, by architecture
STEP = 16  # pixels that a side is a multiple of
LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Plan:
    """What sets one network of an architecture apart from another.

    Attributes:
        side: of the input, pixels, a multiple of 16.
        theta: share of the central differences; of ``cdcn-epcr`` alone.
    """

    side: int = 256
    theta: float = 0.7

    def __post_init__(self) -> None:
        if type(self.side) is not int or not STEP <= self.side <= LONGEST or self.side % STEP:
            raise ValueError(f"side: got {self.side!r:.40}, expected a multiple of {STEP} up to {LONGEST}")
        if type(self.theta) not in (int, float) or not 0 <= self.theta <= 1:
            raise ValueError(f"theta: got {self.theta!r:.40}, expected 0 to 1")


class Views(NamedTuple):
    """What training needs of a batch, each (B, C, h, w): the losses compare those of two views of a picture.

    Attributes:
        projected: 64 channels, z.
        predicted: 64 channels, p, from z.
        spoof: one channel, the classifier's of z: 0 where live, 1 where not.
        spoof_predicted: one channel, the classifier's of p.
    """

    projected: Tensor
    predicted: Tensor
    spoof: Tensor
    spoof_predicted: Tensor


class EPCR(nn.Module):
    """Crops of faces to scores in eval mode, and to ``Views`` in training.

    Projector and predictor are 1x1 convolutions of 64 channels, two each, with batch normalisation and ReLU between.

    Args:
        arch: cdcn-epcr or transfas.
        plan: side and theta; the architecture's own where it is None.

    Raises:
        ValueError: there is no such architecture.

    Source: Wang et al., Consistency regularization for deep face anti-spoofing, TIFS 2023, as released.
    """

    def __init__(self, arch: str, plan: Plan | None = None) -> None:
        super().__init__()
        if arch not in SIDES:
            raise ValueError(f"arch: got {arch!r:.40}, expected {' or '.join(SIDES)}")
        self.arch, self.plan = arch, plan or Plan(SIDES[arch])
        self.trunk = _trunk(arch, self.plan)
        self.projector, self.predictor = _mlp(), _mlp()
        self.classifier = nn.Conv2d(EMBEDDING, 1, 1)
        self.folded = False

    def forward(self, images: Tensor) -> Tensor | Views:
        """Return (B,) in [0, 1], how live each face is: 1 less the mean of the classifier's map; ``Views`` in training.

        Args:
            images: (B, 3, side, side), RGB, (pixel - 127.5) / 128.

        Raises:
            ValueError: the images have another size.
        """
        side = self.plan.side
        if images.ndim != 4 or tuple(images.shape[1:]) != (3, side, side):
            raise ValueError(f"images: got {tuple(images.shape)}, expected (B, 3, {side}, {side})")
        projected = self.projector(self.trunk(images))
        spoof = self.classifier(projected)
        if not self.training:
            return 1 - spoof.mean((1, 2, 3)).clamp(0, 1)
        predicted = self.predictor(projected)
        return Views(projected, predicted, spoof, self.classifier(predicted))

    def fold(self) -> EPCR:
        """Turn convolutions with central differences into plain ones that equal them, for inference; return itself."""
        fold(self)
        self.folded = True
        return self.eval()


def _trunk(arch: str, plan: Plan) -> nn.Module:
    if arch == "cdcn-epcr":
        return CDCN(plan.theta)
    from vtk.models.transfas_network import TransFAS

    return TransFAS(plan.side)


def _mlp() -> nn.Module:
    return nn.Sequential(nn.Conv2d(EMBEDDING, EMBEDDING, 1, bias=False), nn.BatchNorm2d(EMBEDDING), nn.ReLU(inplace=True),
                         nn.Conv2d(EMBEDDING, EMBEDDING, 1))  # fmt: skip
