from __future__ import annotations

import random

from model_heritage_backend.clustering import Edge, Evidence, FamilyTree, Ghost, Relation
from model_heritage_backend.models.snapshots import EMPTY, Snapshot, pack, take_snapshot, unpack


def make_family(size: int) -> FamilyTree:
    """Ids and numbers as they are in earnest: nothing about them repeats."""
    rng = random.Random(size)
    ids = sorted(f"m_{rng.getrandbits(64):016x}" for _ in range(size))
    order = rng.sample(ids, size)
    edges = [
        Edge(
            parent=rng.choice(order[:place]),
            child=child,
            relation=Relation.FINETUNE,
            confidence=rng.random(),
            distance=rng.random(),
            evidence=Evidence(runner_up=rng.choice(ids), margin=rng.random(), direction=1.5),
        )
        for place, child in enumerate(order)
        if place
    ]
    return FamilyTree(
        members=tuple(ids),
        edges=tuple(edges),
        root=order[0],
        root_confidence=0.7,
        method="heritage",
    )


def test_what_is_packed_comes_back() -> None:
    tree = FamilyTree(
        members=("a", "b", "c"),
        edges=(
            Edge(
                parent="a",
                child="b",
                relation=Relation.MERGE,
                confidence=1.0,
                distance=0.123456789,
                coefficient=0.5,
                evidence=Evidence(flags=("confirmed",), stated_by="Ann", runner_up="gone"),
            ),
        ),
        root="a",
        root_confidence=0.5,
        method="heritage",
        ghosts=(Ghost(id="g", children=("c",), confidence=0.9, parent="a", distances=(0.1,)),),
    )
    snapshot = unpack(pack(Snapshot(tree, {"a": "A", "b": "B", "c": "C"}, "Named")))
    [edge] = snapshot.tree.edges
    assert edge.distance == 0.123457
    assert (edge.evidence.stated_by, edge.evidence.runner_up) == ("Ann", "gone")
    assert (snapshot.tree.ghosts, snapshot.tree.root) == (tree.ghosts, "a")
    assert (snapshot.names["b"], snapshot.given_name) == ("B", "Named")
    assert unpack(pack(EMPTY)) == EMPTY


def test_a_new_name_of_a_member_is_no_change_of_the_family() -> None:
    tree = make_family(3)
    names = dict.fromkeys(tree.members, "x")
    first, second = take_snapshot(tree, names), take_snapshot(tree, names | {tree.members[0]: "y"})
    assert first.tells_the_same(second)
    assert not first.tells_the_same(take_snapshot(tree, names, "Named"))


def test_a_family_of_fifty_takes_few_bytes() -> None:
    tree = make_family(50)
    names = {member: f"llama-3-finetune-{place:02}" for place, member in enumerate(tree.members)}
    assert len(pack(Snapshot(tree, names))) < 3000
