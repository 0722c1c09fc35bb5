from __future__ import annotations

import threading
from pathlib import Path

import pytest

from model_heritage_backend.models.blob_cache import BlobCache

NAMES = [f"{n:064x}" for n in range(4)]


class Origin:
    """Counts how often it is asked for a file of ten bytes."""

    def __init__(self) -> None:
        self.asked = 0

    def fetch(self, path: Path) -> None:
        self.asked += 1
        path.write_bytes(b"0123456789")


@pytest.fixture
def cache(tmp_path: Path) -> BlobCache:
    return BlobCache(tmp_path / "cache", limit=20)


def list_kept(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "cache").iterdir())


def test_what_was_used_last_is_kept(cache: BlobCache, tmp_path: Path) -> None:
    origin = Origin()
    for name in (NAMES[0], NAMES[1], NAMES[0], NAMES[2]):
        with cache.borrow(name, origin.fetch) as path:
            assert path.read_bytes() == b"0123456789"
    assert origin.asked == 3
    assert list_kept(tmp_path) == [NAMES[0], NAMES[2]]


def test_what_is_in_use_stays(cache: BlobCache, tmp_path: Path) -> None:
    origin = Origin()
    with cache.borrow(NAMES[0], origin.fetch) as path:
        cache.trim(0)
        assert path.exists()
    cache.trim(0)
    assert list_kept(tmp_path) == []


def test_it_is_fetched_once_for_all(cache: BlobCache) -> None:
    origin, start = Origin(), threading.Barrier(8)

    def use() -> None:
        start.wait()
        with cache.borrow(NAMES[0], origin.fetch) as path:
            path.read_bytes()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert origin.asked == 1


def test_what_cannot_be_fetched_leaves_nothing(cache: BlobCache, tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_bytes(b"half")
        raise FileNotFoundError

    with pytest.raises(FileNotFoundError), cache.borrow(NAMES[0], fail):
        pass
    assert list_kept(tmp_path) == []


def test_a_received_file_is_there_without_being_copied(cache: BlobCache, tmp_path: Path) -> None:
    received, large = tmp_path / "received", tmp_path / "large"
    received.write_bytes(b"0123456789")
    large.write_bytes(bytes(21))
    cache.adopt(received, NAMES[0])
    cache.adopt(large, NAMES[1])
    received.unlink()
    origin = Origin()
    with cache.borrow(NAMES[0], origin.fetch) as path:
        assert path.read_bytes() == b"0123456789"
    assert origin.asked == 0
    assert list_kept(tmp_path) == [NAMES[0]]
