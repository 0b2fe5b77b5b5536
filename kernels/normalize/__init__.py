"""uint8 images as a model's float32 input: letterboxed, scaled, normalised and channels first, in one pass."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number, check_numbers, is_array

# A std of 0, or one so small that the result leaves float32's range, is refused.
LARGEST = 1e30


def normalize(
    images: Sequence[Array],
    height: int,
    width: int,
    *,
    scale: float = 1 / 255,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    bgr: bool = False,
    pad: float = 0.0,
    centre: bool = False,
    out: Array | None = None,
) -> Array:
    """Return images as a batch (pixel * scale - mean) / std, channels first, padded to one size.

    YOLO: ``pad=114, centre=True``. YOLOX: ``scale=1, bgr=True, pad=114``. SSD, BGR 0 to 255: ``scale=1, bgr=True``.
    timm: ``mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225)``.

    Args:
        images: N arrays (h, w, 3) uint8 RGB, already resized, h <= height, w <= width, of any and different sizes;
            or one array (N, h, w, 3). Views (crops, flips) are fine. On one device.
        height, width: the size of the canvas in pixels.
        scale: what a pixel value in [0, 255] is multiplied by first.
        mean, std: of the scaled values, one per channel in the order of the output (B, G, R with ``bgr``).
        bgr: swap the channels from RGB to BGR.
        pad: the pixel value in [0, 255] around an image, normalised as pixels are.
        centre: place images at top (height - h) // 2 and left (width - w) // 2 of the canvas, else at its top left.
        out: (N, 3, height, width) float32, C-contiguous, to write into; a new array where it is None.

    Returns:
        (N, 3, height, width) float32; ``out`` where it was given.

    Raises:
        ValueError: an image is not (h, w, 3) uint8 or does not fit the canvas, or another argument is out of range.

    Source: the preprocessing of ultralytics (LetterBox), YOLOX (preproc) and timm (ToTensor, Normalize).
    """
    _check(images, height, width, scale, mean, std, pad, out)
    return call(__name__, "normalize", images, height, width, scale=scale, mean=mean, std=std, bgr=bgr, pad=pad,
                centre=centre, out=out)  # fmt: skip


def _check(
    images: Sequence[Array],
    height: int,
    width: int,
    scale: float,
    mean: Sequence[float],
    std: Sequence[float],
    pad: float,
    out: Array | None,
) -> None:
    """Raise ValueError where an argument of ``normalize`` breaks its contract."""
    for name, value in (("height", height), ("width", width)):
        if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or value < 1:
            raise ValueError(f"{name}: got {value!r}, expected a whole number of pixels, at least 1")
    if not isinstance(images, (list, tuple)) and not (is_array(images) and len(images.shape) == 4):
        kind = f"an array of shape {tuple(images.shape)}" if is_array(images) else type(images).__name__
        raise ValueError(f"images: got {kind}, expected a list of arrays (h, w, 3) or one array (N, h, w, 3)")
    for index, image in enumerate(images):
        check_array(f"images[{index}]", image, ("h", "w", 3), ("uint8",))
        if image.shape[0] > height or image.shape[1] > width:
            raise ValueError(f"images[{index}]: got {tuple(image.shape[:2])}, expected at most ({height}, {width})")
    check_number("scale", scale)
    check_number("pad", pad, 0, 255)
    check_numbers("mean", mean, 3)
    check_numbers("std", std, 3)
    largest = max(255 * abs(float(scale)), *(abs(float(value)) for value in mean))
    if largest >= LARGEST * min(abs(float(value)) for value in std):
        raise ValueError(
            f"scale, mean, std: got {scale}, {tuple(mean)}, {tuple(std)}, expected quotients below {LARGEST:g}"
        )
    if out is not None:
        _check_out(out, (len(images), 3, height, width))


def _check_out(out: Array, shape: tuple[int, ...]) -> None:
    """Raise ValueError unless ``out`` is a float32 array of ``shape`` that can be written as it lies in memory."""
    check_array("out", out, shape, ("float32",))
    usable = out.flags.c_contiguous and out.flags.writeable if isinstance(out, np.ndarray) else out.is_contiguous()
    if not usable:
        raise ValueError("out: got a strided or read-only array, expected a C-contiguous one that can be written")
