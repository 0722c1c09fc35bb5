from __future__ import annotations

import pytest

from model_heritage_backend.licences import find_licence, get_licence_key, list_dropped


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Apache-2.0", "apache-2.0"),
        ("Apache License 2.0", "apache-2.0"),
        ("Apache License, Version 2.0", "apache-2.0"),
        ("The MIT License", "mit"),
        ("MIT", "mit"),
        ("GPL-3.0-or-later", "gpl-3.0"),
        ("GPL-2.0+", "gpl-2.0"),
        ("gpl v3", "gpl-3.0"),
        ("CC BY-NC-SA 4.0", "cc-by-nc-sa-4.0"),
        ("cc_by_nc_4.0", "cc-by-nc-4.0"),
        ("Llama 3.1", "llama3.1"),
        ("openrail++", "openrail++"),
        ("Our Own Terms", "our own terms"),
        ("license", "license"),
        ("", ""),
    ],
)
def test_spellings(text: str, key: str) -> None:
    assert get_licence_key(text) == key


def test_unknown_is_not_free() -> None:
    assert find_licence("our own terms") is find_licence(None) is None
    free = find_licence("CC0-1.0")
    assert free is not None
    assert free.restrictions == ()


@pytest.mark.parametrize(
    ("parent", "child", "dropped"),
    [
        ("cc-by-nc-4.0", "apache-2.0", ["non_commercial"]),
        ("cc-by-nc-sa-4.0", "cc-by-nc-4.0", ["share_alike"]),
        ("gpl-3.0", "agpl-3.0", []),
        ("apache-2.0", "cc0-1.0", []),
        ("apache-2.0", "gpl-3.0", []),
        ("llama3", "llama3", []),
        ("llama3", "gemma", ["custom"]),
        ("openrail", "mit", ["behavioural_use"]),
        ("cc-by-nd-4.0", "cc-by-nd-4.0", ["no_derivatives"]),
    ],
)
def test_dropped(parent: str, child: str, dropped: list[str]) -> None:
    above, below = find_licence(parent), find_licence(child)
    assert above is not None
    assert below is not None
    assert list_dropped(above, below) == tuple(dropped)
