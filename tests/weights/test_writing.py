"""Checkpoints written as safetensors hold the same values under the same names."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from model_heritage_backend.errors import Conflict, InvalidRequest, InvalidWeights
from model_heritage_backend.fingerprints import fingerprint_weights
from model_heritage_backend.weights import open_weights
from model_heritage_backend.weights.writing import write_safetensors

SHARED = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
TENSORS = {
    "a.weight": SHARED,
    "a.turned": SHARED.T,
    "half": SHARED.half(),
    "brain": SHARED.bfloat16(),
    "eighth": SHARED.to(torch.float8_e4m3fn),
    "double": SHARED.double(),
    "count": torch.tensor(7),
    "mask": SHARED > 0,
    "none": torch.zeros(0, 3),
    "gewicht.ß": SHARED[:1],
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "model.pt"
    torch.save({"state_dict": TENSORS, "epoch": 3}, path)
    return path


def convert(source: Path, target: Path, *, replace: bool = False) -> int:
    with open_weights(source) as weights:
        return write_safetensors(weights, target, replace=replace)


def test_values_stay_as_they_are(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.safetensors"
    assert convert(source, target) == target.stat().st_size
    found = load_file(target)
    assert set(found) == set(TENSORS)
    for name, tensor in TENSORS.items():
        assert found[name].dtype == tensor.dtype
        assert found[name].shape == tensor.shape
        raw = found[name].reshape(-1).view(torch.uint8)
        assert torch.equal(raw, tensor.contiguous().reshape(-1).view(torch.uint8))
    prints = []
    for path in (source, target):
        with open_weights(path) as weights:
            prints.append(fingerprint_weights(weights, checksum="x"))
    assert prints[0].tensors.keys() == prints[1].tensors.keys()
    assert prints[0].structural_hash == prints[1].structural_hash
    assert all(
        tensor.value_digest == prints[1].tensors[name].value_digest
        for name, tensor in prints[0].tensors.items()
    )


def test_nothing_is_replaced_unasked(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "model.safetensors"
    target.write_bytes(b"mine")
    with pytest.raises(Conflict, match="is there already"):
        convert(source, target)
    assert target.read_bytes() == b"mine"
    convert(source, target, replace=True)
    assert len(load_file(target)) == len(TENSORS)


def test_what_fails_leaves_nothing(source: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be written"):
        convert(source, tmp_path / "nowhere" / "model.safetensors")
    with open_weights(source) as weights:
        source.write_bytes(source.read_bytes()[:400])
        with pytest.raises(InvalidWeights):
            write_safetensors(weights, tmp_path / "model.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]
