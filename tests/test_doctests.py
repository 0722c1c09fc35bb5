"""The examples in the docstrings of the Python interface, run.

They speak of ``models``, a folder with the checkpoints base, tuned and half; of ``server``, the
address of a running server; and of what earlier examples of the same module have made.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import pytest

from model_heritage_backend import load_heritage, scan
from model_heritage_backend.client import Client
from tests.processes import RealServer
from tests.tiny_models import make_tiny_models

HERE = "model_heritage_backend"
PURE = [HERE, f"{HERE}.scanning.heritage", f"{HERE}.scanning.placing", f"{HERE}.client.problems"]
ASKING = [f"{HERE}.client", f"{HERE}.client.client"]
MUST_SHOW = {
    f"{HERE}.scanning.heritage": ["Heritage", "scan", "load_heritage", "compare"],
    f"{HERE}.client.client": ["Client"],
}
"""Classes and functions of which every public member has an example."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("xdg")))
        yield make_tiny_models(tmp_path_factory.mktemp("models"))


def run_examples(module: ModuleType, names: dict[str, Any]) -> int:
    """Run a module's examples, in the order of their names; gives how many there were."""
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    tried = 0
    for test in doctest.DocTestFinder(exclude_empty=True).find(module, module.__name__):
        test.globs = vars(module) | names
        result = runner.run(test, out=report.append, clear_globs=False)
        assert result.failed == 0, "".join(report)
        tried += result.attempted
        names |= {name: value for name, value in test.globs.items() if name not in vars(module)}
    return tried


@pytest.mark.parametrize("name", PURE)
def test_examples(name: str, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(models)
    with mpl.rc_context({"backend": "agg"}):
        assert run_examples(importlib.import_module(name), {"models": models}) > 0


def test_examples_with_a_server(models: Path, tmp_path: Path) -> None:
    with RealServer(tmp_path / "uploads") as server:
        names: dict[str, Any] = {"models": models, "server": f"http://127.0.0.1:{server.port}"}
        for name in ASKING:
            assert run_examples(importlib.import_module(name), names) > 0
        client = names["client"]
        assert isinstance(client, Client)
        client.close()


def list_public(owner: object) -> Iterator[tuple[str, object]]:
    """Functions and properties that a class defines itself, under names for everybody."""
    for name, member in vars(owner).items():
        if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property)):
            yield name, member


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, ns in MUST_SHOW.items() for n in ns])
def test_everything_public_has_an_example(module: str, name: str) -> None:
    shown = getattr(importlib.import_module(module), name)
    members = [(name, shown), *(list_public(shown) if inspect.isclass(shown) else [])]
    without = [of for of, member in members if ">>> " not in (inspect.getdoc(member) or "")]
    assert without == []
