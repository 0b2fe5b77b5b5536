"""Which box belongs to which track: the cost of each pair, and the pairs of least cost.

The overlap of a pair is the IoU of both boxes, grown on each side by ``buffer`` times their own width and height; times
(shared height / joint height)^``height_power`` of these boxes. The cost is 1 - overlap, or 1 - overlap × score. Where
features are given, the cosine distance (1 - dot) / 2 takes its place if that is less, is at most ``max_cosine``, and
the overlap is at least ``min_overlap``. A pair is out, at a cost of inf, where the groups differ, where the squared
Mahalanobis distance of centre, width and height is above ``max_motion``, and where an area, a score or that distance is
NaN or an area or a score is infinite, so wherever a coordinate is.
"""

from __future__ import annotations

from math import inf

from vtk.kernels.dispatch import Array, call, check_array, check_number

FLOAT = ("float64",)


def gated_cost(
    tracks: Array,
    boxes: Array,
    track_groups: Array,
    box_groups: Array,
    *,
    buffer: float = 0.0,
    height_power: float = 0.0,
    scores: Array | None = None,
    track_features: Array | None = None,
    box_features: Array | None = None,
    max_cosine: float = 0.25,
    min_overlap: float = 0.0,
    spread: Array | None = None,
    max_motion: float = inf,
) -> Array:
    """Return what it costs to give each box to each track, as the module says.

    Args:
        tracks: (T, 4) float64, [x1, y1, x2, y2] in pixels, x1 <= x2, y1 <= y2, predicted.
        boxes: (N, 4) float64, the same of what was detected.
        track_groups: (T,) int64, such as a number for each class of each source.
        box_groups: (N,) int64.
        buffer: share of a box's width and height by which it grows to each side; >= 0.
        height_power: >= 0; 0 leaves the overlap as it is.
        scores: (N,) float64 in [0, 1]; None: the overlap counts alone.
        track_features, box_features: (T, D) and (N, D) float32, rows of unit length, or of zeros where there is no
            feature: such pairs keep the cost of their overlap. Both or neither.
        max_cosine, min_overlap: in [0, 1], see above.
        spread: (T, 4) float64 > 0, in pixels², the variances of centre x, centre y, width and height of a box of the
            track; None: no gate.
        max_motion: >= 0, or inf; of four quantities 9.4877 holds 95 %.

    Returns:
        (T, N) float64, at most 1 or inf. 1 where an area is 0.

    Raises:
        ValueError: a shape, a dtype or a number is not as said, only one side has features, or arrays are not all
            of one kind on one device.

    Source: overlap and score: ByteTrack (Zhang et al., ECCV 2022); grown boxes: C-BIoU (Yang et al., WACV 2023,
    section 3.1); height: Hybrid-SORT (Yang et al., AAAI 2024, HMIoU); the least of both distances behind two gates:
    BoT-SORT (Aharon et al., arXiv:2206.14651, section 3.3); motion: DeepSORT (Wojke et al., ICIP 2017, section 2.2).
    """
    check_array("tracks", tracks, ("T", 4), FLOAT)
    check_array("boxes", boxes, ("N", 4), FLOAT)
    check_array("track_groups", track_groups, (len(tracks),), ("int64",))
    check_array("box_groups", box_groups, (len(boxes),), ("int64",))
    if scores is not None:
        check_array("scores", scores, (len(boxes),), FLOAT)
    if spread is not None:
        check_array("spread", spread, (len(tracks), 4), FLOAT)
    _check_features(track_features, box_features, len(tracks), len(boxes))
    _check_numbers(buffer, height_power, max_cosine, min_overlap, max_motion)
    return call(
        __name__, "gated_cost", tracks, boxes, track_groups, box_groups, buffer=buffer, height_power=height_power,
        scores=scores, track_features=track_features, box_features=box_features, max_cosine=max_cosine,
        min_overlap=min_overlap, spread=spread, max_motion=max_motion,
    )  # fmt: skip


def assign(cost: Array, limit: float, rows: Array | None = None, columns: Array | None = None) -> Array:
    """Return the pairs of least total cost, where leaving a row apart costs ``limit``.

    Args:
        cost: (T, N) float64, any range; inf and NaN: never.
        limit: pairs that cost this or more are never made.
        rows, columns: (T,) and (N,) bool, which of them take part; None: all.

    Returns:
        (T,) int64, the column of each row; -1: none. Where several sets of pairs cost the same, one of them, the same
        each time.

    Raises:
        ValueError: a shape, a dtype or the limit is not as said, or a pair that takes part costs -inf.

    Source: the same optimum as LAPJV with a cost limit (ByteTrack's program): a pair at the limit adds nothing, so
    capping the costs there and dropping what reaches the cap leaves the best set of pairs. Solved by
    scipy.optimize.linear_sum_assignment (Crouse, IEEE TAES 2016).
    """
    _check_assignment(cost, limit, rows, columns)
    return call(__name__, "assign", cost, limit, rows, columns)


def assign_greedy(cost: Array, limit: float, rows: Array | None = None, columns: Array | None = None) -> Array:
    """Return pairs made one by one, the cheapest left first; of equal ones that of the first row, then column.

    Args:
        cost, limit, rows, columns: as in ``assign``; here -inf is as good as any cost.

    Returns:
        (T,) int64, the column of each row; -1: none.

    Raises:
        ValueError: a shape, a dtype or the limit is not as said.

    Source: greedy matching by increasing distance, as in CenterTrack (Zhou et al., ECCV 2020, section 4.2).
    """
    _check_assignment(cost, limit, rows, columns)
    return call(__name__, "assign_greedy", cost, limit, rows, columns)


def _check_numbers(
    buffer: float, height_power: float, max_cosine: float, min_overlap: float, max_motion: float
) -> None:
    """Raise ValueError where a number of a cost breaks its contract."""
    check_number("buffer", buffer, 0)
    check_number("height_power", height_power, 0)
    check_number("max_cosine", max_cosine, 0, 1)
    check_number("min_overlap", min_overlap, 0, 1)
    if not (isinstance(max_motion, float) and max_motion == inf):
        check_number("max_motion", max_motion, 0)


def _check_features(tracks: Array | None, boxes: Array | None, rows: int, columns: int) -> None:
    """Raise ValueError unless both sides have features of one length, or neither has."""
    if tracks is None and boxes is None:
        return
    check_array("track_features", tracks, (rows, "D"), ("float32",))
    check_array("box_features", boxes, (columns, tracks.shape[1]), ("float32",))


def _check_assignment(cost: Array, limit: float, rows: Array | None, columns: Array | None) -> None:
    """Raise ValueError where an argument of an assignment breaks its contract."""
    check_array("cost", cost, ("T", "N"), FLOAT)
    check_number("limit", limit)
    if rows is not None:
        check_array("rows", rows, (cost.shape[0],), ("bool",))
    if columns is not None:
        check_array("columns", columns, (cost.shape[1],), ("bool",))
