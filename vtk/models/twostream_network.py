"""The network of two streams: frames in their order, and frames by their parts, scored against a tree of labels.

Source: the shape of "Knowledge-enhanced Two-Stream Framework for Multi-Modal Multi-Label Video Classification",
arXiv 2401.04354: a transformer over frames and text; parts of frames fused with what is known of labels; a label's
score refined by its parent's; each stream taught by both. Sizes are ours: its makers hand out neither code nor data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional

WAVES = 16  # sines and as many cosines that say where in a span a frame is


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes.

    Attributes:
        features: numbers of the vector of a part of a frame.
        parts: of a frame, the whole of it first.
        width: numbers within the network, a multiple of ``heads``.
        layers, heads: of the transformer.
        texts: numbers of the vector of a text, and of a label's name.
    """

    features: int = 1024
    parts: int = 6
    width: int = 256
    layers: int = 2
    heads: int = 4
    texts: int = 512

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or not 1 <= value <= 8192:
                raise ValueError(f"{field.name}: got {value!r}, expected a whole number from 1 to 8192")
        if self.width % self.heads:
            raise ValueError(f"width: got {self.width}, expected a multiple of {self.heads} heads")


class Scores(NamedTuple):
    """Logits (B, C) of labels, any number of which may hold: of each stream, and of both."""

    temporal: torch.Tensor
    parts: torch.Tensor
    fused: torch.Tensor


class Labels(nn.Module):
    """Scores of labels that form a tree: alikeness to a vector of each, and γ times the score of its parent.

    Args:
        plan: sizes.
        parents: of each label the number of the one above it, -1 of those at the top.

    Raises:
        ValueError: ``parents`` is no tree.
    """

    def __init__(self, plan: Plan, parents: Sequence[int]) -> None:
        super().__init__()
        self.levels = levels_of(parents)
        self.parents = tuple(parents)
        self.register_buffer("names", torch.zeros(len(parents), plan.texts))
        self.vectors = nn.Parameter(torch.randn(len(parents), plan.width) * 0.1)
        self.of_names = nn.Linear(plan.texts, plan.width, bias=False)
        self.by_level = nn.ModuleList(
            nn.Sequential(nn.Linear(plan.width, plan.width), nn.GELU(), nn.Linear(plan.width, plan.width))
            for _ in self.levels)
        self.scale = nn.Parameter(torch.tensor(math.log(10.0)))
        self.bias = nn.Parameter(torch.full((len(parents),), -2.0))
        self.gamma = nn.Parameter(torch.tensor(-1.0))

    def known(self) -> torch.Tensor:
        """Return (C, width), what is known of each label: learned, and by its name."""
        return self.vectors + self.of_names(self.names)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (..., C) logits for vectors (..., width)."""
        known = functional.normalize(self.known(), dim=-1)
        scores: list[torch.Tensor] = [x.new_zeros(())] * len(self.parents)
        above = functional.softplus(self.gamma)  # positive: what speaks for a label speaks for those below it
        for level, perceptron in zip(self.levels, self.by_level, strict=True):
            seen = functional.normalize(x + perceptron(x), dim=-1)
            told = self.scale.exp() * (seen @ known[list(level)].T) + self.bias[list(level)]
            for place, label in enumerate(level):
                parent = self.parents[label]
                scores[label] = told[..., place] + (above * scores[parent] if parent >= 0 else 0)
        return torch.stack(scores, -1)


class TwoStream(nn.Module):
    """Both streams on vectors of frames' parts, which another network makes.

    Args:
        plan: sizes.
        parents: of each label the number of the one above it, -1 of those at the top.

    Raises:
        ValueError: ``parents`` is no tree.
    """

    def __init__(self, plan: Plan, parents: Sequence[int]) -> None:
        super().__init__()
        self.plan = plan
        self.enter = nn.Sequential(nn.Linear(plan.features, plan.width), nn.LayerNorm(plan.width))
        self.of_text = nn.Sequential(nn.Linear(plan.texts, plan.width), nn.LayerNorm(plan.width))
        self.of_time = nn.Linear(2 * WAVES, plan.width)
        self.of_part = nn.Parameter(torch.randn(plan.parts, plan.width) * 0.02)
        self.answer = nn.Parameter(torch.randn(plan.width) * 0.02)
        layer = nn.TransformerEncoderLayer(plan.width, plan.heads, 4 * plan.width, 0.1, "gelu", batch_first=True,
                                           norm_first=True)
        self.over_time = nn.TransformerEncoder(layer, plan.layers, nn.LayerNorm(plan.width), enable_nested_tensor=False)
        self.asked = nn.Parameter(torch.randn(plan.width) * 0.02)
        self.over_parts = nn.MultiheadAttention(plan.width, plan.heads, batch_first=True)
        self.of_known = nn.Linear(plan.width, plan.width)
        self.mixed = nn.LayerNorm(plan.width)
        self.gate = nn.Linear(2 * plan.width, 1)
        self.labels = Labels(plan, parents)

    def forward(self, frames: torch.Tensor, present: torch.Tensor, texts: torch.Tensor) -> Scores:
        """Return the logits of labels.

        Args:
            frames: (B, T, parts, features) float, vectors of the parts of frames, in order of time.
            present: (B, T) bool, which frames there are; one at least of each span.
            texts: (B, texts) float; zeros where nothing is written.
        """
        seen = self.enter(frames)
        whole = self._temporal(seen[:, :, 0], present, texts)
        each = self._by_parts(seen)
        score = self.labels(whole)
        gone = ~present.unsqueeze(2)
        frame_scores = self.labels(each).masked_fill(gone, -math.inf)
        count = present.sum(1, keepdim=True)
        # Between the mean over frames and the highest of them.
        other = torch.logsumexp(frame_scores, 1) - count.log()
        mean = each.masked_fill(gone, 0).sum(1) / count
        share = torch.sigmoid(self.gate(torch.cat([whole, mean], 1)))
        return Scores(score, other, share * score + (1 - share) * other)

    def _temporal(self, frames: torch.Tensor, present: torch.Tensor, texts: torch.Tensor) -> torch.Tensor:
        """Return (B, width) of frames (B, T, width) in their order, and of what is written."""
        size, long = present.shape
        place = present.cumsum(1).sub(0.5) / present.sum(1, keepdim=True)
        waves = place.unsqueeze(2) * math.pi * torch.arange(1, WAVES + 1, device=frames.device)
        timed = frames + self.of_time(torch.cat([waves.sin(), waves.cos()], 2).to(frames.dtype))
        tokens = torch.cat([self.answer.expand(size, 1, -1), self.of_text(texts).unsqueeze(1), timed], 1)
        gone = torch.cat([torch.zeros_like(present[:, :1]), ~texts.any(1, keepdim=True), ~present], 1)
        return self.over_time(tokens, src_key_padding_mask=gone)[:, 0]

    def _by_parts(self, seen: torch.Tensor) -> torch.Tensor:
        """Return (B, T, width) of the parts of each frame (B, T, parts, width), with what is known of alike labels."""
        size, long = seen.shape[:2]
        parts = (seen + self.of_part).flatten(0, 1)
        pooled = self.over_parts(self.asked.expand(len(parts), 1, -1), parts, parts, need_weights=False)[0]
        known = self.labels.known()
        alike = torch.softmax(pooled @ known.T / math.sqrt(known.shape[1]), -1)
        return self.mixed(pooled + self.of_known(alike @ known)).reshape(size, long, -1)


def levels_of(parents: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    """Return the numbers of labels by how far they are from the top.

    Raises:
        ValueError: there is none, a parent is out of range, or labels go round in a ring.
    """
    count = len(parents)
    if not count or any(type(parent) is not int or not -1 <= parent < count for parent in parents):
        raise ValueError(f"parents: got {list(parents)!r:.80}, expected a number of a label each, or -1")
    depth = [0 if parent < 0 else -1 for parent in parents]
    levels = [tuple(label for label in range(count) if depth[label] == 0)]
    while levels[-1]:
        above = set(levels[-1])
        levels.append(tuple(label for label in range(count) if parents[label] in above))
    if sum(map(len, levels)) != count:
        raise ValueError("parents: labels go round in a ring, expected a tree")
    return tuple(levels[:-1])
