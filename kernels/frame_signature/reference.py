"""Signatures of frames as their definitions say, block by block."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from vtk.kernels.frame_signature.cosines import (
    FLAT,
    KEPT,
    SIDE,
    WEIGHTS,
    centres,
    orthonormal,
    pdq_cosines,
    window,
)


def luminance_difference(a: np.ndarray, b: np.ndarray, block: int = 16) -> np.ndarray:
    """Return the mean absolute difference of luminance of each block; see the package."""
    return _blockwise(np.abs(_luminance(a) - _luminance(b)), block, _mean).astype(np.float32)


def block_statistics(image: np.ndarray, block: int = 16) -> np.ndarray:
    """Return mean and variance of the luminance of each block; see the package."""
    luminance = _luminance(image)
    both = [_blockwise(luminance, block, function) for function in (_mean, _variance)]
    return np.stack(both, axis=-1).astype(np.float32)


def dct_vector(luma: np.ndarray) -> np.ndarray:
    """Return the low frequencies of each picture without its mean, as one vector of length 1; see the package."""
    cosines = orthonormal()
    vectors = np.zeros((len(luma), KEPT * KEPT - 1))
    for picture, vector in zip(luma.astype(np.float64), vectors, strict=True):
        found = (cosines @ picture @ cosines.T).ravel()[1:]
        length = np.sqrt((found**2).sum())
        if length > FLAT * np.abs(picture).max():
            vector[:] = found / length
    return vectors.astype(np.float32)


def pdq(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the PDQ hash of each picture and its quality; see the package."""
    hashes, qualities = np.empty((len(luma), KEPT * KEPT // 8), np.uint8), np.empty(len(luma), np.float32)
    for n, picture in enumerate(luma.astype(np.float32)):
        values = _pdq_transform(picture).ravel()
        median = np.sort(values)[len(values) // 2 - 1]
        hashes[n] = np.packbits(values[::-1] > median)
        qualities[n] = _pdq_quality(picture)
    return hashes, qualities


def pdq_luminance(image: np.ndarray) -> np.ndarray:
    """Return the 64 x 64 pictures that PDQ hashes; see the package."""
    luma = _exact_luminance(image)
    if luma.shape[-2:] == (SIDE, SIDE):
        return luma
    for _ in range(2):
        luma = _box(luma)
        luma = _box(luma.swapaxes(-1, -2)).swapaxes(-1, -2)
    return np.ascontiguousarray(luma[..., centres(luma.shape[-2])[:, None], centres(luma.shape[-1])])


def _pdq_transform(picture: np.ndarray) -> np.ndarray:
    """Return PDQ's coefficients (16, 16) float32 of ``picture`` (64, 64) float32, each sum in order."""
    cosines = pdq_cosines()
    along, both = np.zeros((KEPT, SIDE), np.float32), np.zeros((KEPT, KEPT), np.float32)
    for y in range(SIDE):
        along += cosines[:, y, None] * picture[y]
    for x in range(SIDE):
        both += along[:, x, None] * cosines[:, x]
    return both


def _pdq_quality(picture: np.ndarray) -> int:
    """Return how much neighbours of ``picture`` (64, 64) float32 differ, in whole hundredths of white, scaled."""
    changes = [np.abs((np.diff(picture, axis=axis) * np.float32(100) / np.float32(255)).astype(np.int64)).sum()
               for axis in (0, 1)]  # fmt: skip
    return min(100, sum(changes) // 90)


def _exact_luminance(image: np.ndarray) -> np.ndarray:
    """Return the luminance (…, H, W) float32 of pictures, summed in float64."""
    if image.ndim == 2 or image.shape[-1] == 1:
        return (image if image.ndim == 2 else image[..., 0]).astype(np.float32)
    red, green, blue = (weight * image[..., channel] for channel, weight in enumerate(WEIGHTS))
    return (red + green + blue).astype(np.float32)


def _box(lines: np.ndarray) -> np.ndarray:
    """Return the running means (…, L) float32 of ``lines`` (…, L), of fewer values at both ends."""
    length = lines.shape[-1]
    wide = window(length)
    before = wide // 2
    means, total, count = np.empty_like(lines), np.zeros(lines.shape[:-1], np.float32), 0
    for at in range(length + before):
        if at < length:
            total = total + lines[..., at]
            count += 1
        if at >= wide:
            total = total - lines[..., at - wide]
            count -= 1
        if at >= before:
            means[..., at - before] = total / np.float32(count)
    return means


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
