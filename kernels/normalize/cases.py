"""Sizes, inputs and rivals of ``normalize``."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from vtk.kernels.case import Arguments, Bench

NAMES = ("normalize",)

YOLO = {"pad": 114, "centre": True}
YOLOX = {"scale": 1, "bgr": True, "pad": 114}
SSD = {"scale": 1, "bgr": True, "mean": (103.53, 116.28, 123.675)}
FACES = {"scale": 1, "bgr": True}
TIMM = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}
ODD = {"pad": 17.5, "bgr": True, "std": (0.3, -0.7, 2.0)}


def inputs(name: str, size: int, rng: np.random.Generator) -> Arguments:
    """Return views of images of different sizes up to size x (3/4 size), one empty, and what a model wants of them."""
    height, width = max(size, 1), max(3 * size // 4, 1)
    shapes = [(height, width), (height // 2, width), (height, width // 3), (0, width)] if size else []
    images = [rng.integers(0, 256, (h, w + 2, 3), np.uint8) for h, w in shapes[:: 1 if size < 500 else 2]]
    views = [slice(1, -1), slice(-2, 0, -1), slice(2, None)]
    images = [image[:, views[rng.integers(3)]] for image in images]
    return {"images": images, "height": height, "width": width} | (YOLO, YOLOX, SSD, TIMM, ODD)[rng.integers(5)]


def tolerance(name: str, arguments: Arguments) -> float:
    """Return 5 half steps of float32 at the largest term that occurs.

    The reference works in float64 and rounds once. The others compute pixel * gain + offset in float32: gain, offset,
    product and sum are each rounded, and so is the reference.
    """
    std = np.abs(arguments.get("std", (1, 1, 1)))
    largest = max(255 * arguments.get("scale", 1 / 255), *np.abs(arguments.get("mean", (0, 0, 0)))) / std.min()
    return 5 * float(np.spacing(np.float32(largest))) / 2


def _blob(arguments: Arguments) -> Callable[[], Any] | None:
    """Return OpenCV's ``blobFromImages``: it takes one size, and one scale for all channels (here the mean one)."""
    import cv2

    images = arguments["images"]
    if not all(isinstance(image, np.ndarray) for image in images) or len({image.shape for image in images}) > 1:
        return None
    if images[0].shape[:2] != (arguments["height"], arguments["width"]):
        return None
    scale = arguments.get("scale", 1 / 255) / float(np.mean(arguments.get("std", (1, 1, 1))))
    mean = [255 * value for value in arguments.get("mean", (0, 0, 0))]
    return partial(cv2.dnn.blobFromImages, images, scale, mean=mean, swapRB=arguments.get("bgr", False))


def _numpy(arguments: Arguments) -> Callable[[], Any] | None:
    """Return what users write: pad, divide and transpose each image in NumPy, and stack."""
    if not all(isinstance(image, np.ndarray) for image in arguments["images"]):
        return None
    mean, std = (np.float32(arguments.get(key, value)) for key, value in (("mean", (0, 0, 0)), ("std", (1, 1, 1))))
    scale, pad = np.float32(arguments.get("scale", 1 / 255)), arguments.get("pad", 0)

    def run() -> np.ndarray:
        batch = []
        for image in arguments["images"]:
            canvas = np.full((arguments["height"], arguments["width"], 3), pad, np.uint8)
            canvas[: image.shape[0], : image.shape[1]] = image[..., ::-1] if arguments.get("bgr") else image
            batch.append(((canvas.astype(np.float32) * scale - mean) / std).transpose(2, 0, 1))
        return np.stack(batch)

    return run


def _torch(arguments: Arguments) -> Callable[[], Any] | None:
    """Return torchvision's ``normalize`` on images of one size that lie on the GPU."""
    import torch
    from torchvision.transforms.v2 import functional

    images = arguments["images"]
    if isinstance(images[0], np.ndarray) or len({image.shape for image in images}) > 1:
        return None
    mean, std = list(arguments.get("mean", (0, 0, 0))), list(arguments.get("std", (1, 1, 1)))

    def run() -> Any:
        batch = functional.to_dtype(torch.stack(list(images)).permute(0, 3, 1, 2), torch.float32, scale=True)
        return functional.normalize(batch, mean, std)

    return run


def _images(count: int, shape: tuple[int, int], canvas: tuple[int, int], options: dict[str, Any],
            rng: np.random.Generator) -> Arguments:  # fmt: skip
    """Return ``count`` images of one shape for one canvas."""
    images = [rng.integers(0, 256, (*shape, 3), np.uint8) for _ in range(count)]
    return {"images": images, "height": canvas[0], "width": canvas[1]} | options


LIBRARIES = {"normalize": {"opencv": _blob, "numpy": _numpy, "torchvision": _torch}}

BENCHES = (
    Bench("normalize", "a frame, 640 x 640, to 0..1", partial(_images, 1, (640, 640), (640, 640), {}), level=0),
    Bench("normalize", "a 16:9 frame in 640 x 640", partial(_images, 1, (360, 640), (640, 640), YOLO)),
    Bench("normalize", "64 person crops, 256 x 128", partial(_images, 64, (256, 128), (256, 128), TIMM), level=0),
    Bench("normalize", "64 face crops, 80 x 80, BGR", partial(_images, 64, (80, 80), (80, 80), FACES)),
    Bench("normalize", "16 frames, 640 x 640", partial(_images, 16, (640, 640), (640, 640), {}), level=2),
)
