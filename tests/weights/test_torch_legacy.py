"""PyTorch files from before 1.6: every value as torch loads it, broken ones refused."""

from __future__ import annotations

import io
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from model_heritage_backend.errors import HeritageError, InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights import Limits, open_weights, torch_legacy
from tests.weights.samples import as_numbers, make_all_types, read_all

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
FLOATS = b"ctorch\nFloatStorage\n"


def save_legacy(content: object, path: Path, protocol: int = 2) -> Path:
    torch.save(content, path, _use_new_zipfile_serialization=False, pickle_protocol=protocol)
    return path


def build_legacy(
    content: bytes,
    storages: bytes,
    *,
    version: int = 1001,
    machine: object = None,
    keys: object = ("0",),
) -> bytes:
    """A file with the given pickle as its content."""
    machine = {"little_endian": True} if machine is None else machine
    parts = [MAGIC, pickle.dumps(version, 2), pickle.dumps(machine, 2), content]
    return b"".join(
        [*parts, pickle.dumps(list(keys) if isinstance(keys, tuple) else keys, 2), storages]
    )


def describe(view: bytes = b"N", *, count: int = 6, offset: int = 0, size: int = 2) -> bytes:
    """{"w": a tensor of ``size`` floats} over storage "0"."""
    numbers = [b"K" + bytes([n]) for n in (count, offset, size)]
    identity = b"(U\x07storage" + FLOATS + b"U\x010U\x03cpu" + numbers[0] + view + b"tQ"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n(" + identity
    return b"\x80\x02}U\x01w" + rebuild + numbers[1] + numbers[2] + b"\x85K\x01\x85\x89}tRs."


def store(*values: float, count: int | None = None) -> bytes:
    numbers = np.array(values, np.float32)
    return struct.pack("<q", len(numbers) if count is None else count) + numbers.tobytes()


def read(data: bytes, path: Path) -> dict[str, list[float]]:
    path.write_bytes(data)
    with open_weights(path) as weights:
        assert weights.format == "torch-legacy"
        return {name: values.tolist() for name, values in read_all(weights).items()}


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_reads_every_type_as_torch_wrote_it(tmp_path: Path, protocol: int) -> None:
    base = torch.arange(24.0).reshape(4, 6)
    tensors = make_all_types() | {"base": base, "turned": base.T, "part": base[1:3, ::2]}
    training = {"model": tensors, "optimizer": {"state": torch.ones(100)}, "epoch": 3}
    with open_weights(save_legacy(training, tmp_path / "a.pt", protocol)) as weights:
        values = read_all(weights)
    assert list(values) == list(tensors)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(values[name], as_numbers(tensor), err_msg=name)


def test_the_description_is_read_in_growing_pieces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_legacy, "FIRST_PIECE", 16)
    tensors = {f"layer.{i}.weight": torch.full((3,), float(i)) for i in range(50)}
    path = save_legacy(tensors, tmp_path / "a.pt")
    with open_weights(path) as weights:
        assert read_all(weights)["layer.49.weight"].tolist() == [49, 49, 49]
    with pytest.raises(InvalidWeights, match="more than 1,000 bytes"):
        open_weights(path, limits=Limits(pickle_bytes=1000))


def test_views_of_storages_as_the_oldest_files_have_them(tmp_path: Path) -> None:
    view = b"(U\x0299K\x02K\x03t"
    values = store(0, 1, 2, 3, 4, 5)
    data = build_legacy(describe(view), values)
    assert read(data, tmp_path / "a") == {"w": [2, 3]}
    loaded = torch.load(io.BytesIO(data), weights_only=True)
    assert loaded["w"].tolist() == [2, 3]
    with pytest.raises(InvalidWeights, match="reaches beyond"):
        read(build_legacy(describe(view, size=4), values), tmp_path / "a")
    with pytest.raises(InvalidWeights, match="reaches beyond"):
        read(build_legacy(describe(b"(U\x0299K\x05K\x03t"), values), tmp_path / "a")
    with pytest.raises(InvalidWeights, match="in a way that PyTorch does not use"):
        read(build_legacy(describe(b"(U\x0299K\x05t"), values), tmp_path / "a")


@pytest.mark.parametrize(
    ("data", "error", "reason"),
    [
        (build_legacy(describe(), store(*range(5))), InvalidWeights, "another size"),
        (build_legacy(describe(), store(*range(6))[:-1]), InvalidWeights, "cut off within"),
        (build_legacy(describe(), store(*range(6)) + b"x"), InvalidWeights, "1 bytes after"),
        (build_legacy(describe(), store(count=2**62)), InvalidWeights, "another size"),
        (build_legacy(describe(), b""), InvalidWeights, "ends before"),
        (build_legacy(describe(), b"", keys={"0": 1}), InvalidWeights, "does not list"),
        (build_legacy(describe(), b"", keys=("1",)), InvalidWeights, "nothing refers to"),
        (
            build_legacy(describe(), store(*range(6)) * 2, keys=("0", "0")),
            InvalidWeights,
            "or twice",
        ),
        (build_legacy(describe(), b"", keys=[]), InvalidWeights, "missing"),
        (build_legacy(describe(), b"", version=1000), UnsupportedFormat, "unknown version"),
        (
            build_legacy(describe(), b"", machine={"little_endian": False}),
            UnsupportedFormat,
            "big-endian",
        ),
        (
            build_legacy(describe()[:-1] + describe(count=7)[2:], b""),
            InvalidWeights,
            "in two ways",
        ),
        (build_legacy(b"\x80\x02}.", b"", keys=[""]), InvalidWeights, "nothing refers to"),
    ],
)
def test_contradictions_are_refused(
    tmp_path: Path, data: bytes, error: type[HeritageError], reason: str
) -> None:
    assert read(build_legacy(describe(), store(*range(6))), tmp_path / "a") == {"w": [0, 1]}
    with pytest.raises(error, match=reason):
        read(data, tmp_path / "a")


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = save_legacy({"a": torch.ones(2)}, tmp_path / "a.pt").read_bytes()
    for length in range(0, len(data), 3):
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(HeritageError):
            open_weights(tmp_path / "cut")
