"""Turn records on stdin into a table on stdout: records_to_csv.py TYPE KEY... < records.jsonl > table.csv

A list becomes one column an element (xyxy: xyxy_0 to xyxy_3), and what a record does not have stays empty.
"""

from __future__ import annotations

import csv
import json
import os
import sys
from collections.abc import Iterable, Iterator
from typing import Any


def rows(lines: Iterable[bytes], kind: str, keys: list[str]) -> Iterator[dict[str, Any]]:
    """Yield the values under ``keys`` of each record of type ``kind``."""
    for line in lines:
        record = json.loads(line)
        if record["type"] != kind:
            continue
        row: dict[str, Any] = {}
        for key in keys:
            value = record.get(key, "")
            row |= {f"{key}_{at}": item for at, item in enumerate(value)} if isinstance(value, list) else {key: value}
        yield row


def main() -> None:
    """Write the table; its header comes from the first record, or from the keys where there is none."""
    if len(sys.argv) < 3:
        raise SystemExit("usage: records_to_csv.py TYPE KEY... < records.jsonl > table.csv")
    kind, *keys = sys.argv[1:]
    table = None
    for row in rows(sys.stdin.buffer, kind, keys):
        if table is None:
            table = csv.DictWriter(sys.stdout, list(row), lineterminator="\n", extrasaction="ignore")
            table.writeheader()
        table.writerow(row)
    if table is None:
        print(*keys, sep=",")


if __name__ == "__main__":
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:  # head has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
