"""A heritage document as a graph file for other programs: GraphML and DOT.

Graph formats know scalars only and each has characters that break it, so what a file's name may
hold is made safe here: control characters are replaced, the rest is escaped by the format's rules.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import networkx as nx

Attributes = dict[str, str | int | float | bool]
DOT_LINE = "  {};\n"


def build_graph(document: Mapping[str, Any]) -> nx.DiGraph[str]:
    """Models and ghosts as nodes, parent -> child as edges.

    Node attributes: ``kind`` ("model" or "ghost"), ``label``, ``family`` and, of models,
    ``checksum`` and ``total_parameters``. Edge attributes: ``label``, ``relation``,
    ``confidence``, ``distance``, ``main`` and, of merges, ``coefficient``; the edges of a ghost
    have the relation "ghost". What is unknown is absent, as the formats have no null.
    """
    graph: nx.DiGraph[str] = nx.DiGraph()
    for model in document["models"]:
        attributes: Attributes = {
            "kind": "model",
            "label": clean_text(model["path"]),
            "checksum": model["checksum"],
            "total_parameters": model["total_parameters"],
        }
        graph.add_node(clean_text(model["id"]), **attributes, **_known(model, "family"))
    for ghost in document["ghosts"]:
        graph.add_node(ghost["id"], kind="ghost", label="missing ancestor", family=ghost["family"])
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


def write_graphml(document: Mapping[str, Any]) -> str:
    """The graph as GraphML (XML, UTF-8)."""
    buffer = io.BytesIO()
    nx.write_graphml_xml(build_graph(document), buffer, prettyprint=True)
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


WRITERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "graphml": write_graphml,
    "dot": write_dot,
}


def clean_text(text: str) -> str:
    """The text with everything replaced that XML 1.0 cannot hold (section 2.2, Char)."""
    return "".join(c if _is_xml_character(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def _is_xml_character(character: str) -> bool:
    code = ord(character)
    if code < 32:
        return character in "\t\n\r"
    return not (0x7F <= code < 0xA0 or 0xD800 <= code < 0xE000 or code in (0xFFFE, 0xFFFF))


def _known(source: Mapping[str, Any], *keys: str) -> Attributes:
    return {key: source[key] for key in keys if source.get(key) is not None}


def _list_attributes(attributes: Mapping[str, Any]) -> str:
    pairs = ", ".join(f"{key}={_quote(str(value))}" for key, value in attributes.items())
    return f" [{pairs}]"


def _quote(text: str) -> str:
    # A backslash starts an escape in labels, and a quote ends the string; lines stay lines.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("\r", " ").replace("\n", " ") + '"'
