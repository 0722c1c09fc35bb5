"""A family tree is corrected, compared and walked through by keyboard: see tree.mjs."""

from __future__ import annotations

import pytest

from benchmarks.zoo import Zoo
from tests.browser.conftest import Journey, upload

pytestmark = pytest.mark.browser


def test_a_tree_is_corrected_compared_and_walked(
    server: str, travel: Journey, zoo_family: Zoo
) -> None:
    for name in ("base", "noisy", "rotated", "noisy-odd", "noisy-odd-lora"):
        upload(server, zoo_family.path(name), name)
    facts = {"child": "noisy-odd-lora", "parent": "noisy-odd", "other": "rotated"}
    told = travel("tree.mjs", facts)
    print(told)
    assert "by keyboard: from the forest to a model" in told
