"""Positioned reads: exact, bounded, and not after the file is closed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import numpy as np
import pytest

from model_heritage_backend.errors import InvalidWeights
from model_heritage_backend.weights.open_file import MUCH, SMALLEST_BUFFER, OpenFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a"
    path.write_bytes(bytes(range(256)))
    return path


def test_reads_what_is_there(path: Path) -> None:
    file = OpenFile(path)
    assert file.size == 256
    assert file.read_bytes(10, 3) == bytes([10, 11, 12])
    assert file.read_bytes(256, 0) == b""
    file.close()


@pytest.mark.parametrize(("offset", "count"), [(255, 2), (257, 0), (-1, 1), (0, -1), (2**64, 1)])
def test_places_outside_the_file_are_refused(path: Path, offset: int, count: int) -> None:
    file = OpenFile(path)
    with pytest.raises(InvalidWeights, match="ends before"):
        file.read_buffer(offset, count)
    file.close()


def test_a_growing_buffer_leaves_older_views_alone(tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(b"a" * SMALLEST_BUFFER + b"b" * SMALLEST_BUFFER)
    file = OpenFile(path)
    small = file.read_buffer(0, 4)
    file.read_buffer(0, 2 * SMALLEST_BUFFER)
    assert bytes(small) == b"aaaa"
    with pytest.raises(TypeError):
        small[0] = 0
    file.close()


def test_closing_twice_is_harmless_and_reading_after_it_is_not(path: Path) -> None:
    file = OpenFile(path)
    file.close()
    file.close()
    with pytest.raises(InvalidWeights, match="closed"):
        file.read_bytes(0, 1)


def test_threads_do_not_disturb_each_other(path: Path) -> None:
    file = OpenFile(path)

    def read(start: int) -> bool:
        views = [(place, file.read_buffer(place, 2)) for place in (start, start + 1)]
        started.wait()
        return all(bytes(view) == bytes([place, place + 1]) for place, view in views)

    started = Barrier(4)
    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(read, (10, 50, 90, 130)))
    file.close()


@pytest.mark.parametrize("held", [0, 1000, MUCH - 1, MUCH])
def test_what_the_system_holds_in_part_is_read_whole(
    path: Path, held: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = np.random.default_rng(0).bytes(3 * MUCH)
    path.write_bytes(content)
    file = OpenFile(path)

    def read_cached(view: memoryview, offset: int) -> int:
        view[:held] = content[offset : offset + held]
        return held

    monkeypatch.setattr(file, "_read_cached", read_cached)
    for start in (0, MUCH, 2 * MUCH):
        assert bytes(file.read_buffer(start, MUCH)) == content[start : start + MUCH]
    pieces = file.read_pieces([5, MUCH + 7], MUCH)
    assert bytes(pieces) == content[5 : 5 + MUCH] + content[MUCH + 7 : 2 * MUCH + 7]
    file.close()
