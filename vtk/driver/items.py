"""Decoded frames and upstream groups, merged into items by frame index."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from vtk.driver.ahead import Ahead
from vtk.driver.lines import IDLE
from vtk.driver.link import Item, Link
from vtk.driver.profile import Spent
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
    def spent(self) -> Spent:
        """What decoding spent."""
        return self._ahead.spent if self._ahead is not None else Spent()

    @property
    def waited(self) -> float:
        """Seconds spent waiting for decoded frames, outside the thread that decodes."""
        return self._ahead.waited if self._ahead is not None else 0.0

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
    rest = [_item(group)] if waiting and group is not None else []
    others = (_item(group) if group is not IDLE else IDLE for group in (groups if waiting else ()))
    yield from _after(rest, others, pixels, beyond)


def by_records(groups: Iterator[Group | None], pixels: Pixels, wanted: Callable[[Group], bool | None],
               beyond: Callable[[Item], None]) -> Iterator[Item | None]:
    """Yield items in order, with pixels only for groups whose pixels are ``wanted``.

    Args:
        wanted: tells whether a group's pixels are, asked once of each that has a frame, in order; None where no stage
            that works on pixels reads its records.
    """
    asked: deque[Item] = deque()  # one, and where the source lacks its frame those after it up to the next wanted one
    due: deque[int] = deque()
    last: Item | None = None  # the last one since a frame was decoded that could have been wanted, and was not

    def put(group: Group) -> bool | None:
        want = wanted(group) if group.frame is not None else None
        asked.append(_item(group, bare=want is False))
        if want:
            due.append(group.frame)  # type: ignore[arg-type]
        return want

    def indices() -> Iterator[int]:
        while due or any(put(group) for group in groups if group is not IDLE):
            yield due.popleft()

    stream = pixels.at(indices())
    for group in groups:
        if group is IDLE:
            yield IDLE
        elif (want := put(group)):
            last = None
            if (found := next(stream, None)) is None:
                break
            yield from _up_to(*found, asked)
        else:
            if want is False:
                last = asked[0]
            yield asked.popleft()
    if last is not None:  # it is decoded all the same: so it is known that the source has them all
        due.append(last.index)
        if next(stream, None) is None:
            beyond(last)
    yield from _after(asked, (_item(group) if group is not IDLE else IDLE for group in groups), pixels, beyond)


def _up_to(decoded: Any, chosen: tuple[bool, ...], asked: deque[Item]) -> Iterator[Item]:
    """Yield the items up to that of a decoded frame, which gets its pixels."""
    while asked[0].index < decoded.index:
        yield asked.popleft()
    item = asked.popleft()
    item.decoded, item.chosen = decoded, chosen
    yield item


def _after(rest: Iterable[Item], others: Iterable[Item | None], pixels: Pixels,
           beyond: Callable[[Item], None]) -> Iterator[Item | None]:
    """Yield the items that follow the last decoded frame."""
    for item in chain(rest, others):
        if item is not IDLE and pixels.complete and item.index > pixels.last:
            item.bare = False
            beyond(item)
        yield item


def _item(group: Group, bare: bool = False) -> Item:
    return Item(group.frame if group.frame is not None else -1, group.lines, group.records, before=group.before,
                bare=bare)
