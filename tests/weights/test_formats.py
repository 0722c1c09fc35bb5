"""Content decides the format; what cannot be read is named; nothing else ever comes out."""

from __future__ import annotations

import gzip
import os
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save

from model_heritage_backend.errors import (
    HeritageError,
    InvalidRequest,
    NotFound,
    UnsupportedFormat,
)
from model_heritage_backend.weights import is_misnamed, open_weights
from tests.processor_time import spent_less
from tests.weights.gguf_samples import Kind, write_gguf
from tests.weights.samples import build_safetensors, save_torch

TENSORS = {
    "layer.0.weight": torch.arange(12.0).reshape(3, 4),
    "layer.0.bias": torch.ones(3, dtype=torch.bfloat16),
    "layer.1.weight": torch.arange(8.0).reshape(2, 4).T,
}
FAST = settings(
    deadline=None,
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def test_the_name_of_the_file_does_not_matter(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(save({"w": torch.ones(2)}))
    save_torch({"w": torch.ones(2)}, tmp_path / "b.safetensors")
    with open_weights(tmp_path / "a.pt") as weights:
        assert weights.format == "safetensors"
    with open_weights(tmp_path / "b.safetensors") as weights:
        assert weights.format == "torch-zip"


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "The file is empty"),
        (b"\x93NUMPY\1\0" + bytes(100), "NumPy array"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
        (b"\x1c\0\0\0TFL3" + bytes(100), "TensorFlow Lite"),
        (gzip.compress(b"x" * 100, mtime=0), "gzip"),
        (b"%PDF-1.7\n", "PDF"),
        (b"\x89PNG\r\n\x1a\n" + bytes(10), "PNG"),
        (b"\x08\x07\x12\x07pytorch\x1a\x05" + bytes(20), "ONNX"),
        (bytes(257) + b"ustar\0" + bytes(300), "tar archive"),
        (b"sys_info" + bytes(249) + b"ustar\0" + bytes(300), "PyTorch file of the tar format"),
        (b"\x80\x04\x95\0", "Python pickle"),
        (b"<!DOCTYPE html><html>", "web page"),
        (b"\n <html>", "web page"),
        (b"<?xml version='1.0'?>", "XML"),
        (b'{"a": 1}', "JSON"),
        (b'{"metadata": {}, "weight_map": {}}', "index of a checkpoint"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS pointer"),
        ("just some wörds\n".encode(), "a text"),
        (bytes(100), "unknown kind"),
        (b"\xff\xfe\xfd" * 50, "unknown kind"),
        (b"\x01", "unknown kind"),
    ],
)
def test_other_files_are_named(tmp_path: Path, content: bytes, named: str) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(UnsupportedFormat) as caught:
        open_weights(path)
    assert named in caught.value.detail
    assert str(tmp_path) not in caught.value.detail


def test_real_files_of_other_formats_are_named(tmp_path: Path) -> None:
    def detail(path: Path) -> str:
        with pytest.raises(UnsupportedFormat) as caught:
            open_weights(path)
        return caught.value.detail

    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")
    assert "ZIP archive that PyTorch did not write" in detail(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("model.weights.h5", "")
    assert "Keras" in detail(tmp_path / "a.keras")
    os.mkfifo(tmp_path / "pipe")
    assert "pipe" in detail(tmp_path / "pipe")


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="does not exist"):
        open_weights(tmp_path / "none")
    with pytest.raises(InvalidRequest, match="cannot be opened"):
        open_weights(tmp_path / "nul\0")


def test_refused_files_are_closed(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(build_safetensors(b"{}"))
    before = len(list(Path("/proc/self/fd").iterdir()))
    kept = []
    for _ in range(20):
        with pytest.raises(HeritageError) as caught:
            open_weights(path)
        kept.append(caught)  # the traceback keeps the file object alive
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def attempt(path: Path, data: bytes) -> None:
    """Read everything, as a caller would; only our own errors may come out, and soon."""
    path.write_bytes(data)
    start = time.process_time()
    try:
        with open_weights(path) as weights:
            for tensor in weights.values():
                assert tensor.nbytes < 100 * len(data) + 1000
                for _ in tensor.iterate_raw(1 << 16):
                    pass
    except HeritageError as error:
        assert str(path) not in error.detail
        assert len(error.detail) < 600
    assert spent_less(1, since=start)


@FAST
@given(data=st.binary(max_size=300))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    attempt(tmp_path / "a", data)


@FAST
@given(header=st.binary(max_size=200), data=st.binary(max_size=50))
def test_random_headers(tmp_path: Path, header: bytes, data: bytes) -> None:
    attempt(tmp_path / "a", build_safetensors(b"{" + header, data))


@FAST
@given(
    pieces=st.lists(
        st.sampled_from(
            [
                b"{",
                b"}",
                b"[",
                b"]",
                b":",
                b",",
                b'"a"',
                b'"dtype"',
                b'"F32"',
                b'"shape"',
                b'"data_offsets"',
                b'"__metadata__"',
                b"0",
                b"4",
                b"1",
                b" ",
                b'"',
                b"\\",
            ]
        ),
        max_size=40,
    )
)
def test_headers_of_shuffled_tokens(tmp_path: Path, pieces: list[bytes]) -> None:
    attempt(tmp_path / "a", build_safetensors(b"{" + b"".join(pieces), bytes(4)))


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("originals")
    contiguous = {name: tensor.contiguous() for name, tensor in TENSORS.items()}
    model = torch.nn.Linear(3, 2)
    training = {"model": model.state_dict(), "lr": 0.1, "shape": torch.Size([1])}
    arrays = {name: tensor.float().numpy() for name, tensor in TENSORS.items()}
    np.savez(folder / "a.npz", **arrays)
    np.savez_compressed(folder / "b.npz", **arrays)
    wide = {"blk.0.attn_q.weight": np.linspace(-1, 1, 1024, dtype=np.float32).reshape(4, 256)}
    heads = {"llama.attention.head_count": 2}
    write_gguf(folder / "a.gguf", wide, kinds=Kind.Q4_K, numbers=heads, strings={"a": "b"})
    return [
        save(contiguous, metadata={"format": "pt"}),
        (folder / "a.npz").read_bytes(),
        (folder / "b.npz").read_bytes(),
        (folder / "a.gguf").read_bytes(),
        save_torch(TENSORS, folder / "a.pt").read_bytes(),
        save_torch(training, folder / "b.pt").read_bytes(),
    ]


@FAST
@given(data=st.data())
def test_mutated_real_files(tmp_path: Path, originals: list[bytes], data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(originals)))
    for _ in range(data.draw(st.integers(1, 6))):
        at = data.draw(st.integers(0, len(content) - 1))
        match data.draw(st.integers(0, 3)):
            case 0:
                content[at] = data.draw(st.integers(0, 255))
            case 1:
                content[at:at] = data.draw(st.binary(max_size=8))
            case 2:
                del content[at : at + data.draw(st.integers(1, 8))]
            case _:
                source = data.draw(st.integers(0, len(content) - 1))
                content[at : at + 16] = content[source : source + 16]
        if not content:
            break
    attempt(tmp_path / "a", bytes(content))


@FAST
@given(data=st.data())
def test_mutated_descriptions(tmp_path: Path, originals: list[bytes], data: st.DataObject) -> None:
    """Mutations of the same length within data.pkl, so that the container stays valid."""
    content = bytearray(data.draw(st.sampled_from(originals[-2:])))
    start = content.index(b"\x80\x02")
    stop = content.index(b"PK", start)
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(start, stop - 1))
        content[at] = data.draw(st.integers(0, 255) | st.sampled_from(list(b"RQbcstu0e.a}])(")))
    attempt(tmp_path / "a", bytes(content))


@pytest.mark.parametrize(
    ("name", "odd"),
    [("a.pt", True), ("a.gguf", True), ("a.safetensors", False), ("a.bin", False), ("a", False)],
)
def test_names_that_promise_another_format(tmp_path: Path, name: str, odd: bool) -> None:
    (tmp_path / "x").write_bytes(save({"a": torch.ones(3, 3)}))
    assert is_misnamed(tmp_path / "x", name) is odd
    (tmp_path / "x").write_text("no format at all")
    assert not is_misnamed(tmp_path / "x", name)
