"""A heritage document as a graph file for other programs: node-link JSON, GraphML, GEXF and DOT.

Graph formats know scalars only and each has characters that break it, so what a file's name may
hold is made safe here: control characters are replaced, the rest is escaped by the format's rules.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from typing import Any

import networkx as nx
from networkx.readwrite.gexf import GEXFWriter

from model_heritage_backend.interop.names import GHOST_NAME, clean_text, get_family_ids

Attributes = dict[str, str | int | float | bool]
DOT_LINE = "  {};\n"


def build_graph(document: Mapping[str, Any]) -> nx.DiGraph[str]:
    """Models and ghosts as nodes, parent -> child as edges.

    Node attributes: ``kind`` ("model" or "ghost"), ``label``, ``family`` and, of models,
    ``checksum``, ``total_parameters`` and ``licence``. Edge attributes: ``label``, ``relation``,
    ``confidence``, ``distance``, ``main`` and, of merges, ``coefficient``; the edges of a ghost
    have the relation "ghost". What is unknown is absent, as the formats have no null.
    """
    families = get_family_ids(document)
    graph: nx.DiGraph[str] = nx.DiGraph()
    for model in document["models"]:
        attributes: Attributes = {
            "kind": "model",
            "label": clean_text(model["path"]),
            "checksum": model["checksum"],
            "total_parameters": model["total_parameters"],
        }
        family = families[model["family"]]
        if family is not None:
            attributes["family"] = family
        if model.get("licence") is not None:
            attributes["licence"] = clean_text(model["licence"])
        graph.add_node(clean_text(model["id"]), **attributes)
    for ghost in document["ghosts"]:
        family = families[ghost["family"]]
        graph.add_node(ghost["id"], kind="ghost", label=GHOST_NAME, family=family)
    for ghost in document["ghosts"]:
        if ghost.get("parent") is not None:
            above = clean_text(ghost["parent"])
            graph.add_edge(above, ghost["id"], label="ghost", relation="ghost", main=True)
        for child in ghost["children"]:
            share = _known(ghost, "confidence")
            graph.add_edge(
                ghost["id"], clean_text(child), label="ghost", relation="ghost", main=True, **share
            )
    for edge in document["edges"]:
        graph.add_edge(
            clean_text(edge["parent"]),
            clean_text(edge["child"]),
            label=f"{edge['relation']} {edge['confidence']:.0%}",
            relation=edge["relation"],
            main=edge["main"],
            **_known(edge, "confidence", "distance", "coefficient"),
        )
    return graph


def write_node_link(document: Mapping[str, Any]) -> str:
    """The graph as JSON that ``networkx.node_link_graph(..., edges="edges")`` reads back."""
    data = nx.node_link_data(build_graph(document), edges="edges")
    return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def write_graphml(document: Mapping[str, Any]) -> str:
    """The graph as GraphML (XML, UTF-8)."""
    buffer = io.BytesIO()
    nx.write_graphml_xml(build_graph(document), buffer, prettyprint=True)
    return buffer.getvalue().decode()


def write_gexf(document: Mapping[str, Any]) -> str:
    """The graph as GEXF 1.2 (XML, UTF-8), for Gephi."""
    writer = GEXFWriter(encoding="utf-8", prettyprint=True, version="1.2draft")
    writer.add_graph(build_graph(document))
    for meta in writer.xml.iter("meta"):
        # Today's date: the same genealogy would be another file every day.
        meta.attrib.pop("lastmodifieddate", None)
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue().decode()


def write_dot(document: Mapping[str, Any]) -> str:
    """The graph in Graphviz's language.

    Written here: the writer that networkx offers leaves colons, backslashes and quotes to chance.
    """
    graph = build_graph(document)
    lines = ["digraph heritage {\n", DOT_LINE.format("rankdir=TB")]
    for node, attributes in graph.nodes(data=True):
        shape = {"shape": "ellipse" if attributes["kind"] == "ghost" else "box"}
        lines.append(DOT_LINE.format(_quote(node) + _list_attributes(attributes | shape)))
    for parent, child, attributes in graph.edges(data=True):
        style = {"style": "solid" if attributes["main"] else "dashed"}
        ends = f"{_quote(parent)} -> {_quote(child)}"
        lines.append(DOT_LINE.format(ends + _list_attributes(attributes | style)))
    return "".join([*lines, "}\n"])


def _known(source: Mapping[str, Any], *keys: str) -> Attributes:
    return {key: source[key] for key in keys if source.get(key) is not None}


def _list_attributes(attributes: Mapping[str, Any]) -> str:
    pairs = ", ".join(f"{key}={_quote(str(value))}" for key, value in attributes.items())
    return f" [{pairs}]"


def _quote(text: str) -> str:
    # A backslash starts an escape in labels, and a quote ends the string; lines stay lines.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", " ").replace("\n", " ") + '"'
