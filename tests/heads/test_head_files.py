"""Heads in files: written, read, refused; and what their probabilities are."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from vtk.errors import UsageError, VtkError, WeightsError
from vtk.heads.head import FORMAT, Head, read, write


def head() -> Head:
    weights = np.arange(6, dtype=np.float32).reshape(3, 2) / 10
    bias = np.array([0.1, -0.1], np.float32)
    return Head(("côte", "forêt"), weights, bias, "colour@0123", ("whole", "flips"), (3, 1),
                (0.75, 0.25), 0.5, 0.0, "bf16", "mine; research only", {"penalty": 0.1})


def test_a_head_comes_back_as_it_was(tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    write(head(), first)
    write(head(), second)
    found = read(first)
    assert found.about() == head().about() and found.fit == {"penalty": 0.1}
    assert (found.weights == head().weights).all() and (found.bias == head().bias).all()
    assert first.read_bytes() == second.read_bytes(), "no clock in it"
    assert {path.name for path in tmp_path.iterdir()} == {"a.npz", "b.npz"}


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    write(head(), tmp_path / "a.npz")
    with pytest.raises(UsageError, match="a.npz exists: --overwrite replaces it"):
        write(head(), tmp_path / "a.npz")
    write(replace(head(), tau=1.0), tmp_path / "a.npz", overwrite=True)
    assert read(tmp_path / "a.npz").tau == 1.0
    with pytest.raises(UsageError, match="gone/a.npz: cannot be written: No such file"):
        write(head(), tmp_path / "gone" / "a.npz")


def test_probabilities_by_hand() -> None:
    """Scores 0.1 and 0 at a temperature of 0.5 are logits of 0.2 and 0."""
    vectors = np.array([[0.0, 0, 0], [1, 0, 0]], np.float32)
    found = np.exp(head().log_probabilities(vectors))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_allclose(found[:, 0], 1 / (1 + np.exp([-0.4, -0.2])), rtol=1e-6)
    adjusted = np.exp(replace(head(), tau=1.0).log_probabilities(vectors))
    np.testing.assert_allclose(adjusted[:, 0], 1 / (1 + 3 * np.exp([-0.4, -0.2])), rtol=1e-6)
    with pytest.raises(ValueError, match=r"vectors are \(1, 4\), expected \(N, 3\)"):
        head().log_probabilities(np.zeros((1, 4)))


def test_vectors_of_another_space_are_refused() -> None:
    head().check("colour@0123")
    with pytest.raises(UsageError, match="for vectors of colour@0123, and these are of mobilenet@0123"):
        head().check("mobilenet@0123")


def changed(folder: Path, about: dict[str, object], **arrays: np.ndarray) -> Path:
    """Write a head with other words or arrays than it may have."""
    said = {**head().about(), **about}
    np.savez(folder / "x.npz", **{"weights": head().weights, "bias": head().bias, **arrays},
             about=np.frombuffer(json.dumps({key: value for key, value in said.items() if value is not None}).encode(),
                                 np.uint8))
    return folder / "x.npz"


@pytest.mark.parametrize(("about", "arrays", "said"), [
    ({"format": "vtk head 2"}, {}, f"its format is 'vtk head 2', and '{FORMAT}' is read here"),
    ({"labels": ["a", "b", "c"]}, {}, "a damaged head: weights are (3, 2) float32"),
    ({"labels": ["a", "a"]}, {}, "labels, counts and prior do not fit"), ({"counts": [1]}, {}, "do not fit"),
    ({"labels": ["a", 1]}, {}, "a text is none"), ({"space": None}, {}, "a damaged head: 'space'"),
    ({"temperature": 0}, {}, "must be above 0"), ({"prior": [1.0, 0.0]}, {}, "must be above 0"),
    ({"temperature": "warm"}, {}, "a damaged head: could not convert"), ({"tau": float("nan")}, {}, "not finite"),
    ({}, {"weights": np.full((3, 2), np.nan, np.float32)}, "a number is not finite"),
    ({}, {"weights": np.zeros(2, np.float32)}, "weights are (2,)"), ({}, {"bias": np.zeros(2)}, "bias (2,) float64"),
    ({}, {"bias": np.array([None, None])}, "no head of vtk scene fit-head, or a damaged one"),
])
def test_damaged_heads_are_refused_in_one_line(about: dict[str, object], arrays: dict[str, np.ndarray], said: str,
                                               tmp_path: Path) -> None:
    with pytest.raises(WeightsError) as error:
        read(changed(tmp_path, about, **arrays))
    assert said in str(error.value) and "\n" not in str(error.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    write(head(), tmp_path / "whole.npz")
    data = (tmp_path / "whole.npz").read_bytes()
    for name, content in (("empty", b""), ("text", b"labels"), ("cut", data[:len(data) // 2]),
                          ("broken", data[:60] + bytes(40) + data[100:])):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(WeightsError, match=f"{name}: no head of vtk scene fit-head"):
            read(tmp_path / name)
    np.savez(tmp_path / "other.npz", weights=np.zeros(2))
    with pytest.raises(WeightsError, match="no head"):
        read(tmp_path / "other.npz")
    np.save(tmp_path / "array.npy", np.zeros(2))
    with pytest.raises(WeightsError, match="no head"):
        read(tmp_path / "array.npy")
    with pytest.raises(VtkError, match="gone: No such file"):
        read(tmp_path / "gone")
    with pytest.raises(VtkError, match="Is a directory"):
        read(tmp_path)
