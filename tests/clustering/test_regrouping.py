"""Around splits, too, a family grown one by one is what a fresh start gives."""

from __future__ import annotations

from model_heritage_backend.clustering.genealogy import FamilyTree
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.statements import Kind, Statement
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.families import make_model
from tests.clustering.models import add_noise, fingerprint_arrays

BASE = make_model(1)
LEFT = add_noise(BASE, share=0.3, seed=1)
RIGHT = add_noise(BASE, share=0.3, seed=2)
PRINTS = {
    name: fingerprint_arrays(arrays)
    for name, arrays in {
        "left": LEFT,
        "left-leaf": add_noise(LEFT, share=0.1, seed=3),
        "right": RIGHT,
        "right-leaf": add_noise(RIGHT, share=0.1, seed=4),
        "base": BASE,
        "right-new": add_noise(RIGHT, share=0.1, seed=5),
        "stranger": make_model(7),
    }.items()
}
SPLIT = Statement(
    id="c1",
    kind=Kind.SPLIT,
    author="Ann",
    models=frozenset({"left", "left-leaf"}),
    others=frozenset({"right", "right-leaf"}),
)


def add(system: ModelManagementSystem, *names: str) -> None:
    store = system.store
    assert isinstance(store, InMemoryStore)
    for name in names:
        print_: Fingerprint = PRINTS[name]
        store.add_fingerprint(print_, id=name, name=name)
        system.process_new_model(name)


def list_trees(system: ModelManagementSystem) -> list[FamilyTree]:
    trees = [family.tree for family in system.store.list_families()]
    return sorted(trees, key=lambda tree: tree.members)


def list_groups(system: ModelManagementSystem) -> set[tuple[str, ...]]:
    return {tree.members for tree in list_trees(system)}


def check_fresh_start(system: ModelManagementSystem) -> None:
    grown = list_trees(system)
    system.recluster_all_models()
    assert list_trees(system) == grown


def make_split() -> ModelManagementSystem:
    system = ModelManagementSystem()
    add(system, "left", "left-leaf", "right", "right-leaf", "stranger")
    system.corrections.add(SPLIT)
    return system


def test_a_split_family_is_two() -> None:
    system = make_split()
    assert list_groups(system) == {
        ("left", "left-leaf"),
        ("right", "right-leaf"),
        ("stranger",),
    }
    check_fresh_start(system)


def test_who_comes_later_goes_with_the_nearest() -> None:
    system = make_split()
    add(system, "right-new", "base")
    groups = list_groups(system)
    assert any({"right", "right-new"} <= set(group) for group in groups)
    assert len(groups) == 3
    check_fresh_start(system)


def test_who_loses_a_relative_may_change_sides() -> None:
    system = make_split()
    add(system, "base", "right-new")
    for name in ("right", "right-leaf"):
        system.remove_model(name)
        check_fresh_start(system)
    assert list(system.store.list_statements()) == []
    assert len(list_groups(system)) == 2


def test_taking_it_back_joins_them_again() -> None:
    system = ModelManagementSystem()
    add(system, "left", "left-leaf", "right", "right-leaf", "stranger")
    before = list_trees(system)
    system.corrections.add(SPLIT)
    assert list_trees(system) != before
    system.corrections.remove(SPLIT)
    assert list_trees(system) == before


def test_identifying_sees_the_family_that_an_upload_would_join() -> None:
    system = make_split()
    found = system.identify(PRINTS["right-new"])
    assert found["family_id"] == system.store.get_model("right").family_id
    add(system, "right-new")
    edge = system.store.get_family(found["family_id"]).tree.main_edges["right-new"]
    assert (found["parent_id"], found["confidence"]) == (edge.parent, edge.confidence)


def test_strangers_are_joined_and_let_go() -> None:
    system = make_split()
    before = list_trees(system)
    confirm = Statement(
        id="c2", kind=Kind.CONFIRM, author="Ann", model="stranger", parent="right-leaf"
    )
    system.corrections.add(confirm)
    assert ("right", "right-leaf", "stranger") in list_groups(system)
    check_fresh_start(system)
    system.corrections.remove(confirm)
    assert list_trees(system) == before
