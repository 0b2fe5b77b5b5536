"""What users write for the same: OpenCV's passes one after the other, NumPy by reshaping, torch by pooling; pdqhash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments
from vtk.kernels.frame_signature.cosines import SIDE, orthonormal, pdq_cosines

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


def _unit(found: Any) -> Any:
    """Return coefficients (N, 16, 16) as vectors (N, 255) of length 1, with NumPy or torch."""
    vectors = found.reshape(len(found), -1)[:, 1:]
    return vectors / (vectors * vectors).sum(1, keepdims=True) ** 0.5


def scipy_dct(arguments: Arguments) -> Run | None:
    """Return SciPy's whole transform of all pictures, in float32, and of it the low frequencies."""
    luma = arguments["luma"]
    if not isinstance(luma, np.ndarray):
        return None
    from scipy.fft import dctn

    return lambda: _unit(dctn(luma.astype(np.float32), axes=(1, 2), norm="ortho")[:, :16, :16])


def opencv_dct(arguments: Arguments) -> Run | None:
    """Return OpenCV's whole transform of one picture after the other, and of it the low frequencies."""
    luma = arguments["luma"]
    if not isinstance(luma, np.ndarray):
        return None
    import cv2

    return lambda: _unit(np.stack([cv2.dct(each)[:16, :16] for each in luma.astype(np.float32)]))


def torch_dct(arguments: Arguments) -> Run | None:
    """Return torch's two products of pictures on the GPU, in float32."""
    luma = arguments["luma"]
    if isinstance(luma, np.ndarray):
        return None
    cosines = luma.new_tensor(orthonormal(), dtype=_float32())
    return lambda: _unit(cosines @ luma.float() @ cosines.T)


def pdqhash_compute(arguments: Arguments) -> Run | None:
    """Return the package pdqhash on one picture after the other; it takes uint8 and is not always installed."""
    pictures = arguments.get("luma", arguments.get("image"))
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8:
        return None
    try:
        import pdqhash
    except ImportError:
        return None
    colour = pictures if "image" in arguments else pictures[..., None].repeat(3, axis=3)
    return lambda: [pdqhash.compute(each) for each in _pictures(colour)]


def numpy_pdq(arguments: Arguments) -> Run | None:
    """Return PDQ's bits by NumPy's products, whose sums have another order; no quality."""
    luma = arguments["luma"]
    if not isinstance(luma, np.ndarray):
        return None
    cosines = pdq_cosines()

    def run() -> np.ndarray:
        values = (cosines @ luma.astype(np.float32) @ cosines.T).reshape(len(luma), -1)
        return np.packbits(values[:, ::-1] > np.median(values, axis=1, keepdims=True), axis=1)

    return run


def torch_pdq(arguments: Arguments) -> Run | None:
    """Return PDQ's bits, unpacked, by torch's products on the GPU; no quality."""
    luma = arguments["luma"]
    if isinstance(luma, np.ndarray):
        return None
    cosines = luma.new_tensor(pdq_cosines(), dtype=_float32())

    def run() -> Any:
        values = (cosines @ luma.float() @ cosines.T).reshape(len(luma), -1)
        return values > values.median(1, keepdim=True).values

    return run


def opencv_area(arguments: Arguments) -> Run | None:
    """Return OpenCV's luminance and its means of 64 x 64 parts: what one would do without PDQ's filter."""
    image = arguments["image"]
    if not isinstance(image, np.ndarray):
        return None
    import cv2

    return lambda: [cv2.resize(_gray(each).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
                    for each in _pictures(image)]  # fmt: skip


def _float32() -> Any:
    import torch

    return torch.float32
