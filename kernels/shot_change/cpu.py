"""The functions that tell one shot from another in Numba, in one thread: the pictures are small."""

from __future__ import annotations

import numpy as np
from numba import njit

# Sums may be taken in any order, so that the processor adds several at once; nothing else is loose.
LOOSE = {"reassoc"}


def shifted_likeness(pictures: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """Return the highest correlation of each part with a place of its picture; see the package."""
    result = np.zeros(len(pictures))
    if parts.size:
        _likeness(_plain(pictures), _plain(parts), result)
    return result


def carry(picture: np.ndarray, right: float, down: float, steps: np.ndarray) -> np.ndarray:
    """Return a picture after each number of steps; see the package."""
    out = np.empty((len(steps), *picture.shape), np.float32)
    if out.size:
        _carry(_plain(picture), right, down, _plain(steps), out)
    return out


def shares_between(pictures: np.ndarray, ends: np.ndarray, count: int) -> np.ndarray:
    """Return how far pictures have gone from one to another; see the package."""
    shares = np.empty((len(ends), count))
    _shares(_plain(pictures), _plain(ends), shares)
    return shares


def transition_fit(pictures: np.ndarray, first: np.ndarray, last: np.ndarray, least: float) -> tuple[np.ndarray, np.ndarray]:
    """Return how well pictures go from one to another; see the package."""
    fits, figures = np.empty((4, len(pictures))), np.empty(2)
    _fit(_plain(pictures), _plain(first), _plain(last), least, fits, figures)
    return fits, figures


def _plain(array: np.ndarray) -> np.ndarray:
    """Return the array contiguous and read only, so that one version is compiled, whatever is given."""
    array = np.ascontiguousarray(array)[:]
    array.flags.writeable = False
    return array


@njit(cache=True, nogil=True, error_model="numpy")
def _likeness(pictures: np.ndarray, parts: np.ndarray, result: np.ndarray) -> None:
    """Write the highest correlation of each of ``parts`` (N, h, w, C) with a place of ``pictures`` (N, H, W, C)."""
    count, height, width, channels = pictures.shape
    tall, wide = parts.shape[1], parts.shape[2]
    line, row, pixels = width * channels, wide * channels, tall * wide
    # A part's rows as far apart as those of the picture, with zeros between: each place is one row of products.
    laid, flat = np.zeros((tall - 1) * line + row, np.int16), np.empty(height * line, np.int16)
    sums, squares = np.empty(line, np.int32), np.empty(line, np.int32)
    own, under = np.empty(channels, np.int64), np.empty(channels, np.int64)
    for n in range(count):
        sums[:] = 0
        for y in range(tall):
            laid[y * line : y * line + row] = parts[n, y].reshape(-1)
            _count(laid[y * line : y * line + row], sums, squares, 1)
        _first(sums, row, own)
        spread = pixels * _product(laid, laid) - _squared(own)
        flat[:] = pictures[n].reshape(-1)
        sums[:], squares[:] = 0, 0
        for y in range(tall - 1):
            _count(flat[y * line : (y + 1) * line], sums, squares, 1)
        best = -1.0
        for y in range(height - tall + 1):
            _count(flat[(y + tall - 1) * line : (y + tall) * line], sums, squares, 1)
            _first(sums, row, under)
            square = np.int64(0)
            for k in range(row):
                square += np.int64(squares[k])
            for x in range(width - wide + 1):
                start = y * line + x * channels
                together = pixels * _product(flat[start : start + len(laid)], laid)
                for c in range(channels):
                    together -= under[c] * own[c]
                spreads = np.float64(pixels * square - _squared(under)) * np.float64(spread)
                best = max(best, together / np.sqrt(spreads) if spreads > 0 else 0.0)
                if x < width - wide:
                    for c in range(channels):
                        here = x * channels + c
                        under[c] += np.int64(sums[here + row]) - np.int64(sums[here])
                        square += np.int64(squares[here + row]) - np.int64(squares[here])
            _count(flat[y * line : (y + 1) * line], sums, squares, -1)
        result[n] = min(best, 1.0)


@njit(cache=True, nogil=True, error_model="numpy")
def _count(values: np.ndarray, sums: np.ndarray, squares: np.ndarray, sign: int) -> None:
    """Add a row (K,) int16 of bytes to the sums of columns, and its squares to those, or take them off."""
    way = np.int32(sign)
    for k in range(len(values)):
        value = np.int32(values[k])
        sums[k] = np.int32(sums[k] + np.int32(way * value))
        squares[k] = np.int32(squares[k] + np.int32(np.int32(way * value) * value))


@njit(cache=True, nogil=True, error_model="numpy")
def _first(sums: np.ndarray, row: int, totals: np.ndarray) -> None:
    """Write the total of each channel over the first columns, ``row`` values, from the sums of columns."""
    totals[:] = 0
    for start in range(0, row, len(totals)):
        for c in range(len(totals)):
            totals[c] += np.int64(sums[start + c])


@njit(cache=True, nogil=True, error_model="numpy")
def _squared(totals: np.ndarray) -> int:
    """Return the sum of squares of the channels' totals."""
    square = np.int64(0)
    for c in range(len(totals)):
        square += totals[c] * totals[c]
    return square


@njit(cache=True, nogil=True, error_model="numpy")
def _product(one: np.ndarray, other: np.ndarray) -> int:
    """Return the sum of products of two rows (K,) int16 of bytes; with K up to 2**15 it fits an int32."""
    total = np.int32(0)
    for k in range(len(other)):
        total = np.int32(total + np.int32(np.int32(one[k]) * np.int32(other[k])))
    return np.int64(total)


@njit(cache=True, nogil=True, error_model="numpy")
def _carry(picture: np.ndarray, right: float, down: float, steps: np.ndarray, out: np.ndarray) -> None:
    """Write ``picture`` (H, W) after each of ``steps`` into ``out`` (N, H, W)."""
    height, width = picture.shape
    near = np.empty((height, width))
    left, beside, far = np.empty(width, np.uint64), np.empty(width, np.uint64), np.empty(width)
    for n in range(len(steps)):
        for x in range(width):
            at = min(max(x - right * steps[n], 0.0), width - 1.0)
            first = np.int64(at)
            left[x], beside[x], far[x] = first, min(first + 1, width - 1), at - first
        for y in range(height):
            for x in range(width):
                near[y, x] = picture[y, left[x]] * (1 - far[x]) + picture[y, beside[x]] * far[x]
        for y in range(height):
            at = min(max(y - down * steps[n], 0.0), height - 1.0)
            top = np.int64(at)
            _blend(near[top], near[min(top + 1, height - 1)], at - top, out[n, y])


@njit(cache=True, nogil=True, error_model="numpy")
def _blend(one: np.ndarray, other: np.ndarray, share: float, out: np.ndarray) -> None:
    """Write a mix of two rows (W,) with ``share`` of the second."""
    for x in range(len(out)):
        out[x] = np.float32(one[x] * (1 - share) + other[x] * share)


@njit(cache=True, nogil=True, error_model="numpy")
def _shares(pictures: np.ndarray, ends: np.ndarray, shares: np.ndarray) -> None:
    """Write how far pictures (M, P) have gone between each of ``ends`` (N, 2) into ``shares`` (N, count)."""
    count = shares.shape[1]
    for n in range(len(ends)):
        first, last = ends[n]
        length = _along(pictures[last], pictures[first], pictures[last])
        for k in range(count):
            place = first + k * (last - first) // (count - 1)
            shares[n, k] = _along(pictures[place], pictures[first], pictures[last]) / length


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _along(picture: np.ndarray, first: np.ndarray, last: np.ndarray) -> float:
    """Return the product of the way from ``first`` (P,) to a picture and that to ``last``."""
    total = 0.0
    for p in range(len(picture)):
        one = np.float64(first[p])
        total += (np.float64(picture[p]) - one) * (np.float64(last[p]) - one)
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _fit(
    pictures: np.ndarray, first: np.ndarray, last: np.ndarray, least: float, fits: np.ndarray, figures: np.ndarray
) -> None:
    """Write the fits (4, N) and figures (2,) of ``pictures`` (N, P)."""
    count, pixels = pictures.shape
    apart, flips = np.zeros(pixels), np.zeros(pixels, np.int64)
    before, new = np.zeros(pixels, np.bool_), np.zeros(pixels, np.bool_)
    total = 0.0
    for n in range(count):
        picture, one, other = pictures[n], first[n], last[n]
        length, along, ways, of_last, missed = _sums(picture, one, other)
        fits[0, n] = along / length
        fits[1, n] = np.sqrt(_left(picture, one, other, along / length) / length)
        fits[2, n], fits[3, n] = of_last / ways, missed / ways
        total += ways
        _add_apart(one, other, apart)
        _nearer(picture, one, other, new)
        if n:
            _flipped(before, new, flips)
        before, new = new, before
    changed = 0
    for n in range(count):
        changed += _beyond(first[n], last[n], least * (total / (count * pixels)))
    figures[0] = np.float64(changed) / np.float64(count * pixels)
    figures[1] = _once(apart, flips)


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _sums(picture: np.ndarray, first: np.ndarray, last: np.ndarray) -> tuple[float, float, float, float, float]:
    """Return the sums over pixels that the fit of a picture (P,) is made of."""
    length, along, ways, of_last, missed = 0.0, 0.0, 0.0, 0.0, 0.0
    for p in range(len(picture)):
        value, one, other = np.float64(picture[p]), np.float64(first[p]), np.float64(last[p])
        way, gone = other - one, value - one
        to_first, to_last = abs(gone), abs(value - other)
        length += way * way
        along += gone * way
        ways += abs(way)
        of_last += abs(way) if to_last < to_first else 0.0
        missed += np.minimum(to_first, to_last)
    return length, along, ways, of_last, missed


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _left(picture: np.ndarray, first: np.ndarray, last: np.ndarray, share: float) -> float:
    """Return the sum of squares that a mix leaves of a picture (P,)."""
    total = 0.0
    for p in range(len(picture)):
        one = np.float64(first[p])
        rest = (np.float64(picture[p]) - one) - share * (np.float64(last[p]) - one)
        total += rest * rest
    return total


@njit(cache=True, nogil=True, error_model="numpy")
def _add_apart(first: np.ndarray, last: np.ndarray, apart: np.ndarray) -> None:
    """Add to ``apart`` (P,) how far both are apart at each pixel."""
    for p in range(len(apart)):
        apart[p] += abs(np.float64(last[p]) - np.float64(first[p]))


@njit(cache=True, nogil=True, error_model="numpy")
def _nearer(picture: np.ndarray, first: np.ndarray, last: np.ndarray, new: np.ndarray) -> None:
    """Write which pixels (P,) are nearer to the last."""
    for p in range(len(new)):
        value = np.float64(picture[p])
        new[p] = abs(value - np.float64(last[p])) < abs(value - np.float64(first[p]))


@njit(cache=True, nogil=True, error_model="numpy")
def _flipped(before: np.ndarray, new: np.ndarray, flips: np.ndarray) -> None:
    """Count in ``flips`` (P,) where two rows of marks differ."""
    for p in range(len(flips)):
        flips[p] += before[p] != new[p]


@njit(cache=True, nogil=True, error_model="numpy")
def _beyond(first: np.ndarray, last: np.ndarray, limit: float) -> int:
    """Return at how many pixels (P,) both are further apart than ``limit``."""
    count = 0
    for p in range(len(first)):
        count += abs(np.float64(last[p]) - np.float64(first[p])) > limit
    return count


@njit(cache=True, nogil=True, error_model="numpy", fastmath=LOOSE)
def _once(apart: np.ndarray, flips: np.ndarray) -> float:
    """Return the share of ``apart`` (P,) that lies where a pixel flips once at most."""
    once, total = 0.0, 0.0
    for p in range(len(apart)):
        total += apart[p]
        once += apart[p] if flips[p] <= 1 else 0.0
    return once / total
