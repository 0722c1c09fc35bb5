"""Safetensors files: every value as the safetensors library gives it; broken ones refused."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from model_heritage_backend.errors import HeritageError, InvalidWeights
from model_heritage_backend.weights import Limits, open_weights
from tests.weights.samples import as_numbers, build_safetensors, make_all_types, read_all


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_reads_every_type_as_the_library_wrote_it(tmp_path: Path, piece: int) -> None:
    tensors = make_all_types()
    save_file(tensors, tmp_path / "a.safetensors", metadata={"format": "pt", "note": "é\n"})

    with open_weights(tmp_path / "a.safetensors") as weights:
        values = read_all(weights, piece=piece)
        assert weights.format == "safetensors"
        assert weights.metadata == {"format": "pt", "note": "é\n"}
        assert {n: t.shape for n, t in weights.items()} == {
            n: tuple(t.shape) for n, t in tensors.items()
        }

    assert set(values) == set(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(values[name], as_numbers(tensor), err_msg=name)


def test_complex_values_are_read_as_pairs(tmp_path: Path) -> None:
    rotations = torch.polar(torch.ones(3, 4), torch.arange(12.0).reshape(3, 4))
    save_file({"rotations": rotations}, tmp_path / "a.safetensors")

    with open_weights(tmp_path / "a.safetensors") as weights:
        assert weights["rotations"].shape == (3, 4, 2)
        expected = torch.view_as_real(rotations).numpy()
        np.testing.assert_array_equal(read_all(weights)["rotations"], expected)


def test_rows_are_decoded_and_owned(tmp_path: Path) -> None:
    matrix = torch.arange(12.0).reshape(3, 4)
    save_file({"m": matrix}, tmp_path / "a.safetensors")

    with open_weights(tmp_path / "a.safetensors") as weights:
        rows = weights["m"].read_rows(1, 3)
        weights["m"].read_rows(0, 1)
        np.testing.assert_array_equal(rows, matrix[1:3].numpy())
        raw = weights["m"].read_raw(0, 2)
        with pytest.raises(ValueError, match="read-only"):
            raw[0] = 1.0
        with pytest.raises(IndexError):
            weights["m"].read_raw(10, 13)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    save_file({"m": torch.ones(4000, 4000)}, tmp_path / "a.safetensors")

    tracemalloc.start()
    with open_weights(tmp_path / "a.safetensors") as weights:
        for _ in weights["m"].iterate_raw(1 << 18):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 3 << 20


def test_a_file_cut_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"m": torch.ones(100)}, path)

    with open_weights(path) as weights:
        with path.open("r+b") as file:
            file.truncate(200)
        with pytest.raises(InvalidWeights, match="became shorter"):
            weights["m"].read_raw(0, 100)


def test_a_closed_file_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"m": torch.ones(100)}, path)
    weights = open_weights(path)
    weights.close()
    weights.close()

    with pytest.raises(InvalidWeights, match="closed"):
        weights["m"].read_raw(0, 100)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    whole = tmp_path / "a.safetensors"
    save_file({"m": torch.ones(5), "n": torch.ones(3)}, whole)
    data = whole.read_bytes()

    for length in range(len(data)):
        cut = tmp_path / "cut"
        cut.write_bytes(data[:length])
        with pytest.raises(HeritageError):
            open_weights(cut)


def test_lengths_beyond_the_file_and_the_format(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(build_safetensors(b"{}", length=50))
    with pytest.raises(InvalidWeights, match="cut off within its header"):
        open_weights(path)
    path.write_bytes(build_safetensors(b"{}", length=2**63))
    with pytest.raises(InvalidWeights, match="claims 9,223,372,036,854,775,808 bytes"):
        open_weights(path)
    path.write_bytes(build_safetensors(b'{"a": 1}'))
    with pytest.raises(InvalidWeights, match="claims 8 bytes; 7 are allowed"):
        open_weights(path, limits=Limits(header_bytes=7))


@pytest.mark.parametrize("header", [b"{}", b'{"__metadata__":{"a":"b"}}'])
def test_a_file_without_floating_point_values_is_refused(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "a").write_bytes(build_safetensors(header))
    with pytest.raises(InvalidWeights, match="no floating point values"):
        open_weights(tmp_path / "a")

    save_file({"ids": torch.arange(4), "none": torch.zeros(0)}, tmp_path / "b")
    with pytest.raises(InvalidWeights, match="no floating point values"):
        open_weights(tmp_path / "b")
