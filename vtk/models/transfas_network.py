"""TransFAS: a small vision transformer whose maps of four depths are fused by attention, for live faces."""

from __future__ import annotations

from functools import partial

import timm
import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn.functional import interpolate

BACKBONE = "deit_tiny_patch16_224"
PATCH = 16  # pixels
WIDTH, HEADS = 192, 3
DEPTHS = (2, 5, 8, 11)  # blocks whose tokens are taken, of twelve
DECODED = 128
EMBEDDING = 64  # channels of the embedding map


class Fusion(nn.Module):
    """Tokens so far and those of the next depth, side by side, look at each other; the deeper half goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.unit = Block(WIDTH, HEADS, qkv_bias=True, norm_layer=partial(nn.LayerNorm, eps=1e-6))

    def forward(self, fused: Tensor, tokens: Tensor) -> Tensor:
        """Return (B, T, 192) for two of them."""
        return self.unit(torch.cat([fused, tokens], dim=1))[:, tokens.shape[1] :]


class TransFAS(nn.Module):
    """Pictures to embedding maps: DeiT-tiny, three units of attention, and a decoder of twice its grid.

    Args:
        side: of the input, pixels, a multiple of 16.

    Source: the backbone of EPCR (Wang et al., TIFS 2023): four token maps of DeiT-tiny, fused by three units over 2 x 196
    tokens, twice as large by interpolation, then 128 and 64 channels. Which blocks, and that the deeper half goes on,
    are not stated: here every third block.
    """

    def __init__(self, side: int = 224) -> None:
        super().__init__()
        self.backbone = timm.create_model(BACKBONE, pretrained=False, num_classes=0, img_size=side)
        self.norms = nn.ModuleList(nn.LayerNorm(WIDTH, eps=1e-6) for _ in DEPTHS)
        self.fusions = nn.ModuleList(Fusion() for _ in DEPTHS[1:])
        self.decode = nn.Sequential(*_layer(WIDTH, DECODED), *_layer(DECODED, EMBEDDING))

    def forward(self, images: Tensor) -> Tensor:
        """Return (B, 64, side / 8, side / 8) for images (B, 3, side, side)."""
        found = self.backbone.forward_intermediates(images, indices=list(DEPTHS), norm=False, output_fmt="NLC",
                                                    intermediates_only=True)  # fmt: skip
        maps = [norm(tokens) for norm, tokens in zip(self.norms, found, strict=True)]
        fused = maps[0]
        for fusion, tokens in zip(self.fusions, maps[1:], strict=True):
            fused = fusion(fused, tokens)
        grid = (images.shape[2] // PATCH, images.shape[3] // PATCH)
        square = fused.transpose(1, 2).reshape(-1, WIDTH, *grid)
        return self.decode(interpolate(square, scale_factor=2, mode="bilinear", align_corners=False))


def _layer(inner: int, outer: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(inner, outer, 3, padding=1, bias=False), nn.BatchNorm2d(outer), nn.ReLU(inplace=True)
