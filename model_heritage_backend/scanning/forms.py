"""A genealogy in the forms of others: a graph of networkx, and HTML for notebooks."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

import networkx as nx

from model_heritage_backend.scanning.member import HeritageModel

EDGE_MEMBERS = ("relation", "confidence", "distance", "main", "coefficient")


def build_graph(
    models: Iterable[HeritageModel], edges: Iterable[Mapping[str, Any]]
) -> nx.DiGraph[str]:
    """These models and the edges between them, from parents to children."""
    graph: nx.DiGraph[str] = nx.DiGraph()
    for model in models:
        graph.add_node(
            model.id,
            path=model.path,
            family=model.family,
            total_parameters=model.total_parameters,
        )
    for edge in edges:
        if edge["child"] in graph:
            graph.add_edge(edge["parent"], edge["child"], **{of: edge[of] for of in EDGE_MEMBERS})
    return graph


def write_html(title: str, models: Iterable[HeritageModel]) -> str:
    """The trees as nested lists."""
    children: dict[str | None, list[HeritageModel]] = {}
    for model in models:
        children.setdefault(model.parent, []).append(model)
    lines = [f"<p>{html.escape(title)}</p>", "<ul>"]
    # Without recursion, as a lineage may be long.
    waiting: list[HeritageModel | None] = list(reversed(children.get(None, [])))
    while waiting:
        current = waiting.pop()
        if current is None:
            lines.append("</ul></li>")
            continue
        lines.append(f"<li>{_describe(current)}<ul>")
        waiting += [None, *reversed(children.get(current.id, []))]
    return "".join([*lines, "</ul>"])


def _describe(model: HeritageModel) -> str:
    name = f"<code>{html.escape(model.path)}</code>"
    if model.confidence is None:
        return name
    return f"{name} {html.escape(str(model.relation))}, {model.confidence:.0%} sure"
