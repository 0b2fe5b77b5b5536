"""Items held back until a stage that adds to earlier frames is done with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from vtk.driver.link import Item
from vtk.driver.stage import Record


class Hold:
    """The last frames of a source, in order, while records may still be added to them."""

    def __init__(self) -> None:
        self._items: deque[Item] = deque()

    def put(self, items: Iterable[Item]) -> list[Item]:
        """Take items that left the stages; return those that nothing can be added to any more, in order."""
        horizon = None
        for item in items:
            item.decoded = None  # pixels are not wanted again, and a held frame would keep them
            self._items.append(item)
            self.add(item.late)
            horizon = item.horizon if item.horizon is not None else horizon
        return [] if horizon is None else self._before(horizon)

    def add(self, late: Iterable[tuple[int, Record]]) -> None:
        """Add records to the held items of their frames; frames without an item get one."""
        for position, record in late:
            self._item(record["frame"]).made.append((position, record))

    def rest(self) -> list[Item]:
        """Return all that is held: nothing will be added."""
        items = list(self._items)
        self._items.clear()
        return items

    def _before(self, horizon: int) -> list[Item]:
        released = []
        while self._items and self._items[0].index < horizon:
            released.append(self._items.popleft())
        return released

    def _item(self, frame: int) -> Item:
        place = len(self._items)
        while place and not 0 <= self._items[place - 1].index <= frame:  # what belongs to no frame is stepped over
            place -= 1
        if place and self._items[place - 1].index == frame:
            return self._items[place - 1]
        item = Item(frame)
        self._items.insert(place, item)
        return item
