"""What a frame looks like in a few numbers: where a picture changed, where a film was cut, which picture is a copy."""

from __future__ import annotations

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, is_array
from vtk.kernels.frame_signature.cosines import SIDE, SMALLEST

# Pixels of a block's side at most: sums of squares, times their number, then stay exact in 64 bits.
LARGEST = 1024
# Luminance at most, either sign: 16 bits. Sums of whole levels then fit in 32 bits.
BRIGHTEST = 65536


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


def dct_vector(luma: Array) -> Array:
    """Return the low frequencies of each picture without its mean, as one vector of length 1.

    Pictures that differ in brightness or contrast alone have the same vector, their negatives the opposite one. The
    dot product of two vectors is the correlation of the pictures, blurred to 16 x 16.

    Args:
        luma: (N, 64, 64) uint8, or float32 in [-65536, 65536], luminance; of any scale and offset.

    Returns:
        (N, 255) float32: coefficients of the orthonormal 2-D DCT-II, 16 down x 16 across row by row, without the
        first; divided by their length. Zeros for a picture that is flat: one whose low frequencies are together not
        longer than 2^-14 times its largest value, which is what rounding makes of a picture of one level.

    Raises:
        ValueError: the shape or dtype is not as above, or a value is NaN or out of range.

    Source: Ahmed, Natarajan and Rao, Discrete cosine transform, IEEE Trans. Computers 1974; low frequencies as a
    picture's signature: Zauner, Implementation and benchmarking of perceptual image hash functions, 2010, section 3.2.
    """
    _check_luma(luma)
    return call(__name__, "dct_vector", luma)


def pdq(luma: Array) -> tuple[Array, Array]:
    """Return the PDQ hash of each picture and how much there is in it to be told apart by.

    Args:
        luma: (N, 64, 64) uint8, or float32 in [-65536, 65536], luminance in levels from 0 to 255, as
            ``pdq_luminance`` gives it.

    Returns:
        (N, 32) uint8: 256 bits, written in hexadecimal from the first byte on the text that PDQ's programs exchange
        (the highest bit of the first byte is of the highest frequency). A bit is 1 where a coefficient is above the
        lower median of all. And (N,) float32, whole numbers in [0, 100]: the quality; PDQ's authors advise against
        comparing hashes below 50.
        To the bit what PDQ's program gives where it is compiled for separate multiplication and addition, as on x86.

    Raises:
        ValueError: the shape or dtype is not as above, or a value is NaN or out of range.

    Source: Facebook, The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm, 2019.
    """
    _check_luma(luma)
    return call(__name__, "pdq", luma)


def pdq_luminance(image: Array) -> Array:
    """Return the 64 x 64 pictures that PDQ hashes: luminance under a tent filter, at the middle of 64 x 64 parts.

    The filter is a box along the rows and one along the columns, both twice; the box is a side / 128 long, rounded
    up. A picture of 64 x 64 is not filtered.

    Args:
        image: (H, W, 3) uint8 RGB; or (H, W, 1) or (H, W) uint8 luminance; or many pictures of one size at a time,
            (N, H, W, 3) or (N, H, W, 1). H and W at least 5. Views are fine.

    Returns:
        (64, 64) or (N, 64, 64) float32, about [0, 255], to the bit what PDQ's program works out: running sums in
        float32, whose rounding is part of the result. Luminance of colours is 0.299 R + 0.587 G + 0.114 B, rounded
        once as by the package ``pdqhash``; PDQ's C++ program rounds after each step.

    Raises:
        ValueError: the shape or dtype is not as above, or a side is below 5.

    Source: Facebook, The TMK+PDQF video-hashing algorithm and the PDQ image-hashing algorithm, 2019; Jarosz, Fast
    image convolutions, SIGGRAPH@UIUC 2001.
    """
    _check_image("image", image)
    height, width = image.shape[:2] if len(image.shape) < 4 else image.shape[1:3]
    if min(height, width) < SMALLEST:
        raise ValueError(f"image: got {height} x {width} pixels, expected at least {SMALLEST} x {SMALLEST}")
    return call(__name__, "pdq_luminance", image)

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


def _check_luma(luma: Array) -> None:
    """Raise ValueError unless ``luma`` is (N, 64, 64) uint8 or float32 in range; waits for a GPU to tell."""
    check_array("luma", luma, ("N", SIDE, SIDE), ("uint8", "float32"))
    if len(luma) and not str(luma.dtype).endswith("uint8"):
        low, high = float(luma.min()), float(luma.max())
        if not (-BRIGHTEST <= low and high <= BRIGHTEST):  # a NaN is in neither
            raise ValueError(f"luma: got values from {low} to {high}, expected numbers in [-{BRIGHTEST}, {BRIGHTEST}]")
