"""PyTorch files: every value as torch loads it; odd layouts resolved; broken containers refused."""

from __future__ import annotations

import argparse
import struct
import tracemalloc
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch

from model_heritage_backend.errors import HeritageError, InvalidWeights, UnsupportedFormat
from model_heritage_backend.weights import Limits, open_weights
from tests.weights.samples import (
    as_numbers,
    build_torch_zip,
    make_all_types,
    read_all,
    save_torch,
)


def check_same(path: Path, tensors: dict[str, torch.Tensor], piece: int = 1 << 20) -> None:
    with open_weights(path) as weights:
        assert weights.format == "torch-zip"
        assert list(weights) == list(tensors)
        values = read_all(weights, piece=piece)
    for name, tensor in tensors.items():
        np.testing.assert_array_equal(values[name], as_numbers(tensor.detach()), err_msg=name)


@pytest.mark.parametrize("piece", [1, 3, 1 << 20])
def test_reads_every_type_as_torch_wrote_it(tmp_path: Path, piece: int) -> None:
    tensors = make_all_types()
    check_same(save_torch(tensors, tmp_path / "a.pt"), tensors, piece)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_reads_every_pickle_protocol(tmp_path: Path, protocol: int) -> None:
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.BatchNorm1d(3))
    torch.save(model.state_dict(), tmp_path / "a.pt", pickle_protocol=protocol)
    check_same(tmp_path / "a.pt", dict(model.state_dict()))


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
def test_views_are_resolved(tmp_path: Path, piece: int) -> None:
    base = torch.arange(720.0).reshape(6, 10, 12)
    tensors = {
        "base": base,
        "part": base[2:4],
        "transposed": base[0].T,
        "permuted": base.permute(2, 0, 1),
        "stepped": base[::2, 1::3, ::5],
        "expanded": torch.arange(4.0).expand(5, 4),
        "repeated": torch.tensor(2.0).expand(3, 3),
        "element": base[3, 4, 5],
        "nothing": base[:, :0],
        "unit": base[:, :1, :].transpose(0, 1),
        "integers": torch.arange(12, dtype=torch.int16).reshape(3, 4).T,
    }
    check_same(save_torch(tensors, tmp_path / "a.pt"), tensors, piece)


def test_a_large_transposed_matrix_is_gathered_in_windows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("model_heritage_backend.weights.file_tensors.WINDOW_BYTES", 1 << 16)
    matrix = torch.arange(1 << 19, dtype=torch.float32).reshape(512, 1024).T
    other = torch.arange(6.0).reshape(2, 3).T
    path = save_torch({"m": matrix, "other": other}, tmp_path / "a.pt")
    check_same(path, {"m": matrix, "other": other}, 3000)

    with open_weights(path) as weights:
        np.testing.assert_array_equal(weights["m"].read_rows(7, 9), matrix[7:9].numpy())
        np.testing.assert_array_equal(weights["other"].read_rows(1, 2), other[1:2].numpy())
        np.testing.assert_array_equal(weights["m"].read_rows(3, 4), matrix[3:4].numpy())


def test_gathered_values_are_kept_for_one_tensor_only(tmp_path: Path) -> None:
    tensors = {str(n): torch.ones(1024, 1024).T for n in range(6)}
    path = save_torch(tensors, tmp_path / "a.pt")
    tracemalloc.start()
    with open_weights(path) as weights:
        for tensor in weights.values():
            tensor.read_rows(0, 10)
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * tensors["0"].nbytes


def test_tied_tensors_are_listed_once(tmp_path: Path) -> None:
    embedding = torch.nn.Embedding(5, 3)
    head = torch.nn.Linear(3, 5, bias=False)
    head.weight = embedding.weight
    tensors = {"head.weight": head.weight.detach(), "embedding.weight": embedding.weight.detach()}
    path = save_torch(tensors, tmp_path / "a.pt")
    check_same(path, {"embedding.weight": tensors["embedding.weight"]})
    with open_weights(path) as weights:
        assert weights.tied == {"head.weight": "embedding.weight"}


def test_complex_values_are_read_as_pairs(tmp_path: Path) -> None:
    rotations = torch.polar(torch.ones(3, 4), torch.arange(12.0).reshape(3, 4))
    path = save_torch({"r": rotations, "t": rotations.T}, tmp_path / "a.pt")

    with open_weights(path) as weights:
        values = read_all(weights)
    np.testing.assert_array_equal(values["r"], torch.view_as_real(rotations).numpy())
    np.testing.assert_array_equal(values["t"], torch.view_as_real(rotations.T).numpy())


def test_a_training_checkpoint_gives_its_weights(tmp_path: Path) -> None:
    model = torch.nn.Linear(4, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    content = {
        "epoch": 3,
        "args": argparse.Namespace(lr=0.1, path=Path("x"), device=torch.device("cpu")),
        "rng": np.random.default_rng(0).random(3),
        "score": np.float64(0.5),
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "dtype": torch.float32,
        "shape": torch.Size([1, 2]),
    }
    check_same(save_torch(content, tmp_path / "a.ckpt"), dict(model.state_dict()))


def test_parameters_and_subclasses_with_attributes(tmp_path: Path) -> None:
    plain = torch.nn.Parameter(torch.ones(2, 2))
    marked = torch.nn.Parameter(torch.full((2, 2), 2.0))
    marked.note = "kept by torch"  # type: ignore[attr-defined]  # (anybody may)
    buffer = torch.nn.Buffer(torch.full((3,), 3.0))
    tensors = {"plain": plain, "marked": marked, "buffer": buffer}
    check_same(save_torch(tensors, tmp_path / "a.pt"), tensors)


def test_negated_views_are_refused(tmp_path: Path) -> None:
    negative = torch.ones(3, dtype=torch.complex64).conj().imag
    assert negative.is_neg()
    with pytest.raises(InvalidWeights, match="pending negation"):
        open_weights(save_torch({"n": negative}, tmp_path / "a.pt"))


@pytest.mark.filterwarnings("ignore:Sparse:UserWarning", "ignore:torch.ao:DeprecationWarning")
def test_tensors_without_plain_values_are_named(tmp_path: Path) -> None:
    content = {"dense": torch.ones(2), "odd": torch.eye(3).to_sparse()}
    with pytest.raises(InvalidWeights, match="Tensor 'odd' is sparse"):
        open_weights(save_torch(content, tmp_path / "a.pt"))
    content = {"dense": torch.ones(2), "odd": torch.empty(3, device="meta")}
    with pytest.raises(InvalidWeights, match="Tensor 'odd' is without values"):
        open_weights(save_torch(content, tmp_path / "b.pt"))
    with pytest.raises(UnsupportedFormat, match="'odd' is stored as float8_e8m0fnu"):
        open_weights(
            save_torch(
                {"odd": torch.zeros(3, dtype=torch.uint8).view(torch.float8_e8m0fnu)},
                tmp_path / "c.pt",
            )
        )


def test_whole_models_are_refused_with_advice(tmp_path: Path) -> None:
    with pytest.raises(InvalidWeights, match=r"whole model object.*state_dict"):
        open_weights(save_torch(torch.nn.Linear(2, 2), tmp_path / "a.pt"))
    with pytest.raises(InvalidWeights, match=r"whole model object.*state_dict"):
        open_weights(save_torch({"model": torch.nn.Linear(2, 2)}, tmp_path / "b.pt"))


def test_torchscript_is_refused_by_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.pt", "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02.")
        archive.writestr("m/constants.pkl", b"\x80\x02.")
    with pytest.raises(UnsupportedFormat, match="TorchScript"):
        open_weights(tmp_path / "a.pt")


def test_content_without_weights_is_explained(tmp_path: Path) -> None:
    with pytest.raises(InvalidWeights, match=r"entries are 'optimizer', 'epoch'"):
        open_weights(save_torch({"optimizer": {"w": torch.ones(2)}, "epoch": 1}, tmp_path / "a.pt"))
    with pytest.raises(InvalidWeights, match="no mapping"):
        open_weights(save_torch(torch.ones(3), tmp_path / "b.pt"))
    with pytest.raises(InvalidWeights, match="no floating point values"):
        open_weights(save_torch({"ids": torch.arange(3)}, tmp_path / "c.pt"))


def test_claims_beyond_the_file_are_refused(tmp_path: Path) -> None:
    huge = {"w": torch.ones(1).expand(1 << 20, 1 << 20), "v": torch.ones(3)}
    with pytest.raises(InvalidWeights, match="far more than the file's"):
        open_weights(save_torch(huge, tmp_path / "a.pt"))


@pytest.mark.parametrize(
    ("shape", "strides", "offset", "reason"),
    [
        ((4,), (1,), 0, "reaches beyond"),
        ((3,), (1,), 1, "reaches beyond"),
        ((2, 2), (2, 1), 0, "reaches beyond"),
        ((2,), (-1,), 1, "not a size"),
        ((-2,), (1,), 0, "not a size"),
        ((2,), (1,), -1, "not a size"),
        ((True,), (1,), 0, "not a size"),
        ((2.0,), (1,), 0, "not a size"),
        ((2,), (1, 1), 0, "in a way that PyTorch does not use"),
        ((2**40, 2**40), (0, 0), 0, "more values than any file can hold"),
        ((1,) * 60, (1,) * 60, 0, "more than 32 dimensions"),
        ((1,) * 70, (1,) * 70, 0, "in a way that PyTorch does not use"),
    ],
)
def test_views_outside_their_storage_are_refused(
    tmp_path: Path, shape: tuple[int, ...], strides: tuple[int, ...], offset: int, reason: str
) -> None:
    def number(value: float) -> bytes:
        if isinstance(value, bool):
            return b"\x88"
        if isinstance(value, float):
            return b"G" + struct.pack(">d", value)
        return b"\x8a\x09" + value.to_bytes(9, "little", signed=True)

    def numbers(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(map(number, values)) + b"t"

    def tensor(view: bytes) -> bytes:
        storage = (
            b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0" + b"0X\x03\0\0\0cpuK\x03tQ"
        )
        rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n"
        return rebuild + b"(" + storage + view + b"\x89}tR"

    good = tensor(b"K\0" + numbers((3,)) + numbers((1,)))
    bad = tensor(number(offset) + numbers(shape) + numbers(strides))
    path = tmp_path / "a.pt"
    values = {"data/0": np.arange(3, dtype=np.float32).tobytes()}

    path.write_bytes(build_torch_zip(b"\x80\x02}X\x01\0\0\0a" + good + b"s.", values))
    with open_weights(path) as weights:
        np.testing.assert_array_equal(weights["a"].read_raw(0, 3), [0, 1, 2])
    path.write_bytes(build_torch_zip(b"\x80\x02}X\x01\0\0\0a" + bad + b"s.", values))
    with pytest.raises(InvalidWeights, match=reason):
        open_weights(path)


def test_a_storage_must_be_there_and_have_its_size(tmp_path: Path) -> None:
    whole = save_torch({"a": torch.ones(3)}, tmp_path / "a.pt")
    with zipfile.ZipFile(whole) as archive:
        pickle = archive.read("a/data.pkl")
    path = tmp_path / "b.pt"
    path.write_bytes(build_torch_zip(pickle, {}))
    with pytest.raises(InvalidWeights, match="are missing"):
        open_weights(path)
    path.write_bytes(build_torch_zip(pickle, {"data/0": bytes(13)}))
    with pytest.raises(InvalidWeights, match="another size"):
        open_weights(path)
    path.write_bytes(build_torch_zip(pickle, {"data/0": bytes(12), "byteorder": b"big"}))
    with pytest.raises(UnsupportedFormat, match="big-endian"):
        open_weights(path)
    with pytest.raises(InvalidWeights, match="bytes; 10 are allowed"):
        open_weights(whole, limits=Limits(pickle_bytes=10))


def test_the_number_of_tensors_and_names_are_limited(tmp_path: Path) -> None:
    path = save_torch({str(i): torch.ones(1) for i in range(5)}, tmp_path / "a.pt")
    with pytest.raises(InvalidWeights, match="more than 4 tensors"):
        open_weights(path, limits=Limits(tensors=4))
    with pytest.raises(InvalidWeights, match="longer than 1024"):
        open_weights(save_torch({"n" * 2000: torch.ones(1)}, tmp_path / "b.pt"))
    with pytest.raises(InvalidWeights, match="control characters"):
        open_weights(save_torch({"n\0": torch.ones(1)}, tmp_path / "c.pt"))


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    data = save_torch(OrderedDict(a=torch.ones(2)), tmp_path / "a.pt").read_bytes()
    for length in range(0, len(data), 7):
        (tmp_path / "cut").write_bytes(data[:length])
        with pytest.raises(HeritageError):
            open_weights(tmp_path / "cut")
