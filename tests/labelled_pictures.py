"""Labelled pictures of ImageNet's classes, for tests: each once, with the class that it shows."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

FOLDERS = ("classify-species/imagenet_one_per_class", "recognize-scene/imagenet_scene_like")


@lru_cache(maxsize=1)
def pictures(data: Path) -> tuple[tuple[str, np.ndarray], ...]:
    """Return (words of the class, (H, W, 3) uint8 RGB) of each picture in the folder of real media."""
    found = [path for folder in FOLDERS for path in sorted((data / folder).glob("*.JPEG"))]
    return tuple((words_of(path), read(path)) for path in found)


def read(path: Path) -> np.ndarray:
    """Return (H, W, 3) uint8 RGB."""
    return np.ascontiguousarray(cv2.imread(str(path))[:, :, ::-1])


def words_of(path: Path) -> str:
    """Return what ``n01530575_brambling.JPEG`` is called."""
    return re.sub(r"^n\d+_", "", path.stem).replace("_", " ").lower()


def class_of(words: str, labels: tuple[str, ...]) -> int:
    """Return the class that has ``words`` among its names."""
    [index] = [index for index, label in enumerate(labels)
               if words in [name.strip().lower() for name in label.split(",")]]
    return index
