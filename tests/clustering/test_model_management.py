"""A model goes in, its place comes out: as if all models had been there from the start."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering.genealogy import Edge
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.model_management import ModelManagementSystem
from model_heritage_backend.clustering.store import HeritageStore
from model_heritage_backend.clustering.tree_builder import TreeBuildingMethod
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint
from model_heritage_backend.weights import open_weights
from tests.clustering.families import make_model
from tests.clustering.models import fingerprint_file
from tests.models.conftest import MakeDatabase
from tests.models.conftest import make_database as make_database
from tests.models.test_sql_store import make_sql_shelf


def collect(store: HeritageStore) -> set[tuple[frozenset[str], str | None, frozenset[str]]]:
    """All families by their checksums: members, root, and edges to the last digit of confidence."""
    checksum = {record.id: record.checksum for record in store.list_models()}

    def describe(edge: Edge) -> str:
        second = edge.evidence.runner_up
        plain = edge.evidence.to_dict() | {"runner_up": second and checksum[second]}
        ends = [checksum[edge.parent], checksum[edge.child], edge.relation.value, edge.main]
        return json.dumps([*ends, edge.confidence, edge.distance, edge.coefficient, plain])

    return {
        (
            frozenset(checksum[member] for member in family.tree.members),
            checksum[family.tree.root] if family.tree.root else None,
            frozenset(describe(edge) for edge in family.tree.edges),
        )
        for family in store.list_families()
    }


@pytest.fixture(scope="module")
def paths(zoo_family: Zoo, strangers: list[Path]) -> list[Path]:
    return [*(zoo_family.path(name) for name in sorted(zoo_family.ids)), *strangers]


@pytest.fixture(scope="module")
def lake(paths: list[Path]) -> ModelManagementSystem:
    """The family and four strangers, one after the other; not to be changed."""
    system = ModelManagementSystem()
    for path in paths:
        system.process_new_model(path)
    return system


@pytest.fixture
def names(lake: ModelManagementSystem, zoo_family: Zoo) -> dict[str, str]:
    """Human name -> id in the lake."""
    ids = {record.name: record.id for record in lake.store.list_models()}
    return {name: ids[stem] for name, stem in zoo_family.ids.items()}


def name_of(names: dict[str, str], model_id: str) -> str:
    """Of equal models the first name."""
    name = next(name for name, other in names.items() if other == model_id)
    return name.replace("noisy-copy", "noisy")


def test_families_are_found(lake: ModelManagementSystem, names: dict[str, str]) -> None:
    first, *others = lake.store.list_families()
    assert set(first.tree.members) == set(names.values())
    assert [len(family.tree.members) for family in others] == [1, 1, 1, 1]
    assert first.tree.root == names["base"]


def test_the_answer_to_an_upload(paths: list[Path], zoo_family: Zoo) -> None:
    system = ModelManagementSystem()
    base = system.process_new_model(zoo_family.path("base"))
    assert base == {
        "status": "success",
        "model_id": base["model_id"],
        "family_id": base["family_id"],
        "family_size": 1,
        "merged_families": [],
        "parent_id": None,
        "parent_confidence": None,
        "relation": None,
        "edge": None,
        "models_updated": 1,
        "assignment_confidence": 1.0,
        "candidates": [],
    }
    copy = system.process_new_model(zoo_family.path("base-bf16"))
    assert (copy["family_id"], copy["family_size"]) == (base["family_id"], 2)
    assert (copy["parent_id"], copy["relation"]) == (base["model_id"], "cast")
    assert copy["models_updated"] == 2
    assert copy["edge"].confidence == copy["parent_confidence"] > 0.5
    stranger = system.process_new_model(paths[-4])
    assert stranger["family_id"] != base["family_id"]
    assert (stranger["family_size"], stranger["models_updated"]) == (1, 1)


def test_processing_again_changes_nothing(zoo_family: Zoo) -> None:
    system = ModelManagementSystem()
    for name in ("base", "noisy", "noisy-int8"):
        first = system.process_new_model(zoo_family.path(name))
    before = collect(system.store)
    assert system.process_new_model(zoo_family.path("noisy-int8")) == first
    assert system.process_new_model(first["model_id"]) == first
    assert collect(system.store) == before


def test_a_link_joins_families(tmp_path: Path) -> None:
    """front and back share no matrix; whole has those of both."""
    whole = make_model(1)
    parts = {"whole": whole}
    for name, block in (("front", ".0."), ("back", ".1.")):
        parts[name] = {n: a for n, a in whole.items() if block in n}
    for name, arrays in parts.items():
        save_file(arrays, tmp_path / f"{name}.safetensors")
    system = ModelManagementSystem()
    front, back, joined = (
        system.process_new_model(tmp_path / f"{name}.safetensors")
        for name in ("front", "back", "whole")
    )
    assert front["family_id"] != back["family_id"]
    assert {joined["family_id"], *joined["merged_families"]} == {
        front["family_id"],
        back["family_id"],
    }
    assert (joined["family_size"], joined["models_updated"]) == (3, 3)
    assert len(system.store.list_families()) == 1
    system.remove_model(joined["model_id"])
    assert [len(family.tree.members) for family in system.store.list_families()] == [1, 1]


@pytest.mark.parametrize("seed", range(3))
def test_no_order_of_arrival_matters(
    seed: int, paths: list[Path], lake: ModelManagementSystem
) -> None:
    """Edges, confidences and all evidence: one by one in any order, or all at once."""
    shuffled = list(paths)
    random.Random(seed).shuffle(shuffled)
    system = ModelManagementSystem()
    for path in shuffled:
        system.process_new_model(path)
    grown = collect(system.store)
    assert grown == collect(lake.store)
    system.recluster_all_models()
    assert collect(system.store) == grown


def test_no_restart_matters(paths: list[Path], lake: ModelManagementSystem) -> None:
    """Each model meets an engine that knows nothing but the store."""
    store = InMemoryStore()
    for path in reversed(paths):
        ModelManagementSystem(store).process_new_model(path)
    assert collect(store) == collect(lake.store)


def test_no_store_matters(
    paths: list[Path],
    lake: ModelManagementSystem,
    tmp_path: Path,
    make_database: MakeDatabase,
) -> None:
    """The same genealogy from a database, where ids are random."""
    shelf = make_sql_shelf(tmp_path, make_database, cache_bytes=1 << 28)
    system = ModelManagementSystem(shelf.store)
    for path in paths:
        system.process_new_model(shelf.put(path))
    assert collect(shelf.store) == collect(lake.store)


def cluster(paths: Sequence[Path]) -> ModelManagementSystem:
    """All at once."""
    system = ModelManagementSystem()
    for path in paths:
        system.store.add_model(path)
    system.recluster_all_models()
    return system


@pytest.mark.parametrize("name", ["base", "rotated"])
def test_a_removed_model_leaves_the_tree_of_the_others(
    name: str, paths: list[Path], zoo_family: Zoo
) -> None:
    """As if it had never been there: also when it was the root, or a parent of a merge."""
    gone, system = zoo_family.path(name), cluster(paths)
    model_id = system.store.add_model(gone)
    answer = system.remove_model(model_id)
    assert answer == {"status": "success", "model_id": model_id, "models_updated": 11}
    with pytest.raises(NotFound):
        system.store.get_model(model_id)
    others = cluster([path for path in paths if path != gone])
    assert collect(system.store) == collect(others.store)


def test_removing_the_last_member_removes_the_family(zoo_family: Zoo) -> None:
    system = ModelManagementSystem()
    only = system.process_new_model(zoo_family.path("base"))
    assert system.remove_model(only["model_id"])["models_updated"] == 0
    assert system.store.list_families() == []
    with pytest.raises(NotFound):
        system.remove_model(only["model_id"])


def test_reclustering_reports_its_progress(paths: list[Path]) -> None:
    system = ModelManagementSystem()
    for path in paths[:3] + paths[-2:]:
        system.store.add_model(path)
    steps: list[tuple[float, str]] = []
    answer = system.recluster_all_models(lambda share, stage: steps.append((share, stage)))
    counts = {"families": 3, "families_solved": 3, "models_updated": 5}
    assert answer == {"status": "success"} | counts
    shares = [share for share, _ in steps]
    assert shares == sorted(shares)
    assert (shares[0], steps[-1]) == (0.0, (1.0, "done"))
    assert "solving family 2 of 3" in [stage for _, stage in steps]
    assert ModelManagementSystem().recluster_all_models()["families"] == 0


def test_families_keep_their_ids(paths: list[Path]) -> None:
    system = ModelManagementSystem()
    for path in paths[:3] + paths[-2:]:
        system.process_new_model(path)
    before = {family.id: family.tree.members for family in system.store.list_families()}
    system.recluster_all_models()
    assert {family.id: family.tree.members for family in system.store.list_families()} == before


def test_rebuilding_one_family(lake: ModelManagementSystem, names: dict[str, str]) -> None:
    family_id = str(lake.store.get_model(names["base"]).family_id)
    before = collect(lake.store)
    answer = lake.rebuild_family_tree(family_id)
    assert {key: answer[key] for key in ("status", "family_id", "models_updated")} == {
        "status": "success",
        "family_id": family_id,
        "models_updated": len(set(names.values())),
    }
    assert answer["tree_statistics"]["root"] == names["base"]
    assert collect(lake.store) == before
    with pytest.raises(NotFound):
        lake.rebuild_family_tree("none")


def list_ids(relatives: Sequence[dict[str, Any]]) -> set[str]:
    return {relative["id"] for relative in relatives}


def test_lineage(lake: ModelManagementSystem, names: dict[str, str]) -> None:
    """base ─┬─ noisy ─┬─ noisy-odd ── noisy-odd-lora
    └─ rotated ── noisy-rotated (of noisy as well)
    """
    lora = lake.get_model_lineage(names["noisy-odd-lora"])
    assert lora["parent"]["id"] == names["noisy-odd"]
    assert lora["parent"]["relation"] == "adapter"
    assert lora["parent"]["evidence"]["delta_rank"] == 4
    assert "The changes have a rank of 4: the mark of an adapter." in lora["parent"]["reasons"]
    second = lora["parent"]["runner_up"]
    assert second["id"] == lora["parent"]["evidence"]["runner_up"]
    assert second["confidence"] < lora["parent"]["confidence"]
    ancestors = [name_of(names, relative["id"]) for relative in lora["ancestors"]]
    assert ancestors == ["noisy-odd", "noisy", "base"]
    assert [relative["relation"] is None for relative in lora["ancestors"]] == [False, False, True]
    assert (lora["children"], lora["descendants"], lora["siblings"]) == ([], [], [])
    merge = lake.get_model_lineage(names["noisy-rotated"])
    assert merge["parent"]["id"] == names["rotated"]
    (other,) = merge["other_parents"]
    assert name_of(names, other["id"]) == "noisy"
    assert (other["main"], other["coefficient"]) == (False, pytest.approx(0.4, abs=1e-4))
    assert {names["rotated-pruned"], names["rotated-last-layers"]} == list_ids(merge["siblings"])
    odd = lake.get_model_lineage(names["noisy-odd"])
    assert names["noisy-rotated"] not in list_ids(odd["siblings"]), "its main parent is another"
    base = lake.get_model_lineage(names["base"])
    assert base["parent"] is None
    assert list_ids(base["descendants"]) == set(names.values()) - {names["base"]}
    below = lake.get_model_lineage(other["id"])["descendants"]
    assert names["noisy-rotated"] in list_ids(below), "the merge's other parent has it, too"
    with pytest.raises(NotFound):
        lake.get_model_lineage("nobody")


def test_lineage_of_a_model_that_was_not_processed(zoo_family: Zoo) -> None:
    system = ModelManagementSystem()
    alone = system.get_model_lineage(system.store.add_model(zoo_family.path("base")))
    assert (alone["family_id"], alone["parent"], alone["children"]) == (None, None, [])


def test_genealogy_and_statistics(lake: ModelManagementSystem, names: dict[str, str]) -> None:
    family_id = str(lake.store.get_model(names["base"]).family_id)
    genealogy = lake.get_family_genealogy(family_id)
    size = len(set(names.values()))
    assert genealogy["family"]["size"] == size
    assert {record.id for record in genealogy["models"]} == set(names.values())
    assert genealogy["tree"] == lake.store.get_family(family_id).tree
    assert genealogy["statistics"]["node_count"] == size
    statistics = lake.get_system_statistics()
    edges = genealogy["tree"].edges
    assert statistics["total_models"] == size + 4
    assert (statistics["total_families"], statistics["largest_family"]) == (5, size)
    assert statistics["total_edges"] == len(edges) == sum(statistics["relations"].values())
    assert statistics["resolved_edges"] == sum(edge.confidence >= 0.5 for edge in edges)
    mean = sum(edge.confidence for edge in edges) / len(edges)
    assert statistics["mean_confidence"] == pytest.approx(mean)
    assert statistics["average_family_size"] == pytest.approx((size + 4) / 5)
    empty = ModelManagementSystem().get_system_statistics()
    assert (empty["total_models"], empty["mean_confidence"]) == (0, None)


def identify(system: ModelManagementSystem, path: Path) -> dict[str, Any]:
    return system.identify(fingerprint_file(path), lambda: open_weights(path))


def test_identifying_stores_nothing(paths: list[Path], zoo_family: Zoo) -> None:
    """The answer is what an upload would give."""
    system = ModelManagementSystem()
    newcomer = zoo_family.path("noisy-odd-lora")
    for path in paths:
        if path != newcomer:
            system.process_new_model(path)
    before = (collect(system.store), system.store.list_models())
    known = len(system.tree_builder.pairs.details)
    answer = identify(system, newcomer)
    learnt = len(system.tree_builder.pairs.details) - known
    assert 0 < learnt < len(zoo_family.paths), "only the visitor's own pairs are looked at"
    assert (collect(system.store), system.store.list_models()) == before
    uploaded = system.process_new_model(newcomer)
    for key in ("family_id", "parent_id", "relation"):
        assert answer[key] == uploaded[key]
    assert answer["confidence"] == uploaded["parent_confidence"]
    assert answer["edge"].evidence.exact
    assert answer["candidates"][0]["id"] == uploaded["parent_id"]
    assert answer["candidates"][1]["id"] == uploaded["edge"].evidence.runner_up
    confidences = [candidate["confidence"] for candidate in answer["candidates"]]
    assert confidences == sorted(confidences, reverse=True)
    assert answer["children"] == []


def test_identifying_an_ancestor_names_its_children(paths: list[Path], zoo_family: Zoo) -> None:
    system = ModelManagementSystem()
    ids = {}
    for path in paths:
        if path != zoo_family.path("base"):
            ids[path] = system.process_new_model(path)["model_id"]
    answer = identify(system, zoo_family.path("base"))
    assert ids[zoo_family.path("base-bf16")] in list_ids(answer["children"])


def test_identifying_a_stranger(lake: ModelManagementSystem, paths: list[Path]) -> None:
    system = ModelManagementSystem()
    system.process_new_model(paths[0])
    answer = identify(system, paths[-1])
    assert (answer["family_id"], answer["parent_id"], answer["candidates"]) == (None, None, [])


def test_identifying_from_a_fingerprint_alone(
    lake: ModelManagementSystem, names: dict[str, str], family_prints: dict[str, Fingerprint]
) -> None:
    """The stored file of the same bytes has been read before: nothing else is exact."""
    answer = lake.identify(family_prints["noisy-int8"])
    assert answer["family_id"] == lake.store.get_model(names["base"]).family_id


def test_comparing(lake: ModelManagementSystem, names: dict[str, str]) -> None:
    answer = lake.compare(names["base"], names["inverted-lora"])
    assert answer["related"]
    assert "low rank" not in answer["summary"], "the head was trained whole"
    assert answer["distance"] > 0
    with pytest.raises(NotFound):
        lake.compare(names["base"], "nobody")


def test_without_exact_refinement(paths: list[Path], zoo_family: Zoo) -> None:
    """Files are not opened again."""
    system = ModelManagementSystem(exact=False)
    for name in ("base", "noisy", "base-bf16"):
        system.process_new_model(zoo_family.path(name))
    edges = system.store.list_families()[0].tree.edges
    assert len(edges) == 2
    assert not any(edge.evidence.exact for edge in edges)


def test_models_without_files_are_placed_by_fingerprints(
    family_prints: dict[str, Fingerprint],
) -> None:
    """Their edges say that nothing more was compared."""
    store = InMemoryStore()
    for name in ("base", "noisy"):
        store.add_fingerprint(family_prints[name], id=name, name=name)
    ModelManagementSystem(store).recluster_all_models()
    (edge,) = store.list_families()[0].tree.edges
    assert not edge.evidence.exact


def test_the_methods_of_the_specification_are_stored_as_such(zoo_family: Zoo) -> None:
    for method in TreeBuildingMethod:
        system = ModelManagementSystem(tree_method=method)
        for name in ("base", "noisy", "noisy-odd"):
            answer = system.process_new_model(zoo_family.path(name))
        tree = system.store.get_family(answer["family_id"]).tree
        assert tree.method == method.value
        assert system.get_system_statistics()["tree_method"] == method.value
