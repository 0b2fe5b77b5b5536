"""``association`` in Triton: a tile of pairs per program; assignments are made on the host.

A frame's assignment is a chain of dependent choices over few pairs, so the device only masks: one matrix crosses.
"""

from __future__ import annotations

from math import inf

import torch
import triton
import triton.language as tl

from vtk.kernels.association import cpu

# Tile of pairs per program, and features of a pair that are multiplied in one step: their product holds 2^12 numbers,
# 32 a thread. Not swept on a GPU yet.
ROWS, COLUMNS, FEATURES = 8, 32, 16

# Costs per program of the mask.
BLOCK = 1024


def gated_cost(
    tracks: torch.Tensor,
    boxes: torch.Tensor,
    track_groups: torch.Tensor,
    box_groups: torch.Tensor,
    *,
    buffer: float = 0.0,
    height_power: float = 0.0,
    scores: torch.Tensor | None = None,
    track_features: torch.Tensor | None = None,
    box_features: torch.Tensor | None = None,
    max_cosine: float = 0.25,
    min_overlap: float = 0.0,
    spread: torch.Tensor | None = None,
    max_motion: float = inf,
) -> torch.Tensor:
    """Return what it costs to give each box to each track; see the package."""
    cost = torch.empty((len(tracks), len(boxes)), dtype=torch.float64, device=tracks.device)
    if not cost.numel():
        return cost
    # In an array, since Triton takes a number to be float32.
    numbers = [float(each) for each in (buffer, height_power, max_cosine, min_overlap, max_motion)]
    numbers = torch.tensor(numbers, dtype=torch.float64).to(tracks.device)
    featured = track_features is not None and box_features is not None
    features = [each.contiguous() if featured else numbers for each in (track_features, box_features)]
    known = [(each != 0).any(dim=1) if featured else numbers for each in features]
    grid = (triton.cdiv(len(tracks), ROWS) * triton.cdiv(len(boxes), COLUMNS),)
    # Without fused multiply-add, results equal those of the CPU but for the power of a ratio.
    _tile[grid](
        tracks.contiguous(), boxes.contiguous(), track_groups.contiguous(), box_groups.contiguous(),
        numbers if scores is None else scores.contiguous(), *features, *known,
        numbers if spread is None else spread.contiguous(), numbers, cost, len(tracks), len(boxes),
        features[0].shape[1] if featured else 0, POWER=0 if not height_power else 1 if height_power == 1 else 2,
        SCORED=scores is not None, FEATURED=featured, SPREAD=spread is not None,
        ROWS=ROWS, COLUMNS=COLUMNS, FEATURES=FEATURES, enable_fp_fusion=False,
    )  # fmt: skip
    return cost


def assign(
    cost: torch.Tensor, limit: float, rows: torch.Tensor | None = None, columns: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the pairs of least total cost; see the package."""
    pairs = cpu.assign(_masked(cost, limit, rows, columns).cpu().numpy(), limit)
    return torch.from_numpy(pairs).to(cost.device)


def assign_greedy(
    cost: torch.Tensor, limit: float, rows: torch.Tensor | None = None, columns: torch.Tensor | None = None
) -> torch.Tensor:
    """Return pairs made one by one, the cheapest left first; see the package."""
    pairs = cpu.assign_greedy(_masked(cost, limit, rows, columns).cpu().numpy(), limit)
    return torch.from_numpy(pairs).to(cost.device)


def _masked(cost: torch.Tensor, limit: float, rows: torch.Tensor | None, columns: torch.Tensor | None) -> torch.Tensor:
    """Return ``cost`` (T, N) with inf where a pair is never made."""
    masked = torch.empty(cost.shape, dtype=torch.float64, device=cost.device)
    if cost.numel():
        limits = torch.tensor([limit], dtype=torch.float64).to(cost.device)
        _mask[(triton.cdiv(cost.numel(), BLOCK),)](
            cost.contiguous(), limits, limits if rows is None else rows.contiguous(),
            limits if columns is None else columns.contiguous(), masked, cost.numel(), cost.shape[1],
            BY_ROW=rows is not None, BY_COLUMN=columns is not None, BLOCK=BLOCK, enable_fp_fusion=False,
        )  # fmt: skip
    return masked


@triton.jit
def _mask(cost, limits, rows, columns, masked, count, across,
          BY_ROW: tl.constexpr, BY_COLUMN: tl.constexpr, BLOCK: tl.constexpr):  # fmt: skip
    """Write BLOCK values of masked (T, across) float64: those of cost (T, across) below limits (1,), else inf.

    rows (T,) and columns (across,) bool: which take part.
    """
    place = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    inside = place < count
    value = tl.load(cost + place, inside, 0.0)
    made = value < tl.load(limits)
    if BY_ROW:
        made = made & (tl.load(rows + place // across, inside, 0) != 0)
    if BY_COLUMN:
        made = made & (tl.load(columns + place % across, inside, 0) != 0)
    tl.store(masked + place, tl.where(made, value, float("inf")), inside)


@triton.jit
def _corners(boxes, index, inside):
    """Return left, top, right and bottom of the boxes (N, 4) at index."""
    left, top = tl.load(boxes + index * 4, inside, 0.0), tl.load(boxes + index * 4 + 1, inside, 0.0)
    return left, top, tl.load(boxes + index * 4 + 2, inside, 0.0), tl.load(boxes + index * 4 + 3, inside, 0.0)


@triton.jit
def _overlap(left_a, top_a, right_a, bottom_a, left_b, top_b, right_b, bottom_b, power, POWER: tl.constexpr):
    """Return the overlap of each pair, and whether it is defined."""
    width = tl.maximum(tl.minimum(right_a, right_b) - tl.maximum(left_a, left_b), 0.0)
    height = tl.maximum(tl.minimum(bottom_a, bottom_b) - tl.maximum(top_a, top_b), 0.0)
    shared = width * height
    union = (right_a - left_a) * (bottom_a - top_a) + (right_b - left_b) * (bottom_b - top_b) - shared
    overlap = tl.where(union > 0.0, shared / union, 0.0)
    if POWER > 0:
        joint = tl.maximum(bottom_a, bottom_b) - tl.minimum(top_a, top_b)
        ratio = tl.where(joint > 0.0, height / joint, 0.0)
        overlap = overlap * (ratio if POWER == 1 else tl.exp(power * tl.log(ratio)))
    return overlap, tl.abs(union) < float("inf")


@triton.jit
def _grown(left, top, right, bottom, buffer):
    """Return the corners of boxes grown on each side by buffer times their own width and height."""
    wide, high = buffer * (right - left), buffer * (bottom - top)
    return left - wide, top - high, right + wide, bottom + high


@triton.jit
def _motion(left_a, top_a, right_a, bottom_a, left_b, top_b, right_b, bottom_b, spread, i, row):
    """Return the squared Mahalanobis distance of centre, width and height; spread (T, 4): variances."""
    wide, high, width, height = right_a - left_a, bottom_a - top_a, right_b - left_b, bottom_b - top_b
    x, y = (left_a + wide / 2) - (left_b + width / 2), (top_a + high / 2) - (top_b + height / 2)
    wide, high = wide - width, high - height
    first, second = tl.load(spread + i * 4, row, 1.0), tl.load(spread + i * 4 + 1, row, 1.0)
    third, fourth = tl.load(spread + i * 4 + 2, row, 1.0), tl.load(spread + i * 4 + 3, row, 1.0)
    return x * x * (1 / first) + y * y * (1 / second) + wide * wide * (1 / third) + high * high * (1 / fourth)


@triton.jit
def _distance(track_features, box_features, i, j, row, column, dim,
              ROWS: tl.constexpr, COLUMNS: tl.constexpr, FEATURES: tl.constexpr):  # fmt: skip
    """Return the halved cosine distance (ROWS, COLUMNS) of rows i and j of features (·, dim) float32."""
    total = tl.zeros([ROWS, COLUMNS], tl.float64)
    for start in range(0, dim, FEATURES):
        k = start + tl.arange(0, FEATURES)
        a = tl.load(track_features + i * dim + k[None, :], row & (k < dim)[None, :], 0.0).to(tl.float64)
        b = tl.load(box_features + tl.trans(j) * dim + k[None, :], tl.trans(column) & (k < dim)[None, :], 0.0)
        total += tl.sum(a[:, None, :] * b.to(tl.float64)[None, :, :], axis=2)
    distance = (1 - total.to(tl.float32).to(tl.float64)) / 2
    return tl.where(distance < 0.0, 0.0, tl.where(distance > 1.0, 1.0, distance))


@triton.jit
def _tile(tracks, boxes, track_groups, box_groups, scores, track_features, box_features, track_known, box_known,
          spread, numbers, cost, rows, columns, dim, POWER: tl.constexpr, SCORED: tl.constexpr,
          FEATURED: tl.constexpr, SPREAD: tl.constexpr, ROWS: tl.constexpr, COLUMNS: tl.constexpr,
          FEATURES: tl.constexpr):  # fmt: skip
    """Write one ROWS x COLUMNS tile of cost (rows, columns) float64.

    tracks (rows, 4), boxes (columns, 4), spread (rows, 4), scores (columns,) float64; groups int64; features
    (·, dim) float32, and known (·,) bool where they are; numbers: buffer, height_power, max_cosine, min_overlap,
    max_motion.
    """
    tiles_across = tl.cdiv(columns, COLUMNS)
    i = (tl.program_id(0) // tiles_across).to(tl.int64) * ROWS + tl.arange(0, ROWS)[:, None]
    j = (tl.program_id(0) % tiles_across).to(tl.int64) * COLUMNS + tl.arange(0, COLUMNS)[None, :]
    row, column = i < rows, j < columns
    left_a, top_a, right_a, bottom_a = _corners(tracks, i, row)
    left_b, top_b, right_b, bottom_b = _corners(boxes, j, column)
    inside = tl.load(track_groups + i, row, 0) == tl.load(box_groups + j, column, 0)
    if SPREAD:
        motion = _motion(left_a, top_a, right_a, bottom_a, left_b, top_b, right_b, bottom_b, spread, i, row)
        inside = inside & (motion <= tl.load(numbers + 4))
    buffer = tl.load(numbers)
    left_a, top_a, right_a, bottom_a = _grown(left_a, top_a, right_a, bottom_a, buffer)
    left_b, top_b, right_b, bottom_b = _grown(left_b, top_b, right_b, bottom_b, buffer)
    overlap, defined = _overlap(
        left_a, top_a, right_a, bottom_a, left_b, top_b, right_b, bottom_b, tl.load(numbers + 1), POWER
    )  # fmt: skip
    value = 1 - (overlap * tl.load(scores + j, column, 0.0) if SCORED else overlap)
    inside = inside & defined & (tl.abs(value) < float("inf"))
    if FEATURED:
        similar = (tl.load(track_known + i, row, 0) != 0) & (tl.load(box_known + j, column, 0) != 0)
        similar = similar & inside & (overlap >= tl.load(numbers + 3))
        # Most tiles have no pair inside the gates, and those read no features.
        if tl.max(tl.max(similar.to(tl.int32), axis=1), axis=0) > 0:
            distance = _distance(track_features, box_features, i, j, row, column, dim, ROWS, COLUMNS, FEATURES)
            similar = similar & (distance <= tl.load(numbers + 2)) & (distance < value)
            value = tl.where(similar, distance, value)
    tl.store(cost + i * columns + j, tl.where(inside, value, float("inf")), row & column)
