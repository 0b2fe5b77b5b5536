"""CoText's trunk: ResNet-18, two feature pyramids, and one map at a quarter of the picture's sides."""

from __future__ import annotations

from collections.abc import Sequence

import timm
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

CHANNELS = 128  # of every level of the pyramids
LEVELS = 4  # at strides 4, 8, 16 and 32
FUSED = CHANNELS * LEVELS


class ConvNormRelu(nn.Sequential):
    """A convolution that keeps the size at stride 1, batch normalisation, ReLU."""

    def __init__(self, inputs: int, outputs: int, size: int = 1, stride: int | tuple[int, int] = 1) -> None:
        super().__init__(nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False), nn.BatchNorm2d(outputs),
                         nn.ReLU(inplace=True))  # fmt: skip


class Smooth(nn.Sequential):
    """A depthwise 3 x 3 convolution, then 1 x 1, batch normalisation and ReLU: (B, 128, H, W) to the same / stride."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__(nn.Conv2d(CHANNELS, CHANNELS, 3, stride, 1, groups=CHANNELS, bias=False),
                         ConvNormRelu(CHANNELS, CHANNELS))  # fmt: skip


class Pyramid(nn.Module):
    """A feature pyramid enhancement: what is coarse flows to what is fine and back, and is added to the inputs.

    Source: FPEM of Wang et al., PAN, ICCV 2019, section 3.2, in the second version, of PAN++ (TPAMI 2021), which
    CoText uses: an own convolution for each step.
    """

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.ModuleList(Smooth() for _ in range(LEVELS - 1))
        self.up = nn.ModuleList(Smooth(stride=2) for _ in range(LEVELS - 1))

    def forward(self, levels: Sequence[Tensor]) -> list[Tensor]:
        """Return the enhanced levels: (B, 128, H / 4, W / 4) to (B, 128, H / 32, W / 32), as they came."""
        found = list(levels)
        for level in reversed(range(LEVELS - 1)):  # to the finer one
            found[level] = self.down[level](_enlarged(found[level + 1], found[level]) + found[level])
        for level in range(LEVELS - 1):  # to the coarser one
            found[level + 1] = self.up[level](_enlarged(found[level + 1], found[level]) + found[level])
        return [given + own for given, own in zip(levels, found, strict=True)]


class Trunk(nn.Module):
    """A picture to one map: 11,176,512 parameters of ResNet-18 and 337,408 of what joins its levels.

    Source: Wu et al., CoText, 2022, as released: reductions to 128 channels, two pyramids, levels concatenated.
    """

    def __init__(self) -> None:
        super().__init__()
        self.backbone = timm.create_model("resnet18", pretrained=False, features_only=True, out_indices=(1, 2, 3, 4))
        self.reduce = nn.ModuleList(ConvNormRelu(channels, CHANNELS)
                                    for channels in self.backbone.feature_info.channels())
        self.pyramids = nn.ModuleList(Pyramid() for _ in range(2))

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 512, H / 4, W / 4) for images (B, 3, H, W), normalised; H and W are multiples of 4."""
        levels = [reduce(level) for reduce, level in zip(self.reduce, self.backbone(images), strict=True)]
        for pyramid in self.pyramids:
            levels = pyramid(levels)
        return torch.cat([levels[0], *(_enlarged(level, levels[0]) for level in levels[1:])], dim=1)


def _enlarged(level: Tensor, like: Tensor) -> Tensor:
    """Return ``level`` at the height and width of ``like``, bilinear."""
    return interpolate(level, size=like.shape[2:], mode="bilinear", align_corners=False)
