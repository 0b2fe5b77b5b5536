"""What a frame looks like in a few numbers, to tell where a picture changed and where a film was cut."""

from __future__ import annotations

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, is_array

# Pixels of a block's side at most: sums of squares, times their number, then stay exact in 64 bits.
LARGEST = 1024


def luminance_difference(a: Array, b: Array, block: int = 16) -> Array:
    """Return by how much the luminance of two pictures differs in each block, mean absolute difference.

    Luminance is (77 R + 150 G + 29 B + 128) >> 8, whole numbers from 0 to 255.

    Args:
        a: (H, W, 3) uint8 RGB; or (H, W, 1) or (H, W) uint8 luminance; or many pictures of one size at a time,
            (N, H, W, 3) or (N, H, W, 1). Views are fine; C-contiguous arrays are not copied.
        b: what each is compared with, of the same shape and on the same device.
        block: pixels of a block's side, from 1 to 1024. Blocks at the right and bottom edges may be smaller.

    Returns:
        (rows, columns) or (N, rows, columns) float32 in [0, 255], rows = ceil(H / block), columns = ceil(W / block).
        The mean over all pixels, of sides that the block divides, is the mean of these.

    Raises:
        ValueError: a shape or dtype is not as above, ``a`` and ``b`` differ in shape, or the block is out of range.

    Source: the luminance weights of ITU-R BT.601, rounded to 8 bits; the pixel-wise difference of Zhang et al.,
    Automatic partitioning of full-motion video, Multimedia Systems 1993, by block.
    """
    _check_image("a", a)
    check_array("b", b, tuple(a.shape), ("uint8",))
    _check_block(block)
    return call(__name__, "luminance_difference", a, b, block)


def block_statistics(image: Array, block: int = 16) -> Array:
    """Return the mean and the variance of the luminance of each block, in one pass over the picture.

    Args:
        image: (H, W, 3) uint8 RGB; or (H, W, 1) or (H, W) uint8 luminance; or many pictures of one size at a time,
            (N, H, W, 3) or (N, H, W, 1). Views are fine; C-contiguous arrays are not copied.
        block: pixels of a block's side, from 1 to 1024. Blocks at the right and bottom edges may be smaller.

    Returns:
        (rows, columns, 2) or (N, rows, columns, 2) float32: mean in [0, 255] and population variance in
        [0, 127.5²] of the luminance as ``luminance_difference`` defines it. All implementations give the same bits:
        the sums are whole numbers.

    Raises:
        ValueError: the shape or dtype is not as above, or the block is out of range.

    Source: Kasturi and Jain, Dynamic vision, 1991: the likelihood ratio of corresponding blocks takes their means and
    variances.
    """
    _check_image("image", image)
    _check_block(block)
    return call(__name__, "block_statistics", image, block)


def _check_image(name: str, image: Array) -> None:
    """Raise ValueError unless ``image`` is uint8 (H, W), (H, W, 1 or 3) or (N, H, W, 1 or 3)."""
    dimensions = len(image.shape) if is_array(image) else 0
    if dimensions == 2:
        check_array(name, image, ("H", "W"), ("uint8",))
        return
    channels = 1 if dimensions and image.shape[-1] == 1 else 3
    check_array(name, image, (("N", "H", "W", channels) if dimensions == 4 else ("H", "W", channels)), ("uint8",))


def _check_block(block: int) -> None:
    """Raise ValueError unless ``block`` is a whole number of pixels in range."""
    if not isinstance(block, (int, np.integer)) or isinstance(block, bool) or not 1 <= block <= LARGEST:
        raise ValueError(f"block: got {block!r}, expected a whole number of pixels in [1, {LARGEST}]")
