"""From an empty lake to a full one, through every page: see pages.mjs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from benchmarks.zoo import Zoo
from tests.browser.conftest import Journey

pytestmark = pytest.mark.browser

MANY = 150
"""More than a browser lists of a folder at once."""
FAMILY = ("base", "noisy", "rotated", "noisy-rotated", "noisy-int8", "base-bf16")


def _write_small_files(folder: Path) -> None:
    folder.mkdir()
    random = np.random.default_rng(5)
    for number in range(MANY):
        weights = {"layer.weight": random.normal(size=(4, 3)).astype(np.float32)}
        save_file(weights, folder / f"tiny-{number:03}.safetensors")


def test_every_page_from_the_first_visit_on(
    travel: Journey, zoo_family: Zoo, tmp_path: Path
) -> None:
    _write_small_files(tmp_path / "many")
    facts = {
        "family": {name: str(zoo_family.path(name)) for name in FAMILY},
        "stranger": str(zoo_family.path("noisy-odd")),
        "folder": str(tmp_path / "many"),
        "many": MANY,
    }
    told = travel("pages.mjs", facts)
    print(told)
    assert "dark: no violation" in told
