"""What a stream of records holds, in numbers.

One object counts, and gives a dict of JSON types::

    counted = Statistics()
    for line in open("out.jsonl", "rb"):
        counted.take(orjson.loads(line))
    print(counted.summary(top=10)["types"])
"""

from vtk.stats.counting import Statistics

__all__ = ["Statistics"]
