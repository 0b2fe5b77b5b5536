"""CoText's network at work: pictures in; texts, what stands in them and what they look like, out."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import cv2
import numpy as np
import torch
from torch import Tensor

from vtk.errors import WeightsError
from vtk.kernels.normalize import normalize
from vtk.models import zoo
from vtk.models.cotext_network import KERNEL, REGION, STRIDE, CoText, Maps
from vtk.models.cotext_regions import Growth, Grown, grow
from vtk.models.cotext_transcripts import transcripts
from vtk.models.ppocr_detection import Layout, layout
from vtk.models.spotter import Found, Reading, Spotter
from vtk.models.text_boxes import crop_quad
from vtk.threads import asked

NAME = "cotext"
TEXTS = 64  # that are read at once: 8 MiB of samples


class CoTextSpotter:
    """Finds and reads text with one network; stateless, so that sources share it.

    Args:
        net: in eval mode.
        vocabulary: the character of each class, the blank, empty, first.
        long_side: that pictures are resized to, in pixels, a multiple of 32.
        device: cpu or cuda:N.
        precision: in which the maps are made, fp32, bf16 or fp16; the heads behind them stay in fp32.
        how: which texts count.
    """

    def __init__(self, net: CoText, vocabulary: Sequence[str], long_side: int = 640, device: str = "cpu",
                 precision: str = "fp32", how: Growth = Growth()) -> None:
        if threads := asked():
            torch.set_num_threads(threads)
        self._net, self._vocabulary = net.to(device).requires_grad_(False).eval(), tuple(vocabulary)
        self._long_side, self._device, self._precision, self._how = long_side, device, precision, how
        self._input = zoo.get(NAME).input

    def spotter(self, sha256: str) -> Spotter:
        """Return what every text spotter is; it reads only what it has just found."""
        return Spotter(NAME, sha256, self.find, crop_quad, read=None, joint=True)

    def find(self, images: Sequence[np.ndarray]) -> list[Found]:
        """Return the texts of each picture, (H, W, 3) uint8 RGB; none depends on the others.

        Raises:
            ValueError: a picture is not (H, W, 3) uint8, or is empty.
            WeightsError: the network's values are not finite.
        """
        for index, image in enumerate(images):
            if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size == 0:
                raise ValueError(f"images[{index}]: got {image.shape} {image.dtype}, expected (H, W, 3) uint8 RGB")
        return [self._find(image) for image in images]

    def _find(self, image: np.ndarray) -> Found:
        height, width = image.shape[:2]
        plan = layout(width, height, self._long_side)
        with torch.inference_mode():
            maps = self._maps(_resized(image, plan.width, plan.height), plan)
            logits = maps.detection[0, [REGION, KERNEL]].cpu().numpy()
            if not (np.isfinite(logits).all() and bool(torch.isfinite(maps.recognition).all())):
                raise WeightsError("cotext's network gives values that are not finite; its weights are of no use")
        grown = grow(*logits, STRIDE, self._how)
        scale = np.array([width / plan.width, height / plan.height], np.float32)
        quads = np.clip(grown.quads * scale, 0, np.array([width, height], np.float32))

        def read(rows: Sequence[int]) -> list[Reading]:
            return self._read(maps.recognition, grown, rows)

        return Found(quads, grown.scores, read, grown.more)

    def _maps(self, image: np.ndarray, plan: Layout) -> Maps:
        """Return the maps of a resized picture; of a long one those of its pieces, joined where these overlap."""
        if len(plan.starts) == 1:
            return self._run(image)
        along = 0 if plan.height > plan.width else 1
        parts: list[Maps] = []
        done = 0
        for index, start in enumerate(plan.starts):
            end = start + plan.window
            piece = image[start:end] if along == 0 else image[:, start:end]
            # The middle of what two pieces share: of whole cells, for all sides are multiples of 32.
            stop = end if index == len(plan.starts) - 1 else (plan.starts[index + 1] + end) // 2
            kept = slice((done - start) // STRIDE, (stop - start) // STRIDE)
            parts.append(Maps(*(map_[:, :, kept] if along == 0 else map_[..., kept]
                                for map_ in self._run(np.ascontiguousarray(piece)))))
            done = stop
        return Maps(*(torch.cat(each, dim=2 + along) for each in zip(*parts, strict=True)))

    def _run(self, image: np.ndarray) -> Maps:
        takes = self._input
        values = normalize([image], *image.shape[:2], scale=takes.scale, mean=takes.mean, std=takes.std)
        with _computing(self._device, self._precision):
            maps = self._net(torch.from_numpy(values).to(self._device))
        return Maps(*(map_.float() for map_ in maps))

    def _read(self, recognition: Tensor, grown: Grown, rows: Sequence[int]) -> list[Reading]:
        """Return what stands in texts of a picture, by row."""
        out: list[Reading] = []
        labels = torch.from_numpy(grown.labels)[None].to(self._device)
        for start in range(0, len(rows), TEXTS):
            some = list(rows[start : start + TEXTS])
            quads, ids = (torch.from_numpy(each[some]).to(self._device) for each in (grown.quads, grown.ids))
            with torch.inference_mode():
                rois = self._net.rois(recognition, quads, torch.zeros_like(ids), labels, ids)
                logits = self._net.read(rois)
                features = self._net.embed(rois, quads, logits).cpu().numpy()
            out += transcripts(logits.cpu().numpy(), features, self._vocabulary)
        return out


def _computing(device: str, precision: str) -> Any:
    """Return the context in which torch computes convolutions in ``precision``."""
    types = {"bf16": torch.bfloat16, "fp16": torch.float16}
    if precision not in types:
        return nullcontext()
    return torch.autocast(device.partition(":")[0], types[precision])


def _resized(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Return ``image`` at ``width`` x ``height``; averaged where it shrinks by more than half."""
    if image.shape[:2] == (height, width):
        return image
    shrinks = image.shape[0] > 2 * height or image.shape[1] > 2 * width
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
