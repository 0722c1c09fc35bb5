"""Our readers against PyTorch's and safetensors' own: every value, bit for bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from model_heritage_backend.weights import Limits, Weights
from model_heritage_backend.weights.formats import parse_weights
from model_heritage_backend.weights.quantised_layouts import PACKED
from tests.weights.samples import COMMON_TYPES

FAST = settings(
    deadline=None,
    max_examples=200,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
TYPES = (*COMMON_TYPES, torch.complex64, torch.complex128)
UNTYPED = {
    torch.float8_e4m3fn, torch.float8_e5m2, torch.uint16, torch.uint32, torch.uint64,
}  # fmt: skip
"""PyTorch writes these to files of the old format but cannot read them back."""
NAMES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=8
).filter(lambda name: not f".{name}".endswith(PACKED))
"""None of a quantised layer's parts (Hypothesis takes words from our code): a lone one is set aside
as not compared."""
WRAPPERS = ("module.", "_orig_mod.", "model.", "")
CONTAINERS = ("state_dict", "model", "module", "ema", "state_dict_ema", "encoder")


def as_bytes(tensor: torch.Tensor) -> bytes:
    """The stored bits in C order; a complex number is two."""
    real = torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor
    if not real.numel():
        return b""
    plain = torch.empty(real.shape, dtype=real.dtype).copy_(real)
    return plain.flatten().view(torch.uint8).numpy().tobytes()


def check_bits(weights: Weights, name: str, tensor: torch.Tensor, piece: int) -> None:
    found = weights[weights.tied.get(name, name)]
    shape = (*tensor.shape, 2) if tensor.is_complex() else tuple(tensor.shape)
    assert found.shape == shape
    assert b"".join(raw.tobytes() for _, raw in found.iterate_raw(piece)) == as_bytes(tensor)


@st.composite
def views(draw: st.DrawFn) -> list[torch.Tensor]:
    """Tensors of a few storages: transposed, stepped, expanded, empty, whole, shared or not."""
    dtype = draw(st.sampled_from(TYPES))
    count = draw(st.integers(1, 60))
    width = torch.empty(0, dtype=dtype).element_size()
    seed = draw(st.integers(0, 2**32))
    random = np.random.default_rng(seed).integers(
        0, 2 if dtype is torch.bool else 256, count * width
    )
    storage = torch.from_numpy(random.astype(np.uint8)).view(dtype)
    found = [storage] if draw(st.booleans()) else []
    for _ in range(draw(st.integers(1, 3))):
        shape = draw(st.lists(st.integers(0, 4), max_size=4))
        order = draw(st.permutations(range(len(shape))))
        strides, reach = [0] * len(shape), 1
        for axis in order:
            step = draw(st.sampled_from([0, 1, 1, 2]))
            strides[axis] = reach * step
            reach += max(shape[axis] - 1, 0) * reach * step
        last = sum(max(n - 1, 0) * s for n, s in zip(shape, strides, strict=True))
        if last < count:
            offset = draw(st.integers(0, count - 1 - last))
            found.append(storage.as_strided(shape, strides, offset))
    return found


@FAST
@given(
    groups=st.lists(views(), min_size=1, max_size=3),
    names=st.lists(NAMES, min_size=13, max_size=13, unique=True),
    wrapper=st.sampled_from(WRAPPERS),
    container=st.sampled_from([None, *CONTAINERS]),
    modern=st.booleans(),
    protocol=st.integers(2, 5),
    piece=st.sampled_from([1, 7, 1 << 20]),
)
def test_pytorch_files(
    tmp_path: Path,
    groups: list[list[torch.Tensor]],
    names: list[str],
    wrapper: str,
    container: str | None,
    modern: bool,
    protocol: int,
    piece: int,
) -> None:
    tensors = [tensor for group in groups for tensor in group]
    state = {wrapper + name: tensor for name, tensor in zip(names, tensors, strict=False)}
    state["always floating"] = torch.ones(1)
    content = {container: state, "epoch": 3} if container else state
    path = tmp_path / "a.pt"
    torch.save(content, path, _use_new_zipfile_serialization=modern, pickle_protocol=protocol)

    reference = state
    if modern or UNTYPED.isdisjoint(tensor.dtype for tensor in tensors):
        loaded = torch.load(path, weights_only=protocol == 2)
        reference = loaded[container] if container else loaded
    with parse_weights(path, limits=Limits()) as weights:
        prefix = "encoder." if container == "encoder" else ""
        assert {*weights, *weights.tied} == {prefix + name for name in reference}
        for name, tensor in reference.items():
            check_bits(weights, prefix + name, tensor, piece)


@FAST
@given(
    groups=st.lists(views(), min_size=1, max_size=3),
    names=st.lists(NAMES, min_size=13, max_size=13, unique=True),
    piece=st.sampled_from([1, 7, 1 << 20]),
)
def test_safetensors_files(
    tmp_path: Path, groups: list[list[torch.Tensor]], names: list[str], piece: int
) -> None:
    tensors = [tensor.clone().contiguous() for group in groups for tensor in group]
    readable = [tensor for tensor in tensors if tensor.dtype is not torch.complex128]
    state = dict(zip(names, readable, strict=False)) | {"always floating": torch.ones(1)}
    save_file(state, tmp_path / "a")
    with parse_weights(tmp_path / "a", limits=Limits()) as weights:
        reference = load_file(tmp_path / "a")
        assert set(weights) == set(reference)
        for name, tensor in reference.items():
            check_bits(weights, name, tensor, piece)
