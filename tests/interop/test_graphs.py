"""Graph exports are read back by other programs' parsers, hostile names included."""

from __future__ import annotations

import io
from typing import Any

import networkx as nx
import pydot
import pytest

from model_heritage_backend.interop.graphs import WRITERS, build_graph, write_dot, write_graphml
from tests.interop.test_heritage_document import make_document

# pydot calls its parser library by old names.
pytestmark = pytest.mark.filterwarnings("ignore:.* deprecated - use:DeprecationWarning")

HOSTILE = [
    'quote".pt',
    "back\\slash\\",
    "<script>&amp;.pt",
    "a:b;c{d}.pt",
    "line\nbreak.pt",
    "nul\0bell\7.pt",
    "node",
    '"]; evil [label="',
    "\u202eright\ufffe.pt",
    "",
]


def rename(names: list[str]) -> dict[str, Any]:
    document = make_document()
    for model, name in zip(document["models"], names, strict=True):
        model["path"] = name
    return document


def test_graphml_holds_the_genealogy() -> None:
    graph = nx.read_graphml(io.BytesIO(write_graphml(make_document()).encode()))
    assert set(graph) == {"a", "b", "c", "d", "c-2", "e", "f", "g", "g-2", "h", "ghost-1"}
    assert graph.nodes["a"] == {
        "kind": "model",
        "label": "a.pt",
        "checksum": f"{1:064x}",
        "total_parameters": 9,
        "family": "F1",
    }
    assert graph.edges["c", "d"]["relation"] == "merge"
    assert graph.edges["c", "d"]["main"] is False
    assert graph.edges["c", "d"]["coefficient"] == 0.4
    assert "coefficient" not in graph.edges["a", "b"]
    assert graph.edges["ghost-1", "e"]["relation"] == "ghost"


def test_dot_holds_the_genealogy() -> None:
    graphs = pydot.graph_from_dot_data(write_dot(make_document()))
    assert graphs is not None
    edges = {
        (e.get_source().strip('"'), e.get_destination().strip('"')) for e in graphs[0].get_edges()
    }
    assert edges == set(build_graph(make_document()).edges)


def test_hostile_names_break_neither_format() -> None:
    document = rename(HOSTILE)
    graph = nx.read_graphml(io.BytesIO(write_graphml(document).encode()))
    assert len(graph) == 11
    labels = {data["label"] for _, data in graph.nodes(data=True)}
    assert {'quote".pt', "back\\slash\\", "<script>&amp;.pt", '"]; evil [label="'} <= labels

    graphs = pydot.graph_from_dot_data(write_dot(document))
    assert graphs is not None
    assert len(graphs[0].get_nodes()) == 11
    assert len(graphs[0].get_edges()) == len(build_graph(document).edges)


def test_an_empty_genealogy_is_a_graph() -> None:
    empty: dict[str, Any] = {"models": [], "edges": [], "families": [], "ghosts": [], "errors": []}
    assert len(nx.read_graphml(io.BytesIO(write_graphml(empty).encode()))) == 0
    assert write_dot(empty).startswith("digraph heritage {")


@pytest.mark.parametrize("name", sorted(WRITERS))
def test_exports_are_the_same_each_time(name: str) -> None:
    assert WRITERS[name](make_document()) == WRITERS[name](make_document())
