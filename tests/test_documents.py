"""Every command and program in README.md and docs/, run as a reader would, page by page.

Each page has a home of its own with three models in ``~/checkpoints`` and again in the hub's cache,
and with ``unknown.safetensors``, which came from one of them; and a server where it speaks of one
that it does not start. What cannot run says so in its first line, with the reason.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
import yaml
from threadpoolctl import threadpool_limits

from model_heritage_backend.config import PROJECT
from tests.documents import BLOCK, HERE, NOT_RUN, Shell, place_in_test, read_steps, take_shown
from tests.processes import RealServer
from tests.tiny_models import make_hub_cache, make_tiny_models, make_unknown

TOUR = PROJECT / "docs" / "api.md"
PAGES = [PROJECT / "README.md", *sorted((PROJECT / "docs").rglob("*.md"))]
LANGUAGES = {"bash", "python", "json", "text", "yaml"}
MOST_NOT_RUN = 8
SERVES = "model-heritage serve"


def name_page(page: Path) -> str:
    return page.relative_to(PROJECT).as_posix()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A reader's home, with some models; also the folder in which a page is run."""
    home = tmp_path / "home"
    make_tiny_models(home / "checkpoints")
    make_unknown(home)
    make_hub_cache(home)
    monkeypatch.setenv("HOME", str(home))
    for name in list(os.environ):
        if name.startswith(("XDG_", "MODEL_HERITAGE_", "HF_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(home)
    return home


def install_command(folder: Path) -> Path:
    """A folder with the command ``model-heritage``, as pip would install it."""
    folder.mkdir()
    command = folder / "model-heritage"
    command.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path[:0] = [{str(PROJECT)!r}]\n"
        "from model_heritage_backend.__main__ import main\nsys.exit(main())\n"
    )
    command.chmod(0o755)
    return folder


@contextlib.contextmanager
def serve_if_needed(text: str, folder: Path) -> Iterator[int]:
    """The port of a server for a page that speaks of one."""
    if HERE not in text or any(SERVES in step.commands for step in read_steps(text)):
        yield RealServer.find_port()
    else:
        with RealServer(folder) as server:
            yield server.port


def run_python(program: str, names: dict[str, object], place: str) -> str:
    with (
        contextlib.redirect_stdout(io.StringIO()) as output,
        mpl.rc_context({"backend": "agg"}),
        threadpool_limits(1),
    ):
        exec(compile(program, place, "exec"), names)
    return output.getvalue()


def list_tested() -> list[Path]:
    return [page for page in PAGES if page != TOUR and read_steps(page.read_text())]


@pytest.mark.parametrize("page", list_tested(), ids=name_page)
def test_a_page(page: Path, home: Path, tmp_path: Path) -> None:
    text = page.read_text()
    commands = install_command(tmp_path / "bin")
    with serve_if_needed(text, tmp_path / "uploads") as port:
        environment = {
            "PATH": f"{commands}:{os.environ['PATH']}",
            "MODEL_HERITAGE_PORT": str(port),
            "MODEL_HERITAGE_DATA_DIR": str(tmp_path / "uploads"),
            "OMP_NUM_THREADS": "1",
            # A server in the background would write its log between the answers.
            "MODEL_HERITAGE_LOG_LEVEL": "WARNING",
        }
        shell = Shell(home, port, environment)
        names: dict[str, object] = {"__name__": "__main__"}
        try:
            for step in read_steps(text):
                place = f"{name_page(page)}:{step.line}"
                try:
                    if step.kind == "bash":
                        output = shell.run(step.commands)
                    else:
                        program = place_in_test(step.commands, f"127.0.0.1:{port}")
                        output = run_python(program, names, place)
                    for kind, shown in step.shown:
                        output = take_shown(kind, shown, output)
                except AssertionError as error:
                    raise AssertionError(f"{place}: {error}") from error
        finally:
            shell.close()


def test_nearly_everything_is_run() -> None:
    reasons = []
    for page in PAGES:
        text = page.read_text()
        assert len(BLOCK.findall(text)) == text.count("```") / 2, f"{name_page(page)}: odd fences"
        for language, content in BLOCK.findall(text):
            assert language in LANGUAGES, f"{name_page(page)}: {language!r}, {content[:60]}"
            if language == "yaml":
                yaml.safe_load(content)
            if found := NOT_RUN.match(content):
                reasons.append(f"{name_page(page)}: {found.group(1)}")
    assert len(reasons) <= MOST_NOT_RUN, reasons
