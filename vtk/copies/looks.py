"""Small pictures of frames, by which is told what changed, what stands still, and where a film was cut."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from vtk.kernels.frame_signature import block_statistics, luminance_difference
from vtk.media.sampling import Sampling, Size

SIDE = 64
LOOK = Size("exact", SIDE, SIDE)
# Mean absolute difference of luminance, of 255, up to which two pictures show the same: what encoders leave.
STILL = 1.0
# Least deviation of luminance, of 255, that differences are divided by: in the dark, noise is no change.
FLOOR = 4.0


def differences(looks: Sequence[np.ndarray]) -> np.ndarray:
    """Return (N - 1,) float32 in [0, 255], by how much the luminance of each of N looks differs from the one before."""
    if len(looks) < 2:
        return np.zeros(0, np.float32)
    pictures = np.stack(looks)
    return luminance_difference(pictures[1:], pictures[:-1], SIDE)[:, 0, 0]


def changes(look: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Return the mean difference in luminance of two looks, and the same by the larger of their deviations.

    Source: in shares of the contrast, a cut between two dark pictures counts as one between two bright ones does.
    """
    pair = np.stack([look, other])
    apart = float(luminance_difference(pair[:1], pair[1:], SIDE)[0, 0, 0])
    deviation = float(np.sqrt(block_statistics(pair, SIDE)[:, 0, 0, 1].max()))
    return apart, apart / max(deviation, FLOOR)


class Picker:
    """Picks the frames of one source that show something new: call ``looks``, then ``takes``, in order.

    A frame is taken after a cut, after a change, and after ``LONGEST`` seconds where anything moved at all; never
    more than two within a second. What comes back within a moment, a flash, is no cut.
    """

    RATE = 8.0  # looks a second: a shot of less than an eighth of one is no shot
    LONGEST = 4.0  # seconds without a frame, unless the picture stands still
    # Shares of the contrast. Two pictures that have nothing in common differ by 1.1 if their values are spread
    # normally; CHANGE as against the frame taken last, CUT as against the look before.
    CUT, CHANGE = 0.4, 0.15

    def __init__(self) -> None:
        self.looks: Callable[[int, float], bool] = Sampling(mode="fps", fps=self.RATE).chooser()
        self._taken: deque[float] = deque(maxlen=2)
        self._kept: np.ndarray | None = None
        self._before: tuple[float, np.ndarray] | None = None
        self._jumped = self._was_cut = False

    def takes(self, t: float, look: np.ndarray) -> bool:
        """Return whether the frame at ``t`` seconds is described, by its look (64, 64, 3) uint8 RGB."""
        if not self._wants(t, look) or (len(self._taken) == 2 and t - self._taken[0] < 1 - 1e-6):
            return False
        self._taken.append(t)
        self._kept, self._was_cut = look, False
        return True

    def _wants(self, t: float, look: np.ndarray) -> bool:
        if self._kept is None or self._before is None:
            self._before = (t, look)
            return True
        (last, before), self._before = self._before, (t, look)
        jumps = changes(look, before)[1] > self.CUT
        # The look after a cut settles it: a flash is over by then, and a picture in turmoil jumps again.
        settled, self._jumped = not jumps or self._jumped or t - last > 2 / self.RATE, jumps
        apart, share = changes(look, self._kept)
        if apart <= STILL:
            self._was_cut = False
            return False
        # A cut waits where two frames of this second are taken already.
        self._was_cut = self._was_cut or jumps
        since = t - self._taken[-1]
        return settled and (self._was_cut or since >= self.LONGEST or (since >= 0.5 - 1e-6 and share > self.CHANGE))
