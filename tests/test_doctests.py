"""The examples in the docstrings of the Python interface, run.

They speak of ``models``, a folder with the checkpoints base, tuned and half; of ``store``, in
memory, with these three; of ``server``, the address of a running one; and of what earlier examples
of the same module have made.
"""

from __future__ import annotations

import doctest
import importlib
import inspect
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import matplotlib as mpl
import pytest

from model_heritage_backend.client import Client
from model_heritage_backend.clustering import InMemoryStore
from tests.processes import RealServer
from tests.tiny_models import make_tiny_models

HERE = "model_heritage_backend"
PURE = [
    HERE,
    f"{HERE}.scanning.extras",
    f"{HERE}.scanning.heritage",
    f"{HERE}.scanning.member",
    f"{HERE}.scanning.placing",
    f"{HERE}.client.problems",
    f"{HERE}.clustering.memory_store",
    f"{HERE}.services.library",
    f"{HERE}.clustering.model_management",
    f"{HERE}.clustering.distance_calculator",
    f"{HERE}.clustering.family_clustering",
    f"{HERE}.clustering.tree_builder",
    f"{HERE}.clustering.mother_utils",
]
ASKING = [f"{HERE}.client", f"{HERE}.client.client", f"{HERE}.client.jobs"]
MUST_SHOW = {
    f"{HERE}.scanning.heritage": ["Heritage", "scan", "load_heritage", "compare"],
    f"{HERE}.scanning.member": ["HeritageModel"],
    f"{HERE}.client.client": ["Client"],
    f"{HERE}.client.jobs": ["JobClient"],
    f"{HERE}.clustering.model_management": ["ModelManagementSystem"],
    f"{HERE}.clustering.mother_utils": [
        "load_model_weights",
        "is_square",
        "calc_ku",
        "calculate_l2_distance",
        "weigh_direction",
        "build_tree",
    ],
}
"""Classes and functions of which every public member has an example."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("xdg")))
        yield make_tiny_models(tmp_path_factory.mktemp("models"))


def run_examples(module: ModuleType, names: dict[str, Any]) -> int:
    """Run a module's examples from top to bottom; gives how many there were."""
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    tried = 0
    found = doctest.DocTestFinder().find(module, module.__name__)
    # Of properties the line is not known; they come last.
    for test in sorted(found, key=lambda test: math.inf if test.lineno is None else test.lineno):
        test.globs = vars(module) | names
        result = runner.run(test, out=report.append, clear_globs=False)
        assert result.failed == 0, "".join(report)
        tried += result.attempted
        names |= {name: value for name, value in test.globs.items() if name not in vars(module)}
    return tried


@pytest.mark.parametrize("name", PURE)
def test_examples(name: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = InMemoryStore()
    for path in sorted(models.glob("*.safetensors")):
        store.add_model(path)
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"backend": "agg"}):
        names: dict[str, Any] = {"models": models, "store": store}
        assert run_examples(importlib.import_module(name), names) > 0


def test_examples_with_a_server(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
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
        if not name.startswith("_") and (
            inspect.isfunction(member) or isinstance(member, property)
        ):
            yield name, member


@pytest.mark.parametrize(("module", "name"), [(m, n) for m, ns in MUST_SHOW.items() for n in ns])
def test_everything_public_has_an_example(module: str, name: str) -> None:
    shown = getattr(importlib.import_module(module), name)
    members = [(name, shown), *(list_public(shown) if inspect.isclass(shown) else [])]
    without = [of for of, member in members if ">>> " not in (inspect.getdoc(member) or "")]
    assert without == []
