"""CoText's network: one trunk, and three heads that find texts, read them and tell them apart."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn

from vtk.models.cotext_roi import sample
from vtk.models.cotext_trunk import CHANNELS, FUSED, ConvNormRelu, Trunk

STRIDE = 4  # pixels of the input per cell of the maps
ROI = (8, 32)  # height and width that texts are sampled at; a column is a step of the reader
STEPS = ROI[1]
# Channels of the detector's map: region, kernel, and the pixels' embedding, which inference does without.
REGION, KERNEL, EMBEDDING = 0, 1, slice(2, 6)
DETECTION = 6


class Maps(NamedTuple):
    """What the network makes of pictures.

    Attributes:
        detection: (B, 6, H / 4, W / 4), logits of region and kernel, and four numbers that embed a pixel.
        recognition: (B, 128, H / 4, W / 4), what the reader samples.
    """

    detection: Tensor
    recognition: Tensor


class Detector(nn.Sequential):
    """The head that finds texts: (B, 512, h, w) to (B, 6, h, w); 590,854 parameters."""

    def __init__(self) -> None:
        super().__init__(ConvNormRelu(FUSED, CHANNELS, 3), nn.Conv2d(CHANNELS, DETECTION, 1))


class Reader(nn.Module):
    """The head that reads texts: 1,077,414 parameters with 38 classes.

    Args:
        classes: of the vocabulary, CTC's blank among them.
    """

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.map = ConvNormRelu(FUSED, CHANNELS, 3)
        self.halve = ConvNormRelu(CHANNELS, CHANNELS, 3, stride=(2, 1))
        self.flatten = nn.Conv2d(CHANNELS, CHANNELS, (ROI[0] // 2, 1))
        self.rnn = nn.LSTM(CHANNELS, CHANNELS, bidirectional=True, batch_first=True)
        self.classify = nn.Linear(2 * CHANNELS, classes)

    def forward(self, rois: Tensor) -> Tensor:
        """Return logits (N, 32, classes) of samples (N, 128, 8, 32)."""
        if not len(rois):  # a recurrent net takes no empty batch
            return rois.new_zeros(0, STEPS, self.classify.out_features)
        steps = self.flatten(self.halve(rois)).squeeze(2).transpose(1, 2)
        return self.classify(self.rnn(steps)[0])


class Tracker(nn.Module):
    """The head that tells texts apart, by looks, place and words: 512,000 parameters.

    Source: Wu et al., CoText, 2022, and the constants of its released code.
    """

    FREQUENCIES, LOWEST = 64, 1000
    FRAME = 736  # pixels that 100 units of place stand for

    def __init__(self) -> None:
        super().__init__()
        self.visual = nn.Sequential(ConvNormRelu(CHANNELS, CHANNELS, 3), ConvNormRelu(CHANNELS, CHANNELS, 3))
        self.position = nn.Sequential(ConvNormRelu(4, CHANNELS // 2), ConvNormRelu(CHANNELS // 2, CHANNELS))
        self.semantic = nn.Sequential(ConvNormRelu(STEPS, CHANNELS // 2), ConvNormRelu(CHANNELS // 2, CHANNELS))
        self.join = nn.Sequential(nn.Conv2d(3 * CHANNELS, 3 * CHANNELS, 1), nn.ReLU(inplace=True),
                                  nn.Conv2d(3 * CHANNELS, CHANNELS, 1))  # fmt: skip

    def forward(self, rois: Tensor, boxes: Tensor, logits: Tensor) -> Tensor:
        """Return embeddings (N, 128), not of unit length.

        Args:
            rois: (N, 128, 8, 32), the reader's samples.
            boxes: (N, 4), x and y of the centre, width and height, in pixels of the input.
            logits: (N, 32, classes), the reader's.
        """
        cues = (self.visual(rois), self.position(self.waves(boxes)[..., None]), self.semantic(logits[..., None]))
        return self.join(torch.cat([cue.amax(dim=(2, 3), keepdim=True) for cue in cues], dim=1)).flatten(1)

    def waves(self, boxes: Tensor) -> Tensor:
        """Return sines and cosines (N, 4, 128) of boxes (N, 4) at 64 frequencies, from 1 down to 1 / 1000."""
        powers = torch.arange(self.FREQUENCIES, device=boxes.device, dtype=boxes.dtype) / self.FREQUENCIES
        angles = (boxes * (100 / self.FRAME))[..., None] / self.LOWEST**powers
        return torch.cat([angles.sin(), angles.cos()], dim=-1)


class CoText(nn.Module):
    """CoText, Wu et al., End-to-end video text spotting with contrastive learning, 2022.

    Written after the paper and its released code, with two changes: texts are sampled from the map at its own stride,
    not after it is enlarged to the input's size; and along the turned rectangle of a text, not in the upright box
    around it.

    Args:
        classes: of the vocabulary, CTC's blank and the unknown among them.
    """

    def __init__(self, classes: int = 38) -> None:
        super().__init__()
        self.trunk, self.detector, self.reader, self.tracker = Trunk(), Detector(), Reader(classes), Tracker()

    def forward(self, images: Tensor) -> Maps:
        """Return the maps of images (B, 3, H, W): RGB in [0, 1], less ImageNet's mean, over its deviation."""
        fused = self.trunk(images)
        return Maps(self.detector(fused), self.reader.map(fused))

    def rois(self, recognition: Tensor, quads: Tensor, image_ids: Tensor, labels: Tensor | None = None,
             ids: Tensor | None = None) -> Tensor:  # fmt: skip
        """Return the samples (N, 128, 8, 32) of texts; a text more than 1.5 times as high as wide is transposed.

        Args:
            recognition: (B, 128, h, w) of ``forward``.
            quads: (N, 4, 2) float32 corners, x and y in pixels of the input, clockwise from the top left.
            image_ids: (N,) int64, the picture of each.
            labels: (B, h, w) int32, the text that each cell belongs to; None: no mask.
            ids: (N,) int64, the label of each text.
        """
        return sample(recognition, quads, ROI, stride=STRIDE, image_ids=image_ids, labels=labels, ids=ids)

    def read(self, rois: Tensor) -> Tensor:
        """Return logits (N, 32, classes) of samples (N, 128, 8, 32)."""
        return self.reader(rois)

    def embed(self, rois: Tensor, quads: Tensor, logits: Tensor) -> Tensor:
        """Return embeddings (N, 128) by samples, corners (N, 4, 2) in pixels of the input and logits of texts."""
        return self.tracker(rois, boxes_of(quads), logits)


def boxes_of(quads: Tensor) -> Tensor:
    """Return centre, width and height (N, 4) of the upright box around corners (N, 4, 2)."""
    low, high = quads.amin(dim=1), quads.amax(dim=1)
    return torch.cat([(low + high) / 2, high - low], dim=1)
