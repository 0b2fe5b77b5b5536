"""Where a run's time went: what each part of a pipe worked, waited and did, and how that is told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

DECODE = "decode"


@dataclass
class Spent:
    """What one part of a pipe spent.

    Attributes:
        busy: seconds at work. Parts that work side by side share the processors, so their sum may be above the run's.
        waiting: seconds of a part with a thread of its own in which it had nothing to take, or nowhere to put it.
        frames: frames that it gave or took.
    """

    busy: float = 0.0
    waiting: float = 0.0
    frames: int = 0

    def add(self, other: Spent) -> None:
        """Count what ``other`` spent as well."""
        self.busy += other.busy
        self.waiting += other.waiting
        self.frames += other.frames


def gather(into: dict[str, Spent], spent: Mapping[str, Spent]) -> None:
    """Add ``spent`` to ``into``, part by part."""
    for part, each in spent.items():
        into.setdefault(part, Spent()).add(each)


def table(spent: Mapping[str, Spent], whole: float, jobs: int = 1) -> Iterator[str]:
    """Yield the lines of a table of what each part spent, in order of their names, and of the whole run.

    Args:
        spent: by part: ``1 detect``, in later passes ``2.1 draw``.
        whole: seconds of the run, without start-up.
        jobs: processes that it had: what they spent is added up, and shares are of all their time.
    """
    head = ("part", "busy s", "of run", "waiting s", "frames", "frames/s")
    rows = [head, *(_row(part, each, whole * jobs) for part, each in spent.items())]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    yield from (_aligned(row, widths) for row in rows)
    yield f"whole run, without start-up: {whole:.3f} s" + (f" of {jobs} processes" if jobs > 1 else "")


def _row(part: str, spent: Spent, whole: float) -> tuple[str, ...]:
    rate = f"{spent.frames / spent.busy:.1f}" if spent.frames and spent.busy > 0 else "-"
    return (part, f"{spent.busy:.3f}", f"{spent.busy / max(whole, 1e-9):.1%}", f"{spent.waiting:.3f}",
            str(spent.frames) if spent.frames else "-", rate)


def _aligned(row: Iterable[str], widths: Iterable[int]) -> str:
    first, *rest = (text.ljust(width) if place == 0 else text.rjust(width)
                    for place, (text, width) in enumerate(zip(row, widths, strict=True)))
    return "  ".join([first, *rest])
