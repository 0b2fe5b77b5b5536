"""What the network of two streams is trained by."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from vtk.models.twostream_network import Scores, levels_of


def two_stream_loss(scores: Scores, targets: torch.Tensor, temperature: float = 2.0) -> torch.Tensor:
    """Return the mean loss: of each stream and of both against ``targets``, and of each stream against both.

    It is BCE(a) + BCE(b) + BCE(fused) + T² (KL(fused ‖ a) + KL(fused ‖ b)), the means over spans and labels; fused is
    softened by T, as each stream is, and is taught nothing by them.

    Args:
        scores: logits (B, C).
        targets: (B, C) float in [0, 1], ancestors included; see ``with_ancestors``.
        temperature: T.

    Raises:
        ValueError: shapes differ, or ``temperature`` is not positive.

    Source: Hinton et al., "Distilling the knowledge in a neural network", 2015, for the factor T².
    """
    if targets.shape != scores.fused.shape:
        raise ValueError(f"targets: got {tuple(targets.shape)}, expected {tuple(scores.fused.shape)}")
    if not temperature > 0:
        raise ValueError(f"temperature: got {temperature}, expected a positive number")
    told = sum(functional.binary_cross_entropy_with_logits(each, targets) for each in scores)
    soft = torch.sigmoid(scores.fused.detach() / temperature)
    entropy = functional.binary_cross_entropy(soft, soft)
    taught = sum(functional.binary_cross_entropy_with_logits(each / temperature, soft) - entropy
                 for each in (scores.temporal, scores.parts))
    return told + temperature**2 * taught


def with_ancestors(targets: torch.Tensor, parents: Sequence[int]) -> torch.Tensor:
    """Return targets (..., C) in [0, 1] in which what holds of a label holds of those above it.

    Raises:
        ValueError: ``parents`` is no tree, or of another number of labels.
    """
    if targets.shape[-1:] != (len(parents),):
        raise ValueError(f"targets: got {tuple(targets.shape)}, expected (..., {len(parents)})")
    out = targets.clone()
    for level in reversed(levels_of(parents)):
        for label in level:
            if parents[label] >= 0:
                out[..., parents[label]] = torch.maximum(out[..., parents[label]], out[..., label])
    return out
