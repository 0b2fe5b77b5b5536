"""DC-Former's network: a vision transformer over overlapping patches with several class tokens, each a view of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import torch
from timm.models.vision_transformer import Block
from torch import Tensor, nn
from torch.nn.functional import normalize

ARCHS = {"dcformer-s": (384, 6), "dcformer-b": (768, 12)}  # width and heads of ViT-S and ViT-B
DEPTH = 12
PATCH = 16  # pixels; patches overlap where the stride is less
CAMERA_WEIGHT = 3.0
LIMITS = {"tokens": (1, 16), "height": (PATCH, 2048), "width": (PATCH, 2048), "stride": (1, PATCH),
          "cameras": (0, 100_000), "identities": (0, 10_000_000)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Plan:
    """What sets one network of an architecture apart from another.

    Attributes:
        tokens: class tokens, N.
        height: of the input, pixels.
        width: of the input, pixels.
        stride: from one patch to the next, pixels.
        cameras: that have an embedding; 0: trained without.
        identities: that the classifiers tell apart; 0: no classifiers.
    """

    tokens: int = 2
    height: int = 256
    width: int = 128
    stride: int = 12
    cameras: int = 0
    identities: int = 0

    def __post_init__(self) -> None:
        for name, (least, most) in LIMITS.items():
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise ValueError(f"{name}: got {value!r:.40}, expected {least} to {most}")

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return (self.height - PATCH) // self.stride + 1, (self.width - PATCH) // self.stride + 1


class Views(NamedTuple):
    """What training needs of a batch.

    Attributes:
        features: (B, N, D), each token before its norm: for triplets and diversity.
        logits: (B, N, identities), each token's own classification after its norm.
    """

    features: Tensor
    logits: Tensor


class DCFormer(nn.Module):
    """Crops to vectors; the parameters' names are those of timm's ViT where the meaning is.

    Args:
        arch: dcformer-s or dcformer-b.
        plan: tokens, size, cameras, identities.
        drop_path: share of residual branches dropped in the last block while training, from 0 in the first.

    Source: Li et al., DC-Former, AAAI 2023, as released; patches and camera embedding: He et al., TransReID, ICCV 2021.
    """

    def __init__(self, arch: str, plan: Plan = Plan(), drop_path: float = 0.1) -> None:
        super().__init__()
        if arch not in ARCHS:
            raise ValueError(f"arch: got {arch!r:.40}, expected {' or '.join(ARCHS)}")
        self.arch, self.plan = arch, plan
        width, heads = ARCHS[arch]
        rows, columns = plan.grid
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH, plan.stride)})
        self.cls_token = nn.Parameter(torch.zeros(1, plan.tokens, width))
        self.cls_position = nn.Parameter(torch.zeros(1, plan.tokens, width))
        self.position = nn.Parameter(torch.zeros(1, rows * columns, width))
        self.camera = nn.Parameter(torch.zeros(plan.cameras, width)) if plan.cameras else None
        norm = partial(nn.LayerNorm, eps=1e-6)
        self.blocks = nn.Sequential(*(Block(width, heads, qkv_bias=True, norm_layer=norm,
                                            drop_path=drop_path * index / (DEPTH - 1)) for index in range(DEPTH)))
        self.norm = norm(width)
        classed = plan.tokens if plan.identities else 0
        self.necks = nn.ModuleList(nn.BatchNorm1d(width) for _ in range(classed))
        self.classifiers = nn.ModuleList(nn.Linear(width, plan.identities, bias=False) for _ in range(classed))
        self._start()

    def _start(self) -> None:
        """Fill the parameters for training from nothing."""
        for module in self.blocks.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
        for tensor in (self.cls_token, self.cls_position, self.position, self.camera):
            if tensor is not None:
                nn.init.trunc_normal_(tensor, std=0.02)
        for neck, classifier in zip(self.necks, self.classifiers, strict=True):
            neck.bias.requires_grad_(False)
            nn.init.normal_(classifier.weight, std=0.001)

    @property
    def dimensions(self) -> int:
        """Numbers of a vector."""
        return self.cls_token.shape[1] * self.cls_token.shape[2]

    def forward(self, images: Tensor, cameras: Tensor | None = None) -> Tensor | Views:
        """Return (B, N D) vectors of unit length in eval mode, and ``Views`` in training.

        Args:
            images: (B, 3, height, width), (pixel / 255 - 0.5) / 0.5.
            cameras: as in ``features``.

        Raises:
            ValueError: the images have another size, or there is nothing to train: the plan has no identities.
        """
        found = self.features(images, cameras)
        if not self.training:
            return normalize(found.flatten(1), dim=1)
        if not self.plan.identities:
            raise ValueError("plan: got no identities, expected some to train with; vectors come in eval mode")
        heads = zip(self.necks, self.classifiers, found.unbind(1), strict=True)
        return Views(found, torch.stack([classifier(neck(token)) for neck, classifier, token in heads], dim=1))

    def features(self, images: Tensor, cameras: Tensor | None = None) -> Tensor:
        """Return (B, N, D), the class tokens behind the last block, normalised by layer.

        Args:
            images: as in ``forward``.
            cameras: (B,) int64; below 0, or None, where it is not known: then the cameras' mean counts. A network
                without cameras looks at none.
        """
        side = (3, self.plan.height, self.plan.width)
        if images.ndim != 4 or tuple(images.shape[1:]) != side:
            raise ValueError(f"images: got {tuple(images.shape)}, expected (B, {', '.join(map(str, side))})")
        patches = self.patch_embed["proj"](images).flatten(2).transpose(1, 2) + self.position
        # shape[0] and not len: a number of Python would be written into a traced network.
        classed = (self.cls_token + self.cls_position).expand(images.shape[0], -1, -1)
        tokens = torch.cat([classed, patches], dim=1)
        if self.camera is not None:
            tokens = tokens + CAMERA_WEIGHT * self._camera_of(cameras)
        return self.norm(self.blocks(tokens))[:, : self.plan.tokens]

    def _camera_of(self, cameras: Tensor | None) -> Tensor:
        """Return (B or 1, 1, D), what the camera adds to every token."""
        known = self.camera
        mean = known.mean(dim=0, keepdim=True)
        if cameras is None:
            return mean[None]
        return torch.cat([known, mean])[torch.where(cameras < 0, len(known), cameras)][:, None]
