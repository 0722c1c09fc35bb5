"""What has not changed is told again; whatever may change the answer is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend.scanning import recall
from model_heritage_backend.scanning.cache import ScanCache
from model_heritage_backend.scanning.discovery import find_checkpoints
from model_heritage_backend.scanning.recall import (
    name_document,
    recall_document,
    remember_document,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.pt", "b.pt"):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1, 1))
    return tmp_path


def name(folder: Path, cache: ScanCache, **options: Any) -> str | None:
    return name_document(find_checkpoints(folder), cache, **options)


def test_a_document_has_the_name_of_all_it_was_made_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = ScanCache(None)
    assert name(folder, cache) is None
    cache.save_checksum((folder / "a.pt").stat(), "a" * 64)
    assert name(folder, cache) is None
    cache.save_refusal("b.pt", (folder / "b.pt").stat(), "invalid-weights", "No.")
    first = name(folder, cache, exact=True)
    assert first is not None
    assert name(folder, cache, exact=True) == first
    assert name(folder, cache, exact=False) != first
    remember_document(first, {"models": []}, cache)
    assert recall_document(first, cache) == {"models": []}

    (folder / "a.pt").rename(folder / "c.pt")
    assert name(folder, cache, exact=True) not in (None, first)
    (folder / "c.pt").rename(folder / "a.pt")
    assert name(folder, cache, exact=True) == first
    # What is said of a refused file may depend on its name.
    (folder / "b.pt").rename(folder / "b-00001-of-00002.pt")
    assert name(folder, cache, exact=True) is None
    (folder / "b-00001-of-00002.pt").rename(folder / "b.pt")
    monkeypatch.setattr(recall, "PACKAGE", folder)
    (folder / "engine.py").write_text("")
    assert name(folder, cache, exact=True) not in (None, first)
    cache.close()


def test_samples_are_known_by_themselves(folder: Path) -> None:
    cache = ScanCache(None)
    for path in folder.iterdir():
        cache.save_checksum(path.stat(), "a" * 64)
    assert name(folder, cache) is not None
    assert name(folder, cache, sampled=True) is None
    cache.close()


def test_nothing_heavy_is_loaded() -> None:
    code = (
        "import sys; from model_heritage_backend.cli import scan; "
        "print([m for m in ('numpy', 'numba', 'scipy', 'networkx') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
