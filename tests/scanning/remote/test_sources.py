"""Servers are asked for parts, and what they answer is held against what was asked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from model_heritage_backend.errors import (
    InvalidRequest,
    InvalidWeights,
    NotFound,
    ServerUnreachable,
)
from model_heritage_backend.scanning.remote import sources
from model_heritage_backend.scanning.remote.download import download
from model_heritage_backend.scanning.remote.sources import HttpSource, NoRanges, open_source
from tests.scanning.remote.servers import FileServer, serve_files

CONTENT = bytes(range(256)) * 1000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[FileServer]:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "a.bin").write_bytes(CONTENT)
    with serve_files(folder) as server:
        yield server


def test_parts_are_read_and_counted(server: FileServer) -> None:
    source = open_source(f"{server.url}/a.bin?download=true")
    assert (source.name, source.size) == ("a.bin", len(CONTENT))
    assert source.head == CONTENT[: sources.HEAD_BYTES]
    assert source.read(1000, 1256) == CONTENT[1000:1256]
    assert source.read(5, 5) == b""
    assert (source.requests, source.bytes_read) == (2, sources.HEAD_BYTES + 256)
    source.close()


def test_redirections_are_followed_once(server: FileServer) -> None:
    source = open_source(f"{server.url}/moved/a.bin")
    source.read(0, 10)
    source.read(10, 20)
    assert server.asked == ["/moved/a.bin", "/a.bin", "/a.bin", "/a.bin"]
    source.close()


def test_a_server_without_parts_is_told_and_not_read(server: FileServer) -> None:
    server.manner = "whole"
    with pytest.raises(NoRanges, match="read whole") as refusal:
        open_source(f"{server.url}/a.bin")
    assert refusal.value.size == len(CONTENT)


@pytest.mark.parametrize(
    "manner", ["other part", "no place", "shorter", "longer", "packed", "other size", "fails"]
)
def test_answers_that_cannot_be_trusted(
    server: FileServer, manner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "TRIES", 0)
    monkeypatch.setattr(sources, "SILENCE_SECONDS", 1.0)
    server.manner = manner
    with pytest.raises(ServerUnreachable):
        open_source(f"{server.url}/a.bin")
    server.manner = "ranges"
    source = open_source(f"{server.url}/a.bin")
    server.manner = manner
    with pytest.raises(ServerUnreachable):
        source.read(0, 100)
    source.close()


def test_a_file_that_changes_meanwhile(server: FileServer) -> None:
    source = open_source(f"{server.url}/a.bin")
    server.tag = '"two"'
    with pytest.raises(InvalidWeights, match="changed"):
        source.read(0, 10)
    source.close()


def test_nobody_and_nothing(server: FileServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "TRIES", 0)
    with pytest.raises(NotFound):
        open_source(f"{server.url}/nothing")
    (server.folder / "empty").write_bytes(b"")
    with pytest.raises((InvalidWeights, ServerUnreachable)):
        open_source(f"{server.url}/empty")
    with pytest.raises(ServerUnreachable, match="cannot be reached"):
        HttpSource("http://127.0.0.1:1/a")


def test_other_storages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.bin").write_bytes(CONTENT)
    source = open_source(f"file://{tmp_path}/a.bin")
    assert (source.size, source.read(3, 9)) == (len(CONTENT), CONTENT[3:9])
    with pytest.raises(ServerUnreachable, match="another length"):
        source.read(0, len(CONTENT) + 5)
    with pytest.raises(NotFound):
        open_source(f"file://{tmp_path}/b.bin")
    with pytest.raises(InvalidRequest, match="nonsense://"):
        open_source("nonsense://a/b")
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(InvalidRequest, match=r"pip install 'model-heritage\[remote\]'"):
        open_source("s3://bucket/key")


@pytest.mark.parametrize("address", ["{url}/a.bin", "file://{folder}/a.bin"])
def test_whole_files(server: FileServer, tmp_path: Path, address: str) -> None:
    seen: list[int] = []
    url = address.format(url=server.url, folder=server.folder)
    path = download(url, tmp_path, most=len(CONTENT), on_bytes=seen.append)
    assert path == tmp_path / "remote.bin"
    assert path.read_bytes() == CONTENT
    assert sum(seen) == len(CONTENT)
    with pytest.raises(Exception, match="no room"):
        download(url, tmp_path, most=len(CONTENT) - 1, on_bytes=seen.append)
