from __future__ import annotations

import pytest

from model_heritage_backend.services.exports import find_licence


@pytest.mark.parametrize(
    ("claims", "licence"),
    [
        ({}, None),
        ({"license": "mit", "general.license": "apache-2.0"}, "mit"),
        ({"license": " ", "general.license": "apache-2.0"}, "apache-2.0"),
        ({"license": " a\0\ud800b "}, "a\ufffd\ufffdb"),
    ],
)
def test_a_claimed_licence_is_clean_text(claims: dict[str, str], licence: str | None) -> None:
    assert find_licence(claims) == licence
