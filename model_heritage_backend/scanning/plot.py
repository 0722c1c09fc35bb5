"""A family as a drawing for notebooks: a dendrogram from left to right. Needs matplotlib."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import networkx as nx

from model_heritage_backend.scanning.extras import require

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_INCHES = 0.32
COLUMN_INCHES = 2.6
TRUNK = "#bbbbbb"
COLOURS = {
    "finetune": "#4c78a8",
    "partial": "#72b7b2",
    "adapter": "#54a24b",
    "merge": "#b279a2",
    "quantized": "#f58518",
    "pruned": "#e45756",
    "cast": "#eeca3b",
    "duplicate": "#9d755d",
    "unresolved": "#9a9a9a",
}


def draw_family(graph: nx.DiGraph[str], *, ax: Axes | None = None) -> Axes:
    """Draw the main lines as branches, further parents of merges as dashed lines."""
    require("matplotlib")
    import matplotlib.pyplot as plt

    places = _lay_out(graph)
    if ax is None:
        depth = max((x for x, _ in places.values()), default=0) + 1
        size = (COLUMN_INCHES * depth, ROW_INCHES * (len(places) + 1))
        _, ax = plt.subplots(figsize=size, layout="constrained")
    shown = set()
    for parent, child, edge in graph.edges(data=True):
        (x0, y0), (x1, y1) = places[parent], places[child]
        colour = COLOURS.get(edge["relation"], COLOURS["unresolved"])
        label = edge["relation"] if edge["relation"] not in shown else None
        shown.add(edge["relation"])
        if edge["main"]:
            ax.plot([x0, x0], [y0, y1], color=TRUNK, linewidth=0.8, zorder=0)
        ax.plot(
            [x0, x1],
            [y1, y1] if edge["main"] else [y0, y1],
            color=colour,
            linewidth=0.5 + 2 * edge["confidence"],
            linestyle="-" if edge["main"] else "--",
            label=label,
            zorder=1,
        )
    for model, (x, y) in places.items():
        ax.scatter([x], [y], s=18, color="#333333", zorder=2)
        # parse_math: names are anybody's text, and "$" would be read as a formula.
        ax.annotate(
            PurePosixPath(graph.nodes[model]["path"]).stem,
            (x, y),
            xytext=(5, 3),
            textcoords="offset points",
            fontsize=8,
            parse_math=False,
        )
    ax.invert_yaxis()
    ax.set_axis_off()
    if shown:
        ax.legend(loc="upper right", fontsize=7, frameon=False)
    return ax


def _lay_out(graph: nx.DiGraph[str]) -> dict[str, tuple[int, int]]:
    """(depth, row) of every model: each in a row of its own, parents above their children."""
    main = {c: p for p, c, edge in graph.edges(data=True) if edge["main"]}
    children: dict[str | None, list[str]] = {}
    for model in sorted(graph, key=lambda m: graph.nodes[m]["path"]):
        children.setdefault(main.get(model), []).append(model)
    places: dict[str, tuple[int, int]] = {}
    waiting = [(model, 0) for model in reversed(children.get(None, []))]
    while waiting:
        model, depth = waiting.pop()
        places[model] = (depth, len(places))
        waiting += [(child, depth + 1) for child in reversed(children.get(model, []))]
    return places
