"""The space that embeddings live in: vectors of two spaces cannot be compared."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

_SHORT = 12  # hexadecimal digits that are printed; two models that agree in 48 bits are not met


@dataclass(frozen=True, slots=True)
class Space:
    """A space: the model that embeds, the sha256 of its weights, the length of its vectors.

    Attributes:
        model: its name.
        sha256: of its weights, 64 hexadecimal digits; of what else decides the vectors, where there are none.
        dim: components of a vector.
    """

    model: str
    sha256: str
    dim: int

    def __post_init__(self) -> None:
        if not self.model:
            raise ValueError("model: got an empty name")
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ValueError(f"sha256: got {self.sha256!r}, expected 64 hexadecimal digits in lower case")
        if self.dim < 1:
            raise ValueError(f"dim: got {self.dim}, expected at least 1")

    def __str__(self) -> str:
        return f"{self.model}@{self.sha256[:_SHORT]}"

    def to_json(self) -> str:
        """Return the space as JSON."""
        return json.dumps({"model": self.model, "sha256": self.sha256, "dim": self.dim}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Space:
        """Return the space that ``to_json`` wrote.

        Raises:
            ValueError: the text is something else.
        """
        stated = json.loads(text)
        if not isinstance(stated, dict) or set(stated) != {"model", "sha256", "dim"}:
            raise ValueError(f"space: got {text!r}, expected model, sha256 and dim")
        return cls(stated["model"], stated["sha256"], stated["dim"])
