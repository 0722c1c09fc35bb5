"""Signing in with a real browser: the cookie, and what works with it."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.zoo import Zoo
from model_heritage_backend.config import load_settings
from model_heritage_backend.services.access import Role, open_access
from tests.browser.conftest import Journey

pytestmark = pytest.mark.browser


@pytest.fixture
def by_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODEL_HERITAGE_ACCESS", "token")


@pytest.mark.usefixtures("by_token")
def test_a_session(travel: Journey, tmp_path: Path, zoo_family: Zoo) -> None:
    with open_access(load_settings(data_dir=tmp_path / "data")) as access:
        _, token = access.create("Ada", Role.ADMIN, days=1)
    said = travel("access.mjs", {"token": token, "file": str(zoo_family.path("base"))})
    assert "signed out" in said
