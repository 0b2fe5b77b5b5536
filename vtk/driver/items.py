"""Decoded frames and upstream groups, merged into items by frame index."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from vtk.driver.ahead import Ahead
from vtk.driver.lines import IDLE
from vtk.driver.link import Item, Link
from vtk.driver.stream import Group
from vtk.media.sampling import ON_DEMAND, Size


class Enough(Exception):
    """Raised out of the choice of frames: no stage wants another one."""


class Pixels:
    """The decoded frames that the links of one source want, each with who wants it."""

    def __init__(self, reader: Any, links: Sequence[Link]) -> None:
        self.reader = reader
        self.last = -1  # index of the last frame decoded
        self.complete = False  # whether the reader came to the end of the source
        self._links = [link for link in links if link.wants_pixels]
        self._width = len(links)
        self._chosen: deque[tuple[bool, ...]] = deque()
        self._ahead: Ahead | None = None

    @property
    def by_records(self) -> bool:
        """Whether only frames that have records are wanted."""
        return all(link.sampling.mode == "records" for link in self._links)

    def sequential(self) -> Iterator[Any]:
        """Yield (decoded, chosen) for each frame that a link wants, in order; IDLE where decoding is behind."""
        eager = [link.sampling for link in self._links if link.sampling.mode != "records"]
        sizes: list[Size] = [size for size in dict.fromkeys(sampling.size for sampling in eager) if size != ON_DEMAND]
        start = None if any(link.sampling.start is None for link in self._links) else min(
            link.sampling.start or 0.0 for link in self._links)
        frames = self._until_enough(self.reader.frames(sizes, self._choose, start=start))
        if self.reader.info.kind == "image":
            stream: Iterable[Any] = frames
        else:
            depth = max(4, *(2 * link.stage.batch for link in self._links))
            stream = self._ahead = Ahead(frames, min(depth, 32))
        for decoded in stream:
            yield IDLE if decoded is IDLE else (decoded, self._chosen.popleft())

    def _until_enough(self, frames: Iterator[Any]) -> Iterator[Any]:
        try:
            yield from frames
            self.complete = True
        except Enough:
            return

    def _choose(self, index: int, t: float) -> bool:
        if all(link.exhausted(t) for link in self._links):
            raise Enough
        self.last = max(self.last, index)
        chosen = [False] * self._width
        for link in self._links:
            chosen[link.position] = link.wants(index, t)
        if any(chosen):
            self._chosen.append(tuple(chosen))
            return True
        return False

    def at(self, indices: Iterable[int]) -> Iterator[tuple[Any, tuple[bool, ...]]]:
        """Yield (decoded, chosen) for the frames of ``indices``, increasing, seeking where it pays."""
        sizes = [size for size in dict.fromkeys(link.sampling.size for link in self._links) if size != ON_DEMAND]
        for decoded in self.reader.at(indices, sizes):
            self.last = max(self.last, decoded.index)
            chosen = [False] * self._width
            for link in self._links:
                chosen[link.position] = link.wants(decoded.index, decoded.t)
            yield decoded, tuple(chosen)
        self.complete = True

    @property
    def seconds(self) -> tuple[float, float]:
        """Seconds spent decoding in the thread, and waiting for it outside."""
        return (self._ahead.seconds, self._ahead.waited) if self._ahead is not None else (0.0, 0.0)

    def close(self) -> None:
        """Stop decoding and close the reader."""
        if self._ahead is not None:
            self._ahead.close()
        self.reader.close()


def without_pixels(groups: Iterable[Group | None]) -> Iterator[Item | None]:
    """Yield an item for each group."""
    for group in groups:
        yield IDLE if group is IDLE else _item(group)


def with_pixels(groups: Iterator[Group | None], pixels: Pixels,
                beyond: Callable[[Item], None]) -> Iterator[Item | None]:
    """Yield items of groups and decoded frames in order; ``beyond`` hears of groups after the last frame."""
    group = None
    waiting = True
    for found in pixels.sequential():
        if found is IDLE:
            yield IDLE
            continue
        decoded, chosen = found
        while waiting:
            if group is None:
                group = next(groups, False)
                if group is IDLE:
                    yield IDLE
                    group = None
                    continue
                waiting = group is not False
                continue
            if group.frame is not None and group.frame >= decoded.index:
                break
            yield _item(group)
            group = None
        if waiting and group.frame == decoded.index:
            item = _item(group)
            group = None
        else:
            item = Item(decoded.index)
        item.decoded, item.chosen = decoded, chosen
        yield item
    rest = (group,) if waiting and group is not None else ()
    yield from _after(rest, groups if waiting else (), pixels, beyond)


def by_records(groups: Iterator[Group | None], pixels: Pixels, relevant: Callable[[Group], bool],
               beyond: Callable[[Item], None]) -> Iterator[Item | None]:
    """Yield items in order, with pixels only for groups that are relevant."""
    pending: deque[Group] = deque()

    def indices() -> Iterator[int]:
        for group in groups:
            if group is IDLE:
                continue
            pending.append(group)
            if group.frame is not None and relevant(group):
                yield group.frame

    for decoded, chosen in pixels.at(indices()):
        while pending[0].frame is None or pending[0].frame < decoded.index:
            yield _item(pending.popleft())
        item = _item(pending.popleft())
        item.decoded, item.chosen = decoded, chosen
        yield item
    yield from _after(pending, groups, pixels, beyond)


def _after(rest: Iterable[Group], groups: Iterable[Group | None], pixels: Pixels,
           beyond: Callable[[Item], None]) -> Iterator[Item | None]:
    """Yield the items of what follows the last decoded frame."""
    for several in (rest, groups):
        for group in several:
            if group is IDLE:
                yield IDLE
                continue
            item = _item(group)
            if pixels.complete and group.frame is not None and group.frame > pixels.last:
                beyond(item)
            yield item


def _item(group: Group) -> Item:
    return Item(group.frame if group.frame is not None else -1, group.lines, group.records, before=group.before)
