"""Graph exports are read back by other programs' parsers, hostile names included."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
from typing import Any

import networkx as nx
import pydot
import pytest

from model_heritage_backend.interop.graphs import (
    build_graph,
    write_dot,
    write_gexf,
    write_graphml,
    write_node_link,
)
from tests.interop.lakes import get_large_lineage, make_lineage
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

    graph = nx.read_gexf(io.BytesIO(write_gexf(document).encode()))
    assert {data["label"] for _, data in graph.nodes(data=True)} == labels


def test_an_empty_genealogy_is_a_graph() -> None:
    empty: dict[str, Any] = {"models": [], "edges": [], "families": [], "ghosts": [], "errors": []}
    assert len(nx.read_graphml(io.BytesIO(write_graphml(empty).encode()))) == 0
    assert write_dot(empty).startswith("digraph heritage {")


def test_node_link_is_read_back() -> None:
    document = make_document()
    graph = nx.node_link_graph(json.loads(write_node_link(document)), edges="edges")
    assert nx.utils.graphs_equal(graph, build_graph(document))


def test_gexf_is_read_back_and_has_no_date() -> None:
    document = make_document()
    text = write_gexf(document)
    assert "lastmodified" not in text
    graph = nx.read_gexf(io.BytesIO(text.encode()))
    assert set(graph.edges) == set(build_graph(document).edges)
    assert graph.nodes["a"]["label"] == "a.pt"
    assert graph.edges["c", "d"]["coefficient"] == 0.4


def test_families_have_the_servers_ids_and_numbers_may_be_large() -> None:
    document = make_lineage(sizes=(4,)).document
    graph = nx.read_gexf(io.BytesIO(write_gexf(document).encode()))
    assert graph.nodes["f0_m1"]["family"] == graph.nodes["ghost-1"]["family"] == "f_0"
    assert graph.nodes["f0_m1"]["total_parameters"] == 7_000_000_001
    assert graph.nodes["f0_m1"]["licence"] == "apache-2.0"
    assert graph.edges["f0_m0", "ghost-1"]["relation"] == "ghost"


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
def test_graphviz_reads_a_thousand_models() -> None:
    document = get_large_lineage().document
    command = ["gvpr", 'N { print("n") } E { print("e") }']
    counted = subprocess.run(
        command, input=write_dot(document).encode(), capture_output=True, check=True, timeout=240
    )
    assert counted.stderr == b""
    graph = build_graph(document)
    assert counted.stdout.split().count(b"n") == len(graph)
    assert counted.stdout.split().count(b"e") == len(graph.edges)
