"""What CoText's reader says: the best path of each text, how sure each character is, and where it stands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vtk.kernels.ctc_decode import greedy
from vtk.models.spotter import Reading


def transcripts(logits: np.ndarray, embeddings: np.ndarray, vocabulary: Sequence[str]) -> list[Reading]:
    """Return what stands in each text.

    A character is as sure as the best step of its run; one that the vocabulary does not have is left out.

    Args:
        logits: (N, T, V) float32, class 0 is CTC's blank.
        embeddings: (N, D) float32, of any length.
        vocabulary: V strings, the character of each class; the last is the unknown where it is U+FFFD.
    """
    if not len(logits):
        return []
    steps = logits.shape[1]
    paths = greedy(np.ascontiguousarray(logits), kind="logits", best=True)
    ends = run_ends(logits.argmax(axis=2))
    known = np.array([label not in ("", "\ufffd") for label in vocabulary])
    out = []
    for path, end, embedding in zip(paths, ends, embeddings, strict=True):
        path = path[path[:, 0] >= 0]
        classes, starts = path[:, 0].astype(np.int64), path[:, 2].astype(np.int64)
        kept = known[classes]
        classes, starts, scores = classes[kept], starts[kept], np.clip(path[kept, 1], 0, 1)
        spans = np.stack([starts, end[starts]], axis=1).astype(np.float32) / steps
        length = max(float(np.linalg.norm(embedding)), 1e-12)
        out.append(Reading("".join(vocabulary[each] for each in classes), float(scores.mean()) if len(scores) else 0.0,
                           scores, spans, embedding / length))
    return out


def run_ends(path: np.ndarray) -> np.ndarray:
    """Return for each step of paths (N, T) int64 the step behind the end of its run, (N, T) int64."""
    steps = path.shape[1]
    last = np.ones(path.shape, bool)
    last[:, :-1] = path[:, 1:] != path[:, :-1]
    ends = np.where(last, np.arange(1, steps + 1), steps)
    return np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
