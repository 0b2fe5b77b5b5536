"""``ctc_decode`` in Triton: a program reads the classes of one step; what is left is small, or a chain of choices.

The beam's steps depend on each other and take microseconds each, so the host makes them, from scores that cross once.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from vtk.kernels.ctc_decode import cpu

# Classes read at once: most of PP-OCR's 6625 or 18,385 in a few loads. Not swept on a GPU yet.
BLOCK = 1024


def greedy(scores: torch.Tensor, *, blank: int = 0, kind: str = "probabilities", best: bool = False) -> torch.Tensor:
    """Return the best path's symbols, probabilities and steps; see the package."""
    if not scores.shape[0] or not scores.shape[1]:
        return scores.new_empty((*scores.shape[:2], 3))
    cpu.refuse(scores.amax(2).cpu().numpy())
    symbols, values, sums = _steps(scores, kind == "logits")
    if kind != "probabilities":
        values = torch.exp(values.double() - sums).float()
    return _collapse(symbols, values, blank, best)


def beam(scores: torch.Tensor, *, width: int = 10, blank: int = 0, kind: str = "probabilities",
         lexicon: torch.Tensor | None = None) -> torch.Tensor:  # fmt: skip
    """Return the text that prefix beam search finds, and its log probability; see the package."""
    sums = _steps(scores, kind == "logits")[2]
    words = None if lexicon is None else lexicon.cpu().numpy()
    found = cpu.search(scores.cpu().numpy(), sums.cpu().numpy(), kind == "probabilities", width, blank, words)
    return torch.from_numpy(found).to(scores.device)


def _steps(scores: torch.Tensor, summed: bool) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Return each step's best class, its score and, if ``summed``, the log of the sum of exponentials, else 0."""
    batch, steps, classes = scores.shape
    symbols = torch.empty((batch, steps), dtype=torch.int64, device=scores.device)
    values, sums = torch.empty_like(symbols, dtype=torch.float32), torch.empty_like(symbols, dtype=torch.float64)
    if symbols.numel():
        _read[(batch * steps,)](scores.contiguous(), symbols, values, sums, classes, SUMMED=summed, BLOCK=BLOCK)
    return symbols, values, sums


def _collapse(symbols: torch.Tensor, values: torch.Tensor, blank: int, best: bool) -> torch.Tensor:
    """Return (B, T, 3) float32 of the runs in symbols (B, T) int64 with values (B, T) float32."""
    batch, steps = symbols.shape
    text = symbols != blank
    first = text.clone()
    first[:, 1:] &= symbols[:, 1:] != symbols[:, :-1]
    # What is no part of the text goes to a place behind it.
    place = torch.cumsum(first, 1) - 1
    chosen = text if best else first
    out = torch.zeros((batch, steps + 1, 3), device=symbols.device)
    out[..., 0] = out[..., 2] = -1
    kept, used = torch.where(first, place, steps), torch.where(chosen, place, steps)
    step = torch.arange(steps, device=symbols.device, dtype=torch.float32).expand(batch, -1)
    out[..., 0].scatter_(1, kept, symbols.float())
    out[..., 2].scatter_(1, kept, step)
    out[..., 1].scatter_reduce_(1, used, values, "amax", include_self=False)
    return out[:, :steps].contiguous()


@triton.jit
def _read(scores, symbols, values, sums, classes, SUMMED: tl.constexpr, BLOCK: tl.constexpr):
    """Write the best class of one step, its score and the log of the sum of exponentials over the classes.

    scores (N, classes) float32; symbols int64, values float32, sums float64 (N,).
    """
    step = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    value = tl.load(scores + step * classes)
    symbol = tl.zeros([], tl.int32)
    for start in range(0, classes, BLOCK):
        line = tl.load(scores + step * classes + start + lane, start + lane < classes, -float("inf"))
        most = tl.max(line, axis=0)
        # The first of equals: within a block by the least lane, and a later block must be better.
        where = tl.min(tl.where((line == most) & (start + lane < classes), start + lane, classes), axis=0)
        symbol = tl.where(most > value, where, symbol)
        value = tl.maximum(value, most)
    tl.store(symbols + step, symbol.to(tl.int64))
    tl.store(values + step, value)
    total = tl.zeros([BLOCK], tl.float64)
    if SUMMED:
        shift = tl.where(value == -float("inf"), 0.0, value).to(tl.float64)
        for start in range(0, classes, BLOCK):
            line = tl.load(scores + step * classes + start + lane, start + lane < classes, -float("inf"))
            total += tl.exp(line.to(tl.float64) - shift)
        summed = tl.sum(total, axis=0)
        tl.store(sums + step, tl.where(summed > 0.0, tl.log(summed) + shift, 0.0))
    else:
        tl.store(sums + step, tl.sum(total, axis=0))
