"""Texts cut out of a feature map: rotated, in perspective, masked, upright or not, to one size for the recogniser."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.kernels.dispatch import Array, call, check_array, check_number

INTEGERS = ("int64", "int32")

# Strides beyond these are no network's.
STRIDES = (2**-10, 2**10)


def masked_roi(
    features: Array,
    quads: Array,
    size: Sequence[int] = (8, 32),
    *,
    stride: float = 4.0,
    labels: Array | None = None,
    ids: Array | None = None,
    image_ids: Array | None = None,
    vertical: float | None = 1.5,
) -> Array:
    """Return the features inside each quadrilateral, sampled bilinearly at the map's own stride.

    Coordinates are continuous: input pixel i spans [i, i + 1], and cell j of a map of stride s spans [s j, s j + s], so
    that x lies at x / s - 0.5 between the cells' centres. The unit square goes to the quadrilateral in perspective, and
    sample (i, j) lies at ((j + 0.5) / w, (i + 0.5) / h) in it. Cells outside the map count as 0. So do, with
    ``labels``, those that neither have the text's own label nor touch one that has, corners included: the mask is
    dilated 3 x 3 as in the paper, here by a cell. A quadrilateral that isn't convex, has three corners in line or one
    that isn't finite gives zeros.

    Args:
        features: (B, C, H, W) float32, the maps of B pictures.
        quads: (N, 4, 2) float32, [x, y] in input pixels: the text's top left, top right, bottom right, bottom left.
        size: (h, w) of the result.
        stride: input pixels per cell of the map, in [2^-10, 2^10].
        labels: (B, H, W) int32, the text that each cell belongs to; None: no mask.
        ids: (N,) int64 or int32, the label of each quadrilateral; with ``labels`` only.
        image_ids: (N,) int64 or int32, the picture of each quadrilateral, in [0, B); None where B is 1.
        vertical: a text more than so many times as high as wide is transposed, so that its height runs along the
            result's width; at least 0; None: never. Height and width are means of opposite sides.

    Returns:
        (N, C, h, w) float32.

    Raises:
        ValueError: a shape, dtype or number isn't as said, ``labels`` come without ``ids`` or a picture isn't there.

    Source: masked RoI of CoText (Wu et al., end-to-end video text spotting with contrastive learning), which upsamples
    the map to the input's size first; perspective: Heckbert, Fundamentals of texture mapping, 1989, section 2.2.3.
    """
    check_array("features", features, ("B", "C", "H", "W"), ("float32",))
    check_array("quads", quads, ("N", 4, 2), ("float32",))
    if not isinstance(size, (list, tuple)) or len(size) != 2 or not all(map(_is_length, size)):
        raise ValueError(f"size: got {size!r}, expected (h, w), two whole numbers of at least 1")
    check_number("stride", stride, *STRIDES)
    if vertical is not None:
        check_number("vertical", vertical, 0)
    if (labels is None) != (ids is None):
        raise ValueError(f"labels, ids: got {'ids' if labels is None else 'labels'} alone, expected both or none")
    if labels is not None:
        check_array("labels", labels, (features.shape[0], *features.shape[2:]), ("int32",))
        check_array("ids", ids, (len(quads),), INTEGERS)
    _check_images(image_ids, len(quads), len(features))
    return call(__name__, "masked_roi", features, quads, size, stride=stride, labels=labels, ids=ids,
                image_ids=image_ids, vertical=vertical)  # fmt: skip


def _is_length(value: object) -> bool:
    """Tell whether ``value`` is a whole number of at least 1."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= 1


def _check_images(image_ids: Array | None, quads: int, images: int) -> None:
    """Raise ValueError unless each quadrilateral's picture is known and there."""
    if image_ids is None:
        if images != 1 and quads:
            raise ValueError(f"image_ids: got None, expected the picture of each quadrilateral among {images}")
        return
    check_array("image_ids", image_ids, (quads,), INTEGERS)
    if quads and not (0 <= int(image_ids.min()) and int(image_ids.max()) < images):
        raise ValueError(
            f"image_ids: got {int(image_ids.min())} to {int(image_ids.max())}, expected pictures in [0, {images})"
        )
