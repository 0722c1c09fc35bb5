from __future__ import annotations

import pytest

from model_heritage_backend.clustering import ModelManagementSystem, reclustering
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.routes import RouteBlock
from model_heritage_backend.clustering.solutions import is_solved, mark_round
from model_heritage_backend.clustering.statements import Kind, Statement
from model_heritage_backend.clustering.store import Cause, Change
from model_heritage_backend.fingerprints import Fingerprint
from tests.clustering.synthetic import draw_structures, grow_families


class Interrupted(Exception):
    """As a job that is told to stop raises where it reports."""


@pytest.fixture(scope="module")
def prints() -> dict[str, tuple[int, Fingerprint]]:
    return grow_families(4, 8, draw_structures(2))


def build_lake(prints: dict[str, tuple[int, Fingerprint]]) -> ModelManagementSystem:
    store = InMemoryStore()
    for model, (_, print_) in prints.items():
        store.add_fingerprint(print_, id=model, name=model)
    return ModelManagementSystem(store)


def collect(system: ModelManagementSystem) -> dict[str, object]:
    return {family.id: family.tree for family in system.store.list_families()}


def test_what_is_as_it_should_be_is_left(prints: dict[str, tuple[int, Fingerprint]]) -> None:
    system = build_lake(prints)
    assert system.recluster_all_models()["families_solved"] == 4
    before = collect(system)
    again = system.recluster_all_models()
    assert (again["families"], again["families_solved"], again["models_updated"]) == (4, 0, 0)
    forced = system.recluster_all_models(round_="j_1")
    assert forced["families_solved"] == 4
    assert system.recluster_all_models(round_="j_1")["families_solved"] == 0
    assert system.recluster_all_models()["families_solved"] == 0
    assert collect(system) == before


def test_only_what_has_changed_is_solved(prints: dict[str, tuple[int, Fingerprint]]) -> None:
    system = build_lake(prints)
    system.recluster_all_models()
    family = system.store.list_families()[0]
    child = family.tree.edges[0].child
    statement = Statement(id="s_1", kind=Kind.ROOT, author="ada", model=child)
    change = Change(cause=Cause.CORRECTION, statement=statement)
    system.store.replace_families([], [], change)
    assert system.recluster_all_models()["families_solved"] == 1
    assert system.store.get_family(family.id).tree.root == child
    other = ModelManagementSystem(system.store, stamp="another program")
    assert other.recluster_all_models()["families_solved"] == 4


def test_interrupted_work_goes_on_where_it_was(
    prints: dict[str, tuple[int, Fingerprint]],
) -> None:
    system = build_lake(prints)

    def stop(_share: float, stage: str) -> None:
        if stage == "solving family 3 of 4":
            raise Interrupted

    with pytest.raises(Interrupted):
        system.recluster_all_models(stop, round_="j_1")
    assert len(system.store.list_families()) == 2
    assert system.recluster_all_models(round_="j_1")["families_solved"] == 2


def test_many_models_give_the_same_as_few(
    prints: dict[str, tuple[int, Fingerprint]], monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = build_lake(prints), build_lake(prints)
    few.recluster_all_models()
    monkeypatch.setattr(reclustering, "FEW", 1)
    many.recluster_all_models()
    assert collect(many) == collect(few)
    families = [{prints[m][0] for m in f.tree.members} for f in many.store.list_families()]
    assert sorted(families, key=min) == [{0}, {1}, {2}, {3}]


def test_structures_without_a_common_shape_are_looked_at_apart(
    prints: dict[str, tuple[int, Fingerprint]],
) -> None:
    buckets = list(reclustering.list_buckets(build_lake(prints).store.list_routes()))

    def list_shapes(bucket: list[RouteBlock]) -> set[tuple[int, ...]]:
        return {shape for block in bucket for shape in block.layout.shapes}

    shapes = [list_shapes(bucket) for bucket in buckets]
    assert sum(len(block.ids) for bucket in buckets for block in bucket) == len(prints)
    for place, own in enumerate(shapes):
        assert all(own.isdisjoint(other) for other in shapes[:place])


def test_names_of_solutions() -> None:
    assert is_solved("abc", "abc", None)
    assert is_solved(mark_round("abc", "j_1"), "abc", None)
    assert is_solved(mark_round("abc", "j_1"), "abc", "j_1")
    assert not is_solved("abc", "abc", "j_1")
    assert not is_solved(None, "abc", None)
    assert not is_solved("abd", "abc", None)
