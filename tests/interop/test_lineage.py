from __future__ import annotations

from model_heritage_backend.clustering.genealogy import FamilyTree, Ghost, Relation
from model_heritage_backend.interop.lineage import restrict_to_line
from tests.interop.lakes import make_lineage
from tests.interop.test_heritage_document import make_edge

#        r
#      / | \
#     a  b  [g1]
#     |\/    |  \
#     | m    c   d       m is a merge of a and b
#     x |\
#       y [g2]           e's parent m and further parent c: a merge
#           \
#            e ...c
TREE = FamilyTree(
    members=("a", "b", "c", "d", "e", "m", "r", "x", "y"),
    edges=(
        make_edge("r", "a"),
        make_edge("r", "b"),
        make_edge("a", "x"),
        make_edge("a", "m", relation=Relation.MERGE, coefficient=0.5),
        make_edge("b", "m", relation=Relation.MERGE, coefficient=0.5, main=False),
        make_edge("m", "y"),
        make_edge("c", "e", main=False, relation=Relation.MERGE),
    ),
    root="r",
    root_confidence=0.9,
    method="heritage",
    ghosts=(
        Ghost(id="g1", children=("c", "d"), confidence=0.6, parent="r", distances=(0.1, 0.2)),
        Ghost(id="g2", children=("e",), confidence=0.6, parent="m"),
    ),
)


def test_a_line_goes_through_merges_and_ghosts() -> None:
    line = restrict_to_line(TREE, "m")
    assert line.members == ("a", "b", "e", "m", "r", "y")
    assert {(e.parent, e.child) for e in line.edges} == {
        ("r", "a"),
        ("r", "b"),
        ("a", "m"),
        ("b", "m"),
        ("m", "y"),
    }
    assert [ghost.id for ghost in line.ghosts] == ["g2"]
    assert line.root == "r"


def test_a_ghost_keeps_the_children_on_the_line() -> None:
    line = restrict_to_line(TREE, "d")
    assert line.members == ("d", "r")
    assert line.ghosts == (
        Ghost(id="g1", children=("d",), confidence=0.6, parent="r", distances=(0.2,)),
    )


def test_a_merge_descends_from_all_its_parents() -> None:
    assert restrict_to_line(TREE, "e").members == ("a", "b", "c", "e", "m", "r")
    assert restrict_to_line(TREE, "r").members == TREE.members


def test_above_the_line_there_may_be_no_root() -> None:
    (ghost,) = make_lineage(sizes=(1, 5), subject="f1_m4").document["ghosts"]
    assert ghost["children"] == ["f1_m1"]
    (family,) = make_lineage(sizes=(1, 5), subject="f1_m4").document["families"]
    assert (family["root"], family["size"], family["stored_id"]) == (None, 2, "f_1")


def test_names_of_relatives_off_the_line_are_known() -> None:
    """A descendant's recipe names parents that are not in the document."""
    lineage = make_lineage(sizes=(40,), subject="f0_m3")
    shown = {model["id"] for model in lineage.document["models"]}
    assert "f0_m10" in shown
    assert "f0_m9" in lineage.names
    assert lineage.trees[0].members == tuple(sorted(lineage.names))
