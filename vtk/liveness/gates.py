"""Bounds of quality as the user gives them: ``min_size=40,brightness=0.1:0.9`` or ``off``."""

from __future__ import annotations

import difflib
from dataclasses import fields, replace

from vtk.errors import UsageError
from vtk.liveness.quality import Gates


def read_gates(text: str) -> Gates | None:
    """Return the default bounds with those of ``text`` in their place; None for ``off``.

    Args:
        text: NAME=VALUE, by commas; a range is LOW:HIGH. Empty: the default bounds.

    Raises:
        UsageError: a name or a value is none.
    """
    if text.strip() == "off":
        return None
    gates = Gates()
    known = {field.name: getattr(gates, field.name) for field in fields(Gates)}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise UsageError(f"--gates {part}: {hint}there are {', '.join(known)}, or off for none")
        gates = replace(gates, **{name: _value(part, value, isinstance(known[name], tuple))})
    return gates


def _value(part: str, text: str, paired: bool) -> float | tuple[float, ...]:
    """Return the number or the range of one bound."""
    try:
        numbers = tuple(float(piece) for piece in text.split(":"))
    except ValueError:
        numbers = ()
    if len(numbers) != (2 if paired else 1):
        wanted = "two numbers, LOW:HIGH, are" if paired else "a number is"
        raise UsageError(f"--gates {part}: {wanted} needed")
    return numbers if paired else numbers[0]
