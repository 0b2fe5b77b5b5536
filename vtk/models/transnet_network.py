"""The network of TransNet V2: a hundred small frames in, how likely each is the middle, or part, of a transition out.

Module names are those of the weights that its authors' port to torch hands out.

Source: Souček and Lokoč, "TransNet V2", arXiv 2008.04838, and github.com/soCzech/TransNetV2 (MIT licence), whose code
the shapes and paddings follow; the histograms are counted by products, which every runtime has, not by scattering.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from vtk.models.transnet import FRAMES, HEIGHT, WIDTH

# Frames on either side that a frame is compared with, as a count with itself.
WINDOW = 101
FILTERS, CELLS, BLOCKS, HIDDEN, SIMILAR = 16, 3, 2, 1024, 128
DILATIONS = (1, 2, 4, 8)
# Steps of each colour in a histogram.
LEVELS = 8


class Dilated(nn.Module):
    """Four convolutions side by side that look 1, 2, 4 and 8 frames to either side; (N, C, T, H, W) in and out."""

    def __init__(self, channels: int, filters: int, last: bool) -> None:
        super().__init__()
        for dilation in DILATIONS:
            space = nn.Conv3d(channels, 2 * filters, (1, 3, 3), padding=(0, 1, 1), bias=False)
            time = nn.Conv3d(2 * filters, filters, (3, 1, 1), dilation=(dilation, 1, 1), padding=(dilation, 0, 0),
                             bias=False)
            part = nn.Module()
            part.layers = nn.Sequential(space, time)
            self.add_module(f"Conv3D_{dilation}", part)
        self.bn = nn.BatchNorm3d(4 * filters, eps=1e-3)
        self.last = last

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, 4 filters, T, H, W)."""
        parts = [getattr(self, f"Conv3D_{dilation}").layers(x) for dilation in DILATIONS]
        x = self.bn(torch.cat(parts, 1))
        return x if self.last else functional.relu(x)


class Cell(nn.Module):
    """Two blocks of dilated convolutions with a way past the second, then means of 2 × 2 pixels."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.DDCNN = nn.ModuleList(
            Dilated(channels if block == 0 else 4 * filters, filters, block == BLOCKS - 1) for block in range(BLOCKS))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (N, 4 filters, T, H // 2, W // 2)."""
        past = x = self.DDCNN[0](x)
        for block in self.DDCNN[1:]:
            x = block(x)
        return functional.avg_pool3d(functional.relu(x) + past, (1, 2, 2))


class Similarities(nn.Module):
    """How alike a frame is to those around it, by what the cells make of them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.projection = nn.Linear(channels, SIMILAR)
        self.fc = nn.Linear(WINDOW, SIMILAR)

    def forward(self, cells: Sequence[torch.Tensor]) -> torch.Tensor:
        """Return (N, T, 128) for the outputs (N, C, T, h, w) of all cells."""
        means = torch.cat([cell.mean(dim=(3, 4)) for cell in cells], 1).transpose(1, 2)
        return functional.relu(self.fc(around(functional.normalize(self.projection(means), dim=2))))


class Histograms(nn.Module):
    """How alike a frame's colours are to those of the frames around it."""

    def __init__(self) -> None:
        super().__init__()
        self.fc = nn.Linear(WINDOW, SIMILAR)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """Return (N, T, 128) for frames (N, T, 3, H, W) with values in [0, 255]."""
        levels = torch.arange(LEVELS, device=frames.device).to(frames.dtype)
        steps = torch.floor(frames / (256 // LEVELS)).flatten(3)
        red, green, blue = (steps[:, :, channel] for channel in range(3))
        is_red, is_green = ((each.unsqueeze(3) == levels).to(frames.dtype) for each in (red, green))
        is_blue = (blue.unsqueeze(3) == levels).to(frames.dtype)
        both = (is_red.unsqueeze(4) * is_green.unsqueeze(3)).flatten(3)
        counts = (both.transpose(2, 3) @ is_blue).flatten(2)
        return functional.relu(self.fc(around(functional.normalize(counts, dim=2))))


def around(vectors: torch.Tensor) -> torch.Tensor:
    """Return (N, T, 101), products of each vector with those of up to 50 frames before and behind; 0 beyond the ends.

    Args:
        vectors: (N, T, D), T being ``FRAMES``.
    """
    half = WINDOW // 2
    products = functional.pad(vectors @ vectors.transpose(1, 2), (half, half))
    # Read with rows one longer than they are, row t begins t further on: at its own frame's window.
    wide = FRAMES + 2 * half
    skewed = functional.pad(products.reshape(-1, FRAMES * wide), (0, FRAMES))
    return skewed.reshape(-1, FRAMES, wide + 1)[:, :, :WINDOW]


class TransNet(nn.Module):
    """TransNet V2 as its authors' weights have it."""

    def __init__(self) -> None:
        super().__init__()
        widths = [FILTERS * 2**cell for cell in range(CELLS)]
        self.SDDCNN = nn.ModuleList(
            Cell(3 if cell == 0 else 4 * widths[cell - 1], widths[cell]) for cell in range(CELLS))
        self.frame_sim_layer = Similarities(4 * sum(widths))
        self.color_hist_layer = Histograms()
        pixels = (HEIGHT >> CELLS) * (WIDTH >> CELLS)
        self.fc1 = nn.Linear(4 * widths[-1] * pixels + 2 * SIMILAR, HIDDEN)
        self.cls_layer1, self.cls_layer2 = nn.Linear(HIDDEN, 1), nn.Linear(HIDDEN, 1)

    def forward(self, windows: torch.Tensor) -> torch.Tensor:
        """Return (N, 100, 2) in [0, 1]: whether a frame is the middle of a transition, and whether it is of one.

        Args:
            windows: (N, 300, 27, 48), the colours of 100 frames one after the other, values in [0, 255].
        """
        frames = windows.reshape(-1, FRAMES, 3, HEIGHT, WIDTH)
        x, cells = frames.transpose(1, 2) / 255, []
        for cell in self.SDDCNN:
            x = cell(x)
            cells.append(x)
        x = x.permute(0, 2, 3, 4, 1).flatten(2)
        x = torch.cat([self.color_hist_layer(frames), self.frame_sim_layer(cells), x], 2)
        x = functional.relu(self.fc1(x))
        return torch.sigmoid(torch.cat([self.cls_layer1(x), self.cls_layer2(x)], 2))
