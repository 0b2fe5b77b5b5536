"""Text kernels grown to whole texts: each pixel of a mask takes the label that reaches it first."""

from __future__ import annotations

from vtk.kernels.dispatch import Array, call, check_array

MASKS = ("bool", "uint8")


def pixel_aggregation(kernels: Array, region: Array) -> Array:
    """Return for each pixel of a region the label of the nearest kernel, by steps inside the region.

    A step goes to one of the 4 neighbours. Of several labels at the same distance the lowest wins, so that the result
    depends on nothing else; the released programs leave that to the order of a queue, or of threads. Pixels that no
    kernel reaches, and all outside the region, get 0; what of a kernel lies outside the region doesn't count.

    Args:
        kernels: (H, W) int32, labels from 1 on; 0 or less is background.
        region: (H, W) bool or uint8, the mask that labels grow in: all that isn't 0.

    Returns:
        (H, W) int32 labels, 0 where there is none.

    Raises:
        ValueError: a shape or dtype isn't as said.

    Source: Wang et al., Efficient and accurate arbitrary-shaped text detection with pixel aggregation network, ICCV
    2019, section 3.4, without the test on the pixels' embeddings, as CoText (Wu et al.) uses it.
    """
    check_array("kernels", kernels, ("H", "W"), ("int32",))
    check_array("region", region, tuple(kernels.shape), MASKS)
    return call(__name__, "pixel_aggregation", kernels, region)


def progressive_expansion(kernels: Array, maps: Array) -> Array:
    """Return the labels of the smallest kernels, grown inside one larger map after the other.

    In each map every label grows from all pixels that it has so far, by steps to one of the 4 neighbours, until it
    reaches no more; then comes the next map. A pixel goes to the label nearest in that map, of several at the same
    distance to the lowest: the released program leaves that to the order of a queue. A pixel keeps its label, also in
    a later map that leaves it out. All maps, and the kernels, are cut to the last map.

    Args:
        kernels: (H, W) int32, labels of the smallest map's components, from 1 on; 0 or less is background.
        maps: (S, H, W) bool or uint8, S >= 1, from the smallest map to the largest: all that isn't 0. The smallest
            itself may stand first or be left out; its components are all labelled already.

    Returns:
        (H, W) int32 labels, 0 where there is none.

    Raises:
        ValueError: a shape or dtype isn't as said.

    Source: Wang et al., Shape robust text detection with progressive scale expansion network, CVPR 2019, section 3.2
    and algorithm 1.
    """
    check_array("kernels", kernels, ("H", "W"), ("int32",))
    check_array("maps", maps, ("S", *kernels.shape), MASKS)
    if not len(maps):
        raise ValueError(f"maps: got shape {tuple(maps.shape)}, expected at least one map")
    return call(__name__, "progressive_expansion", kernels, maps)
