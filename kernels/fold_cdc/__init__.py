"""Central differences without their cost: one 3x3 for a convolution with them, and a loss over all pairs in one pass."""

from __future__ import annotations

from vtk.kernels.dispatch import Array, call, check_array, check_number

FLOATS = ("float32", "float64")


def fold_cdc(weights: Array, theta: float) -> Array:
    """Return the weights of the plain convolution that equals a central difference convolution.

    That is y = conv3x3(x, w) - theta conv1x1(x, sum of w): the second looks at the centre alone, with which the first
    has a weight of its own. So the centre becomes w_c - theta sum(w), and the others stay; both are linear in x, and it
    is exact at the edges, too, for the second never looks at what pads the first.

    Args:
        weights: (O, I, 3, 3) float32 or float64.
        theta: share of the differences, 0 for a plain convolution; the paper's is 0.7.

    Returns:
        (O, I, 3, 3), of the type of ``weights``; sums are float64, rounded once.

    Raises:
        ValueError: the shape or the type is another, or ``theta`` is no finite number.

    Source: Yu et al., Searching central difference convolutional networks for face anti-spoofing, CVPR 2020, equation 4.
    """
    check_array("weights", weights, ("O", "I", 3, 3), FLOATS)
    check_number("theta", theta)
    return call(__name__, "fold_cdc", weights, float(theta))


def dense_similarity(a: Array, b: Array) -> Array:
    """Return the mean cosine similarity of each position of a map with each position of another.

    The mean of a_u . b_v over all pairs is the dot product of the mean of a and the mean of b, each position brought to
    length 1 first: H W C steps for (H W)^2 C. There is no epsilon: a position all zeros has similarity 0 to any, every
    other one its own length. A value that is not finite makes the result NaN. Lengths are float64: of values beyond
    1e150 or below 1e-150, which only float64 holds, the squares are infinite or 0, and count as such.

    Args:
        a: (N, C, H, W) float32 or float64, N maps of C channels.
        b: (N, C, H, W), of the same type.

    Returns:
        (N,) of that type, in [-1, 1]; 0 where a map has no positions or no channels. Sums are float64.

    Raises:
        ValueError: shapes or types are others, or differ.

    Source: Wang et al., Consistency regularization for deep face anti-spoofing (EPCR), TIFS 2023, the embedding-level
    loss; that it factors follows from the mean being linear.
    """
    check_array("a", a, ("N", "C", "H", "W"), FLOATS)
    check_array("b", b, tuple(a.shape), (str(a.dtype).removeprefix("torch."),))
    return call(__name__, "dense_similarity", a, b)
