"""The audit of dependencies: findings fail, and what could not be asked about is not clean."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SCRIPT = Path(__file__).resolve().parents[1] / ".ci" / "audit"
CLEAN = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1"}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.fixture
def audit() -> ModuleType:
    loader = SourceFileLoader("audit", str(SCRIPT))
    spec = importlib.util.spec_from_loader("audit", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("python", "page", "code", "said"),
    [
        (None, None, 0, "not audited"),
        ({"dependencies": [SKIPPED]}, {"error": {"code": "x"}}, 0, "Python: not audited"),
        ({"dependencies": [CLEAN, SKIPPED]}, {"advisories": {}}, 0, "page: 0 known"),
        ({"dependencies": [CLEAN, BAD]}, None, 1, "b 2: CVE-1"),
        (None, {"advisories": {"1": {"module_name": "d", "title": "e"}}}, 1, "d: e"),
    ],
)
def test_audit(
    audit: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    python: dict[str, Any] | None,
    page: dict[str, Any] | None,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(audit, "ask", lambda command: python if command == audit.PYTHON else page)
    assert audit.main() == code
    assert said in capsys.readouterr().out
