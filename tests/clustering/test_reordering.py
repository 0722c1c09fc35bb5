"""Families with members whose units are in another order: solved as if they were not."""

from __future__ import annotations

from pathlib import Path

import pytest
from safetensors.numpy import save_file

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.exact_source import StoredEvidence
from model_heritage_backend.clustering.genealogy import Edge, FamilyTree, Relation
from model_heritage_backend.clustering.heritage import solve_family
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.fingerprints.names import canonicalise_names
from tests.clustering.alterations import (
    Array,
    number_tensors,
    permute_hidden,
    permute_residual,
    scale_values,
)
from tests.clustering.models import fingerprint_file, load_arrays

MEMBERS = ("base", "noisy", "inverted-lora")


def permute(arrays: dict[str, Array]) -> dict[str, Array]:
    return permute_residual(permute_hidden(arrays, 3), 4)


@pytest.fixture(scope="module")
def arrays(zoo_family: Zoo) -> dict[str, dict[str, Array]]:
    found = {}
    for member in MEMBERS:
        loaded = load_arrays(zoo_family.path(member))
        names = canonicalise_names(loaded)
        found[member] = {names[name]: array for name, array in loaded.items()}
    return found


def solve(
    folder: Path, models: dict[str, dict[str, Array]], *, backwards: bool = False
) -> FamilyTree:
    """From files, members by name."""
    folder.mkdir(exist_ok=True)
    store = InMemoryStore()
    prints = {}
    for name, weights in models.items():
        path = folder / f"{name}.safetensors"
        save_file({n: a.copy() for n, a in weights.items()}, path)
        prints[name] = fingerprint_file(path)
        store.add_fingerprint(prints[name], id=name, name=name, path=path)
    ordered = sorted(prints, reverse=backwards)
    return solve_family({n: prints[n] for n in ordered}, exact=StoredEvidence(store))


def find_edge(tree: FamilyTree, *ends: str) -> Edge:
    return next(e for e in tree.edges if {e.parent, e.child} == set(ends))


def test_a_permuted_member_has_the_edges_it_would_have(
    tmp_path: Path, arrays: dict[str, dict[str, Array]]
) -> None:
    """Files are compared with the units in order: the evidence is the same."""
    plain = solve(tmp_path / "plain", arrays)
    altered = {**arrays, "noisy": permute(arrays["noisy"])}
    tree = solve(tmp_path / "altered", altered)
    assert {(e.parent, e.child) for e in tree.edges} == {(e.parent, e.child) for e in plain.edges}
    edge, known = (find_edge(t, "base", "noisy") for t in (tree, plain))
    assert edge.evidence.flags == ("reordered",)
    assert known.evidence.flags == ()
    assert edge.evidence.exact
    assert edge.evidence.signals == pytest.approx(known.evidence.signals, rel=1e-4, abs=1e-6)
    assert edge.confidence == pytest.approx(known.confidence, abs=1e-4)
    assert edge.relation is known.relation
    assert solve(tmp_path / "altered", altered, backwards=True) == tree


def test_a_permuted_copy_is_a_duplicate(
    tmp_path: Path, arrays: dict[str, dict[str, Array]]
) -> None:
    tree = solve(tmp_path, {"base": arrays["base"], "copy": permute(arrays["base"])})
    edge = find_edge(tree, "base", "copy")
    assert (edge.relation, edge.confidence) == (Relation.DUPLICATE, 0.5)
    assert edge.evidence.flags == ("reordered",)


def test_a_scaled_copy_computes_the_same(
    tmp_path: Path, arrays: dict[str, dict[str, Array]]
) -> None:
    tree = solve(tmp_path, {"base": arrays["base"], "copy": scale_values(arrays["base"], 5)})
    edge = find_edge(tree, "base", "copy")
    assert edge.relation is Relation.DUPLICATE
    assert edge.evidence.flags == ("rescaled",)
    assert edge.confidence < 0.75


def test_names_and_order_are_found_together(
    tmp_path: Path, arrays: dict[str, dict[str, Array]]
) -> None:
    altered = number_tensors(permute(arrays["noisy"]))
    tree = solve(tmp_path, {"base": arrays["base"], "noisy": altered})
    edge = find_edge(tree, "base", "noisy")
    known = solve(tmp_path, {n: arrays[n] for n in ("base", "noisy")}).edges[0]
    assert edge.distance == pytest.approx(known.distance, rel=0.02)
    assert edge.confidence > 0.5


def test_members_in_one_other_order_move_together(
    tmp_path: Path, arrays: dict[str, dict[str, Array]]
) -> None:
    """A model permuted before its children were trained: they keep their edges among each other."""
    moved = {"noisy": permute(arrays["noisy"]), "copy": permute(arrays["noisy"])}
    others = {n: arrays[n] for n in ("base", "inverted-lora")}
    copied = {**others, "third": arrays["base"], **moved}
    tree = solve(tmp_path, copied)
    assert find_edge(tree, "noisy", "copy").relation is Relation.DUPLICATE
    assert "base" in {e.parent for e in tree.edges if e.child in ("noisy", "copy")} or (
        "third" in {e.parent for e in tree.edges}
    )
    assert all(e.confidence > 0.3 for e in tree.edges)
