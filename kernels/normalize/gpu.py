"""``normalize`` in Triton: one launch for a batch of images of different sizes."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import triton
import triton.language as tl

# Output pixels per program; each is written once in each of 3 planes. Not swept on a GPU yet.
BLOCK = 1024


def normalize(
    images: Sequence[torch.Tensor],
    height: int,
    width: int,
    *,
    scale: float = 1 / 255,
    mean: Sequence[float] = (0.0, 0.0, 0.0),
    std: Sequence[float] = (1.0, 1.0, 1.0),
    bgr: bool = False,
    pad: float = 0.0,
    centre: bool = False,
    out: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return images as a normalised batch, channels first; see the package."""
    if out is None:
        device = next((each.device for each in (images, *images) if isinstance(each, torch.Tensor)), None)
        out = torch.empty((len(images), 3, height, width), dtype=torch.float32, device=device)
    if not len(images):
        return out
    levels = [(scale / s, -m / s, (pad * scale - m) / s) for m, s in zip(mean, std, strict=True)]
    # Images of different sizes lie anywhere in memory: a table of where, eight numbers each, goes with the launch.
    table = [
        (image.data_ptr(), *image.shape[:2], *image.stride(), (height - image.shape[0]) // 2 if centre else 0,
         (width - image.shape[1]) // 2 if centre else 0)
        for image in images
    ]  # fmt: skip
    grid = (len(images) * triton.cdiv(height * width, BLOCK),)
    # Without fused multiply-add, results equal those of the CPU bit for bit; the kernel waits for memory anyway.
    _place[grid](
        torch.tensor(table, dtype=torch.int64).to(out.device), torch.tensor(levels, dtype=torch.float32).to(out.device),
        out, height, width, BGR=bool(bgr), BLOCK=BLOCK, enable_fp_fusion=False,
    )  # fmt: skip
    return out


@triton.jit
def _place(table, levels, out, height, width, BGR: tl.constexpr, BLOCK: tl.constexpr):
    """Write BLOCK pixels of one image of out (N, 3, height, width) float32, in all three planes.

    table (N, 8) int64: address, height, width, the three strides, top, left; levels (3, 3) float32: per output
    channel the gain, the offset and the value of the padding.
    """
    blocks = tl.cdiv(height * width, BLOCK)
    index = (tl.program_id(0) // blocks).to(tl.int64)
    position = (tl.program_id(0) % blocks).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    canvas = position < height * width
    row = table + index * 8
    pixels = tl.load(row).to(tl.pointer_type(tl.uint8))
    y = position // width - tl.load(row + 6)
    x = position % width - tl.load(row + 7)
    inside = canvas & (y >= 0) & (y < tl.load(row + 1)) & (x >= 0) & (x < tl.load(row + 2))
    source = pixels + y * tl.load(row + 3) + x * tl.load(row + 4)
    plane = tl.cast(height, tl.int64) * width
    for channel in tl.static_range(3):
        place = (2 - channel if BGR else channel) * tl.load(row + 5)
        pixel = tl.load(source + place, inside, 0).to(tl.float32)
        gain, offset = tl.load(levels + channel * 3), tl.load(levels + channel * 3 + 1)
        value = tl.where(inside, pixel * gain + offset, tl.load(levels + channel * 3 + 2))
        tl.store(out + (index * 3 + channel) * plane + position, value, canvas)
