"""A thousand hostile models, in formats that no other test reads, and every format twice."""

from __future__ import annotations

import io
import json

import networkx as nx
import pytest
import yaml

from model_heritage_backend.errors import InvalidRequest
from model_heritage_backend.interop.export import DOCUMENT_WRITERS, FORMATS, write_export
from model_heritage_backend.interop.graphs import build_graph
from model_heritage_backend.interop.lineage import Lineage
from tests.interop.lakes import get_large_lineage, make_lineage


@pytest.fixture(scope="module")
def lake() -> Lineage:
    return get_large_lineage()


@pytest.mark.parametrize("name", ["node-link", "graphml", "gexf"])
def test_graphs_of_a_thousand_models(lake: Lineage, name: str) -> None:
    text = write_export(lake, name).content
    readers = {
        "node-link": lambda: nx.node_link_graph(json.loads(text), edges="edges"),
        "graphml": lambda: nx.read_graphml(io.BytesIO(text.encode())),
        "gexf": lambda: nx.read_gexf(io.BytesIO(text.encode())),
    }
    graph, whole = readers[name](), build_graph(lake.document)
    assert set(graph.edges) == set(whole.edges)
    # XML reads every kind of line break as one.
    assert {node: plain(label) for node, label in graph.nodes(data="label")} == {
        node: plain(label) for node, label in whole.nodes(data="label")
    }


def plain(label: str) -> str:
    return label.replace("\r\n", "\n")


def test_recipes_of_a_thousand_models(lake: Lineage) -> None:
    recipes = list(yaml.safe_load_all(write_export(lake, "mergekit").content))
    merges = {e["child"] for e in lake.document["edges"] if e["relation"] == "merge"}
    assert len(merges) == 95
    assert {recipe["name"] for recipe in recipes} == merges
    assert {recipe["dtype"] for recipe in recipes} == {"bfloat16"}


@pytest.mark.parametrize("name", sorted(set(FORMATS) - {"model-card"}))
def test_the_same_lake_gives_the_same_bytes(name: str) -> None:
    file, again = (
        write_export(make_lineage(sizes=(60, 12, 1), whole_lake=True), name) for _ in range(2)
    )
    assert file == again
    assert file.content.encode()
    assert file.filename == f"heritage.{FORMATS[name].ending}"


def test_a_card_is_of_one_model(lake: Lineage) -> None:
    with pytest.raises(InvalidRequest, match="model="):
        write_export(lake, "model-card")
    card = write_export(make_lineage(sizes=(5,), subject="f0_m4"), "model-card").content
    assert "base_model_relation: finetune" in card


def test_what_the_document_holds_needs_nothing_else() -> None:
    document = make_lineage(sizes=(5,)).document
    for name, write in DOCUMENT_WRITERS.items():
        assert write(document) == write_export(make_lineage(sizes=(5,)), name).content
