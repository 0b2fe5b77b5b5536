"""What users write for the same: OpenCV's passes one after the other, NumPy by reshaping, torch by pooling."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments

Run = Callable[[], Any]


def _pictures(image: np.ndarray) -> list[np.ndarray]:
    """Return the pictures of a stack, or the one, each as OpenCV takes it."""
    return list(image) if image.ndim == 4 else [image]


def _gray(image: np.ndarray) -> np.ndarray:
    import cv2

    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) if image.ndim == 3 and image.shape[2] == 3 else image


def _grid(image: Any, block: int) -> tuple[int, int]:
    """Return (columns, rows) of the blocks of a picture or of a stack's pictures, as OpenCV says sizes."""
    height, width = image.shape[-3:-1] if image.ndim > 2 else image.shape
    return -(-width // block), -(-height // block)


def _divides(image: Any, block: int) -> bool:
    """Tell whether blocks fill the picture: OpenCV's and NumPy's ways have no smaller blocks at the edges."""
    height, width = image.shape[-3:-1] if image.ndim > 2 else image.shape
    return height % block == 0 and width % block == 0


def opencv_difference(arguments: Arguments) -> Run | None:
    """Return OpenCV's luminance of both, their difference, and its means by ``INTER_AREA``, rounded to uint8."""
    a, b, block = arguments["a"], arguments["b"], arguments.get("block", 16)
    if not isinstance(a, np.ndarray) or not _divides(a, block):
        return None
    import cv2

    def run() -> list[np.ndarray]:
        changes = [cv2.absdiff(_gray(one), _gray(other)) for one, other in zip(_pictures(a), _pictures(b), strict=True)]
        return [cv2.resize(each, _grid(a, block), interpolation=cv2.INTER_AREA) for each in changes]

    return run


def opencv_norm(arguments: Arguments) -> Run | None:
    """Return OpenCV's luminance of both and one L1 norm: how much changed, not where."""
    a, b = arguments["a"], arguments["b"]
    if not isinstance(a, np.ndarray):
        return None
    import cv2

    return lambda: [cv2.norm(_gray(one), _gray(other), cv2.NORM_L1)
                    for one, other in zip(_pictures(a), _pictures(b), strict=True)]  # fmt: skip


def opencv_statistics(arguments: Arguments) -> Run | None:
    """Return OpenCV's luminance, and by ``INTER_AREA`` the means of it and of its square."""
    image, block = arguments["image"], arguments.get("block", 16)
    if not isinstance(image, np.ndarray) or not _divides(image, block):
        return None
    import cv2

    def run() -> list[np.ndarray]:
        result = []
        for picture in _pictures(image):
            gray = _gray(picture).astype(np.float32)
            mean, square = (cv2.resize(each, _grid(image, block), interpolation=cv2.INTER_AREA)
                            for each in (gray, cv2.multiply(gray, gray)))  # fmt: skip
            result.append(cv2.merge([mean, square - mean * mean]))
        return result

    return run


def _numpy_luminance(image: np.ndarray) -> np.ndarray:
    """Return the luminance (…, H, W) float32, by a product with the weights."""
    return image @ np.float32([0.299, 0.587, 0.114]) if image.ndim > 2 else image.astype(np.float32)


def _numpy_blocks(values: np.ndarray, block: int) -> np.ndarray:
    """Return (…, H, W) as (…, rows, block, columns, block)."""
    height, width = values.shape[-2:]
    return values.reshape(*values.shape[:-2], height // block, block, width // block, block)


def numpy_difference(arguments: Arguments) -> Run | None:
    """Return NumPy's means of the difference over reshaped blocks."""
    a, b, block = arguments["a"], arguments["b"], arguments.get("block", 16)
    if not isinstance(a, np.ndarray) or not _divides(a, block):
        return None
    return lambda: _numpy_blocks(np.abs(_numpy_luminance(a) - _numpy_luminance(b)), block).mean(axis=(-3, -1))


def numpy_statistics(arguments: Arguments) -> Run | None:
    """Return NumPy's mean and variance over reshaped blocks."""
    image, block = arguments["image"], arguments.get("block", 16)
    if not isinstance(image, np.ndarray) or not _divides(image, block):
        return None

    def run() -> np.ndarray:
        blocks = _numpy_blocks(_numpy_luminance(image), block)
        return np.stack([blocks.mean(axis=(-3, -1)), blocks.var(axis=(-3, -1))], axis=-1)

    return run


def _torch_luminance(image: Any) -> Any:
    """Return the luminance (N, 1, H, W) float32 of pictures on the GPU."""
    values = image.float()
    if image.ndim > 2:
        values = values @ values.new_tensor([0.299, 0.587, 0.114])
    return values.reshape(-1, 1, *values.shape[-2:])


def torch_difference(arguments: Arguments) -> Run | None:
    """Return torch's pooled difference of pictures on the GPU."""
    a, b, block = arguments["a"], arguments["b"], arguments.get("block", 16)
    if isinstance(a, np.ndarray):
        return None
    from torch.nn.functional import avg_pool2d

    return lambda: avg_pool2d((_torch_luminance(a) - _torch_luminance(b)).abs(), block, ceil_mode=True)


def torch_statistics(arguments: Arguments) -> Run | None:
    """Return torch's pooled luminance and square of it, of pictures on the GPU."""
    image, block = arguments["image"], arguments.get("block", 16)
    if isinstance(image, np.ndarray):
        return None
    from torch.nn.functional import avg_pool2d

    def run() -> Any:
        values = _torch_luminance(image)
        mean = avg_pool2d(values, block, ceil_mode=True)
        return mean, avg_pool2d(values * values, block, ceil_mode=True) - mean * mean

    return run
