"""The documentation as a site: built strictly, without a network, and asking for none."""

from __future__ import annotations

import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import typer

from model_heritage_backend.cli.main import app
from model_heritage_backend.config import PROJECT

OFFLINE = """
import runpy, socket, sys

def refuse(*_):
    raise OSError("no network here")

socket.socket.connect = socket.getaddrinfo = refuse
sys.argv = ["mkdocs", "build", "--strict", "--quiet", "--site-dir", sys.argv[1]]
runpy.run_module("mkdocs", run_name="__main__")
"""
LOADED = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
ELSEWHERE = re.compile(r"^(https?:)?//")
NOT_LOADED = {"canonical", "next", "prev"}
"""Kinds of <link> that only name an address."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-c", OFFLINE, str(folder)]
    built = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert built.returncode == 0, built.stderr[-3000:]
    return folder


class Loads(HTMLParser):
    """Collects what a page makes the browser load."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if values.get("rel") not in NOT_LOADED:
            self.found += [v for name, v in attributes if v and (tag, name) in LOADED]


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 15
    for page in pages:
        loads = Loads()
        loads.feed(page.read_text(encoding="utf-8"))
        assert loads.found
        assert [address for address in loads.found if ELSEWHERE.match(address)] == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text()), sheet


def test_every_command_is_described(site: Path) -> None:
    page = (site / "reference" / "cli.html").read_text(encoding="utf-8")
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]  # (a group)
    shown = {name for name, command in commands.items() if not command.hidden}
    assert shown
    assert [name for name in shown if f"model-heritage {name}" not in page] == []
    assert "--cyclonedx" in page


def test_examples_of_the_python_interface_are_shown(site: Path) -> None:
    page = (site / "reference" / "python.html").read_text(encoding="utf-8")
    for name in ("Heritage.lineage", "Client.upload", "calc_ku", "HeritageStore.replace_families"):
        assert f".{name}" in page, name
