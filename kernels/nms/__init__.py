"""Non-maximum suppression: of boxes that overlap, keep the one that scores best."""

from __future__ import annotations

from vtk.kernels.dispatch import Array, call, check_array, check_number

INTEGERS = ("int64", "int32")


def nms(
    boxes: Array,
    scores: Array,
    class_ids: Array | None = None,
    iou_threshold: float = 0.5,
    image_ids: Array | None = None,
) -> Array:
    """Return the indices of the boxes that greedy non-maximum suppression keeps, best score first.

    A box goes when a kept box of a higher score, of the same class and the same image, overlaps it by more than
    ``iou_threshold``. Equal scores rank by index.

    Args:
        boxes: (N, 4) float32, [x1, y1, x2, y2] in pixels, x1 <= x2, y1 <= y2. A box with a NaN overlaps nothing.
        scores: (N,) float32, any range, no NaN.
        class_ids: (N,) int64 or int32; None: all of one class.
        iou_threshold: in [0, 1]; the intersection over union, computed in float32, that is still kept.
        image_ids: (N,) int64 or int32, for the boxes of a batch; None: all of one image.

    Returns:
        (K,) int64, indices into ``boxes`` in descending order of score.

    Raises:
        ValueError: a shape, a dtype or the threshold is not as said, or a score is NaN.

    Source: greedy NMS as in torchvision.ops.nms and batched_nms (its per-class form, without coordinate offsets).
    """
    check_array("boxes", boxes, ("N", 4), ("float32",))
    check_array("scores", scores, (len(boxes),), ("float32",))
    for name, ids in (("class_ids", class_ids), ("image_ids", image_ids)):
        if ids is not None:
            check_array(name, ids, (len(boxes),), INTEGERS)
    check_number("iou_threshold", iou_threshold, 0, 1)
    if (scores != scores).any():
        raise ValueError("scores: got a NaN, expected numbers")
    return call(__name__, "nms", boxes, scores, class_ids, iou_threshold, image_ids)
