"""The command serve is the server, with the options as settings."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from model_heritage_backend import server
from model_heritage_backend.cli.serve import run_server
from model_heritage_backend.errors import InvalidRequest


def test_what_is_given_wins_and_the_rest_comes_from_the_settings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[dict[str, Any]] = []

    def serve(**overrides: Any) -> int:
        seen.append(overrides)
        return 7

    monkeypatch.setattr(server, "serve", serve)
    assert run_server(host="0.0.0.0", port=None, data_dir=Path("/data")) == 7
    assert seen == [{"host": "0.0.0.0", "data_dir": Path("/data")}]


def test_an_installation_without_server_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(InvalidRequest, match=r"pip install 'model-heritage\[server\]'"):
        run_server(host=None, port=None, data_dir=None)
