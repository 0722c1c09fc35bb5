"""Trees are read back by Biopython, hostile names included."""

from __future__ import annotations

import io
from itertools import pairwise
from typing import Any

from Bio import Phylo

from model_heritage_backend.interop.newick import write_newick
from tests.interop.lakes import get_large_lineage, make_lineage
from tests.interop.test_heritage_document import make_document


def read(document: dict[str, Any]) -> list[Any]:
    return list(Phylo.parse(io.StringIO(write_newick(document)), "newick"))


def list_branches(tree: Any) -> dict[tuple[str, str], float | None]:
    return {
        (parent.name, child.name): child.branch_length
        for parent in tree.find_clades()
        for child in parent.clades
    }


def test_one_tree_per_line() -> None:
    # The second parent of d is not told: Newick has trees only.
    assert write_newick(make_document()).splitlines() == [
        "[&R] (('d.pt':0.1)'b.pt':0.1,('c-2.pt':0.0)'c.pt':0.1)'a.pt';",
        "[&R] ('e.pt':0.1,'f.pt':0.2)'missing ancestor ghost-1';",
        "[&R] ('g-2.pt':0.0)'g.pt';",
        "[&R] 'h.pt';",
    ]


def test_trees_are_read_back() -> None:
    trees = read(make_document())
    assert list_branches(trees[0]) == {
        ("a.pt", "b.pt"): 0.1,
        ("a.pt", "c.pt"): 0.1,
        ("b.pt", "d.pt"): 0.1,
        ("c.pt", "c-2.pt"): 0.0,
    }
    assert [tree.root.name for tree in trees[1:]] == ["missing ancestor ghost-1", "g.pt", "h.pt"]


def test_a_ghost_below_the_root() -> None:
    (tree,) = read(make_lineage(sizes=(3,)).document)
    names = [clade.name for clade in tree.find_clades()]
    assert len(names) == 4
    assert names[1] == "missing ancestor ghost-1"


def test_labels_differ_even_in_hostile_lakes() -> None:
    """By their case too: there are readers that ignore it."""
    document = get_large_lineage().document
    trees = read(document)
    names = [clade.name for tree in trees for clade in tree.find_clades()]
    assert len({name.casefold() for name in names}) == len(names)
    assert len(names) == len(document["models"]) + len(document["ghosts"])


def test_names_that_make_each_other_alike() -> None:
    document = make_document()
    for model, name in zip(document["models"], ["x", "X", "x (a)", "", "it's"], strict=False):
        model["path"] = name
    labels = [clade.name for tree in read(document) for clade in tree.find_clades()]
    assert len(set(labels)) == len(labels) == 11
    alike = {"x (a) (a)", "x (a) (c-2)", "X (b)"}
    assert alike | {"c", "it\N{RIGHT SINGLE QUOTATION MARK}s"} <= set(labels)


def test_a_line_as_long_as_the_lake() -> None:
    document = make_document() | {"ghosts": [], "families": []}
    one = document["models"][0] | {"family": None}
    edge = document["edges"][0]
    ids = [f"m{number:04}" for number in range(3000)]
    document["models"] = [one | {"id": i, "path": i} for i in ids]
    document["edges"] = [
        edge | {"parent": parent, "child": child, "main": True, "distance": 1e-5}
        for parent, child in pairwise(ids)
    ]
    (tree,) = read(document)
    assert len(tree.root.clades) == 1
    assert write_newick(document).count("(") == 2999
