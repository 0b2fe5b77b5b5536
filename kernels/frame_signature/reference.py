"""Signatures of frames as their definitions say, block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def luminance_difference(a: np.ndarray, b: np.ndarray, block: int = 16) -> np.ndarray:
    """Return the mean absolute difference of luminance of each block; see the package."""
    return _blockwise(np.abs(_luminance(a) - _luminance(b)), block, _mean).astype(np.float32)


def block_statistics(image: np.ndarray, block: int = 16) -> np.ndarray:
    """Return mean and variance of the luminance of each block; see the package."""
    luminance = _luminance(image)
    both = [_blockwise(luminance, block, function) for function in (_mean, _variance)]
    return np.stack(both, axis=-1).astype(np.float32)


def _luminance(image: np.ndarray) -> np.ndarray:
    """Return the luminance (…, H, W) int64 of pictures."""
    values = image.astype(np.int64)
    if image.ndim == 2:
        return values
    if image.shape[-1] == 1:
        return values[..., 0]
    return (77 * values[..., 0] + 150 * values[..., 1] + 29 * values[..., 2] + 128) >> 8


def _blockwise(values: np.ndarray, block: int, function: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Return ``function`` of each block of ``values`` (…, H, W) int64, as (…, rows, columns) float64."""
    height, width = values.shape[-2:]
    result = np.empty((*values.shape[:-2], -(-height // block), -(-width // block)))
    for row in range(result.shape[-2]):
        for column in range(result.shape[-1]):
            piece = values[..., row * block : (row + 1) * block, column * block : (column + 1) * block]
            result[..., row, column] = function(piece)
    return result


def _mean(piece: np.ndarray) -> np.ndarray:
    """Return the mean over the last two axes."""
    return piece.sum(axis=(-2, -1)) / (piece.shape[-2] * piece.shape[-1])


def _variance(piece: np.ndarray) -> np.ndarray:
    """Return the population variance over the last two axes; exact whole numbers up to the one division."""
    count = piece.shape[-2] * piece.shape[-1]
    total, squares = piece.sum(axis=(-2, -1)), (piece**2).sum(axis=(-2, -1))
    return (count * squares - total**2) / count**2
