"""``logit_adjust`` in Triton: a program goes over one row three times, the second and third time from the cache."""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl

# Classes read at once: a few loads for the thousands that classifiers of species have. Not swept on a GPU yet.
BLOCK = 1024


def logit_adjust(
    logits: torch.Tensor,
    train: torch.Tensor | None = None,
    priors: torch.Tensor | None = None,
    places: torch.Tensor | None = None,
    masks: torch.Tensor | None = None,
    groups: torch.Tensor | None = None,
    *,
    tau: float = 1.0,
    gamma: float = 1.0,
    floor: float = 0.0,
    group_count: int = 0,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return probabilities under priors and masks, and their sums by group; see the package."""
    rows, classes = logits.shape
    shares = torch.empty((rows, classes), dtype=torch.float32, device=logits.device)
    pooled = torch.zeros((rows, group_count), dtype=torch.float64, device=logits.device)
    if not rows * classes:
        return shares, pooled.float()
    offsets = torch.zeros(1, device=logits.device) if train is None else tau * train.double()
    # A scalar of a launch is float32; a tensor keeps all its digits.
    levels = torch.tensor([gamma, math.log(floor) if floor else -math.inf], dtype=torch.float64, device=logits.device)
    has_prior, has_mask = (table is not None and table.numel() > 0 for table in (priors if gamma else None, masks))
    # What is not there is not read: any tensor stands for it. Products stay apart from sums, as on the CPU.
    _adjust[(rows,)](
        logits.contiguous(), offsets.contiguous(), priors.contiguous() if has_prior else offsets,
        places.contiguous() if has_prior or has_mask else offsets,
        masks.contiguous().view(torch.uint8) if has_mask else offsets,
        groups.contiguous() if groups is not None else offsets, levels, shares, pooled, classes, group_count,
        TRAIN=train is not None, PRIOR=has_prior, MASK=has_mask, POOL=groups is not None and group_count > 0,
        BLOCK=BLOCK, enable_fp_fusion=False,
    )  # fmt: skip
    return shares, pooled.float()


@triton.jit
def _scores(logits, offsets, prior, gamma, lowest, c, classes, known, TRAIN: tl.constexpr, PRIOR: tl.constexpr):
    """Return the scores of the classes ``c`` (BLOCK,) float64 of one row, -inf behind the last.

    prior: its place's row, of which the first ``known`` classes are read: all or none.
    """
    score = tl.load(logits + c, c < classes, -float("inf")).to(tl.float64)
    if TRAIN:
        score -= tl.load(offsets + c, c < classes, 0.0)
    if PRIOR:
        # Without a place it is 0, which no floor is above, for all.
        value = tl.load(prior + c, c < known, 0.0).to(tl.float64)
        # Of a comparison with NaN nothing is true: it stays.
        score += gamma * tl.where(value < lowest, lowest, value)
    return score


@triton.jit
def _masked(score, mask, c, listed, MASK: tl.constexpr):
    """Return the scores of the classes ``c`` (BLOCK,), -inf of those that the place's row ``mask`` does not have.

    Its first ``listed`` classes are read: all, or none where it would leave nothing possible.
    """
    if MASK:
        allowed = tl.load(mask + c, c < listed, 1) != 0
        score = tl.where(allowed, score, -float("inf"))
    return score


@triton.jit
def _adjust(
    logits, offsets, priors, places, masks, groups, levels, shares, pooled, classes, group_count,
    TRAIN: tl.constexpr, PRIOR: tl.constexpr, MASK: tl.constexpr, POOL: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Write one row of shares (N, classes) float32, and add it to that of pooled (N, group_count) float64.

    logits (N, classes), priors (P, classes) float32; offsets (classes,) float64; places (N,), groups (classes,) int64;
    masks (P, classes) uint8; levels (2,) float64: gamma and the logarithm of the floor.
    """
    n = tl.program_id(0).to(tl.int64)
    lane = tl.arange(0, BLOCK)
    gamma, lowest = tl.load(levels), tl.load(levels + 1)
    line = logits + n * classes
    place = n * 0 - 1
    if PRIOR or MASK:
        place = tl.load(places + n)
    known = tl.where(place >= 0, classes, 0)
    prior, mask = priors + place * classes, masks + place * classes
    most, allowed_most = tl.full([BLOCK], -float("inf"), tl.float64), tl.full([BLOCK], -float("inf"), tl.float64)
    unfit = tl.zeros([BLOCK], tl.int32)
    for start in range(0, classes, BLOCK):
        c = start + lane
        score = _scores(line, offsets, prior, gamma, lowest, c, classes, known, TRAIN=TRAIN, PRIOR=PRIOR)
        unfit += tl.where(score < float("inf"), 0, 1)
        most = tl.where(score > most, score, most)
        if MASK:
            allowed = tl.load(mask + c, c < known, 0) != 0
            allowed_most = tl.where(allowed & (score > allowed_most), score, allowed_most)
    broken, largest, allowed_largest = tl.sum(unfit, 0) > 0, tl.max(most, 0), tl.max(allowed_most, 0)
    limited = allowed_largest > -float("inf")
    listed = tl.where(limited, classes, 0)
    largest = tl.where(limited, allowed_largest, largest)
    shift = tl.where(largest == -float("inf"), 0.0, largest)
    sums = tl.zeros([BLOCK], tl.float64)
    for start in range(0, classes, BLOCK):
        c = start + lane
        score = _scores(line, offsets, prior, gamma, lowest, c, classes, known, TRAIN=TRAIN, PRIOR=PRIOR)
        score = _masked(score, mask, c, listed, MASK=MASK)
        sums += tl.exp(score - shift)
    total = tl.sum(sums, 0)
    share = tl.where(broken, float("nan"), tl.where(total > 0.0, 1.0 / tl.where(total > 0.0, total, 1.0), 0.0))
    for start in range(0, classes, BLOCK):
        c = start + lane
        score = _scores(line, offsets, prior, gamma, lowest, c, classes, known, TRAIN=TRAIN, PRIOR=PRIOR)
        score = _masked(score, mask, c, listed, MASK=MASK)
        value = tl.exp(score - shift) * share
        tl.store(shares + n * classes + c, value.to(tl.float32), c < classes)
        if POOL:
            group = tl.load(groups + c, c < classes, -1)
            tl.atomic_add(pooled + n * group_count + group, value, group >= 0)
    if POOL:
        if broken:
            # A group without classes, too.
            for start in range(0, group_count, BLOCK):
                g = start + lane
                nothing = tl.full([BLOCK], float("nan"), tl.float64)
                tl.store(pooled + n * group_count + g, nothing, g < group_count)
