"""What one member of a family is to another.

root - a - a1 - a2
  \\ b      a1 and b have the merge m (main parent a1)
"""

from __future__ import annotations

import pytest

from model_heritage_backend.clustering.genealogy import Edge, FamilyTree, Relation
from model_heritage_backend.clustering.kinship import find_kinship


def edge(parent: str, child: str, confidence: float, *, main: bool = True) -> Edge:
    return Edge(
        parent=parent,
        child=child,
        relation=Relation.FINETUNE,
        confidence=confidence,
        distance=0.1,
        main=main,
    )


TREE = FamilyTree(
    members=("a", "a1", "a2", "b", "ghostly", "m", "root"),
    edges=(
        edge("root", "a", 0.9),
        edge("a", "a1", 0.8),
        edge("a1", "a2", 0.5),
        edge("root", "b", 1.0),
        edge("a1", "m", 0.7),
        edge("b", "m", 0.6, main=False),
    ),
    root="root",
    root_confidence=1.0,
    method="heritage",
)


@pytest.mark.parametrize(
    ("first", "second", "kind", "path", "confidence"),
    [
        ("a", "a", "same", ("a",), 1.0),
        ("a", "a1", "child", ("a", "a1"), 0.8),
        ("a1", "a", "parent", ("a1", "a"), 0.8),
        ("root", "a2", "descendant", ("root", "a", "a1", "a2"), 0.36),
        ("a2", "root", "ancestor", ("a2", "a1", "a", "root"), 0.36),
        ("a", "b", "sibling", ("a", "root", "b"), 0.9),
        ("a2", "b", "relative", ("a2", "a1", "a", "root", "b"), 0.36),
        ("m", "b", "parent", ("m", "b"), 0.6),
        ("m", "root", "ancestor", ("m", "b", "root"), 0.6),
        ("ghostly", "a", "none", (), None),
    ],
)
def test_kinship(
    first: str, second: str, kind: str, path: tuple[str, ...], confidence: float | None
) -> None:
    found = find_kinship(TREE, first, second)
    assert (found.kind, found.path) == (kind, path)
    assert found.confidence == (None if confidence is None else pytest.approx(confidence))
    assert (found.edge is not None) == (kind in ("parent", "child"))


def test_strangers() -> None:
    assert find_kinship(None, "a", "b").kind == "none"
