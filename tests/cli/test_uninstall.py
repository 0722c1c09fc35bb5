from __future__ import annotations

from pathlib import Path

import pytest

from model_heritage_backend.cli.uninstall import main


def test_what_is_left(
    tmp_path: Path,
    plain_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data, cache = tmp_path / "data", tmp_path / "cache" / "model-heritage"
    monkeypatch.setenv("MODEL_HERITAGE_DATA_DIR", str(data))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache.parent))
    monkeypatch.setattr("model_heritage_backend.cli.uninstall.find_config_file", lambda: None)
    assert main() == 0
    assert "nothing" in capsys.readouterr().out
    data.mkdir()
    cache.mkdir(parents=True)
    assert main() == 0
    told = capsys.readouterr().out
    assert f"{data} " in told
    assert f"{cache} " in told
    assert data.is_dir()
