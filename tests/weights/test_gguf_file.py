"""GGUF files as the gguf package writes them: shapes, values, claims, the order of Llama's rows."""

from __future__ import annotations

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gguf.quants import dequantize
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights import DType, open_weights
from tests.weights.gguf_samples import BY_HAND, WRITTEN_BY_PACKAGE, Kind, quantise, write_gguf
from tests.weights.samples import read_all

PLAIN = ("f4", "f2", "f8", "i1", "i2", "i4", "i8")
RNG = np.random.default_rng(3)
MATRIX = RNG.standard_normal((6, 512)).astype(np.float32)


@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    tensors=st.lists(
        st.tuples(st.sampled_from(PLAIN), st.lists(st.integers(1, 6), min_size=1, max_size=4)),
        min_size=1,
        max_size=5,
    ),
    piece=st.integers(1, 50),
)
def test_plain_tensors(tmp_path: Path, tensors: list[tuple[str, list[int]]], piece: int) -> None:
    """Any type, any shape, read in pieces of any size."""
    arrays = {
        f"t{i}": (100 * np.random.default_rng(i).standard_normal(shape)).astype(dtype)
        for i, (dtype, shape) in enumerate(tensors)
    } | {"float": np.ones(1, np.float32)}
    with open_weights(write_gguf(tmp_path / "a", arrays)) as weights:
        assert weights.format == "gguf"
        assert {n: t.shape for n, t in weights.items()} == {n: a.shape for n, a in arrays.items()}
        for name, values in read_all(weights, piece=piece).items():
            np.testing.assert_array_equal(values, arrays[name].astype(np.float64))


def test_bfloat16(tmp_path: Path) -> None:
    rounded = (MATRIX.view(np.uint32) & np.uint32(0xFFFF0000)).view(np.float32)
    with open_weights(write_gguf(tmp_path / "a", {"w": rounded}, kinds=Kind.F32)) as plain:
        assert plain["w"].dtype is DType.F32
    bits = (rounded.view(np.uint32) >> np.uint32(16)).astype(np.uint16)
    path = write_gguf(tmp_path / "b", {"w": bits.view(np.float16)})
    data = path.read_bytes()
    # The package has no bfloat16 arrays: the type's number stands before the last 8 bytes.
    at = data.index(b"w\2\0\0\0") + 5 + 16
    path.write_bytes(data[:at] + b"\x1e" + data[at + 1 :])
    with open_weights(path) as weights:
        assert weights["w"].dtype is DType.BF16
        np.testing.assert_array_equal(read_all(weights)["w"], rounded)


@pytest.mark.parametrize("kind", [*WRITTEN_BY_PACKAGE, *BY_HAND])
@pytest.mark.parametrize("piece", [100, 256, 1 << 20])
def test_quantised_tensors(tmp_path: Path, kind: Kind, piece: int) -> None:
    """Pieces may begin and end within blocks."""
    arrays = {"w": MATRIX, "cube": MATRIX.reshape(2, 3, 512), "narrow": MATRIX.reshape(-1, 8)}
    with open_weights(write_gguf(tmp_path / "a", arrays, kinds=kind)) as weights:
        for name in ("w", "cube"):
            tensor = weights[name]
            assert tensor.dtype is DType.F32
            assert tensor.quantisation is not None
            assert tensor.quantisation.name == kind.name
            assert kind.name[1] == str(tensor.quantisation.bits)
        assert weights["narrow"].quantisation is None
        values = read_all(weights, piece=piece)
    expected = dequantize(quantise(MATRIX, kind), kind)
    np.testing.assert_array_equal(values["w"], expected)
    np.testing.assert_array_equal(values["cube"], expected.reshape(2, 3, 512))


def test_cells_of_any_piece(tmp_path: Path) -> None:
    with open_weights(write_gguf(tmp_path / "a", {"w": MATRIX}, kinds=Kind.Q4_0)) as weights:
        whole = weights["w"].read_cells(0, MATRIX.size)
        np.testing.assert_array_equal(weights["w"].read_cells(5, 700), whole[:, 5:700])
        first, last = whole
        assert ((first <= MATRIX.ravel()) & (MATRIX.ravel() <= last)).mean() > 0.999
        with pytest.raises(IndexError):
            weights["w"].read_cells(0, MATRIX.size + 1)


def test_claims_are_kept_as_text(tmp_path: Path) -> None:
    strings = {
        "general.name": "Tiny",
        "general.license": "mit",
        "general.base_model.0.name": "Smaller",
        "tokenizer.chat_template": "{{ hello }}",
        "general.description": "long" * 5000,
    }
    path = write_gguf(
        tmp_path / "a", {"w": MATRIX}, numbers={"general.file_type": 7}, strings=strings
    )
    with open_weights(path) as weights:
        assert weights.metadata == {
            "general.architecture": "llama",
            "general.file_type": "7",
            "general.name": "Tiny",
            "general.license": "mit",
            "general.base_model.0.name": "Smaller",
        }


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    matrix = np.zeros((2000, 4096), np.float32)
    path = write_gguf(tmp_path / "a", {"w": matrix}, kinds=Kind.Q8_0)
    tracemalloc.start()
    with open_weights(path) as weights:
        for _ in weights["w"].iterate_raw(1 << 18):
            pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8 << 20


def store_as_llama_cpp(matrix: np.ndarray, heads: int) -> np.ndarray:
    """Rows of a head that are half a head apart become neighbours."""
    half = len(matrix) // heads // 2
    split = matrix.reshape(heads, 2, half, *matrix.shape[1:])
    return np.ascontiguousarray(split.swapaxes(1, 2)).reshape(matrix.shape)


def test_llama_s_rows_by_hand() -> None:
    """One head of six rows: 0 1 2 | 3 4 5 is stored as 0 3 1 4 2 5."""
    assert store_as_llama_cpp(np.arange(6), 1).tolist() == [0, 3, 1, 4, 2, 5]


@pytest.mark.parametrize("kind", [Kind.F32, Kind.Q8_0])
@pytest.mark.parametrize("piece", [1, 100, 3 * 512, 1 << 20])
def test_queries_and_keys_of_llama_models(tmp_path: Path, kind: Kind, piece: int) -> None:
    queries = RNG.standard_normal((24, 512)).astype(np.float32)
    names = {"q.weight": 4, "k.weight": 2, "q.bias": 4, "v.weight": 0}
    arrays = {
        f"blk.0.attn_{name}": queries if name.endswith("weight") else queries[:, 0].copy()
        for name in names
    }
    stored = {
        name: store_as_llama_cpp(array, heads) if heads else array
        for (name, array), heads in zip(arrays.items(), names.values(), strict=True)
    }
    heads = {"llama.attention.head_count": 4, "llama.attention.head_count_kv": 2}
    if piece == 1:
        arrays, stored = (
            {n: a[:, :32] if a.ndim > 1 else a for n, a in s.items()} for s in (arrays, stored)
        )
    path = write_gguf(tmp_path / "a", stored, kinds=kind, numbers=heads)
    with open_weights(path) as weights:
        values = read_all(weights, piece=piece)
        for name, array in arrays.items():
            expected = array
            if kind is Kind.Q8_0 and array.ndim > 1:
                expected = dequantize(quantise(array, kind), kind)
                first, last = weights[name].read_cells(32, array.size - 7)
                source = array.ravel()[32:-7]
                assert ((first <= source) & (source <= last)).mean() > 0.99
            np.testing.assert_array_equal(values[name], expected, err_msg=name)
    other = write_gguf(tmp_path / "b", stored, kinds=kind, numbers=heads, architecture="qwen2")
    with open_weights(other) as weights:
        moved = read_all(weights)["blk.0.attn_q.weight"]
        assert not np.array_equal(moved, values["blk.0.attn_q.weight"])


@pytest.mark.parametrize(
    "numbers",
    [{}, {"llama.attention.head_count": 0}, {"llama.attention.head_count": 5}],
)
def test_llama_models_must_tell_their_heads(tmp_path: Path, numbers: dict[str, int]) -> None:
    path = write_gguf(tmp_path / "a", {"blk.0.attn_q.weight": MATRIX}, numbers=numbers)
    with pytest.raises(InvalidWeights, match="how many heads"):
        open_weights(path)


def test_rows_cannot_be_more_heads_than_are_sensible(tmp_path: Path) -> None:
    many = np.ones((20_000, 4), np.float32)
    numbers = {"llama.attention.head_count": 10_000}
    path = write_gguf(tmp_path / "a", {"blk.0.attn_q.weight": many}, numbers=numbers)
    with pytest.raises(InvalidWeights, match="says it wrongly"):
        open_weights(path)
