"""Names and pairs of names that come again and again: as many as there is room for, the others by number alone."""

from __future__ import annotations

from typing import Any

MOST = 100_000


class Names:
    """How often each name came, in how many sources, and for how many seconds.

    Args:
        most: names that are held; of those that come when they are, only how many records they are of is known.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._rows: dict[str, list[Any]] = {}  # count, seconds, sources in which it came, the last of them
        self.records = self.beyond = 0

    def take(self, name: str, source: str, seconds: float) -> None:
        """Count a name; sources that come one after another are counted once each."""
        self.records += 1
        row = self._rows.get(name)
        if row is None:
            if len(self._rows) >= self._most:
                self.beyond += 1
                return
            row = self._rows[name] = [0, 0.0, 0, None]
        row[0] += 1
        row[1] += seconds
        if row[3] != source:
            row[2] += 1
            row[3] = source

    def table(self, top: int, name: str = "name") -> dict[str, Any]:
        """Return counts, and the ``top`` names that came most often."""
        rows = sorted(self._rows.items(), key=lambda pair: (-pair[1][0], pair[0]))[:top]
        whole: dict[str, Any] = {
            "records": self.records, "distinct": len(self._rows),
            "several_sources": sum(row[2] > 1 for row in self._rows.values()),
            "top": [{name: each, "count": row[0], "sources": row[2], "seconds": round(row[1], 3)} for each, row in rows]}
        return whole | ({"beyond": self.beyond} if self.beyond else {})


class Pairs:
    """How often sources show seconds of references, and how many.

    Args:
        most: pairs that are held.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._rows: dict[tuple[str, str], list[float]] = {}
        self.records = self.beyond = 0
        self.seconds = 0.0

    def take(self, source: str, ref: str, seconds: float) -> None:
        """Count a span."""
        self.records += 1
        self.seconds += seconds
        row = self._rows.get((source, ref))
        if row is None:
            if len(self._rows) >= self._most:
                self.beyond += 1
                return
            row = self._rows[source, ref] = [0, 0.0]
        row[0] += 1
        row[1] += seconds

    def table(self, top: int) -> dict[str, Any]:
        """Return counts, and the ``top`` pairs with the most seconds."""
        rows = sorted(self._rows.items(), key=lambda pair: (-pair[1][1], pair[0]))[:top]
        whole: dict[str, Any] = {
            "records": self.records, "seconds": round(self.seconds, 3), "pairs": len(self._rows),
            "sources": len({source for source, _ in self._rows}), "refs": len({ref for _, ref in self._rows}),
            "top": [{"source": source, "ref": ref, "count": int(count), "seconds": round(seconds, 3)}
                    for (source, ref), (count, seconds) in rows]}
        return whole | ({"beyond": self.beyond} if self.beyond else {})
