"""A fingerprint with fewer rows is the one that reading fewer rows would have given."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from benchmarks.zoo import Zoo
from model_heritage_backend.fingerprints import fingerprint_sampled, fingerprint_weights
from model_heritage_backend.fingerprints.restricting import restrict_rows
from model_heritage_backend.weights import open_weights
from tests.weights.gguf_samples import Kind, write_gguf


def check(path: Path, rows: int) -> None:
    with open_weights(path) as weights:
        whole = fingerprint_weights(weights, checksum="c" * 64)
        few = fingerprint_sampled(weights, checksum="c" * 64, rows=rows)
    restricted = restrict_rows(whole, rows)
    assert restricted.to_bytes() == few.to_bytes()
    assert restrict_rows(restricted, rows).to_bytes() == few.to_bytes()
    assert {len(t.rows) for t in few.tensors.values() if len(t.shape) > 1} <= {*range(rows + 1)}


@pytest.mark.parametrize("rows", [1, 8, 64])
@pytest.mark.parametrize("name", ["noisy", "base-bf16", "noisy-int8", "rotated-pruned"])
def test_models(zoo_family: Zoo, name: str, rows: int) -> None:
    check(zoo_family.path(name), rows)


def test_wide_and_double_matrices(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = {
        "layers.0.weight": torch.randn(300, 200),
        "layers.1.weight": torch.randn(300, 200, dtype=torch.float64),
        "conv.weight": torch.randn(90, 8, 3, 3).to(torch.float16),
        "norm.weight": torch.randn(500),
        "step": torch.tensor(3),
    }
    save_file(tensors, tmp_path / "a.safetensors")
    check(tmp_path / "a.safetensors", 12)


def test_adapters(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tensors = {
        f"base_model.model.layers.{n}.q_proj.lora_{side}.weight": torch.randn(*shape)
        for n in range(2)
        for side, shape in (("A", (4, 300)), ("B", (200, 4)))
    }
    save_file(tensors, tmp_path / "a.safetensors")
    check(tmp_path / "a.safetensors", 12)


def test_quantised(tmp_path: Path) -> None:
    arrays = {"blk.0.ffn_up.weight": torch.randn(100, 256).numpy()}
    check(write_gguf(tmp_path / "a.gguf", arrays, kinds=Kind.Q8_0), 12)


def test_nothing_else_is_kept(zoo_family: Zoo) -> None:
    with open_weights(zoo_family.path("base")) as weights:
        whole = fingerprint_weights(weights, checksum="c" * 64)
    restricted = restrict_rows(replace(whole, quality=("nonfinite", "adapter")), 8)
    assert (restricted.level, restricted.quality) == ("sampled", ("adapter",))
