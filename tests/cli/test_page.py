"""The page of a scan: all in one file, and no name in the data can become markup."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from model_heritage_backend.cli import page
from model_heritage_backend.cli.main import app
from model_heritage_backend.cli.page import DATA_BEGINS, write_page
from model_heritage_backend.errors import InvalidRequest

HOSTILE = "</script><script>alert(1)</script>.pt"


@pytest.fixture
def template(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "report.html"
    path.write_text(f"<head></head>{DATA_BEGINS}null</script><script>go()</script>")
    monkeypatch.setattr(page, "TEMPLATE", path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return path


def test_the_data_stay_data(template: Path) -> None:
    text = write_page({"models": [{"path": HOSTILE}]}, title="<b>", sizes={HOSTILE: 3})
    assert text.count("<script") == 2
    assert text.endswith("</script><script>go()</script>")
    found = re.search(re.escape(DATA_BEGINS) + "(.*?)</script>", text)
    assert found is not None
    data = json.loads(found[1])
    assert data["document"]["models"][0]["path"] == HOSTILE
    assert (data["title"], data["sizes"]) == ("<b>", {HOSTILE: 3})


def test_scan_writes_it(template: Path, tmp_path: Path) -> None:
    (tmp_path / "lake").mkdir()
    target = tmp_path / "out.html"
    result = CliRunner().invoke(app, ["scan", str(tmp_path / "lake"), "--html", str(target)])
    assert result.exit_code == 0
    assert '"title":"lake"' in target.read_text()


def test_a_page_that_was_not_built_is_told_before_the_scan(template: Path, tmp_path: Path) -> None:
    template.unlink()
    with pytest.raises(InvalidRequest, match="not built"):
        CliRunner().invoke(
            app, ["scan", str(tmp_path), "--html", str(tmp_path / "a")], catch_exceptions=False
        )
