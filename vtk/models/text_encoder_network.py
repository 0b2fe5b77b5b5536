"""The network of MiniLM: a small BERT whose mean over a text's pieces is the text's vector.

Module names are those of the weights that its makers hand out.

Source: Devlin et al., "BERT", arXiv 1810.04805 (the layers), Wang et al., "MiniLM", arXiv 2002.10957 (their number),
Reimers and Gurevych, "Sentence-BERT", arXiv 1908.10084 (the mean); sizes are those of the weights' config.json.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

PIECES, PLACES, KINDS = 30522, 512, 2
WIDTH, HEADS, LAYERS, INNER = 384, 12, 6, 1536
EPSILON = 1e-12
# Added to what attention must not see: far below any score, and no infinity, of which a text of padding alone is nan.
UNSEEN = -1e9


class Embeddings(nn.Module):
    """Vectors of pieces and their places; (N, L) int64 to (N, L, WIDTH)."""

    def __init__(self) -> None:
        super().__init__()
        self.word_embeddings = nn.Embedding(PIECES, WIDTH)
        self.position_embeddings = nn.Embedding(PLACES, WIDTH)
        self.token_type_embeddings = nn.Embedding(KINDS, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.register_buffer("position_ids", torch.arange(PLACES)[None])

    def forward(self, pieces: torch.Tensor) -> torch.Tensor:
        """Return (N, L, WIDTH); every piece is of the first kind, as in a text that stands alone."""
        places = self.position_embeddings(self.position_ids[:, : pieces.shape[1]])
        return self.LayerNorm(self.word_embeddings(pieces) + places + self.token_type_embeddings.weight[0])


class Residual(nn.Module):
    """A linear layer whose result is added to what went before; (N, L, in) and (N, L, WIDTH) to (N, L, WIDTH)."""

    def __init__(self, taken: int) -> None:
        super().__init__()
        self.dense = nn.Linear(taken, WIDTH)
        self.LayerNorm = nn.LayerNorm(WIDTH, eps=EPSILON)

    def forward(self, x: torch.Tensor, before: torch.Tensor) -> torch.Tensor:
        """Return the normalised sum."""
        return self.LayerNorm(self.dense(x) + before)


class Look(nn.Module):
    """Every piece looks at all others; (N, L, WIDTH) in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(WIDTH, WIDTH) for _ in range(3))

    def forward(self, x: torch.Tensor, unseen: torch.Tensor) -> torch.Tensor:
        """Return what each piece saw.

        Args:
            x: (N, L, WIDTH).
            unseen: (N, 1, 1, L), added to scores: 0, or UNSEEN where a text has no piece.
        """
        query, key, value = (part(x).reshape(x.shape[0], -1, HEADS, WIDTH // HEADS).transpose(1, 2)
                             for part in (self.query, self.key, self.value))
        scores = query @ key.transpose(2, 3) / math.sqrt(WIDTH // HEADS) + unseen
        return (scores.softmax(dim=-1) @ value).transpose(1, 2).reshape(x.shape[0], -1, WIDTH)


class Layer(nn.Module):
    """One layer of six; (N, L, WIDTH) in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.Module()
        self.attention.add_module("self", Look())
        self.attention.add_module("output", Residual(WIDTH))
        self.intermediate = nn.Module()
        self.intermediate.dense = nn.Linear(WIDTH, INNER)
        self.output = Residual(INNER)

    def forward(self, x: torch.Tensor, unseen: torch.Tensor) -> torch.Tensor:
        """Return (N, L, WIDTH); ``unseen`` as ``Look`` has it."""
        seen = self.attention.output(getattr(self.attention, "self")(x, unseen), x)
        return self.output(functional.gelu(self.intermediate.dense(seen)), seen)


class MiniLM(nn.Module):
    """The whole network: texts in pieces to vectors of unit length."""

    def __init__(self) -> None:
        super().__init__()
        self.embeddings = Embeddings()
        self.encoder = nn.Module()
        self.encoder.layer = nn.ModuleList([Layer() for _ in range(LAYERS)])
        self.pooler = nn.Module()  # stands in the weights, and has no part in a text's vector
        self.pooler.dense = nn.Linear(WIDTH, WIDTH)

    def forward(self, texts: torch.Tensor) -> torch.Tensor:
        """Return (N, WIDTH), of unit length.

        Args:
            texts: (N, 2, 1, L) float32, the shape of pictures, which all that runs networks here takes: numbers of
                pieces, and 1 where there is a piece and 0 where there is none.
        """
        pieces, there = texts[:, 0, 0].long(), texts[:, 1, 0]
        unseen = ((1 - there) * UNSEEN)[:, None, None, :]
        x = self.embeddings(pieces)
        for layer in self.encoder.layer:
            x = layer(x, unseen)
        total = (x * there[..., None]).sum(dim=1)
        mean = total / there.sum(dim=1, keepdim=True).clamp(min=1)
        return functional.normalize(mean, dim=-1)
