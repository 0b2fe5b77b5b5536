"""CDCN: convolutions that look at central differences, for what sets a face off from a picture of one; and their fold."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from vtk.kernels.fold_cdc import fold_cdc

WIDTHS = (128, 196, 128)  # of a block's three convolutions
STEM = 64
FUSED = 128
EMBEDDING = 64  # channels of the embedding map
GRID = 8  # pixels of the input to a cell of the embedding map


class CentralConv(nn.Module):
    """A 3x3 convolution with central differences, without bias, padded to the same size.

    y = conv3x3(x, w) - theta conv1x1(x, sum of w); ``plain`` is the convolution that equals it.

    Source: Yu et al., Searching central difference convolutional networks for face anti-spoofing, CVPR 2020, equation 4.
    """

    def __init__(self, inner: int, outer: int, theta: float) -> None:
        super().__init__()
        self.theta = theta
        self.weight = nn.Parameter(torch.empty(outer, inner, 3, 3))
        nn.init.kaiming_uniform_(self.weight, a=math.sqrt(5))

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, outer, h, w)."""
        found = conv2d(maps, self.weight, padding=1)
        if self.theta == 0:
            return found
        return found - self.theta * conv2d(maps, self.weight.sum((2, 3), keepdim=True))

    def plain(self) -> nn.Conv2d:
        """Return the convolution that gives the same, for inference."""
        outer, inner = self.weight.shape[:2]
        with torch.device("meta"):
            conv = nn.Conv2d(inner, outer, 3, padding=1, bias=False)
        folded = fold_cdc(self.weight.detach().cpu(), self.theta).to(self.weight.device)
        conv.weight = nn.Parameter(folded, requires_grad=False)
        return conv


def fold(module: nn.Module) -> nn.Module:
    """Replace every convolution with central differences in ``module`` by the plain one that equals it; return it."""
    for name, child in module.named_children():
        if isinstance(child, CentralConv):
            setattr(module, name, child.plain())
        else:
            fold(child)
    return module


class CDCN(nn.Module):
    """Pictures to embedding maps.

    A stem of 64 channels and three blocks of 128, 196 and 128, each halved by max-pooling behind it. What the blocks
    give is brought to one size, an eighth of the input's, and fused: 384 channels to 128 to 64.

    Args:
        theta: share of the differences.

    Source: the backbone of EPCR (Wang et al., TIFS 2023), as released: CDCN of Yu et al. with a stem that pools.
    """

    def __init__(self, theta: float = 0.7) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_layer(3, STEM, theta), _pool())
        self.blocks = nn.ModuleList()
        inner = STEM
        for _ in range(3):
            layers: list[nn.Module] = []
            for width in WIDTHS:
                layers += _layer(inner, width, theta)
                inner = width
            self.blocks.append(nn.Sequential(*layers, _pool()))
        self.fuse = nn.Sequential(*_layer(3 * inner, FUSED, theta), *_layer(FUSED, EMBEDDING, theta))

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 64, side / 8, side / 8) for images (B, 3, side, side)."""
        size = (images.shape[2] // GRID, images.shape[3] // GRID)
        maps, found = self.stem(images), []
        for block in self.blocks:
            maps = block(maps)
            found.append(interpolate(maps, size, mode="bilinear", align_corners=False))
        return self.fuse(torch.cat(found, dim=1))


def _layer(inner: int, outer: int, theta: float) -> tuple[nn.Module, ...]:
    return CentralConv(inner, outer, theta), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)


def _pool() -> nn.Module:
    return nn.MaxPool2d(3, 2, 1)
