"""Which part of one video runs along which part of another, from the similarity of their frames.

Every function takes the same ``similarity``: a whole map, (Q, R) float32, row i the query's frame i, column j the
reference's frame j; or its entries alone, (rows, columns, values, shape), as a search for the nearest frames gives
them: rows and columns (N,) int64 in any order, values (N,) float32, shape (Q, R). What is not listed, or is negative,
counts as 0; of a place listed twice the greatest value counts. From entries the map is never built: ten hours against
ten hours, a frame a second, fit. Similarities are such as cosines, at most 1, but any finite number is taken.

Every function returns segments, (S, 5) float32, [query_start, ref_start, query_end, ref_end, score], in frames, ends
exclusive, best first, and changes nothing that it was given. Scores of two functions can't be compared.

On CUDA the map is read there: by ``dynamic_programming`` and ``dtw`` as a wavefront of tiles, by the others to find
what is similar at all. The search for segments is a chain of choices over few cells, which the host makes; entries
are few from the beginning, so with them all of it is the host's.

Defaults are those of the VCSL benchmark's program (He et al., CVPR 2022) where it has the option.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf
from typing import Any, TypeAlias

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number

# A whole map, or rows, columns, values and the shape.
Map: TypeAlias = "Array | Sequence[Any]"

# Frames per axis, so that a place in a map, and a frame as float32, are whole numbers.
LONGEST = 1 << 24

# Speeds that are searched at once at most; a finer grid than this is a mistake.
FINEST = 1.001


def hough(similarity: Map, *, min_sim: float = 0.2, max_peaks: int = 100, max_iou: float = 0.9,
          whole: bool = False) -> Array:  # fmt: skip
    """Return the diagonals that most similarity lies on, from their first hit to their last.

    A hit is a cell of ``min_sim`` or more, and above 0. Each diagonal with a hit scores the sum of its hits.

    Args:
        similarity: see the module.
        min_sim: at least 0.
        max_peaks: how many diagonals are looked at, the best first, of equal ones that of the lower ref - query.
        max_iou: in [0, 1]; a box that overlaps a better one by more is left out.
        whole: take a diagonal's whole extent in the map for its box, as VCSL's program does, to compare with it.

    Returns:
        (S, 5) float32, see the module; the score is the sum of the hits. All of speed 1.

    Raises:
        ValueError: an array or a number is not as said.

    Source: temporal Hough voting (Douze et al., IEEE TMM 2010); options as in VCSL's program (He et al., CVPR 2022).
    """
    _check(similarity)
    check_number("min_sim", min_sim, 0)
    _check_whole("max_peaks", max_peaks, 0)
    check_number("max_iou", max_iou, 0, 1)
    if not isinstance(whole, bool):
        raise ValueError(f"whole: got {whole!r}, expected True or False")
    return call(__name__, "hough", similarity, min_sim=float(min_sim), max_peaks=int(max_peaks),
                max_iou=float(max_iou), whole=whole)  # fmt: skip


def temporal_network(similarity: Map, *, max_step: int = 10, top_k: int = 5, max_path: int = 10,
                     min_sim: float = 0.2, min_length: int = 5, max_iou: float = 0.3) -> Array:  # fmt: skip
    """Return the longest paths through each query frame's most similar references.

    The nodes are the ``top_k`` greatest cells of each row that are ``min_sim`` or more, and above 0. An edge leads
    less than ``max_step`` frames on along both axes, one at least, and jumps no reference that the same node already
    leads to at an earlier query frame. The path that sums most similarity is taken and its nodes count 0 from then on.

    Args:
        similarity: see the module.
        max_step: at least 1.
        top_k: nodes of a row, of equal ones the first columns.
        max_path: paths taken at most.
        min_sim: at least 0; a path's score over the mean of its sides must be above it, too.
        min_length: frames that both sides must be longer than.
        max_iou: in [0, 1]; a box that overlaps one kept before by more is left out.

    Returns:
        (S, 5) float32, see the module; the score is the sum of the path's similarities.

    Raises:
        ValueError: an array or a number is not as said.

    Source: temporal network (Tan et al., ACM MM 2009); options as in VCSL's program, which lets a path begin at a node
    below ``min_sim``.
    """
    _check(similarity)
    check_number("min_sim", min_sim, 0)
    check_number("max_iou", max_iou, 0, 1)
    for name, value, low in (("max_step", max_step, 1), ("top_k", top_k, 1), ("max_path", max_path, 0),
                             ("min_length", min_length, 0)):  # fmt: skip
        _check_whole(name, value, low)
    return call(__name__, "temporal_network", similarity, max_step=int(max_step), top_k=int(top_k),
                max_path=int(max_path), min_sim=float(min_sim), min_length=int(min_length),
                max_iou=float(max_iou))  # fmt: skip


def dynamic_programming(similarity: Map, *, discontinue: int = 3, min_sim: float = 0.0, ave_sim: float = 0.3,
                        min_length: int = 5, max_straight: int = 30, max_paths: int = 100) -> Array:  # fmt: skip
    """Return the paths that earn most similarity, passing at most ``discontinue`` unmatched cells each.

    A cell earns its similarity plus 1, half of it where it is reached along one axis alone; of equal ways the diagonal
    one, then along the query. A cell of ``min_sim`` or less is unmatched. A path begins and ends at matched cells. The
    best path is taken, its bounding box is closed to others, and so on.

    Args:
        similarity: see the module.
        discontinue: at least 0.
        min_sim: at least -1; at least 0 with entries, for what they leave out can't be matched.
        ave_sim: a segment's mean similarity must be above it.
        min_length: frames that both sides must be longer than.
        max_straight: a path is cut where it goes on for more steps than this along one axis alone.
        max_paths: paths taken at most.

    Returns:
        (S, 5) float32, see the module; the score is the sum of the path's similarities.

    Raises:
        ValueError: an array or a number is not as said.

    Source: Chou et al., IEEE TMM 2015; options as in VCSL's program, whose ``min_sim`` 1 and ``ave_sim`` 1.3 are of
    similarities plus 1; there an unmatched cell may begin a path.
    """
    _check(similarity)
    check_number("min_sim", min_sim, 0 if isinstance(similarity, (list, tuple)) else -1)
    check_number("ave_sim", ave_sim)
    for name, value in (("discontinue", discontinue), ("min_length", min_length), ("max_straight", max_straight),
                        ("max_paths", max_paths)):  # fmt: skip
        _check_whole(name, value, 0)
    return call(__name__, "dynamic_programming", similarity, discontinue=int(discontinue), min_sim=float(min_sim),
                ave_sim=float(ave_sim), min_length=int(min_length), max_straight=int(max_straight),
                max_paths=int(max_paths))  # fmt: skip


def dtw(similarity: Map, *, discontinue: int = 3, min_sim: float = 0.2, min_length: int = 5) -> Array:
    """Return the parts of the cheapest path from corner to corner that are similar.

    A cell costs 1 less its similarity; of equal ways the diagonal one is taken, then along the query.

    Args:
        similarity: see the module.
        discontinue: the path is cut where it goes on for more steps than this along one axis alone.
        min_sim: at least 0; a part begins and ends at a cell above it, and its mean must be above it.
        min_length: frames that both sides must be longer than.

    Returns:
        (S, 5) float32, see the module; the score is the sum of the path's similarities. Parts of one path: no two
        overlap, and they are in the same order on both axes.

    Raises:
        ValueError: an array or a number is not as said.

    Source: dynamic time warping (Sakoe and Chiba, IEEE TASSP 1978), cut as in VCSL's program, which keeps dissimilar
    ends of a part.
    """
    _check(similarity)
    check_number("min_sim", min_sim, 0)
    _check_whole("discontinue", discontinue, 0)
    _check_whole("min_length", min_length, 0)
    return call(__name__, "dtw", similarity, discontinue=int(discontinue), min_sim=float(min_sim),
                min_length=int(min_length))  # fmt: skip


def diagonal(similarity: Map, *, min_sim: float = 0.4, slowest: float = 0.4, fastest: float = 2.5,
             speed_step: float = 1.1, band: float = 2.0, max_gap: int = 8, gap_cost: float = 0.05,
             min_length: int = 5, min_score: float = 2.0, min_mean: float = 0.15,
             max_overlap: float = 0.5, max_segments: int = 100) -> Array:  # fmt: skip
    """Return straight runs of similar frames, at any speed from ``slowest`` to ``fastest``.

    A hit is a cell of ``min_sim`` or more, and above 0; it gains what it has above ``min_sim``. For each speed of a
    grid, runs are aligned locally, as by Smith and Waterman, from hit to hit: over at most ``max_gap`` query frames
    without one, and within ``band`` reference frames of the line of that speed through the run so far. Its offset
    follows the hits by a tenth of what they are off, so that a speed between two of the grid is followed however long
    the run is, but a still picture is not. Each query frame missed costs ``gap_cost``, and so does each frame off
    the line beyond one. Of the runs of all speeds those are kept that no better one lies upon; where one goes on within
    ``max_gap`` frames after another on both axes, at a speed that is searched (repeated or missing frames), they are
    one segment.

    Args:
        similarity: see the module.
        min_sim: at least 0; such as what unrelated frames reach.
        slowest, fastest: reference frames per query frame, > 0.
        speed_step: ratio of two speeds of the grid, from 1.001; over ``max_gap`` frames half a step should stay in
            the band.
        band: >= 0, in reference frames.
        max_gap: >= 0.
        gap_cost: >= 0.
        min_length: query frames that a segment must have at least.
        min_score, min_mean: what a segment must score at least, in all and for each of its query frames.
        max_overlap: in [0, 1]; a run is left out whose box shares more than this of the smaller box with a better one.
        max_segments: runs kept at most.

    Returns:
        (S, 5) float32, see the module; starts and ends are those of the first and last hit. The score is the sum of
        gains less costs. The speed is that of the box, (ref_end - ref_start - 1) / (query_end - query_start - 1).

    Raises:
        ValueError: an array or a number is not as said, or slowest is above fastest.

    Source: local alignment (Smith and Waterman, J. Mol. Biol. 1981) of chained hits, as minimap2 chains seeds (Li,
    Bioinformatics 2018, section 2.1), along lines.
    """
    _check(similarity)
    check_number("slowest", slowest, 1e-3, 1e3)
    check_number("fastest", fastest, 1e-3, 1e3)
    if slowest > fastest:
        raise ValueError(f"slowest: got {slowest!r}, expected at most fastest, {fastest!r}")
    check_number("speed_step", speed_step, FINEST, 1e6)
    numbers = (("min_sim", min_sim, inf), ("band", band, LONGEST), ("gap_cost", gap_cost, inf),
               ("min_score", min_score, inf), ("min_mean", min_mean, inf), ("max_overlap", max_overlap, 1))  # fmt: skip
    for name, value, high in numbers:
        check_number(name, value, 0, high)
    for name, value in (("max_gap", max_gap), ("min_length", min_length), ("max_segments", max_segments)):
        _check_whole(name, value, 0)
    return call(__name__, "diagonal", similarity, min_sim=float(min_sim), slowest=float(slowest),
                fastest=float(fastest), speed_step=float(speed_step), band=float(band), max_gap=int(max_gap),
                gap_cost=float(gap_cost), min_length=int(min_length), min_score=float(min_score),
                min_mean=float(min_mean), max_overlap=float(max_overlap), max_segments=int(max_segments))  # fmt: skip


def _check(similarity: Map) -> None:
    """Raise ValueError unless ``similarity`` is a map, or the entries of one, of finite numbers."""
    if not isinstance(similarity, (list, tuple)):
        check_array("similarity", similarity, ("Q", "R"), ("float32",))
        shape, values = tuple(similarity.shape), similarity
    else:
        if len(similarity) != 4:
            raise ValueError(f"similarity: got {len(similarity)} items, expected rows, columns, values and the shape")
        rows, columns, values, shape = similarity
        if not isinstance(shape, (list, tuple)) or len(shape) != 2:
            raise ValueError(f"shape: got {shape!r}, expected the lengths of query and reference")
        check_array("values", values, ("N",), ("float32",))
        for name, places, length in (("rows", rows, shape[0]), ("columns", columns, shape[1])):
            _check_whole("shape", length, 0)
            check_array(name, places, (len(values),), ("int64",))
            if len(places) and not (places.min() >= 0 and places.max() < length):
                raise ValueError(f"{name}: got {int(places.min())} to {int(places.max())}, expected 0 to {length - 1}")
    if max(shape) > LONGEST:
        raise ValueError(f"similarity: got a shape of {tuple(shape)}, expected at most {LONGEST} frames a side")
    if 0 not in values.shape and not (values.min() > -inf and values.max() < inf):
        raise ValueError("similarity: got NaN or inf, expected finite numbers")


def _check_whole(name: str, value: Any, low: int) -> None:
    """Raise ValueError unless ``value`` is a whole number of at least ``low``."""
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool) or not low <= value < 1 << 31:
        raise ValueError(f"{name}: got {value!r}, expected a whole number from {low}")
