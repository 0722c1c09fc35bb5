"""Writing zoos: files, truth, cache."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from safetensors.torch import load_file

from benchmarks import wild, zoo
from benchmarks.architectures import Architecture, Kind
from benchmarks.family import Family, Member
from benchmarks.operations import same_values
from benchmarks.tasks import CHARACTERS
from benchmarks.training import Recipe

TINY = Architecture(kind=Kind.MLP, width=32, depth=2, hidden=16, outputs=10)
TEXT = Architecture(kind=Kind.GPT, width=16, depth=1, hidden=16, outputs=len(CHARACTERS), context=8)


def plant(architecture: Architecture) -> Family:
    family = Family("F")
    family.plant(architecture, Recipe(steps=2), random.Random(0))
    return family


def grow_tiny(seed: int, _models: int | None, _families: int | None) -> Iterator[Family]:
    family = plant(TINY)
    family.add(family.prune(family.root, share=0.2 + seed / 100))
    family.add(family.merge(family.root, family.members[1], coefficient=0.25))
    yield family


@pytest.fixture
def tiny_kind(monkeypatch: pytest.MonkeyPatch) -> str:
    """A kind of zoo that takes no time."""
    monkeypatch.setitem(zoo.KINDS, "tiny", grow_tiny)
    return "tiny"


def test_files_match_the_truth(tmp_path: Path, tiny_kind: str) -> None:
    made = zoo.get_zoo(tiny_kind, 1, cache=tmp_path)
    assert [path.name for path in made.paths] == [m["file"] for m in made.truth["models"]]
    assert len(made.paths) == 3
    assert made.true_parents("F-2") == ["F-1", "F-0"], "the larger share comes first"
    assert [e["coefficient"] for e in made.truth["edges"]] == [None, 0.75, 0.25]
    assert made.truth["families"] == [
        {"id": "F", "root": made.ids["F-0"], "architecture": "mlp", "size": 3}
    ]


def test_a_zoo_is_made_once(tmp_path: Path, tiny_kind: str) -> None:
    first = zoo.get_zoo(tiny_kind, 1, cache=tmp_path)
    stamp = first.paths[0].stat().st_mtime_ns
    assert zoo.get_zoo(tiny_kind, 1, cache=tmp_path).paths[0].stat().st_mtime_ns == stamp
    assert zoo.get_zoo(tiny_kind, 2, cache=tmp_path).folder != first.folder


def test_the_same_seed_gives_the_same_files(tmp_path: Path, tiny_kind: str) -> None:
    one = zoo.get_zoo(tiny_kind, 1, cache=tmp_path / "one")
    two = zoo.get_zoo(tiny_kind, 1, cache=tmp_path / "two")
    assert {p.name: p.read_bytes() for p in one.paths} == {
        p.name: p.read_bytes() for p in two.paths
    }


def test_a_failed_run_leaves_nothing(tmp_path: Path) -> None:
    def fail(out: Path) -> None:
        out.mkdir()
        raise FloatingPointError

    with pytest.raises(FloatingPointError):
        zoo.cached(tmp_path / "zoo", fail)
    assert list(tmp_path.iterdir()) == []


def test_the_command_writes_a_zoo(
    tmp_path: Path, tiny_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zoo, "CACHE", tmp_path / "cache")
    out = tmp_path / "out"
    assert zoo.main([str(out), "--kind", tiny_kind, "--seed", "4"]) == 0
    truth = json.loads((out / "truth.json").read_text())
    assert truth["generator"]["seed"] == 4
    assert all(load_file(out / model["file"]) for model in truth["models"])
    with pytest.raises(SystemExit):
        zoo.main([str(out), "--kind", tiny_kind])


def list_operations(kind: Kind) -> list[str]:
    """Operations that exist for an architecture."""
    missing = {"vocabulary"} if kind is Kind.MLP else {"new_head"}
    return [name for name in wild.OPERATIONS if name not in missing]


@pytest.mark.parametrize(
    ("architecture", "name"),
    [(a, name) for a in (TINY, TEXT) for name in list_operations(a.kind)],
)
def test_every_wild_operation_bears_a_child(
    architecture: Architecture, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    family = plant(architecture)
    far = {n: v + 0.1 * v.abs().mean() for n, v in family.root.weights.items()}
    family.add(replace(family.root, name="F-1", weights=far))
    draw = wild.draw_recipe

    def draw_short(rng: random.Random, *, low_rank: bool = False) -> Recipe:
        return replace(draw(rng, low_rank=low_rank), steps=2)

    monkeypatch.setattr(wild, "draw_recipe", draw_short)
    child = wild.OPERATIONS[name][1](family, family.root, random.Random(5))
    assert isinstance(child, Member)
    assert child.relation is not None
    assert child.parents[0][0] in family.members
    assert same_values(child.weights, family.root.weights) == (name == "duplicate")


def test_a_merge_needs_two_different_models() -> None:
    family = plant(TINY)
    assert wild.OPERATIONS["merge"][1](family, family.root, random.Random(0)) is None
