"""Copies that can be recomputed, made by hand and found among the real ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.alignment import AlignedFamily
from model_heritage_backend.clustering.copies import (
    Copy,
    are_duplicates,
    find_copy,
    keep_nearest_sources,
    round_bfloat16,
    round_float8,
    round_float16,
    round_float32,
)
from model_heritage_backend.clustering.genealogy import Relation
from model_heritage_backend.fingerprints import Fingerprint, TensorFingerprint
from model_heritage_backend.fingerprints.grids import name_bits
from model_heritage_backend.weights.tensors import DType
from tests.clustering.families import (
    Arrays,
    Floats,
    align,
    find_places,
    make_model,
    prune_arrays,
    quantise_arrays,
    rename_arrays,
)
from tests.clustering.models import add_noise, fingerprint_arrays

BASE = make_model(1)
HALF, BRAIN = np.float16, "bfloat16"


FLOAT8 = {"F8_E4M3": torch.float8_e4m3fn, "F8_E5M2": torch.float8_e5m2}


def cast_arrays(arrays: Arrays, kind: object) -> dict[str, Floats]:
    if isinstance(kind, torch.dtype):
        return {
            n: torch.from_numpy(a).to(kind).float().numpy() if a.ndim > 1 else a
            for n, a in arrays.items()
        }
    if kind == BRAIN:
        return {name: round_bfloat16(a).astype(np.float32) for name, a in arrays.items()}
    return {name: array.astype(HALF) for name, array in arrays.items()}


def find(parent: Arrays, child: Arrays) -> Copy | None:
    family = align({"parent": parent, "child": child})
    places = find_places(family)
    return find_copy(family, places["parent"], places["child"])


def test_equal_values_are_a_duplicate() -> None:
    """Whatever the prefix; a wider type changes no value either."""
    assert find(BASE, rename_arrays(BASE, "module.")) == Copy(Relation.DUPLICATE)
    wide = {name: array.astype(np.float64) for name, array in BASE.items()}
    assert find(BASE, wide) == find(wide, BASE) == Copy(Relation.DUPLICATE)


def test_equal_matrices_alone_are_no_duplicate() -> None:
    """Nor are they any other copy: only biases or the head were trained."""
    moved = {**BASE, "norm.weight": BASE["norm.weight"] + np.float32(0.1)}
    family = align({"a": BASE, "b": moved, "c": {**BASE, "more": np.ones(3, np.float32)}})
    for first, second in permutations(range(3), 2):
        assert not are_duplicates(family, first, second)
    assert find(BASE, moved) is None


@pytest.mark.parametrize(
    ("kind", "dtype"), [(HALF, "F16"), (BRAIN, "BF16"), *((FLOAT8[n], n) for n in FLOAT8)]
)
def test_a_cast_model(kind: object, dtype: str) -> None:
    copy = cast_arrays(BASE, kind)
    assert find(BASE, copy) == Copy(Relation.CAST, dtype=dtype)
    assert find(copy, BASE) is None


def test_a_model_cast_from_double() -> None:
    rng = np.random.default_rng(1)
    wide = {name: array + 1e-9 * rng.standard_normal(array.shape) for name, array in BASE.items()}
    narrow = {name: array.astype(np.float32) for name, array in wide.items()}
    assert find(wide, narrow) == Copy(Relation.CAST, dtype="F32")
    assert find(narrow, wide) is None


def test_models_of_numbers_too_small_for_float32_are_not_cast_from_each_other() -> None:
    """All of them are zero in single precision."""
    first, second = (
        {name: array.astype(np.float64) * 1e-90 for name, array in make_model(seed).items()}
        for seed in (1, 2)
    )
    assert find(first, second) is None


def test_rounding_and_training_is_no_cast() -> None:
    assert find(BASE, cast_arrays(add_noise(BASE, share=0.02, seed=1), BRAIN)) is None


@pytest.mark.parametrize("share", [0.05, 0.4, 0.9])
def test_a_pruned_model(share: float) -> None:
    pruned = prune_arrays(BASE, share)
    assert find(BASE, pruned) == Copy(Relation.PRUNED)
    assert find(pruned, BASE) is None


def test_a_pruned_model_in_half_precision() -> None:
    assert find(BASE, cast_arrays(prune_arrays(BASE, 0.4), HALF)) == Copy(Relation.PRUNED)


def test_pruned_again() -> None:
    once, twice = prune_arrays(BASE, 0.3), prune_arrays(BASE, 0.6)
    assert find(once, twice) == find(BASE, twice) == Copy(Relation.PRUNED)
    assert find(twice, once) is None


def test_pruning_and_training_is_no_copy() -> None:
    trained = prune_arrays(add_noise(BASE, share=0.05, seed=1), 0.4)
    assert find(BASE, trained) is None


@pytest.mark.parametrize("bits", [2, 3, 4, 6, 8])
@pytest.mark.parametrize("per_row", [True, False])
def test_a_quantised_model(bits: int, per_row: bool) -> None:
    copy = quantise_arrays(BASE, bits, per_row=per_row)
    found = find(BASE, copy)
    assert found is not None
    assert (found.relation, found.bits) == (Relation.QUANTIZED, bits)
    assert find(copy, BASE) is None


def test_quantised_further() -> None:
    eight = quantise_arrays(BASE, 8)
    assert find(eight, quantise_arrays(eight, 4)) == Copy(Relation.QUANTIZED, bits=4)
    assert find(quantise_arrays(BASE, 4), eight) is None


def test_quantising_and_training_is_no_copy() -> None:
    assert find(BASE, quantise_arrays(add_noise(BASE, share=0.1, seed=1), 8)) is None


def test_values_lie_within_half_a_step_of_their_source() -> None:
    """One value in fifty is rounded to the next but one: the grid is there, the source is not."""
    copy = quantise_arrays(BASE, 4, per_row=False)
    for name, array in copy.items():
        if array.ndim >= 2:
            step = np.abs(BASE[name]).max() / 7
            flat = array.reshape(-1)
            inner = np.flatnonzero(np.abs(flat) < 5.5 * step)[::50]
            towards = np.sign(flat - BASE[name].reshape(-1))[inner]
            flat[inner] = ((np.round(flat[inner] / step) + towards) * step).astype(np.float32)
    assert find(BASE, copy) is None


def test_a_few_quantised_matrices_do_not_make_a_quantised_model() -> None:
    """Most values must lie on a grid: one of four matrices is too few, three are enough."""
    quantised = quantise_arrays(BASE, 8)
    few = {**BASE, "blocks.0.attention.weight": quantised["blocks.0.attention.weight"]}
    assert find(BASE, few) is None
    most = {**quantised, "blocks.0.attention.weight": BASE["blocks.0.attention.weight"]}
    assert find(BASE, most) == Copy(Relation.QUANTIZED, bits=8)


@pytest.mark.parametrize("make", [prune_arrays, lambda a, _: quantise_arrays(a, 8)])
def test_biases_must_be_the_source_s_own(
    make: Callable[[Arrays, float], Arrays],
) -> None:
    """A relative of the source with other biases is not the source."""
    copy = make(BASE, 0.4)
    other = {**copy, "norm.weight": copy["norm.weight"] + np.float32(1e-3)}
    assert find(BASE, copy) is not None
    assert find(BASE, other) is None
    half = {n: a.astype(HALF) if a.ndim == 1 else a for n, a in copy.items()}
    assert find(BASE, half) is not None, "rounded biases are the source's"


def test_other_matrices_are_no_copy() -> None:
    pruned = prune_arrays(BASE, 0.4)
    del pruned["blocks.1.dense.weight"]
    assert find(BASE, pruned) is None
    longer = prune_arrays(BASE, 0.4)
    longer["blocks.1.dense.weight"] = np.zeros((50, 24), np.float32)
    assert find(BASE, longer) is None
    vectors = {name: array for name, array in BASE.items() if array.ndim == 1}
    assert find(vectors, dict(vectors)) is None


def test_a_stranger_is_no_copy() -> None:
    stranger = make_model(2)
    for copy in (prune_arrays(stranger, 0.5), quantise_arrays(stranger, 4), stranger):
        assert find(BASE, copy) is None


def test_the_real_copies_and_no_others(
    family_prints: dict[str, Fingerprint], zoo_family: Zoo
) -> None:
    """All 132 ordered pairs of the family.

    base ── base-bf16    noisy ─┬─ noisy-int8    rotated ── rotated-pruned
                                └─ noisy-copy
    """
    family = AlignedFamily.build(family_prints)
    found = {
        (family.ids[a], family.ids[b]): copy
        for a, b in permutations(range(len(family)), 2)
        if (copy := find_copy(family, a, b)) is not None
    }
    assert found == {
        ("base", "base-bf16"): Copy(Relation.CAST, dtype="BF16"),
        ("noisy", "noisy-int8"): Copy(Relation.QUANTIZED, bits=8),
        ("noisy-copy", "noisy-int8"): Copy(Relation.QUANTIZED, bits=8),
        ("noisy", "noisy-copy"): Copy(Relation.DUPLICATE),
        ("noisy-copy", "noisy"): Copy(Relation.DUPLICATE),
        ("rotated", "rotated-pruned"): Copy(Relation.PRUNED),
    }


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_bfloat16_is_the_nearest_and_even_in_ties(value: float) -> None:
    """Of the two values that share or follow the upper 16 bits, compared exactly."""
    single = np.array([value], np.float32)
    below = single.view(np.uint32) & np.uint32(0xFFFF0000)
    above = below + np.uint32(0x10000)
    low, high = (float(bits.view(np.float32)[0]) for bits in (below, above))
    if not np.isfinite(high):
        return
    to_low, to_high = abs(float(single[0]) - low), abs(float(single[0]) - high)
    even = low if (int(below[0]) >> 16) % 2 == 0 else high
    expected = even if to_low == to_high else low if to_low < to_high else high
    assert round_bfloat16(single)[0] == expected


@pytest.mark.parametrize("name", FLOAT8)
def test_rounding_to_eight_bits(name: str) -> None:
    """Ordinary numbers, ties, and numbers near zero; beyond the largest there is nothing."""
    rng = np.random.default_rng(1)
    ties = np.array([1.0625, 1.1875, 1.125, 1.375, 2.0**-17, 3 * 2.0**-17, -0.0])
    values = np.concatenate([rng.standard_normal(2000), 1e-3 * rng.standard_normal(2000), ties])
    expected = torch.from_numpy(values).to(FLOAT8[name]).double().numpy()
    assert np.array_equal(round_float8(values, DType(name)), expected)
    assert round_float8(np.array([-1e6]), DType(name)).tolist() == [-np.inf]


def test_rounding_to_numpy_s_types() -> None:
    values = np.array([1 / 3, 1e-8, 70_000.0, -1e39])
    assert round_float16(values).tolist() == [float(HALF(1 / 3)), 0.0, np.inf, -np.inf]
    assert round_float32(values).tolist() == [float(np.float32(v)) for v in values[:3]] + [-np.inf]


def block_tensor(values: Floats, step: float) -> TensorFingerprint:
    """A matrix as read from blocks of four bits with one step, and what the file tells of them."""
    low, high = -8, 7
    codes = np.clip(np.round(values / step), low, high)
    plain = fingerprint_arrays({"w": (codes * step).astype(np.float32)}).tensors["w"]
    first = np.where(codes == low, -np.inf, (codes - 0.5) * step)
    last = np.where(codes == high, np.inf, (codes + 0.5) * step)
    return replace(plain, cells=np.stack([first, last]).astype(np.float32), grid_bits=4)


def find_in_blocks(source: Floats, copy: TensorFingerprint, **others: Arrays) -> Copy | None:
    """With further tensors of both, as ``parent`` and ``child``."""
    first = fingerprint_arrays({"w": source, **others.get("parent", {})})
    second = fingerprint_arrays({"w": source, **others.get("child", {})})
    second = replace(second, tensors={**second.tensors, "w": copy}, checksum="child")
    family = AlignedFamily.build({"parent": first, "child": second})
    places = find_places(family)
    return find_copy(family, places["parent"], places["child"])


def test_blocks_are_proven_by_their_cells() -> None:
    """Most of the largest values are cut off: a grid without its ends would miss them."""
    values = np.random.default_rng(1).laplace(size=(48, 64)).astype(np.float32)
    copy = block_tensor(values, 0.2)
    assert (np.abs(values) > 1.6).mean() > 0.1
    found = Copy(Relation.QUANTIZED, bits=4)
    assert find_in_blocks(values, copy) == found
    moved = values + np.float32(0.004) * np.random.default_rng(2).standard_normal(values.shape)
    assert find_in_blocks(moved.astype(np.float32), copy) is None
    assert find_in_blocks(values.astype(np.float16).astype(np.float32), copy) == found

    assert copy.cells.size
    silent = replace(copy, cells=np.full_like(copy.cells, np.nan))
    assert find_in_blocks(values, silent) is None
    quarter = copy.cells.copy()
    quarter[:, :12] = np.nan
    assert find_in_blocks(values, replace(copy, cells=quarter)) == found


def test_quantising_programs_leave_some_matrices_rounded() -> None:
    values = np.random.default_rng(1).laplace(size=(48, 64)).astype(np.float32)
    copy = block_tensor(values, 0.2)
    head = {"head": np.random.default_rng(2).standard_normal((10, 64)).astype(np.float32)}
    half = {"head": head["head"].astype(HALF)}
    assert find_in_blocks(values, copy, parent=head, child=half) is not None
    other = {"head": (head["head"] + np.float32(0.01)).astype(HALF)}
    assert find_in_blocks(values, copy, parent=head, child=other) is None


def test_the_bits_are_those_of_most_values() -> None:
    """llama.cpp's "Q4_K_M" keeps a few matrices at six bits."""
    assert name_bits([(6, 100), (4, 300), (0, 1000), (4, 1)]) == 4
    assert name_bits([(6, 100), (4, 100)]) == 6
    assert name_bits([(0, 5)]) == name_bits([]) == 0


@pytest.mark.parametrize(("share", "sources"), [(0.02, 1), (1e-4, 2)])
def test_a_nearer_source_counts_if_it_is_clearly_nearer(share: float, sources: int) -> None:
    """Supposed that both pass as sources: only the smaller step hides in the rounding errors."""
    near = add_noise(BASE, share=share, seed=1)
    family = align({"base": BASE, "near": near, "copy": quantise_arrays(near, 4)})
    base, near_by, copy = (find_places(family)[name] for name in ("base", "near", "copy"))
    rounded, cast = Copy(Relation.QUANTIZED, bits=4), Copy(Relation.CAST, dtype="F16")
    kept = keep_nearest_sources(
        family, {(base, copy): rounded, (near_by, copy): rounded, (base, near_by): cast}
    )
    assert kept.pop((base, near_by)) == cast
    assert [found.sources for found in kept.values()] == [sources]
    assert sources > 1 or kept == {(near_by, copy): rounded}
