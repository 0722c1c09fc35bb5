"""One suite for every store: in memory and SQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from safetensors.numpy import save_file
from sqlalchemy import func, select

from benchmarks.zoo import Zoo
from model_heritage_backend.clustering import (
    Edge,
    Evidence,
    FamilyTree,
    Ghost,
    GhostLimit,
    Relation,
)
from model_heritage_backend.clustering.memory_store import InMemoryStore
from model_heritage_backend.clustering.statements import Kind, Statement
from model_heritage_backend.clustering.store import Cause, Change, HeritageStore
from model_heritage_backend.errors import NotFound
from model_heritage_backend.fingerprints import Fingerprint, fingerprint_weights
from model_heritage_backend.models.files import FileStore
from model_heritage_backend.models.job_queue import build_job
from model_heritage_backend.models.lake import Lake
from model_heritage_backend.models.migrate import upgrade_database
from model_heritage_backend.models.sql_store import SqlStore
from model_heritage_backend.models.tables import (
    EdgeEvidence,
    FingerprintRow,
    MatrixShape,
    Model,
    Parentage,
    Revision,
)
from model_heritage_backend.services.model_rows import build_model
from model_heritage_backend.weights import open_weights
from tests.clustering.models import make_adapter, make_arrays
from tests.models.conftest import MakeDatabase


@dataclass
class Shelf:
    """A store, and the way in which models come to it."""

    store: HeritageStore
    put: Callable[[Path], object]

    def add(self, path: Path) -> str:
        return self.store.add_model(self.put(path))


def put_in_lake(lake: Lake, files: FileStore, path: Path) -> str:
    """What an upload does, without the server."""
    with path.open("rb") as file, files.receive(file.read) as staged:
        with open_weights(staged.path) as weights:
            fingerprint = fingerprint_weights(weights, checksum=staged.checksum)
            row = build_model(weights, fingerprint)
        row.name = row.name_folded = row.filename = path.stem
        row.description, row.file_size = "", staged.size
        model_id = row.id
        files.publish(staged)
        lake.add(row, fingerprint, build_job("process", model_id=model_id))
        files.confirm(staged.checksum)
    return model_id


@pytest.fixture(params=["memory", "sql"])
def shelf(request: pytest.FixtureRequest, tmp_path: Path, make_database: MakeDatabase) -> Shelf:
    if request.param == "memory":
        return Shelf(InMemoryStore(), lambda path: path)
    return make_sql_shelf(tmp_path, make_database)


def make_sql_shelf(folder: Path, make_database: MakeDatabase, *, cache_bytes: int = 0) -> Shelf:
    database = make_database()
    upgrade_database(database.engine)
    files = FileStore(folder / "uploads", max_file_bytes=1 << 30)
    lake = Lake(database)
    store = SqlStore(database, files, cache_bytes=cache_bytes)
    return Shelf(store, lambda path: put_in_lake(lake, files, path))


def make_tree(*members: str, edges: tuple[Edge, ...] = (), **more: Any) -> FamilyTree:
    plain = {"root": members[0], "root_confidence": 0.9, "method": "heritage"} | more
    return FamilyTree(members=tuple(sorted(members)), edges=edges, **plain)


def make_edge(parent: str, child: str, **more: Any) -> Edge:
    plain = {"relation": Relation.FINETUNE, "confidence": 0.8, "distance": 0.1} | more
    return Edge(parent=parent, child=child, **plain)


def same(left: Fingerprint, right: Fingerprint) -> bool:
    return left.to_bytes() == right.to_bytes()


def test_adding_fingerprints_the_file(shelf: Shelf, zoo_family: Zoo) -> None:
    model_id = shelf.add(zoo_family.path("base"))
    found = shelf.store.load_fingerprint(model_id)
    with open_weights(zoo_family.path("base")) as weights:
        assert same(found, fingerprint_weights(weights, checksum=found.checksum))
    record = shelf.store.get_model(model_id)
    assert (record.id, record.checksum, record.family_id) == (model_id, found.checksum, None)
    assert [r.id for r in shelf.store.list_models()] == [model_id]


def test_adding_twice_changes_nothing(shelf: Shelf, zoo_family: Zoo) -> None:
    model_id = shelf.add(zoo_family.path("base"))
    assert shelf.store.add_model(model_id) == model_id
    assert len(shelf.store.list_models()) == 1


def test_files_are_at_hand(shelf: Shelf, zoo_family: Zoo) -> None:
    weights = shelf.store.open_weights(shelf.add(zoo_family.path("base")))
    assert weights is not None
    with weights as opened:
        assert len(opened) > 10


def test_candidates_share_a_shape(shelf: Shelf, zoo_family: Zoo, strangers: list[Path]) -> None:
    base, noisy = (shelf.add(zoo_family.path(name)) for name in ("base", "noisy"))
    _, *others = [shelf.add(path) for path in strangers]
    found = shelf.store.list_candidates(shelf.store.load_fingerprint(base))
    assert {base, noisy} <= set(found)
    assert list(found) == sorted(found)
    assert others[-1] not in found


def test_adapters_and_models_find_each_other_by_what_is_adapted(
    shelf: Shelf, tmp_path: Path
) -> None:
    model = make_arrays(1)
    factors, _ = make_adapter(model)
    for name, arrays in (("model", model), ("adapter", factors)):
        save_file(arrays, tmp_path / f"{name}.safetensors")
    base, adapter = (shelf.add(tmp_path / f"{name}.safetensors") for name in ("model", "adapter"))
    prints = {model_id: shelf.store.load_fingerprint(model_id) for model_id in (base, adapter)}
    assert prints[adapter].is_adapter
    assert [list(shelf.store.list_candidates(print_)) for print_ in prints.values()] == [[base]] * 2
    assert list(shelf.store.list_adapters(prints[base])) == [adapter]


def test_unknown_things_are_not_found(shelf: Shelf) -> None:
    store = shelf.store
    for ask in (store.get_model, store.load_fingerprint, store.get_family, store.open_weights):
        with pytest.raises(NotFound):
            ask("nothing")
    with pytest.raises(NotFound):
        store.remove_model("nothing")
    assert store.find_evidence(["nothing"]) == {}


def test_evidence_is_kept(shelf: Shelf) -> None:
    shelf.store.save_evidence("1:a:b", {"rank": 4})
    shelf.store.save_evidence("1:a:b", {"rank": 5})
    assert shelf.store.find_evidence(["1:a:b", "nothing"]) == {"1:a:b": {"rank": 5}}


def test_trees_come_back_as_they_were(shelf: Shelf, zoo_family: Zoo) -> None:
    a, b, c, d = (
        shelf.add(zoo_family.path(n)) for n in ("base", "noisy", "rotated", "noisy-rotated")
    )
    evidence = Evidence(
        changed=("x", "y"), flags=("new_head",), signals={"norm": 0.5}, runner_up=c, delta_rank=4
    )
    tree = make_tree(
        a, b, c, d,
        edges=tuple(sorted(
            (
                make_edge(a, b, evidence=evidence),
                make_edge(b, d, relation=Relation.MERGE, coefficient=0.6),
                make_edge(c, d, relation=Relation.MERGE, coefficient=0.4, main=False),
            ),
            key=lambda e: (e.child, not e.main, e.parent),
        )),
        ghosts=(
            Ghost(id="ghost-1", children=(c,), confidence=0.3, parent=a, distances=(0.2,)),
        ),
        ghost_limit=GhostLimit.DRIFT,
    )  # fmt: skip
    [family_id] = shelf.store.replace_families([], [tree])
    family = shelf.store.get_family(family_id)
    assert family.tree == tree
    assert shelf.store.get_model(d).family_id == family_id
    assert [f.id for f in shelf.store.list_families()] == [family_id]


def test_a_tree_keeps_the_id_of_its_largest_share(shelf: Shelf, zoo_family: Zoo) -> None:
    a, b, c, d = (shelf.add(zoo_family.path(n)) for n in ("base", "noisy", "rotated", "base-bf16"))
    big, small = shelf.store.replace_families(
        [], [make_tree(a, b, c, edges=(make_edge(a, b), make_edge(a, c))), make_tree(d)]
    )
    # Joined: the larger one's id stays, the other goes.
    joined = make_tree(a, b, c, d, edges=tuple(make_edge(a, x) for x in sorted((b, c, d))))
    assert shelf.store.replace_families([big, small], [joined]) == [big]
    with pytest.raises(NotFound):
        shelf.store.get_family(small)
    # Split: the larger part keeps it, the other gets a new one.
    parts = [make_tree(a), make_tree(b, c, d, edges=(make_edge(b, c), make_edge(b, d)))]
    lone, rest = shelf.store.replace_families([big], parts)
    assert rest == big
    assert lone not in (big, small)
    assert shelf.store.get_model(a).family_id == lone


def test_removed_models_are_gone(shelf: Shelf, zoo_family: Zoo) -> None:
    a, b = (shelf.add(zoo_family.path(n)) for n in ("base", "noisy"))
    [family] = shelf.store.replace_families([], [make_tree(a, b, edges=(make_edge(a, b),))])
    shelf.store.remove_model(a)
    shelf.store.replace_families([family], [make_tree(b)])
    assert [r.id for r in shelf.store.list_models()] == [b]
    with pytest.raises(NotFound):
        shelf.store.load_fingerprint(a)


def state(kind: Kind, model: str | None = None, parent: str | None = None, **more: Any) -> Change:
    statement = Statement(
        id=more.pop("id", f"c_{kind}"), kind=kind, author="Ann", model=model, parent=parent, **more
    )
    return Change(cause=Cause.CORRECTION, statement=statement, author="Ann")


def test_statements_come_and_go_with_trees(shelf: Shelf, zoo_family: Zoo) -> None:
    a, b, c = (shelf.add(zoo_family.path(name)) for name in ("base", "noisy", "rotated"))
    store = shelf.store
    [family] = store.replace_families([], [make_tree(a, b)])
    confirm = state(Kind.CONFIRM, b, a, reason="known")
    store.replace_families([family], [make_tree(a, b, edges=(make_edge(a, b),))], confirm)
    split = state(Kind.SPLIT, models=frozenset({a, b}), others=frozenset({c}))
    store.replace_families([], [make_tree(c)], split)
    found = store.list_statements()
    assert [s.meaning for s in found] == [
        (Kind.CONFIRM, b, a, frozenset(), frozenset()),
        (Kind.SPLIT, None, None, {a, b}, {c}),
    ]
    assert (found[0].author, found[0].reason) == ("Ann", "known")
    assert [s.kind for s in store.list_statements([a])] == [Kind.CONFIRM, Kind.SPLIT]
    assert [s.kind for s in store.list_statements([c])] == [Kind.SPLIT]
    assert list(store.list_statements([])) == []
    again = dataclasses.replace(found[0], reason="better known")
    change = Change(cause=Cause.CORRECTION, statement=again)
    store.replace_families([family], [store.get_family(family).tree], change)
    assert [s.reason for s in store.list_statements([b]) if s.model] == ["better known"]
    change = Change(cause=Cause.RETRACTION, statement=again)
    store.replace_families([family], [store.get_family(family).tree], change)
    assert [s.kind for s in store.list_statements()] == [Kind.SPLIT]


def test_statements_go_with_their_models(shelf: Shelf, zoo_family: Zoo) -> None:
    a, b, c = (shelf.add(zoo_family.path(name)) for name in ("base", "noisy", "rotated"))
    store = shelf.store
    [family] = store.replace_families([], [make_tree(a, b, c)])
    tree = store.get_family(family).tree
    for change in (
        state(Kind.FORBID, b, a),
        state(Kind.ROOT, c),
        state(Kind.SPLIT, models=frozenset({a, b}), others=frozenset({c})),
    ):
        store.replace_families([family], [tree], change)
    store.remove_model(a)
    kinds = {s.kind: s for s in store.list_statements()}
    assert set(kinds) == {Kind.ROOT, Kind.SPLIT}
    assert (kinds[Kind.SPLIT].models, kinds[Kind.SPLIT].others) == ({b}, {c})
    store.remove_model(b)
    assert [s.kind for s in store.list_statements()] == [Kind.ROOT]


# Of SQL alone ------------------------------------------------------------------------------------


@pytest.fixture
def sql(tmp_path: Path, make_database: MakeDatabase) -> Shelf:
    return make_sql_shelf(tmp_path, make_database, cache_bytes=1 << 20)


def test_waiting_models_are_not_seen(sql: Shelf, zoo_family: Zoo) -> None:
    waiting = str(sql.put(zoo_family.path("noisy")))
    base = sql.add(zoo_family.path("base"))
    fingerprint = sql.store.load_fingerprint(base)
    assert sql.store.list_candidates(fingerprint) == [base]
    assert [r.id for r in sql.store.list_models()] == [base]
    sql.store.add_model(waiting)
    assert sql.store.list_candidates(fingerprint) == sorted([base, waiting])


def test_fingerprints_of_another_version_are_taken_again(
    sql: Shelf, zoo_family: Zoo, make_database: MakeDatabase
) -> None:
    base = sql.add(zoo_family.path("base"))
    expected = sql.store.load_fingerprint(base)
    database = make_database()
    with database.write() as session:
        row = session.get_one(FingerprintRow, base)
        row.version, row.data = 0, b"of an old version"
        session.get_one(Model, base).total_parameters = 0
    sql.store.add_model(base)
    assert same(sql.store.load_fingerprint(base), expected)
    with database.read() as session:
        assert session.get_one(Model, base).total_parameters == expected.total_parameters
        matrices = {t.shape for t in expected.tensors.values() if t.is_matrix}
        assert session.scalar(select(func.count()).select_from(MatrixShape)) == len(matrices)


def test_fingerprints_of_another_version_are_taken_again_when_needed(
    tmp_path: Path, zoo_family: Zoo, make_database: MakeDatabase
) -> None:
    """A member from before an update, met when a newcomer is compared with it."""
    sql = make_sql_shelf(tmp_path, make_database, cache_bytes=0)
    base = sql.add(zoo_family.path("base"))
    expected = sql.store.load_fingerprint(base)
    with make_database().write() as session:
        row = session.get_one(FingerprintRow, base)
        row.version, row.data = 0, b"of an old version"
    assert same(sql.store.load_fingerprint(base), expected)
    assert [record.id for record in sql.store.list_models()] == [base]


def test_members_rows_follow_the_tree(
    sql: Shelf, zoo_family: Zoo, make_database: MakeDatabase
) -> None:
    a, b = (sql.add(zoo_family.path(n)) for n in ("base", "noisy"))
    [family] = sql.store.replace_families([], [make_tree(a, b, edges=(make_edge(a, b),))])
    # The same tree is no revision; the other way round is one.
    tree = sql.store.get_family(family).tree
    sql.store.replace_families([family], [tree])
    turned = dataclasses.replace(tree, edges=(make_edge(b, a, confidence=0.6),), root=b)
    sql.store.replace_families([family], [turned])
    with make_database().read() as session:
        rows = {row.id: row for row in session.scalars(select(Model))}
        revisions = list(session.scalars(select(Revision).order_by(Revision.id)))
    assert (rows[a].parent_id, rows[a].confidence_score) == (b, 0.6)
    assert (rows[b].parent_id, rows[b].confidence_score) == (None, None)
    assert [(r.family_id, r.number, r.size) for r in revisions] == [(family, 1, 2), (family, 2, 2)]


def test_families_come_back_under_their_ids(sql: Shelf, zoo_family: Zoo) -> None:
    a, b, c, d = (sql.add(zoo_family.path(n)) for n in ("base", "noisy", "rotated", "base-bf16"))
    first, second = sql.store.replace_families([], [make_tree(a, b), make_tree(c, d)])
    joined = sql.store.replace_families([first, second], [make_tree(a, b, c, d)])
    assert joined == [first], "the one of the model that was here first"
    parts = [make_tree(c, d), make_tree(a, b)]
    assert sql.store.replace_families(joined, parts) == [second, first]


def test_a_failed_replacement_changes_nothing(
    sql: Shelf, zoo_family: Zoo, make_database: MakeDatabase
) -> None:
    a, b = (sql.add(zoo_family.path(n)) for n in ("base", "noisy"))
    tree = make_tree(a, b, edges=(make_edge(a, b),))
    [family] = sql.store.replace_families([], [tree])
    with pytest.raises(Exception, match=r"FOREIGN KEY|matched"):
        unknown = make_tree(a, b, "nobody", edges=(make_edge(a, "nobody"), make_edge(a, b)))
        sql.store.replace_families([family], [unknown])
    assert sql.store.get_family(family).tree == tree
    with make_database().read() as session:
        assert session.scalar(select(func.count()).select_from(Revision)) == 1


def test_removal_takes_everything_of_a_model(
    sql: Shelf, zoo_family: Zoo, make_database: MakeDatabase
) -> None:
    a, b = (sql.add(zoo_family.path(n)) for n in ("base", "noisy"))
    sql.store.replace_families([], [make_tree(a, b, edges=(make_edge(a, b),))])
    for key in (f"1:{sql.store.get_model(a).checksum}:x", "1:x:y"):
        sql.store.save_evidence(key, {})
    sql.store.remove_model(a)
    with make_database().read() as session:
        left = {
            table.__name__: session.scalar(select(func.count()).select_from(table))
            for table in (Model, FingerprintRow, Parentage, EdgeEvidence)
        }
        shapes = set(session.scalars(select(MatrixShape.model_id)))
    assert left == {"Model": 1, "FingerprintRow": 1, "Parentage": 0, "EdgeEvidence": 1}
    assert shapes == {b}


def test_the_cache_forgets_what_it_cannot_hold(
    tmp_path: Path, make_database: MakeDatabase, zoo_family: Zoo
) -> None:
    small = make_sql_shelf(tmp_path, make_database, cache_bytes=10)
    large = make_sql_shelf(tmp_path, make_database, cache_bytes=1 << 30)
    model_id = small.add(zoo_family.path("base"))
    first = small.store.load_fingerprint(model_id)
    assert small.store.load_fingerprint(model_id) is not first
    first = large.store.load_fingerprint(model_id)
    assert large.store.load_fingerprint(model_id) is first
