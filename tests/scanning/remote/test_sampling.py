"""A part of a remote file gives the fingerprint that the whole would give, restricted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.fingerprints import fingerprint_weights
from model_heritage_backend.fingerprints.restricting import restrict_rows
from model_heritage_backend.scanning.remote import sampling
from model_heritage_backend.scanning.remote.sampling import CannotSample, RemoteSample
from model_heritage_backend.scanning.remote.sources import HEAD_BYTES, open_source
from model_heritage_backend.weights import open_weights
from tests.scanning.remote.servers import FileServer, serve_files


class VirtualSource:
    """A file of zeros behind a header, which takes no room."""

    def __init__(self, shapes: dict[str, list[int]]) -> None:
        header, offset = {}, 0
        for name, shape in shapes.items():
            size = 2 * math.prod(shape)
            place = [offset, offset + size]
            header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": place}
            offset += size
        text = json.dumps(header).encode()
        self._start = len(text).to_bytes(8, "little") + text
        self.name = "virtual"
        self.size = len(self._start) + offset
        self.bytes_read = self.requests = 0
        self.head = self.read(0, HEAD_BYTES)

    def read(self, start: int, stop: int) -> bytes:
        self.bytes_read += stop - start
        return self._start[start:stop].ljust(stop - start, b"\0")

    def close(self) -> None:
        """Nothing to do."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    with serve_files(tmp_path) as server:
        yield server


@pytest.mark.parametrize("name", ["noisy", "base-bf16"])
def test_it_is_the_fingerprint_of_the_file_with_fewer_rows(
    server: FileServer, zoo_family: Zoo, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sampling, "ALWAYS_BYTES", 40_000)
    path = zoo_family.path(name)
    (server.folder / "a.safetensors").write_bytes(path.read_bytes())
    source = open_source(f"{server.url}/a.safetensors")
    sample = RemoteSample(source)
    seen: list[int] = []
    found = sample.read(seen.append)
    with open_weights(path) as weights:
        whole = fingerprint_weights(weights, checksum=found.checksum)
    assert sample.plan.rows < 48
    assert sum(seen) == sample.plan.bytes
    assert source.bytes_read == sample.plan.bytes + len(source.head)
    assert found.to_bytes() == restrict_rows(whole, sample.plan.rows).to_bytes()
    assert len(found.checksum) == 64
    again = RemoteSample(source).read(seen.append)
    assert again == replace(again, checksum=found.checksum)
    source.close()


@pytest.mark.parametrize(("width", "layers"), [(4096, 60), (2048, 240), (1280, 600)])
def test_large_files_are_known_from_less_than_a_hundredth(width: int, layers: int) -> None:
    shapes = {f"layers.{n}.weight": [width, width] for n in range(layers)}
    shapes |= {f"layers.{n}.norm": [width] for n in range(layers)}
    source = VirtualSource(shapes)
    sample = RemoteSample(source)
    sample.read(lambda _: None)
    assert source.size > 1.9e9
    assert source.bytes_read < 0.01 * source.size
    assert sample.plan.rows >= 8
    assert not sample.is_costly


def test_narrow_matrices_cost_more_and_it_is_told() -> None:
    shapes = {f"layers.{n}.weight": [96, 4096] for n in range(100)}
    sample = RemoteSample(VirtualSource(shapes))
    assert (sample.plan.rows, sample.is_costly) == (8, True)


def test_other_formats_and_broken_files(server: FileServer, zoo_family: Zoo) -> None:
    (server.folder / "a.pt").write_bytes(b"PK\3\4" + b"x" * 1000)
    with pytest.raises(CannotSample, match="Only safetensors"):
        RemoteSample(open_source(f"{server.url}/a.pt"))
    whole = zoo_family.path("base").read_bytes()
    (server.folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidWeights, match="cut off"):
        RemoteSample(open_source(f"{server.url}/cut.safetensors"))
