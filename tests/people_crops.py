"""Labelled crops for tests: flat colours by person, a little noise by crop: no weights are needed to tell them."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np


def picture(person: int, seed: int) -> np.ndarray:
    """Return a crop (64, 32, 3) uint8 of a person: colours of its own above and below, and noise."""
    colours = np.random.default_rng(person).integers(20, 235, (2, 3))
    image = np.repeat(colours, 32, axis=0)[:, None].repeat(32, axis=1).astype(float)
    return np.clip(image + np.random.default_rng(1000 + seed).normal(0, 4, image.shape), 0, 255).astype(np.uint8)


def save(path: Path, person: int, seed: int) -> Path:
    """Write a crop."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), picture(person, seed))
    return path


def market(folder: Path, people: int = 6) -> Path:
    """Write Market-1501's three folders: of each person a query by camera 1, crops by 1 and 2, and two to train on."""
    for person in range(1, people + 1):
        save(folder / "query" / f"{person:04d}_c1s1_000001_00.png", person, person)
        for camera in (1, 2):
            save(folder / "bounding_box_test" / f"{person:04d}_c{camera}s1_000009_01.png", person, 10 * person + camera)
            save(folder / "bounding_box_train" / f"{50 + person:04d}_c{camera}s1_000009_01.png", 50 + person,
                 10 * person + camera)
    save(folder / "bounding_box_test" / "-1_c2s1_000009_01.png", 1, 7)
    return folder


def labelled(folder: Path, labels: tuple[str, ...] = ("beach", "forest", "street"), count: int = 5) -> Path:
    """Write a folder of pictures for each label: those of one label look alike."""
    for person, label in enumerate(labels):
        for seed in range(count):
            save(folder / label / f"{seed}.png", person, 100 * person + seed)
    return folder
