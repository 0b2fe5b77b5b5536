"""Signatures of frames in Numba: one pass over the pixels, a row of sums at a time."""

from __future__ import annotations

import numpy as np
from numba import njit

from vtk.kernels.frame_signature.cosines import FLAT, KEPT, SIDE, WEIGHTS, centres, orthonormal, pdq_cosines, window


def luminance_difference(a: np.ndarray, b: np.ndarray, block: int = 16) -> np.ndarray:
    """Return the mean absolute difference of luminance of each block; see the package."""
    stack = _stack(a)
    out = np.empty(_grid(stack, block), np.float32)
    _differences(stack, _stack(b), block, out)
    return out if a.ndim == 4 else out[0]


def block_statistics(image: np.ndarray, block: int = 16) -> np.ndarray:
    """Return mean and variance of the luminance of each block; see the package."""
    stack = _stack(image)
    out = np.empty((*_grid(stack, block), 2), np.float32)
    _moments(stack, block, out)
    return out if image.ndim == 4 else out[0]


def dct_vector(luma: np.ndarray) -> np.ndarray:
    """Return the low frequencies of each picture without its mean, as one vector of length 1; see the package."""
    vectors = np.empty((len(luma), KEPT * KEPT - 1), np.float32)
    _vectors(np.ascontiguousarray(luma), orthonormal(), vectors)
    return vectors


def pdq(luma: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the PDQ hash of each picture and its quality; see the package."""
    hashes, qualities = np.empty((len(luma), KEPT * KEPT // 8), np.uint8), np.empty(len(luma), np.float32)
    _hashes(np.ascontiguousarray(luma), pdq_cosines(), hashes, qualities)
    return hashes, qualities


def pdq_luminance(image: np.ndarray) -> np.ndarray:
    """Return the 64 x 64 pictures that PDQ hashes; see the package."""
    stack = _stack(image)
    out = np.empty((len(stack), SIDE, SIDE), np.float32)
    height, width = stack.shape[1:3]
    _shrink(stack, window(height), window(width), centres(height), centres(width), out)
    return out if image.ndim == 4 else out[0]


def _stack(image: np.ndarray) -> np.ndarray:
    """Return pictures as (N, H, W, C), contiguous, so that one compiled version serves."""
    image = image[..., None] if image.ndim == 2 else image
    return np.ascontiguousarray(image if image.ndim == 4 else image[None])


def _grid(stack: np.ndarray, block: int) -> tuple[int, int, int]:
    """Return how many pictures, rows and columns of blocks there are."""
    return len(stack), -(-stack.shape[1] // block), -(-stack.shape[2] // block)


@njit(cache=True, nogil=True)
def _luminance(pixels: np.ndarray, luminance: np.ndarray) -> None:
    """Write the luminance (W,) int32 of a row of ``pixels`` (W, C) uint8."""
    width, channels = pixels.shape
    flat = pixels.reshape(width * channels)
    if channels == 1:
        for x in range(width):
            luminance[x] = flat[x]
    else:
        # 32-bit arithmetic: twice as many at once as with Numba's 64.
        for x in range(width):
            red, green, blue = np.int32(flat[3 * x]), np.int32(flat[3 * x + 1]), np.int32(flat[3 * x + 2])
            luminance[x] = (red * np.int32(77) + green * np.int32(150) + blue * np.int32(29) + np.int32(128)) >> 8


@njit(cache=True, nogil=True)
def _add_difference(one: np.ndarray, other: np.ndarray, sums: np.ndarray) -> None:
    """Add to ``sums`` (W,) int32 how far two rows of luminance (W,) are apart."""
    for x in range(len(sums)):
        sums[x] += abs(np.int32(one[x]) - np.int32(other[x]))


@njit(cache=True, nogil=True)
def _differences(a: np.ndarray, b: np.ndarray, block: int, out: np.ndarray) -> None:
    """Write the mean difference of each block of ``a`` and ``b`` (N, H, W, C) to ``out`` (N, rows, columns)."""
    count, height, width = a.shape[:3]
    one, other = np.empty(width, np.int32), np.empty(width, np.int32)
    sums = np.empty(width, np.int32)  # of a column: 1024 differences of at most 255
    for n in range(count):
        for row in range(out.shape[1]):
            top, bottom = row * block, min(height, (row + 1) * block)
            sums[:] = 0
            for y in range(top, bottom):
                if a.shape[3] == 1:  # no luminance to be worked out first: a third of the time
                    _add_difference(a[n, y, :, 0], b[n, y, :, 0], sums)
                    continue
                _luminance(a[n, y], one)
                _luminance(b[n, y], other)
                _add_difference(one, other, sums)
            for column in range(out.shape[2]):
                left, right = column * block, min(width, (column + 1) * block)
                total = np.int64(0)
                for x in range(left, right):
                    total += sums[x]
                out[n, row, column] = total / ((bottom - top) * (right - left))


@njit(cache=True, nogil=True)
def _moments(images: np.ndarray, block: int, out: np.ndarray) -> None:
    """Write mean and variance of each block of ``images`` (N, H, W, C) to ``out`` (N, rows, columns, 2)."""
    count, height, width = images.shape[:3]
    luminance = np.empty(width, np.int32)
    sums, squares = np.empty(width, np.int32), np.empty(width, np.int32)  # of a column: 1024 · 255² fits
    for n in range(count):
        for row in range(out.shape[1]):
            top, bottom = row * block, min(height, (row + 1) * block)
            sums[:] = 0
            squares[:] = 0
            for y in range(top, bottom):
                _luminance(images[n, y], luminance)
                for x in range(width):
                    sums[x] += luminance[x]
                    squares[x] += luminance[x] * luminance[x]
            for column in range(out.shape[2]):
                left, right = column * block, min(width, (column + 1) * block)
                pixels, total, square = (bottom - top) * (right - left), np.int64(0), np.int64(0)
                for x in range(left, right):
                    total += sums[x]
                    square += squares[x]
                out[n, row, column, 0] = total / pixels
                out[n, row, column, 1] = (pixels * square - total * total) / (pixels * pixels)


@njit(cache=True, nogil=True, error_model="numpy")
def _vectors(luma: np.ndarray, cosines: np.ndarray, vectors: np.ndarray) -> None:
    """Write the low frequencies of ``luma`` (N, 64, 64), brought to length 1, into ``vectors`` (N, 255)."""
    picture = np.empty((SIDE, SIDE))
    across, both = np.empty((KEPT, SIDE)), np.empty((KEPT, KEPT))
    columns = np.ascontiguousarray(cosines.T)
    for n in range(len(luma)):
        picture[:] = luma[n]
        _transform(picture, cosines, columns, across, both)
        both[0, 0] = 0
        peaks = across[0]
        peaks[:] = 0
        for y in range(SIDE):
            for x in range(SIDE):
                value = abs(picture[y, x])
                peaks[x] = value if value > peaks[x] else peaks[x]
        length = np.sqrt((both * both).sum())
        scale = 1 / length if length > FLAT * peaks.max() else 0.0
        values = both.reshape(KEPT * KEPT)
        for i in range(KEPT * KEPT - 1):
            vectors[n, i] = values[i + 1] * scale


@njit(cache=True, nogil=True, error_model="numpy")
def _hashes(luma: np.ndarray, cosines: np.ndarray, hashes: np.ndarray, qualities: np.ndarray) -> None:
    """Write PDQ's bits and quality of ``luma`` (N, 64, 64) into ``hashes`` (N, 32) and ``qualities`` (N,)."""
    picture = np.empty((SIDE, SIDE), np.float32)
    across, both = np.empty((KEPT, SIDE), np.float32), np.empty((KEPT, KEPT), np.float32)
    columns, keys = np.ascontiguousarray(cosines.T), np.empty(KEPT * KEPT, np.uint32)
    for n in range(len(luma)):
        picture[:] = luma[n]
        qualities[n] = _quality(picture)
        _transform(picture, cosines, columns, across, both)
        values = both.reshape(KEPT * KEPT)
        median = _lower_median(values, keys)
        for byte in range(KEPT * KEPT // 8):
            bits = 0
            for bit in range(8):
                bits = 2 * bits + (keys[KEPT * KEPT - 1 - 8 * byte - bit] > median)
            hashes[n, byte] = bits


@njit(cache=True, nogil=True, error_model="numpy")
def _transform(
    picture: np.ndarray, cosines: np.ndarray, columns: np.ndarray, across: np.ndarray, both: np.ndarray
) -> None:
    """Write cosines (16, 64) · ``picture`` (64, 64) · columns (64, 16) into ``both`` (16, 16).

    Many sums side by side, four steps of each at a time, but each in order and rounded at every step, as PDQ's.
    """
    across[:] = 0
    both[:] = 0
    for u in range(KEPT):
        sums, row = across[u], cosines[u]
        for y in range(0, SIDE, 4):
            a, b, c, d = row[y], row[y + 1], row[y + 2], row[y + 3]
            first, second, third, fourth = picture[y], picture[y + 1], picture[y + 2], picture[y + 3]
            for x in range(SIDE):
                sums[x] = (((sums[x] + a * first[x]) + b * second[x]) + c * third[x]) + d * fourth[x]
    for x in range(0, SIDE, 4):
        first, second, third, fourth = columns[x], columns[x + 1], columns[x + 2], columns[x + 3]
        for u in range(KEPT):
            sums, a, b, c, d = both[u], across[u, x], across[u, x + 1], across[u, x + 2], across[u, x + 3]
            for v in range(KEPT):
                sums[v] = (((sums[v] + a * first[v]) + b * second[v]) + c * third[v]) + d * fourth[v]


@njit(cache=True, nogil=True)
def _lower_median(values: np.ndarray, keys: np.ndarray) -> int:
    """Write ``keys`` (256,) uint32, in the order of ``values`` (256,) float32; return the lower median of them.

    Bit by bit: the largest number that has fewer than half below it. Counting is a few instructions for all.
    """
    bits = values.view(np.uint32)
    for i in range(len(values)):
        # Of negative values all bits are turned; both zeros are the same.
        turned = np.uint32(0xFFFFFFFF) if values[i] < 0 else np.uint32(0x80000000)
        keys[i] = turned if values[i] == 0 else bits[i] ^ turned
    median = np.uint32(0)
    for bit in range(31, -1, -1):
        trial = median | np.uint32(np.uint32(1) << np.uint32(bit))
        below = np.int32(0)
        for i in range(len(keys)):
            below += np.int32(keys[i] < trial)
        if below < len(values) // 2:
            median = trial
    return median


@njit(cache=True, nogil=True, error_model="numpy")
def _quality(picture: np.ndarray) -> int:
    """Return PDQ's quality of ``picture`` (64, 64) float32."""
    total = np.int32(0)  # 8064 times 51402 at most
    for y in range(SIDE - 1):
        for x in range(SIDE):
            total += _hundredths(picture[y, x] - picture[y + 1, x])
    for y in range(SIDE):
        for x in range(SIDE - 1):
            total += _hundredths(picture[y, x] - picture[y, x + 1])
    return min(100, total // 90)


@njit(cache=True, nogil=True, error_model="numpy")
def _hundredths(difference: float) -> int:
    """Return how large ``difference`` float32 is in hundredths of white, int32, the rest cut off."""
    return np.int32(abs(difference * np.float32(100) / np.float32(255)))


@njit(cache=True, nogil=True, error_model="numpy")
def _shrink(
    images: np.ndarray, tall: int, wide: int, rows: np.ndarray, columns: np.ndarray, out: np.ndarray
) -> None:
    """Write ``images`` (N, H, W, C) uint8 under boxes of tall x wide, at rows and columns (64,), into ``out``."""
    height, width = images.shape[1:3]
    once, twice = np.empty((height, width), np.float32), np.empty((height, width), np.float32)
    narrow, short = np.empty((height, SIDE), np.float32), np.empty((height, SIDE), np.float32)
    line = np.empty(width, np.float32)
    for n in range(len(images)):
        if height == SIDE and width == SIDE:
            for y in range(SIDE):
                _exact_luminance(images[n, y], out[n, y])
            continue
        for y in range(height):
            _exact_luminance(images[n, y], line)
            _box_along(line, wide, once[y])
        _box_down(once, tall, twice)
        for y in range(height):
            _box_along(twice[y], wide, line)
            for i in range(SIDE):
                narrow[y, i] = line[columns[i]]
        # Of the last pass only the columns that are kept.
        _box_down(narrow, tall, short)
        for i in range(SIDE):
            out[n, i] = short[rows[i]]


@njit(cache=True, nogil=True, error_model="numpy")
def _exact_luminance(pixels: np.ndarray, luminance: np.ndarray) -> None:
    """Write the luminance (W,) float32, summed in float64, of a row of ``pixels`` (W, C) uint8."""
    width, channels = pixels.shape
    flat = pixels.reshape(width * channels)
    for x in range(width):
        if channels == 1:
            luminance[x] = flat[x]
        else:
            luminance[x] = WEIGHTS[0] * flat[3 * x] + WEIGHTS[1] * flat[3 * x + 1] + WEIGHTS[2] * flat[3 * x + 2]


@njit(cache=True, nogil=True, error_model="numpy")
def _box_along(line: np.ndarray, wide: int, means: np.ndarray) -> None:
    """Write the running means of ``line`` (W,) into ``means`` (W,); the sum goes on from one to the next, as PDQ's."""
    length, before = len(line), wide // 2
    total = np.float32(0)
    for x in range(length + before):
        if x < length:
            total += line[x]
        if x >= wide:
            total -= line[x - wide]
        if x >= before:
            means[x - before] = total
    for x in range(length):
        means[x] /= np.float32(min(x + before + 1, length) - max(x + before + 1 - wide, 0))


@njit(cache=True, nogil=True, error_model="numpy")
def _box_down(lines: np.ndarray, tall: int, means: np.ndarray) -> None:
    """Write the running means down ``lines`` (H, W) into ``means`` (H, W), all columns side by side."""
    height, width = lines.shape
    before = tall // 2
    total = np.zeros(width, np.float32)
    for y in range(height + before):
        if y < height:
            for x in range(width):
                total[x] += lines[y, x]
        if y >= tall:
            for x in range(width):
                total[x] -= lines[y - tall, x]
        if y >= before:
            count = np.float32(min(y + 1, height) - max(y + 1 - tall, 0))
            for x in range(width):
                means[y - before, x] = total[x] / count
