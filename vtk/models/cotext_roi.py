"""Masked RoI in torch, for training: what the kernel ``masked_roi`` gives, with gradients to the map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, pad

from vtk.kernels.masked_roi import masked_roi
from vtk.kernels.masked_roi.perspective import coefficients, places


def sample(features: Tensor, quads: Tensor, size: Sequence[int], *, stride: float, image_ids: Tensor,
           labels: Tensor | None = None, ids: Tensor | None = None, vertical: float | None = 1.5) -> Tensor:
    """Return the features (N, C, h, w) inside each quadrilateral; see ``vtk.kernels.masked_roi``.

    The kernel does it where nothing asks for gradients, ``differentiable_roi`` where the map does.
    """
    if torch.is_grad_enabled() and features.requires_grad:
        return differentiable_roi(features, quads, size, stride=stride, image_ids=image_ids, labels=labels, ids=ids,
                                  vertical=vertical)  # fmt: skip
    return masked_roi(features, quads, tuple(size), stride=stride, image_ids=image_ids, labels=labels, ids=ids,
                      vertical=vertical)  # fmt: skip


def differentiable_roi(features: Tensor, quads: Tensor, size: Sequence[int], *, stride: float, image_ids: Tensor,
                       labels: Tensor | None = None, ids: Tensor | None = None,
                       vertical: float | None = 1.5) -> Tensor:  # fmt: skip
    """Return the features inside each quadrilateral, differentiable by the features, which must be finite.

    Args:
        features: (B, C, H, W) float.
        quads, size, stride, image_ids, labels, ids, vertical: as the kernel takes them, tensors on the same device.

    Returns:
        (N, C, h, w), of the features' type.
    """
    channels, height, width = features.shape[1:]
    rows = coefficients(quads.detach().cpu().numpy().astype(np.float32), stride, vertical)
    found = [places(row, size) for row in rows]
    shape = (len(rows), *size)
    x, y = (np.array([place[axis] for place in found]).reshape(shape) for axis in (0, 1))
    near = (x > -1) & (x < width) & (y > -1) & (y < height)  # false, too, where there is no place
    x, y = np.where(near, x, 0), np.where(near, y, 0)
    left, top = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    cells, shares = [], []
    for down in (0, 1):
        for right in (0, 1):
            row, column = top + down, left + right
            counts = near & (row >= 0) & (row < height) & (column >= 0) & (column < width)
            share = (x - left if right else 1 - (x - left)) * (y - top if down else 1 - (y - top))
            cells.append(np.stack([np.where(counts, row, 0), np.where(counts, column, 0)]))
            shares.append(np.where(counts, share, 0))
    row, column = torch.from_numpy(np.stack(cells, axis=-1)).to(features.device)
    share = torch.from_numpy(np.stack(shares, axis=-1)).to(features.device, features.dtype)
    image = image_ids.long()[:, None, None, None]
    if labels is not None and ids is not None:
        share = share * _is_near(labels, ids, image, row, column)
    # Each sample is a weighted sum of four rows of a table of cells.
    table = features.permute(0, 2, 3, 1).reshape(-1, channels)
    index = (image * height + row) * width + column
    out = embedding_bag(index.reshape(-1, 4), table, mode="sum", per_sample_weights=share.reshape(-1, 4))
    return out.reshape(*shape, channels).permute(0, 3, 1, 2)


def _is_near(labels: Tensor, ids: Tensor, image: Tensor, row: Tensor, column: Tensor) -> Tensor:
    """Tell for each cell (N, h, w, 4) whether it or one of the 8 around it has the text's own label."""
    around = pad(labels.long(), (1, 1, 1, 1), value=-(2**40))  # no label: those are int32
    own = ids.long()[:, None, None, None]
    hits = [around[image, row + y, column + x] == own for y in range(3) for x in range(3)]
    return torch.stack(hits).any(dim=0)
