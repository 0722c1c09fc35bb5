"""A person drops a checkpoint into the page and sees its parent: real browser, server, weights."""

from __future__ import annotations

import pytest

from benchmarks.zoo import Zoo
from tests.browser.conftest import Journey, upload

pytestmark = pytest.mark.browser


def test_a_dropped_file_finds_its_parent(server: str, travel: Journey, zoo_family: Zoo) -> None:
    # The adapter's parent is beyond doubt; its siblings make the family a tree worth drawing.
    for name in ("base", "noisy", "rotated", "noisy-odd"):
        upload(server, zoo_family.path(name), name)
    facts = {
        "file": str(zoo_family.path("noisy-odd-lora")),
        "name": "noisy-odd-lora",
        "parent": "noisy-odd",
    }
    assert "the child stands below its parent" in travel("journey.mjs", facts)
