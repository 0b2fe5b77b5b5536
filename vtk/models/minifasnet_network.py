"""The two MiniFASNets: live faces from others, by small crops around the face; names are those of the makers' files."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

SIDE = 80  # pixels of a crop
CLASSES = 3
LIVE = 1  # the class of live faces; 0 and 2 are kinds of attacks

# Widths of the middle of each block, read off the makers' files: they were pruned, each to its own width.
WIDTHS: dict[str, dict[str, tuple[int, ...]]] = {
    "v2": {"conv_3": (13, 13, 13, 13), "conv_4": (231, 52, 26, 77, 26, 26), "conv_5": (26, 26)},
    "v1se": {"conv_3": (13, 26, 13, 52), "conv_4": (154, 52, 26, 52, 26, 26), "conv_5": (26, 26)},
}
SQUEEZED = ("v1se",)  # whose stages end with a block that weighs its channels
SCALES = {"v2": 2.7, "v1se": 4.0}  # sides of the crop, in sides of the face's box


class Conv(nn.Module):
    """A convolution without bias, batch normalisation, and a PReLU unless ``linear``."""

    def __init__(self, inner: int, outer: int, kernel: int = 1, stride: int = 1, padding: int = 0, groups: int = 1,
                 linear: bool = False) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inner, outer, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outer)
        self.prelu = None if linear else nn.PReLU(outer)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, outer, h, w)."""
        found = self.bn(self.conv(maps))
        return found if self.prelu is None else self.prelu(found)


class Squeeze(nn.Module):
    """A factor in [0, 1] for each channel, from the means of all (squeeze and excitation)."""

    def __init__(self, channels: int, reduction: int = 4) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // reduction, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels // reduction)
        self.fc2 = nn.Conv2d(channels // reduction, channels, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(channels)

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, C, h, w), each channel times its factor."""
        found = torch.relu(self.bn1(self.fc1(maps.mean((2, 3), keepdim=True))))
        return maps * torch.sigmoid(self.bn2(self.fc2(found)))


class Bottleneck(nn.Module):
    """1x1 to ``width`` channels, 3x3 on each of them, 1x1 back; with a short cut where it is ``residual``."""

    def __init__(self, inner: int, width: int, outer: int, stride: int = 1, residual: bool = False,
                 squeezed: bool = False) -> None:
        super().__init__()
        self.conv = Conv(inner, width)
        self.conv_dw = Conv(width, width, 3, stride, 1, groups=width)
        self.project = Conv(width, outer, linear=True)
        self.se_module = Squeeze(outer) if squeezed else None
        self.residual = residual

    def forward(self, maps: Tensor) -> Tensor:
        """Return (B, outer, h / stride, w / stride)."""
        found = self.project(self.conv_dw(self.conv(maps)))
        if self.se_module is not None:
            found = self.se_module(found)
        return maps + found if self.residual else found


class Stage(nn.Module):
    """Residual bottlenecks in a row; the last may be squeezed."""

    def __init__(self, channels: int, widths: Sequence[int], squeezed: bool) -> None:
        super().__init__()
        last = len(widths) - 1
        self.model = nn.Sequential(*(Bottleneck(channels, width, channels, residual=True,
                                                squeezed=squeezed and index == last)
                                     for index, width in enumerate(widths)))  # fmt: skip

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same shape."""
        return self.model(maps)


class MiniFASNet(nn.Module):
    """Crops to the logits of three classes.

    Args:
        kind: v2 or v1se.

    Source: Silent-Face-Anti-Spoofing of Minivision, its published weights; squeeze: Hu et al., CVPR 2018.
    """

    def __init__(self, kind: str) -> None:
        super().__init__()
        widths, squeezed = WIDTHS[kind], kind in SQUEEZED
        self.conv1 = Conv(3, 32, 3, 2, 1)
        self.conv2_dw = Conv(32, 32, 3, 1, 1, groups=32)
        self.conv_23 = Bottleneck(32, 103, 64, 2)
        self.conv_3 = Stage(64, widths["conv_3"], squeezed)
        self.conv_34 = Bottleneck(64, 231, 128, 2)
        self.conv_4 = Stage(128, widths["conv_4"], squeezed)
        self.conv_45 = Bottleneck(128, 308, 128, 2)
        self.conv_5 = Stage(128, widths["conv_5"], squeezed)
        self.conv_6_sep = Conv(128, 512)
        self.conv_6_dw = Conv(512, 512, 5, groups=512, linear=True)
        self.linear = nn.Linear(512, 128, bias=False)
        self.bn = nn.BatchNorm1d(128)
        self.prob = nn.Linear(128, CLASSES, bias=False)

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 3) logits for images (B, 3, 80, 80), BGR, 0 to 255."""
        maps = self.conv_23(self.conv2_dw(self.conv1(images)))
        maps = self.conv_45(self.conv_4(self.conv_34(self.conv_3(maps))))
        maps = self.conv_6_dw(self.conv_6_sep(self.conv_5(maps)))
        return self.prob(self.bn(self.linear(maps.flatten(1))))


class Ensemble(nn.Module):
    """Some MiniFASNets, each on a crop of its own: the mean of their probabilities."""

    def __init__(self, kinds: Sequence[str]) -> None:
        super().__init__()
        self.networks = nn.ModuleDict({kind: MiniFASNet(kind) for kind in kinds})

    def forward(self, images: Tensor) -> Tensor:
        """Return (B,), the probability that a face is live.

        Args:
            images: (B, 3 K, 80, 80), BGR, 0 to 255: a crop for each of the K networks, in their order.
        """
        crops = images.split(3, dim=1)
        shares = [net(crop).softmax(1)[:, LIVE] for net, crop in zip(self.networks.values(), crops, strict=True)]
        return torch.stack(shares).mean(0)
